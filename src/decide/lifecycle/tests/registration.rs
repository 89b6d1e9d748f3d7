//! Cases 11 to 30: registration, initialization, their time-out and health.

use super::{Case, events, keys, patch_of};
use crate::api::names;
use crate::decide::testing::{cond, labels};
use crate::model::decision::effect::ObjectKind;
use crate::model::{Status, Taint, TaintEffect};

const ID: &str = "aws:///zone-a/i-1";

fn taint(key: &str, effect: TaintEffect) -> Taint {
    Taint {
        key: key.into(),
        value: "".into(),
        effect,
    }
}

fn unregistered() -> Taint {
    taint(names::UNREGISTERED_TAINT, TaintEffect::NoExecute)
}

fn launched() -> Case {
    let mut case = Case::new();
    case.world.claim("c", |c| {
        c.provider_id = ID.into();
        c.labels
            .extend(labels(&[("team", "a"), (names::EC2_NODECLASS, "default")]));
        c.annotations
            .extend(labels(&[("note", "b"), ("kerf.dev/decision", "1")]));
        c.taints = vec![taint("dedicated", TaintEffect::NoSchedule)];
        c.startup_taints = vec![taint("starting", TaintEffect::NoSchedule)];
        c.conditions
            .insert(names::LAUNCHED.into(), cond(Status::True, 10));
    });
    case
}

/// Registered, with a node that shows it.
fn registered() -> Case {
    let mut case = launched();
    case.world.edit_claim("c", |c| {
        c.conditions
            .insert(names::REGISTERED_CONDITION.into(), cond(Status::True, 20));
    });
    case.world.node("n", ID, |n| {
        n.labels = labels(&[(names::REGISTERED, "true"), (names::EC2_NODECLASS, "default")]);
        n.finalizers = vec![names::TERMINATION_FINALIZER.into()];
    });
    case
}

#[test]
fn case_11_a_node_gets_everything_from_its_claim_and_then_the_claim_is_registered() {
    let mut case = launched();
    case.world.node("n", ID, |n| n.taints = vec![unregistered()]);
    let out = case.pass(20);
    let patch = patch_of(&out, ObjectKind::Node, "n").expect("sync");
    assert_eq!(&*patch.add_finalizers[0], names::TERMINATION_FINALIZER);
    assert_eq!(patch.owner_claim, Some(("c".into(), "uid-c".into())));
    assert_eq!(patch.labels["team"].as_deref(), Some("a"));
    assert_eq!(patch.labels[names::REGISTERED].as_deref(), Some("true"));
    assert_eq!(patch.labels[names::EC2_NODECLASS].as_deref(), Some("default"));
    assert_eq!(patch.annotations["note"].as_deref(), Some("b"));
    assert!(!patch.annotations.contains_key("kerf.dev/decision"));
    let added: Vec<&str> = patch.add_taints.iter().map(|t| &*t.key).collect();
    assert_eq!(added, ["dedicated", "starting"]);
    assert_eq!(patch.remove_taints, [unregistered()]);
    let claim = patch_of(&out, ObjectKind::NodeClaim, "c");
    assert!(claim.is_none_or(
        |p| !p.conditions.contains_key(names::READY) || p.conditions[names::READY].status != Status::True
    ));

    case.world.edit_node("n", |n| {
        n.taints = vec![
            taint("dedicated", TaintEffect::NoSchedule),
            taint("starting", TaintEffect::NoSchedule),
        ];
        n.finalizers = vec![names::TERMINATION_FINALIZER.into()];
        n.labels = labels(&[(names::REGISTERED, "true"), (names::EC2_NODECLASS, "default")]);
    });
    let out = case.pass(21);
    let patch = patch_of(&out, ObjectKind::NodeClaim, "c").expect("registered");
    assert_eq!(patch.conditions[names::REGISTERED_CONDITION].status, Status::True);
    assert_eq!(patch.status["nodeName"], "n");
    let init = &patch.conditions[names::INITIALIZED_CONDITION];
    assert_eq!(
        (&*init.reason, &*init.message),
        (
            "StartupTaintsExist",
            "StartupTaint \"starting:NoSchedule\" still exists"
        )
    );
}

#[test]
fn case_13_a_missing_taint_is_warned_about_once_and_does_not_stop_registration() {
    let mut case = launched();
    case.world.node("n", ID, |_| {});
    let out = case.pass(20);
    assert!(patch_of(&out, ObjectKind::Node, "n").is_some());
    assert!(events(&out).iter().any(|(r, _)| r == "UnregisteredTaintMissing"));
    let again = case.pass(21);
    assert!(
        !events(&again)
            .iter()
            .any(|(r, _)| r == "UnregisteredTaintMissing")
    );
}

#[test]
fn case_14_taints_stay_the_providers_where_the_label_says_so() {
    for (value, copied) in [("true", 0), ("false", 2)] {
        let mut case = launched();
        case.world.edit_claim("c", |c| {
            c.labels.insert(names::DO_NOT_SYNC_TAINTS.into(), value.into());
        });
        case.world.node("n", ID, |n| n.taints = vec![unregistered()]);
        let patch = patch_of(&case.pass(20), ObjectKind::Node, "n").expect("sync");
        assert_eq!(patch.add_taints.len(), copied, "{value}");
        assert_eq!(patch.remove_taints.len(), 1);
    }
}

#[test]
fn case_15_a_removed_startup_taint_does_not_come_back() {
    let mut case = registered();
    let out = case.pass(30);
    let patch = patch_of(&out, ObjectKind::Node, "n").expect("initialized label");
    assert!(patch.add_taints.is_empty());
}

#[test]
fn case_16_two_nodes_of_one_machine_are_a_final_failure() {
    let mut case = launched();
    case.world.node("n1", ID, |_| {});
    case.world.node("n2", ID, |_| {});
    let patch = patch_of(&case.pass(20), ObjectKind::NodeClaim, "c").expect("decided");
    let registered = &patch.conditions[names::REGISTERED_CONDITION];
    assert_eq!(
        (registered.status, &*registered.reason),
        (Status::False, "MultipleNodesFound")
    );
}

#[test]
fn case_18_19_registration_times_out_after_fifteen_minutes() {
    let mut case = launched();
    assert!(!keys(&case.pass(899)).contains(&"delete-claim/c".to_owned()));
    assert!(keys(&case.timers(900)).contains(&"delete-claim/c".to_owned()));
    let mut case = registered();
    assert!(!keys(&case.pass(100_000)).contains(&"delete-claim/c".to_owned()));
}

/// Cases 20 and 21: two failures of four make a pool unhealthy.
#[test]
fn case_20_21_health_looks_at_the_last_four() {
    let mut case = Case::new();
    let healthy = |name: &str, ok: bool, case: &mut Case| {
        let id = format!("aws:///zone-a/i-{name}");
        case.world.claim(name, |c| {
            c.provider_id = id.as_str().into();
            c.conditions.insert(names::LAUNCHED.into(), cond(Status::True, 0));
        });
        if ok {
            case.world.node(name, &id, |n| {
                n.labels = labels(&[(names::REGISTERED, "true")]);
                n.finalizers = vec![names::TERMINATION_FINALIZER.into()];
            });
        }
        let out = case.pass(if ok { 10 } else { 1000 });
        case.world.apply(crate::model::Delta::ClaimGone(name.into()));
        case.world.apply(crate::model::Delta::NodeGone(name.into()));
        let status = patch_of(&out, ObjectKind::NodePool, "default")
            .and_then(|p| p.conditions.get("NodeRegistrationHealthy").map(|c| c.status));
        if let Some(status) = status {
            let mut condition = cond(status, 0);
            condition.observed_generation = Some(1);
            case.world.edit_pool("default", |p| {
                p.conditions.insert("NodeRegistrationHealthy".into(), condition);
            });
        }
        case.world.snapshot.pools["default"].conditions["NodeRegistrationHealthy"].status
    };
    case.world.edit_pool("default", |p| {
        let mut condition = cond(Status::Unknown, 0);
        condition.observed_generation = Some(1);
        p.conditions.insert("NodeRegistrationHealthy".into(), condition);
    });
    for (name, ok, want) in [
        ("a", false, Status::Unknown),
        ("b", false, Status::False),
        ("c", true, Status::False),
        ("d", true, Status::False),
        ("e", true, Status::True),
    ] {
        assert_eq!(healthy(name, ok, &mut case), want, "{name}");
    }
}

/// The patch may have rested behind another one of the same pool: it comes again until the pool shows it.
#[test]
fn health_that_was_not_written_is_written_later() {
    let mut case = registered();
    case.world
        .edit_claim("c", |c| drop(c.conditions.remove(names::REGISTERED_CONDITION)));
    let show = |case: &mut Case, status| {
        let mut condition = cond(status, 0);
        condition.observed_generation = Some(1);
        case.world.edit_pool("default", |p| {
            p.conditions.insert("NodeRegistrationHealthy".into(), condition);
        });
    };
    show(&mut case, Status::Unknown);
    let health = |out: &crate::decide::Outcome| {
        let patch = patch_of(out, ObjectKind::NodePool, "default")?;
        patch.conditions.get("NodeRegistrationHealthy").map(|c| c.status)
    };
    assert_eq!(health(&case.pass(30)), Some(Status::True));
    assert_eq!(health(&case.pass(31)), Some(Status::True), "nothing was written");
    show(&mut case, Status::True);
    assert_eq!(health(&case.pass(32)), None);
}

/// Cases 25 to 28: the first check that fails names the reason.
#[test]
fn case_25_27_28_initialization_checks_in_order() {
    type Change = fn(&mut crate::model::Node);
    let cases: [(&str, Change); 6] = [
        ("NodeNotReady", |n| {
            n.ready = false;
            n.taints = vec![taint("starting", TaintEffect::NoSchedule)];
        }),
        ("StartupTaintsExist", |n| {
            n.taints = vec![taint("starting", TaintEffect::NoSchedule)];
        }),
        ("KnownEphemeralTaintsExist", |n| {
            n.taints = vec![taint("node.kubernetes.io/not-ready", TaintEffect::NoExecute)];
        }),
        ("KnownEphemeralTaintsExist", |n| {
            n.taints = vec![taint("readiness.k8s.io/x", TaintEffect::NoSchedule)];
        }),
        ("ResourceNotRegistered", |n| {
            n.allocatable.set("nvidia.com/gpu", 0);
        }),
        (names::INITIALIZED_CONDITION, |n| {
            n.allocatable.set("nvidia.com/gpu", 1);
        }),
    ];
    for (want, change) in cases {
        let mut case = registered();
        case.world
            .edit_claim("c", |c| c.requests.set("nvidia.com/gpu", 1));
        case.world.edit_node("n", change);
        let patch = patch_of(&case.pass(30), ObjectKind::NodeClaim, "c").expect("patch");
        assert_eq!(&*patch.conditions[names::INITIALIZED_CONDITION].reason, want);
    }
}

#[test]
fn case_26_30_an_initialized_claim_is_ready_and_stays_so() {
    let mut case = registered();
    let out = case.pass(30);
    let claim = patch_of(&out, ObjectKind::NodeClaim, "c").expect("patch");
    assert_eq!(claim.conditions[names::READY].status, Status::True);
    assert_eq!(claim.conditions[names::CONSOLIDATABLE].status, Status::True);
    let node = patch_of(&out, ObjectKind::Node, "n").expect("label");
    assert_eq!(node.labels[names::INITIALIZED].as_deref(), Some("true"));

    case.world
        .edit_claim("c", |c| c.conditions.extend(claim.conditions));
    case.world.edit_node("n", |n| {
        n.ready = false;
        n.labels.insert(names::INITIALIZED.into(), "true".into());
    });
    let out = case.pass(40);
    assert!(keys(&out).is_empty(), "{:?}", keys(&out));
}

#[test]
fn case_29_nothing_is_initialized_before_it_is_registered() {
    let mut case = launched();
    case.world.node("n", ID, |_| {});
    let patch = patch_of(&case.pass(20), ObjectKind::NodeClaim, "c");
    assert!(patch.is_none_or(|p| {
        p.conditions
            .get(names::INITIALIZED_CONDITION)
            .is_none_or(|c| &*c.reason == "AwaitingReconciliation")
    }));
}

/// A pool whose condition says that; `observed` is the generation at which it was set.
fn told(case: &mut Case, status: Option<Status>, observed: i64) {
    case.world.edit_pool("default", |p| {
        p.conditions.remove(HEALTHY);
        if let Some(status) = status {
            let mut condition = cond(status, 0);
            condition.observed_generation = Some(observed);
            p.conditions.insert(HEALTHY.into(), condition);
        }
    });
}

const HEALTHY: &str = "NodeRegistrationHealthy";

fn health_of(case: &mut Case, second: i64) -> Option<Status> {
    let patch = patch_of(&case.pass(second), ObjectKind::NodePool, "default");
    patch.and_then(|p| p.conditions.get(HEALTHY).map(|c| c.status))
}

#[test]
fn case_22_a_changed_pool_starts_anew() {
    let mut case = Case::new();
    told(&mut case, Some(Status::False), 1);
    case.memory
        .rings
        .insert("pool-default".into(), [false, false].into());
    assert_eq!(health_of(&mut case, 0), None);
    case.world.edit_pool("default", |p| p.generation = 2);
    assert_eq!(health_of(&mut case, 1), Some(Status::Unknown));
    assert!(case.memory.rings.is_empty());

    // A changed class is as good as a changed pool.
    let mut case = Case::new();
    told(&mut case, Some(Status::False), 1);
    assert_eq!(health_of(&mut case, 0), None);
    case.memory
        .rings
        .insert("pool-default".into(), [false, false].into());
    let mut class = (*case.world.snapshot.classes["default"]).clone();
    class.generation = 2;
    case.world
        .apply(crate::model::Delta::Class(std::sync::Arc::new(class)));
    assert_eq!(health_of(&mut case, 1), Some(Status::Unknown));
    assert!(case.memory.rings.is_empty());
}

#[test]
fn case_23_a_pool_that_is_gone_or_no_owner_hears_nothing() {
    let mut case = launched();
    case.world.apply(crate::model::Delta::PoolGone("default".into()));
    assert!(keys(&case.pass(1000)).contains(&"delete-claim/c".to_owned()));
    assert!(case.memory.rings.is_empty());
    let mut case = launched();
    told(&mut case, Some(Status::Unknown), 1);
    case.world.edit_claim("c", |c| {
        c.labels.insert(names::NODEPOOL.into(), "another".into());
    });
    assert_eq!(health_of(&mut case, 1000), None);
    assert!(case.memory.rings.is_empty());
}

#[test]
fn case_24_a_restart_remembers_an_unhealthy_pool() {
    for (before, after) in [(Status::False, None), (Status::Unknown, Some(Status::True))] {
        let mut case = launched();
        told(&mut case, Some(before), 1);
        case.world.node("n", ID, |n| {
            n.labels = labels(&[(names::REGISTERED, "true")]);
            n.finalizers = vec![names::TERMINATION_FINALIZER.into()];
        });
        assert_eq!(health_of(&mut case, 20), after, "{before:?}");
    }
}
