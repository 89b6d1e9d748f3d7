//! What a class resolves to (`aws §2`, `§3`; cases of `aws §26` by number).

use std::time::Duration;

use jiff::Timestamp;
use kerf::api::hash;
use kerf::api::names;
use kerf::cloud::aws::api::{Ec2Read, Image};
use kerf::cloud::port::{CloudError, CloudRead};
use kerf::model::Name;
use serde_json::json;

use crate::support::{Rig, claim, rig};

async fn resolved(rig: &Rig) -> std::sync::Arc<kerf::model::node_class::ResolvedClass> {
    rig.reader.resolve(&rig.class).await.expect("resolved")
}

/// The class keeps everything from being launched.
async fn refuses_to_launch(rig: &Rig) {
    let refused = rig
        .launch(&claim("web-a", &["m5.large"], &["on-demand"]), "t")
        .await;
    assert!(
        matches!(refused, Err(CloudError::NodeClassNotReady(_))),
        "{refused:?}"
    );
}

async fn subnet_ids(rig: &Rig) -> Vec<Name> {
    let mut out: Vec<Name> = rig
        .ec2
        .describe_subnets(Vec::new())
        .await
        .expect("subnets")
        .into_iter()
        .map(|s| s.subnet_id)
        .collect();
    out.sort();
    out
}

fn image(id: &str, name: &str, created: &str, deprecated: Option<&str>) -> Image {
    let time = |t: &str| -> Timestamp { t.parse().expect("time") };
    Image {
        image_id: id.into(),
        name: name.into(),
        architecture: "x86_64".into(),
        owner_id: "123456789012".into(),
        creation_date: time(created),
        deprecation_time: deprecated.map(time),
        tags: [("team".into(), "shop".into())].into(),
    }
}

/// Cases 1 and 2 end to end.
#[tokio::test(start_paused = true)]
async fn cases_1_and_2_terms_are_united_and_tags_of_one_term_must_all_match() {
    let mut rig = rig().await;
    let ids = subnet_ids(&rig).await;
    rig.ec2.tag_subnet(&ids[1], "tier", Some("front"));
    rig.ec2.tag_subnet(&ids[2], "tier", Some("back"));
    rig.ec2.tag_subnet(&ids[2], "zone", Some("inner"));
    let of = async |rig: &mut Rig, terms: serde_json::Value| -> Vec<Name> {
        rig.edit_class(|spec| spec["subnetSelectorTerms"] = terms).await;
        let resolved = rig.class.resolved.clone().expect("resolved");
        let mut out: Vec<Name> = resolved.subnets.iter().map(|s| s.id.clone()).collect();
        out.sort();
        out
    };
    let both = json!([{"id": ids[0]}, {"tags": {"tier": "front"}}, {"id": ids[1]}]);
    assert_eq!(of(&mut rig, both).await, ids[..2]);
    let all_of_one = json!([{"tags": {"tier": "back", "zone": "inner"}}]);
    assert_eq!(of(&mut rig, all_of_one).await, ids[2..3]);
    assert_eq!(
        of(&mut rig, json!([{"tags": {"tier": "front", "zone": "inner"}}])).await,
        [] as [Name; 0]
    );
    assert_eq!(
        of(&mut rig, json!([{"tags": {"tier": "*"}}])).await,
        ids[1..3],
        "the key alone"
    );
}

/// Cases 3 and 4: outside changes appear after the interval, edits of the class at once.
#[tokio::test(start_paused = true)]
async fn cases_3_and_4_a_tag_is_seen_within_a_minute_and_an_edit_at_once() {
    let mut rig = rig().await;
    let ids = subnet_ids(&rig).await;
    rig.edit_class(|spec| spec["subnetSelectorTerms"] = json!([{"tags": {"late": "yes"}}]))
        .await;
    let problem = rig.class.resolved.clone().expect("resolved").problems.clone();
    assert_eq!(problem.len(), 1);
    assert_eq!(
        (&*problem[0].0, &*problem[0].1),
        (names::SUBNETS_READY, "SubnetsNotFound")
    );
    rig.ec2.tag_subnet(&ids[0], "late", Some("yes"));
    assert_eq!(resolved(&rig).await.subnets, [], "the answer is seconds old");
    let before = rig.reader.revision();
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(rig.reader.revision() > before, "observers are told to ask again");
    let found = resolved(&rig).await;
    assert_eq!((found.subnets.len(), found.problems.len()), (1, 0));
    rig.ec2.tag_subnet(&ids[1], "late", Some("yes"));
    rig.edit_class(|spec| spec["tags"] = json!({"edited": "yes"}))
        .await;
    assert_eq!(
        resolved(&rig).await.subnets.len(),
        2,
        "another generation is asked for at once"
    );
}

/// Case 5, the class's part: nothing matches, nothing is launched; which pool serves the pod instead is decided
/// elsewhere by readiness (`lifecycle` case 66).
#[tokio::test(start_paused = true)]
async fn case_5_no_image_no_launch() {
    let mut rig = rig().await;
    rig.edit_class(|spec| spec["amiSelectorTerms"] = json!([{"tags": {"team": "nobody"}}]))
        .await;
    let found = rig.class.resolved.clone().expect("resolved");
    assert_eq!(found.images, []);
    assert_eq!(
        (&*found.problems[0].0, &*found.problems[0].1),
        (names::AMIS_READY, "AMINotFound")
    );
    refuses_to_launch(&rig).await;
}

/// Case 6 for what a resolved class says.
#[tokio::test(start_paused = true)]
async fn case_6_an_unsupported_alias_is_a_reason() {
    let mut rig = rig().await;
    for (alias, reason) in [
        ("al2@latest", Some("UnsupportedAlias")),
        ("al2023@latest", None),
        ("windows2025@latest", Some("UnsupportedAlias")),
    ] {
        rig.edit_class(|spec| spec["amiSelectorTerms"] = json!([{"alias": alias}]))
            .await;
        let found = rig.class.resolved.clone().expect("resolved");
        assert_eq!(found.problems.first().map(|p| &*p.1), reason, "{alias}");
    }
}

/// Case 7.
#[tokio::test(start_paused = true)]
async fn case_7_one_published_image_is_enough() {
    let mut rig = rig().await;
    let path = |arch: &str, kind: &str| {
        format!("/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/{arch}/{kind}/recommended/image_id")
    };
    for (arch, kind) in [
        ("x86_64", "nvidia"),
        ("x86_64", "neuron"),
        ("arm64", "standard"),
        ("arm64", "nvidia"),
    ] {
        rig.ec2.set_parameter(&path(arch, kind), None);
    }
    tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
    rig.edit_class(|_| {}).await;
    let found = rig.class.resolved.clone().expect("resolved");
    assert_eq!((found.images.len(), found.problems.len()), (1, 0));
    rig.launch(&claim("web-a", &["m5.large"], &["on-demand"]), "t")
        .await
        .expect("launched");
    let arm = rig
        .launch(&claim("web-b", &["m6g.large"], &["on-demand"]), "u")
        .await;
    assert!(
        matches!(arm, Err(CloudError::Launch { .. })),
        "no image boots it: {arm:?}"
    );
    rig.ec2.set_parameter(&path("x86_64", "standard"), None);
    tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
    assert_eq!(&*resolved(&rig).await.problems[0].1, "AMINotFound");
}

/// Cases 9 and 10 end to end.
#[tokio::test(start_paused = true)]
async fn cases_9_and_10_the_best_image_of_a_kind() {
    let (old, new) = ("2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z");
    for (images, best) in [
        (
            vec![
                image("ami-old", "a", old, None),
                image("ami-new", "b", new, Some(new)),
            ],
            "ami-old",
        ),
        (
            vec![
                image("ami-old", "a", old, Some(old)),
                image("ami-new", "b", new, Some(new)),
            ],
            "ami-new",
        ),
        (
            vec![image("ami-a", "a", new, None), image("ami-b", "b", new, None)],
            "ami-b",
        ),
    ] {
        let mut rig = rig().await;
        for one in images {
            rig.ec2.add_image(one);
        }
        rig.edit_class(|spec| spec["amiSelectorTerms"] = json!([{"tags": {"team": "shop"}}]))
            .await;
        let found = rig.class.resolved.clone().expect("resolved");
        assert_eq!(found.images.iter().map(|i| &*i.id).collect::<Vec<_>>(), [best]);
    }
}

/// Case 11.
#[tokio::test(start_paused = true)]
async fn case_11_parameters_of_a_class() {
    let mut rig = rig().await;
    rig.ec2
        .add_image(image("ami-mine", "mine", "2025-12-01T00:00:00Z", None));
    let terms = json!([{"ssmParameter": "/mine"}, {"ssmParameter": "/other"}]);
    rig.ec2.set_parameter("/mine", Some("ami-mine"));
    for other in [None, Some("foo")] {
        rig.ec2.set_parameter("/other", other);
        rig.edit_class(|spec| spec["amiSelectorTerms"] = terms.clone())
            .await;
        let found = rig.class.resolved.clone().expect("resolved");
        assert_eq!(
            found.images.iter().map(|i| &*i.id).collect::<Vec<_>>(),
            ["ami-mine"],
            "{other:?}"
        );
        tokio::time::sleep(Duration::from_secs(301)).await;
    }
    rig.ec2
        .refuse("GetParameter", "AccessDeniedException", "not allowed", 1);
    let refused = rig.reader.resolve(&rig.class).await;
    assert!(
        matches!(&refused, Err(CloudError::Api { call, code, .. }) if &**call == "GetParameter" && &**code == "AccessDeniedException"),
        "{refused:?}"
    );
}

/// Case 12.
#[tokio::test(start_paused = true)]
async fn case_12_naming_the_implied_family_is_no_drift() {
    let mut rig = rig().await;
    let implied = hash::ec2nodeclass_v6(&rig.class.spec, "");
    rig.edit_class(|spec| spec["amiFamily"] = json!("AL2023")).await;
    assert_eq!(hash::ec2nodeclass_v6(&rig.class.spec, ""), implied);
    rig.edit_class(|spec| spec["amiFamily"] = json!("Custom")).await;
    assert_ne!(hash::ec2nodeclass_v6(&rig.class.spec, ""), implied);
}

/// Restricted tags and an unknown service CIDR are told before anything is launched (`aws §2.3`).
#[tokio::test(start_paused = true)]
async fn what_a_launch_sets_itself_may_not_be_a_tag() {
    let mut rig = rig().await;
    rig.edit_class(|spec| spec["tags"] = json!({"karpenter.sh/nodepool": "mine"}))
        .await;
    let found = rig.class.resolved.clone().expect("resolved");
    assert_eq!(
        (&*found.problems[0].0, &*found.problems[0].1),
        (names::VALIDATION_SUCCEEDED, "TagValidationFailed")
    );
    refuses_to_launch(&rig).await;
}
