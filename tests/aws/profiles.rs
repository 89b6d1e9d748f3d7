//! Instance profiles of classes that name a role (`aws §2.2`; cases of `aws §26` by number).

use std::time::Duration;

use kerf::api::names;
use kerf::cloud::aws::api::InstanceProfile;
use kerf::cloud::port::CloudError;
use kerf::model::Name;
use serde_json::json;

use crate::support::{Rig, claim, rig};

async fn launched(rig: &Rig, name: &str) -> Name {
    let got = rig
        .launch(&claim(name, &["m5.large"], &["on-demand"]), name)
        .await
        .expect("launched");
    got.annotations
        .get(names::INSTANCE_PROFILE)
        .cloned()
        .expect("annotation")
}

fn calls(rig: &Rig, name: &str) -> u64 {
    rig.ec2.calls().get(name).copied().unwrap_or(0)
}

/// Case 13: another role, another profile; the machines of the old one keep it. Case 14: a role with a path.
#[tokio::test(start_paused = true)]
async fn cases_13_and_14_a_profile_for_each_role() {
    let mut rig = rig().await;
    let first = launched(&rig, "web-a").await;
    let profiles = rig.ec2.instance_profiles();
    assert_eq!(profiles.len(), 1);
    let InstanceProfile {
        name,
        path,
        roles,
        tags,
    } = &profiles[0];
    assert_eq!((name, &roles[..]), (&first, &["demo-nodes".into()][..]));
    assert!(first.starts_with("demo_") && first.len() <= 128);
    assert_eq!(path, "/karpenter/us-east-1/demo/class/");
    for (key, value) in [
        ("kubernetes.io/cluster/demo", "owned"),
        (names::TAG_CLUSTER, "demo"),
        (names::TAG_NODECLASS, "general"),
        (names::REGION, "us-east-1"),
        ("team", "shop"),
    ] {
        assert_eq!(tags.get(key).map(|v| &**v), Some(value), "{key}");
    }
    rig.edit_class(|spec| spec["role"] = json!("team/nodes")).await;
    let second = launched(&rig, "web-b").await;
    assert_ne!(second, first);
    let profiles = rig.ec2.instance_profiles();
    assert_eq!(profiles.len(), 2, "the old one is kept");
    let new = profiles.iter().find(|p| p.name == second).expect("profile");
    assert_eq!(new.roles, ["nodes".into()]);
}

/// Case 15.
#[tokio::test(start_paused = true)]
async fn case_15_a_missing_role_is_remembered_for_a_minute() {
    let rig = rig().await;
    rig.ec2.set_role("demo-nodes", false);
    let web = claim("web-a", &["m5.large"], &["on-demand"]);
    for attempt in ["t1", "t2"] {
        let failed = rig.launch(&web, attempt).await;
        assert!(
            matches!(&failed, Err(CloudError::Launch { message, .. }) if message.contains("demo-nodes")),
            "{failed:?}"
        );
    }
    assert_eq!(calls(&rig, "CreateInstanceProfile"), 1);
    assert_eq!(rig.ec2.instance_profiles(), [], "what was begun is taken back");
    assert!(rig.ec2.instances().is_empty());
    rig.ec2.set_role("demo-nodes", true);
    tokio::time::sleep(Duration::from_secs(61)).await;
    launched(&rig, "web-a").await;
    assert_eq!(calls(&rig, "CreateInstanceProfile"), 2);
}

/// Case 16: a pass that was cut short after making the profile finds it again, with or without its role.
#[tokio::test(start_paused = true)]
async fn case_16_what_was_made_is_used_again() {
    use kerf::cloud::aws::api::Iam;
    let first = rig().await;
    let name = launched(&first, "web-a").await;
    let second = rig().await;
    let half = InstanceProfile {
        name: name.clone(),
        path: "/".into(),
        ..InstanceProfile::default()
    };
    second.ec2.create_instance_profile(half).await.expect("created");
    assert_eq!(launched(&second, "web-a").await, name);
    assert_eq!(second.ec2.instance_profiles()[0].roles, ["demo-nodes".into()]);
    // Known for a quarter of an hour.
    let asked = calls(&second, "GetInstanceProfile");
    launched(&second, "web-b").await;
    assert_eq!(calls(&second, "GetInstanceProfile"), asked);
    tokio::time::sleep(Duration::from_secs(901)).await;
    launched(&second, "web-c").await;
    assert_eq!(calls(&second, "GetInstanceProfile"), asked + 1);
    assert_eq!(calls(&second, "CreateInstanceProfile"), 1);
}

/// Case 17.
#[tokio::test(start_paused = true)]
async fn case_17_a_named_profile_needs_no_call() {
    let mut rig = rig().await;
    rig.edit_class(|spec| {
        spec.as_object_mut().expect("object").remove("role");
        spec["instanceProfile"] = json!("nodes-of-ours");
    })
    .await;
    assert_eq!(&*launched(&rig, "web-a").await, "nodes-of-ours");
    assert!(
        rig.ec2
            .calls()
            .keys()
            .all(|call| !call.contains("InstanceProfile")),
        "{:?}",
        rig.ec2.calls()
    );
}

/// A refusal of IAM is told, and nothing is launched.
#[tokio::test(start_paused = true)]
async fn a_denied_profile_launches_nothing() {
    let rig = rig().await;
    rig.ec2.refuse(
        "GetInstanceProfile",
        "AccessDenied",
        "not authorized to perform: iam:GetInstanceProfile",
        1,
    );
    let refused = rig
        .launch(&claim("web-a", &["m5.large"], &["on-demand"]), "t")
        .await;
    assert!(
        matches!(&refused, Err(CloudError::Api { call, .. }) if &**call == "GetInstanceProfile"),
        "{refused:?}"
    );
    assert!(rig.ec2.instances().is_empty());
    launched(&rig, "web-a").await;
}
