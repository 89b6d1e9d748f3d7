//! Cases 66 to 70: NodePools, and EC2NodeClasses.

use std::sync::Arc;

use super::{Case, patch_of};
use crate::api::names;
use crate::decide::testing::at;
use crate::model::decision::effect::ObjectKind;
use crate::model::node_class::{ResolvedClass, ResolvedImage};
use crate::model::{Delta, NodeClass, Status};

fn edit_class(case: &mut Case, change: impl FnOnce(&mut NodeClass)) {
    let mut row = (**case.world.snapshot.classes.get("default").expect("class")).clone();
    change(&mut row);
    case.world.apply(Delta::Class(Arc::new(row)));
}

#[test]
fn case_66_readiness_follows_the_class() {
    type Change = fn(&mut Case);
    let cases: [(&str, Change); 4] = [
        ("NodeClassNotFound", |c| {
            c.world.apply(Delta::ClassGone("default".into()));
        }),
        ("NodeClassTerminating", |c| {
            edit_class(c, |k| k.deleting = Some(at(0)));
        }),
        ("NodeClassReadinessUnknown", |c| {
            edit_class(c, |k| k.conditions.clear());
        }),
        ("UnhealthyDependents", |c| {
            edit_class(c, |k| {
                k.resolved = Some(Arc::new(ResolvedClass {
                    problems: vec![(
                        "SubnetsReady".into(),
                        "SubnetsNotFound".into(),
                        "none match".into(),
                    )],
                    ..ResolvedClass::default()
                }));
            });
        }),
    ];
    for (reason, change) in cases {
        let mut case = Case::new();
        change(&mut case);
        let patch = patch_of(&case.pass(0), ObjectKind::NodePool, "default").expect("patch");
        let class = &patch.conditions[names::NODE_CLASS_READY];
        assert_eq!((class.status, &*class.reason), (Status::False, reason));
        assert_eq!(patch.conditions[names::READY].status, Status::False);
    }
}

/// What run-time validation says of a pool with that part of its template.
fn verdict(template: &serde_json::Value) -> Vec<String> {
    let mut spec = serde_json::json!({"requirements": [], "nodeClassRef":
        {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}});
    for (key, value) in template.as_object().expect("an object") {
        spec[key] = value.clone();
    }
    let spec = serde_json::from_value(serde_json::json!({"template": {"spec": spec}}));
    crate::api::validate::nodepool(&spec.expect("a spec"))
}

#[test]
fn case_67_capacity_types_must_be_known_ones() {
    for (values, valid) in [(vec!["bogus"], false), (vec!["bogus", "spot"], true)] {
        let template = serde_json::json!({"requirements": [
            {"key": names::CAPACITY_TYPE, "operator": "In", "values": values}]});
        assert_eq!(verdict(&template).is_empty(), valid, "{values:?}");
    }
}

#[test]
fn case_68_a_taint_may_be_there_once() {
    let taint = serde_json::json!({"key": "a", "value": "b", "effect": "NoSchedule"});
    let both = serde_json::json!({"taints": [taint.clone()], "startupTaints": [taint.clone()]});
    assert!(!verdict(&both).is_empty());
    assert!(verdict(&serde_json::json!({"taints": [taint]})).is_empty());
}

/// What validation found closes the pool.
#[test]
fn an_invalid_pool_says_so() {
    let mut case = Case::new();
    case.world
        .edit_pool("default", |p| p.invalid = vec!["bad key".into()]);
    let patch = patch_of(&case.pass(0), ObjectKind::NodePool, "default").expect("patch");
    let valid = &patch.conditions[names::VALIDATION_SUCCEEDED];
    assert_eq!(
        (&*valid.reason, &*valid.message),
        ("NodePoolValidationFailed", "bad key")
    );
}

/// Case 69: machines on their way out do not count; nothing is written twice.
#[test]
fn case_69_machines_are_counted() {
    let mut case = Case::new();
    case.world.machine("a", "m5.xlarge");
    case.world.machine("b", "m5.large");
    let patch = patch_of(&case.pass(0), ObjectKind::NodePool, "default").expect("patch");
    assert_eq!(patch.status["nodes"], 2);
    assert_eq!(patch.status["resources"]["cpu"], "6");
    assert_eq!(patch.status["resources"]["nodes"], "2");
    assert_eq!(patch.status["resources"]["ephemeral-storage"], "0");
    assert_eq!(patch.annotations[names::NODEPOOL_HASH].as_deref(), Some("7"));

    case.world.edit_pool("default", |p| {
        p.status_nodes = 2;
        p.status_resources = crate::decide::testing::cpu_mem(6000, 24);
        p.status_resources.pods = 116;
        p.status_resources.set("nodes", 2);
        p.conditions.extend(patch.conditions.clone());
        for (key, value) in &patch.annotations {
            p.annotations.extend(value.clone().map(|v| (key.clone(), v)));
        }
    });
    assert!(patch_of(&case.pass(5), ObjectKind::NodePool, "default").is_none());
    case.world.edit_claim("b", |c| c.deleting = Some(at(6)));
    let patch = patch_of(&case.pass(6), ObjectKind::NodePool, "default").expect("patch");
    assert_eq!(patch.status["nodes"], 1);
    assert_eq!(patch.status["resources"]["cpu"], "4");
}

/// A resolved class becomes conditions and status, once.
#[test]
fn a_class_shows_what_was_resolved() {
    let mut case = Case::new();
    edit_class(&mut case, |k| {
        k.conditions.clear();
        k.resolved = Some(Arc::new(ResolvedClass {
            images: vec![ResolvedImage {
                id: "ami-1".into(),
                name: "al2023".into(),
                arch: "amd64".into(),
                deprecated: false,
                requirements: crate::model::Requirements::default(),
            }],
            ..ResolvedClass::default()
        }));
    });
    let patch = patch_of(&case.pass(0), ObjectKind::NodeClass, "default").expect("patch");
    assert_eq!(patch.conditions[names::READY].status, Status::True);
    assert_eq!(patch.status["amis"][0]["id"], "ami-1");
    assert_eq!(patch.annotations[names::EC2_HASH].as_deref(), Some("1"));
    edit_class(&mut case, |k| k.conditions.extend(patch.conditions));
    assert!(patch_of(&case.pass(1), ObjectKind::NodeClass, "default").is_none());
}

/// `lifecycle §21`.
#[test]
fn a_deleted_class_waits_for_its_claims() {
    let mut case = Case::new();
    case.world.claim("c", |_| {});
    edit_class(&mut case, |k| k.deleting = Some(at(0)));
    assert!(patch_of(&case.pass(0), ObjectKind::NodeClass, "default").is_none());
    case.world.apply(Delta::ClaimGone("c".into()));
    let patch = patch_of(&case.timers(5), ObjectKind::NodeClass, "default").expect("free");
    assert_eq!(patch.remove_finalizers.len(), 1);
}

#[test]
fn case_70_labels_change_the_hash_and_budgets_do_not() {
    let spec = |label: &str, nodes: &str| -> crate::api::nodepool::NodePoolSpec {
        serde_json::from_value(serde_json::json!({
            "template": {"metadata": {"labels": {"team": label}}, "spec": {"requirements": [], "nodeClassRef":
                {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}}},
            "disruption": {"budgets": [{"nodes": nodes}]},
        }))
        .expect("a spec")
    };
    let hash = |label: &str, nodes: &str| crate::api::hash::nodepool(&spec(label, nodes).template);
    assert_ne!(hash("a", "1"), hash("b", "1"));
    assert_eq!(hash("a", "1"), hash("a", "2"));
}

#[test]
fn case_71_an_older_hash_is_replaced_unless_the_claim_has_drifted() {
    let mut case = Case::new();
    for name in ["same", "drifted"] {
        case.world.machine(name, "m5.large");
        case.world.edit_claim(name, |c| {
            c.annotations.insert(names::NODEPOOL_HASH.into(), "old".into());
            c.annotations
                .insert(names::NODEPOOL_HASH_VERSION.into(), "v2".into());
        });
    }
    case.world.edit_claim("drifted", |c| {
        c.conditions.insert(
            names::DRIFTED.into(),
            crate::decide::testing::cond(Status::True, 0),
        );
    });
    case.world.edit_pool("default", |p| {
        p.annotations
            .insert(names::NODEPOOL_HASH_VERSION.into(), "v2".into());
    });
    let out = case.pass(0);
    for (name, hash) in [("same", Some("7")), ("drifted", None)] {
        let patch = patch_of(&out, ObjectKind::NodeClaim, name).expect("migrated");
        assert_eq!(
            patch.annotations[names::NODEPOOL_HASH_VERSION].as_deref(),
            Some("v3")
        );
        let written = patch.annotations.get(names::NODEPOOL_HASH).cloned().flatten();
        assert_eq!(written.as_deref(), hash, "{name}");
    }
}
