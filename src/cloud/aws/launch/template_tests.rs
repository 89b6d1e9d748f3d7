use serde_json::{Value, json};

use super::super::{filters, fleet};
use super::*;
use crate::cloud::aws::testing::{catalogue, claim, class, resolved, settings};
use crate::cloud::stock::Unavailable;

/// The templates of a launch of these types under a class.
fn templates(names: &[&str], class: &NodeClass, claim: &Claim) -> Vec<CreateLaunchTemplate> {
    templates_in(names, class, claim, &settings())
}

fn templates_in(
    names: &[&str],
    class: &NodeClass,
    claim: &Claim,
    settings: &Settings,
) -> Vec<CreateLaunchTemplate> {
    let out = filters::run(&catalogue(names), claim, &Unavailable::default(), false).expect("left");
    let resolved = resolved();
    let tags = fleet::tags(settings, class, claim);
    let options = Options {
        class,
        resolved: &resolved,
        claim,
        settings,
        market: CapacityType::OnDemand,
        tenancy: "default",
        tags: &tags,
    };
    groups(&out.kept, &resolved, claim, CapacityType::OnDemand)
        .iter()
        .map(|g| request(&options, g).expect("template"))
        .collect()
}

fn plain() -> Claim {
    claim([], 100, 100)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`json!` makes the argument at the call"
)]
fn al2023(more: Value) -> NodeClass {
    let mut spec = json!({"amiFamily": "AL2023"});
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    class(spec)
}

/// `aws §26` case 82.
#[test]
fn case_82_names_depend_on_the_class_not_on_the_types() {
    let one = al2023(json!({}));
    let mut other = one.clone();
    other.name = "other".into();
    let name =
        |types: &[&str], class: &NodeClass| templates(types, class, &plain())[0].launch_template_name.clone();
    assert_ne!(name(&["m5.large"], &one), name(&["m5.large"], &other));
    // Both have 29 pods.
    assert_eq!(name(&["m5.large"], &one), name(&["c5.large"], &one));
    assert!(name(&["m5.large"], &one).starts_with("karpenter.k8s.aws/"));
}

/// `aws §26` case 83.
#[test]
fn case_83_one_template_for_each_pod_count_and_image() {
    let class = al2023(json!({}));
    assert_eq!(templates(&["m5.large", "m5.xlarge"], &class, &plain()).len(), 2);
    assert_eq!(templates(&["m5.large", "c5.large"], &class, &plain()).len(), 1);
    assert_eq!(templates(&["m5.large", "m6g.large"], &class, &plain()).len(), 2);
}

/// `aws §26` case 84.
#[test]
fn case_84_volumes_are_rounded_up_to_gib() {
    for (size, gib) in [("4G", 4), ("2G", 2), ("80Gi", 80), ("1Ti", 1024)] {
        let class = al2023(json!({"blockDeviceMappings": [
            {"deviceName": "/dev/xvda", "ebs": {"volumeSize": size, "iops": 0}}]}));
        let data = &templates(&["m5.large"], &class, &plain())[0].data;
        let ebs = data.block_device_mappings[0].ebs.as_ref().expect("ebs");
        assert_eq!((ebs.volume_size_gib, ebs.iops), (Some(gib), None), "{size}");
    }
}

/// `aws §26` cases 85 and 86.
#[test]
fn cases_85_and_86_interfaces() {
    let devices = |list: &[NetworkInterface]| -> Vec<(i64, i64)> {
        list.iter()
            .map(|n| (n.network_card_index, n.device_index))
            .collect()
    };
    let spec = class(json!({"amiFamily": "AL2023", "ipPrefixCount": 2, "associatePublicIPAddress": true}));
    let four = interfaces(&spec.spec, &resolved(), 4);
    assert_eq!(devices(&four), [(0, 0), (1, 1), (2, 1), (3, 1)]);
    assert!(four.iter().all(|n| n.interface_type.as_deref() == Some("efa")));
    let own = class(
        json!({"ipPrefixCount": 2, "associatePublicIPAddress": true, "networkInterfaces": [
        {"networkCardIndex": 0, "deviceIndex": 0, "interfaceType": "interface"},
        {"networkCardIndex": 1, "deviceIndex": 1, "interfaceType": "efa-only"}]}),
    );
    let given = interfaces(&own.spec, &resolved(), 0);
    assert_eq!(given[0].ipv4_prefix_count, Some(2));
    assert_eq!(
        (given[1].ipv4_prefix_count, given[1].associate_public_ip_address),
        (None, None)
    );
    assert_eq!(given[0].groups, ["sg-1".into()]);
}

/// `aws §26` case 92.
#[test]
fn case_92_isolated_regions_do_not_know_ipv6_metadata() {
    let mut isolated = settings();
    isolated.region = "us-iso-east-1".into();
    let class = al2023(json!({}));
    let of = |s: &Settings| {
        templates_in(&["m5.large"], &class, &plain(), s)[0]
            .data
            .metadata_options
            .clone()
    };
    assert_eq!(of(&isolated).http_protocol_ipv6, None);
    let usual = of(&settings());
    assert_eq!(usual.http_protocol_ipv6.as_deref(), Some("disabled"));
    assert_eq!(
        (usual.http_put_response_hop_limit, &*usual.http_tokens),
        (1, "required")
    );
}

#[test]
fn oversized_user_data_is_refused() {
    let class = al2023(json!({"userData": "x".repeat(20_000)}));
    let out = filters::run(
        &catalogue(&["m5.large"]),
        &plain(),
        &Unavailable::default(),
        false,
    )
    .expect("left");
    let (resolved, settings) = (resolved(), settings());
    let tags = fleet::tags(&settings, &class, &plain());
    let claim = plain();
    let options = Options {
        class: &class,
        resolved: &resolved,
        claim: &claim,
        settings: &settings,
        market: CapacityType::Spot,
        tenancy: "default",
        tags: &tags,
    };
    let refused = request(
        &options,
        &groups(&out.kept, &resolved, &claim, CapacityType::Spot)[0],
    );
    assert!(
        matches!(&refused, Err(CloudError::Launch { reason, .. }) if &**reason == "UserDataSizeLimitExceeded"),
        "{refused:?}"
    );
}
