//! Launches: exactly once, around shortages, with the right tags.

use kerf::api::names;
use kerf::cloud::port::{CloudError, CloudRead, CloudWrite};
use kerf::model::CapacityType;

use crate::support::{claim, id_of, rig, start};

const FAR: &str = "2026-02-01T00:00:00Z";

#[tokio::test(start_paused = true)]
async fn the_class_resolves_and_the_catalogue_is_whole() {
    let rig = rig().await;
    let resolved = rig.class.resolved.clone().expect("resolved");
    assert_eq!(resolved.problems, []);
    assert_eq!(resolved.subnets.len(), 6);
    assert_eq!(resolved.security_groups.len(), 1);
    // x86 and arm, standard and nvidia, and neuron on x86.
    assert_eq!(resolved.images.len(), 5);
    let catalogue = rig.catalogue().await;
    // All 1,375 offered types but the nine Macs.
    assert_eq!(catalogue.len(), 1366);
    let available = |t: &std::sync::Arc<kerf::model::InstanceType>| t.offerings.iter().any(|o| o.available);
    let priced = catalogue.types().iter().filter(|t| available(t)).count();
    assert!(priced > 1300, "{priced}");
    // Asked again at once, it is the same one.
    assert!(std::sync::Arc::ptr_eq(&catalogue, &rig.catalogue().await));
}

#[tokio::test(start_paused = true)]
async fn three_claims_give_three_tagged_instances() {
    let rig = rig().await;
    let mut made = Vec::new();
    for name in ["web-a", "web-b", "web-c"] {
        let claim = claim(
            name,
            &["m5.large", "c5.large", "m6g.large"],
            &["spot", "on-demand"],
        );
        let result = rig
            .launch(&claim, &format!("token-{name}"))
            .await
            .expect("launched");
        assert_eq!(result.launched.capacity_type, CapacityType::Spot);
        assert!(result.launched.rank >= 1 && result.launched.types_sent == 3);
        assert_eq!(
            result.labels.get(names::CAPACITY_TYPE).map(|v| &**v),
            Some("spot")
        );
        assert_eq!(result.labels.get(names::ZONE), Some(&result.launched.zone));
        assert_eq!(result.annotations.get(names::EC2_HASH).map(|v| &**v), Some("42"));
        assert!(result.allocatable.cpu == 1930 && result.launched.price_per_hour.0 > 0);
        made.push(id_of(&result));
    }
    let instances = rig.ec2.instances();
    assert_eq!(instances.len(), 3);
    for instance in &instances {
        for (key, value) in [
            (names::TAG_NODEPOOL, "web"),
            (names::TAG_NODECLASS, "general"),
            (names::TAG_CLUSTER, "demo"),
            ("kubernetes.io/cluster/demo", "owned"),
            ("team", "shop"),
        ] {
            assert_eq!(instance.tags.get(key).map(|v| &**v), Some(value), "{key}");
        }
        assert!(instance.tags.contains_key(names::TAG_TOKEN));
        assert!(made.contains(&instance.instance_id));
    }
    let listed = rig.reader.list().await.expect("list");
    assert_eq!(listed.len(), 3);
    assert!(
        listed
            .iter()
            .all(|i| i.pool.as_deref() == Some("web") && i.token.is_some())
    );
    let tags = [(names::TAG_NODECLAIM.into(), "web-a".into())].into();
    rig.writer
        .tag(&listed[0].provider_id, &tags)
        .await
        .expect("tagged");
    let listed = rig.reader.list().await.expect("list");
    assert_eq!(listed[0].claim.as_deref(), Some("web-a"));
}

/// decisions §6: the same token never gives a second instance.
#[tokio::test(start_paused = true)]
async fn one_token_one_instance() {
    let rig = rig().await;
    let claim = claim("web-a", &["m5.large"], &["on-demand"]);
    let first = rig.launch(&claim, "token").await.expect("launched");
    let again = rig.launch(&claim, "token").await.expect("found");
    assert_eq!(first.launched.provider_id, again.launched.provider_id);
    assert_eq!(first.labels, again.labels);
    assert_eq!(rig.ec2.instances().len(), 1);
    // Once it is gone the token is spent.
    rig.writer
        .terminate(&first.launched.provider_id)
        .await
        .expect("ended");
    let spent = rig.launch(&claim, "token").await;
    assert!(
        matches!(spent, Err(CloudError::InsufficientCapacity(_))),
        "{spent:?}"
    );
    assert_eq!(rig.ec2.instances().len(), 1);
}

/// `aws §26` cases 71 and 72.
#[tokio::test(start_paused = true)]
async fn cases_71_and_72_a_shortage_is_gone_around_and_remembered() {
    let rig = rig().await;
    let until = FAR.parse().expect("time");
    rig.ec2.make_ice("c5.large", "*", CapacityType::OnDemand, until);
    let both = claim("web-a", &["m5.large", "c5.large"], &["on-demand"]);
    let before = rig.reader.revision();
    let result = rig.launch(&both, "one").await.expect("launched");
    assert_eq!(&*result.launched.instance_type, "m5.large");
    assert!(
        result
            .launched
            .errors
            .iter()
            .all(|e| e.contains("InsufficientInstanceCapacity"))
    );
    assert!(!result.launched.errors.is_empty());
    assert!(rig.reader.revision() > before, "the catalogue is stale");
    let out = |catalogue: &kerf::model::Catalogue| {
        let row = catalogue.get("c5.large").expect("row");
        row.offerings
            .iter()
            .filter(|o| o.capacity_type == CapacityType::OnDemand)
            .all(|o| !o.available)
    };
    assert!(out(&*rig.catalogue().await));
    // Nothing else: insufficient capacity, without a call.
    let only = claim("web-b", &["c5.large"], &["on-demand"]);
    let failed = rig.launch(&only, "two").await;
    assert!(
        matches!(failed, Err(CloudError::InsufficientCapacity(_))),
        "{failed:?}"
    );
    // Case 73: after three minutes it is tried again, and fails in EC2's own words.
    tokio::time::sleep(std::time::Duration::from_secs(181)).await;
    assert!(!out(&*rig.catalogue().await));
    let failed = rig.launch(&only, "three").await;
    let Err(CloudError::InsufficientCapacity(message)) = failed else {
        panic!("{failed:?}");
    };
    assert!(message.contains("InsufficientInstanceCapacity"), "{message}");
}

/// `aws §26` case 77.
#[tokio::test(start_paused = true)]
async fn case_77_a_template_deleted_behind_our_back() {
    use kerf::cloud::aws::api::{Ec2Read, Ec2Write};
    let rig = rig().await;
    rig.launch(&claim("web-a", &["m5.large"], &["on-demand"]), "one")
        .await
        .expect("launched");
    let templates = rig
        .ec2
        .describe_launch_templates(Vec::new())
        .await
        .expect("templates");
    assert_eq!(templates.len(), 1);
    let name = templates[0].launch_template_name.clone();
    rig.ec2.delete_launch_template(name).await.expect("deleted");
    rig.launch(&claim("web-b", &["m5.large"], &["on-demand"]), "two")
        .await
        .expect("launched");
    assert_eq!(rig.ec2.instances().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn refusals_have_reasons() {
    let rig = rig().await;
    let claim = claim("web-a", &["m5.large"], &["on-demand"]);
    rig.ec2.refuse(
        "CreateFleet",
        "UnauthorizedOperation",
        "You are not authorized",
        1,
    );
    let refused = rig.launch(&claim, "token").await;
    assert!(
        matches!(&refused, Err(CloudError::Launch { reason, .. }) if &**reason == "Unauthorized"),
        "{refused:?}"
    );
    rig.launch(&claim, "token")
        .await
        .expect("the second time it works");
}

/// `aws §26` cases 105 and 106.
#[tokio::test(start_paused = true)]
async fn cases_105_and_106_an_unready_class_launches_nothing() {
    let mut rig = rig().await;
    let claim = claim("web-a", &["m5.large"], &["on-demand"]);
    let catalogue = rig.catalogue().await;
    let ready = kerf::model::Condition {
        status: kerf::model::Status::True,
        reason: "".into(),
        message: "".into(),
        since: start(),
        observed_generation: Some(1),
    };
    rig.class.conditions.insert("Ready".into(), ready);
    rig.class.generation = 2;
    let refused = rig.writer.launch(&claim, &rig.class, &catalogue, "t").await;
    assert!(
        matches!(refused, Err(CloudError::NodeClassNotReady(_))),
        "{refused:?}"
    );
    rig.class.deleting = Some(start());
    let refused = rig.writer.launch(&claim, &rig.class, &catalogue, "t").await;
    assert!(
        matches!(refused, Err(CloudError::InsufficientCapacity(_))),
        "{refused:?}"
    );
    assert!(rig.ec2.instances().is_empty());
}
