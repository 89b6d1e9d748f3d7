//! Cases 32 to 39 and 52 to 54: deleting claims, draining nodes.

use std::sync::Arc;
use std::time::Duration;

use super::{Case, keys, patch_of};
use crate::api::names;
use crate::decide::Outcome;
use crate::decide::testing::{at, cond};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, EffectResult};
use crate::model::storage::Attachment;
use crate::model::taints::TolerationOperator;
use crate::model::{Delta, Pod, Status, TaintEffect, Toleration};

pub(super) const ID: &str = "aws:///zone-a/i-n";

/// A machine whose claim and node are deleting since 0, tainted, draining since 0.
pub(super) fn draining() -> Case {
    let mut case = Case::new();
    case.world.machine("n", "m5.xlarge");
    case.world.instance(ID, -7200, "running");
    case.world.edit_claim("n", |c| {
        c.deleting = Some(at(0));
        let mut draining = cond(Status::Unknown, 0);
        draining.reason = "Draining".into();
        c.conditions.insert(names::DRAINED.into(), draining);
    });
    case.world.edit_node("n", |n| {
        n.deleting = Some(at(0));
        n.taints.push(crate::decide::pods::disrupted_taint());
        n.labels
            .insert(names::EXCLUDE_BALANCERS.into(), "karpenter".into());
    });
    case
}

pub(super) fn change(pod: &mut Pod, change: impl FnOnce(&mut crate::model::PodSpec)) {
    change(Arc::make_mut(&mut pod.spec));
}

fn volume_claim(name: &str) -> crate::model::storage::VolumeClaim {
    crate::model::storage::VolumeClaim {
        namespace: "ns".into(),
        name: name.into(),
        volume: "".into(),
        storage_class: None,
        phase: "Bound".into(),
        deleting: false,
        bind_completed: true,
    }
}

pub(super) fn only(out: &Outcome, prefix: &str) -> Vec<String> {
    keys(out).into_iter().filter(|k| k.starts_with(prefix)).collect()
}

pub(super) fn evicted(out: &Outcome) -> Vec<String> {
    out.steps
        .iter()
        .filter_map(|s| match &s.effect {
            Effect::Evict { pod, .. } => Some(pod.to_string()),
            Effect::DeletePod {
                pod, grace_seconds, ..
            } => Some(format!("{pod}!{grace_seconds}")),
            _ => None,
        })
        .collect()
}

fn terminate() -> Effect {
    Effect::TerminateInstance {
        provider_id: ID.into(),
    }
}

/// Case 32, 33: node, then machine, then finalizer; the machine is asked about every five seconds.
#[test]
fn case_32_33_a_claim_goes_after_its_node_and_its_machine() {
    let mut case = Case::new();
    case.world.machine("n", "m5.xlarge");
    case.world.instance(ID, -7200, "running");
    case.world.edit_claim("n", |c| c.deleting = Some(at(0)));
    assert_eq!(keys(&case.pass(0)), ["delete-node/n"]);
    case.world.edit_node("n", |n| n.deleting = Some(at(0)));
    assert!(only(&case.pass(1), "terminate").is_empty(), "waits for the node");

    case.world.apply(Delta::NodeGone("n".into()));
    assert_eq!(keys(&case.pass(2)), [format!("terminate/{ID}")]);
    let failed = EffectResult::Failed {
        message: "throttled".into(),
        reason: "RequestLimitExceeded".into(),
    };
    case.memory.effect_result(&terminate(), &failed, at(2));
    assert!(keys(&case.timers(2)).is_empty());
    assert_eq!(keys(&case.timers(3)), [format!("terminate/{ID}")], "retried");
    case.memory
        .effect_result(&terminate(), &EffectResult::Done, at(3));
    let out = case.timers(3);
    let patch = patch_of(&out, ObjectKind::NodeClaim, "n").expect("shown");
    assert_eq!(patch.conditions[names::INSTANCE_TERMINATING].status, Status::True);
    assert!(!patch.conditions.contains_key(names::READY), "Ready stays True");
    assert!(patch.remove_finalizers.is_empty());
    case.world
        .edit_claim("n", |c| c.conditions.extend(patch.conditions));
    assert!(keys(&case.pass(7)).is_empty());
    assert_eq!(keys(&case.timers(8)), [format!("terminate/{ID}")]);
    case.memory
        .effect_result(&terminate(), &EffectResult::Unchanged, at(8));
    let patch = patch_of(&case.timers(8), ObjectKind::NodeClaim, "n").expect("last");
    assert_eq!(&*patch.remove_finalizers[0], names::TERMINATION_FINALIZER);
}

#[test]
fn case_34_every_node_of_the_machine_is_deleted() {
    let mut case = Case::new();
    case.world.machine("n", "m5.xlarge");
    case.world.node("twin", ID, |_| {});
    case.world.edit_claim("n", |c| c.deleting = Some(at(0)));
    assert_eq!(keys(&case.pass(0)), ["delete-node/n", "delete-node/twin"]);
}

#[test]
fn case_35_36_claims_that_never_registered_leave_nodes_alone() {
    let mut case = Case::new();
    case.world.claim("c", |c| c.deleting = Some(at(0)));
    case.world.node("stray", "", |_| {});
    let patch = patch_of(&case.pass(0), ObjectKind::NodeClaim, "c").expect("free");
    assert_eq!(patch.remove_finalizers.len(), 1);

    let mut case = Case::new();
    case.world.claim("c", |c| {
        c.deleting = Some(at(0));
        c.provider_id = ID.into();
        c.conditions.insert(names::LAUNCHED.into(), cond(Status::True, 0));
    });
    case.world.node("n", ID, |_| {});
    assert_eq!(keys(&case.pass(0)), [format!("terminate/{ID}")]);
}

/// A launch that is under way may still bring a machine.
#[test]
fn a_claim_waits_for_its_running_launch() {
    let mut case = Case::new();
    case.world.claim("c", |c| c.deleting = Some(at(0)));
    case.reserved.effects.insert("launch/c".into());
    assert!(keys(&case.pass(0)).is_empty());
}

#[test]
fn case_37_the_deadline_is_stamped_once() {
    for (grace, stamp, want) in [
        (Some(3600), None, Some("2026-01-05T10:00:00Z")),
        (Some(3600), Some("2026-01-05T09:10:00Z"), None),
        (None, None, None),
    ] {
        let mut case = Case::new();
        case.world.machine("n", "m5.xlarge");
        case.world.edit_claim("n", |c| {
            c.deleting = Some(at(0));
            c.termination_grace = grace.map(Duration::from_secs);
            if let Some(stamp) = stamp {
                c.annotations
                    .insert(names::TERMINATION_TIMESTAMP.into(), stamp.into());
            }
        });
        let patch = patch_of(&case.pass(0), ObjectKind::NodeClaim, "n");
        let got = patch.and_then(|p| p.annotations.get(names::TERMINATION_TIMESTAMP).cloned().flatten());
        assert_eq!(got.as_deref(), want);
    }
}

#[test]
fn case_38_a_deleted_node_takes_its_claim_along_and_is_marked_first() {
    let mut case = draining();
    case.world.edit_claim("n", |c| c.deleting = None);
    case.world.edit_node("n", |n| {
        n.taints.clear();
        n.labels.remove(names::EXCLUDE_BALANCERS);
    });
    case.world.pod("p", Some("n"), 100, |_| {});
    let out = case.pass(0);
    assert!(keys(&out).contains(&"delete-claim/n".to_owned()));
    let patch = patch_of(&out, ObjectKind::Node, "n").expect("marks");
    assert_eq!(patch.add_taints[0].effect, TaintEffect::NoSchedule);
    assert_eq!(
        patch.labels[names::EXCLUDE_BALANCERS].as_deref(),
        Some("karpenter")
    );
    assert!(evicted(&out).is_empty());
}

#[test]
fn case_39_a_node_without_a_claim_is_drained_and_released() {
    let mut case = draining();
    case.world.apply(Delta::ClaimGone("n".into()));
    case.world.pod("p", Some("n"), 100, |_| {});
    assert_eq!(evicted(&case.pass(0)), ["p"]);
    case.world.apply(Delta::PodGone("ns/p".into()));
    let out = case.pass(1);
    assert_eq!(keys(&out), ["patch/Node/n"]);
    assert_eq!(
        patch_of(&out, ObjectKind::Node, "n")
            .expect("free")
            .remove_finalizers
            .len(),
        1
    );

    // Two claims of one machine are as none.
    let mut case = draining();
    case.world.claim("twin", |c| c.provider_id = ID.into());
    let out = case.pass(1);
    let patch = patch_of(&out, ObjectKind::Node, "n").expect("free");
    assert_eq!(patch.remove_finalizers.len(), 1);
    assert!(only(&out, "terminate").is_empty());
}

#[test]
fn case_52_an_empty_node_waits_five_seconds() {
    let mut case = draining();
    assert!(only(&case.pass(4), "terminate").is_empty());
    let out = case.pass(5);
    assert_eq!(only(&out, "terminate").len(), 1);
    // Told in one write, once the cloud took the call.
    assert!(patch_of(&out, ObjectKind::NodeClaim, "n").is_none());
    case.memory
        .effect_result(&terminate(), &EffectResult::Done, at(5));
    let out = case.timers(5);
    let patch = patch_of(&out, ObjectKind::NodeClaim, "n").expect("conditions");
    assert_eq!(patch.conditions[names::DRAINED].status, Status::True);
    assert_eq!(patch.conditions[names::VOLUMES_DETACHED].status, Status::True);
    assert_eq!(patch.conditions[names::INSTANCE_TERMINATING].status, Status::True);
}

/// `lifecycle §2`: the deletion steps the generation, which makes no condition of the claim stale.
#[test]
fn a_deleting_claim_stays_ready() {
    let mut case = draining();
    case.world.edit_claim("n", |c| {
        c.generation = 2;
        for condition in c.conditions.values_mut() {
            condition.observed_generation = Some(1);
        }
        c.conditions.remove(names::DRAINED);
    });
    case.world.pod("p", Some("n"), 100, |_| {});
    let patch = patch_of(&case.pass(1), ObjectKind::NodeClaim, "n").expect("draining");
    assert_eq!(patch.conditions[names::DRAINED].status, Status::Unknown);
    let ready = &patch.conditions[names::READY];
    assert_eq!((ready.status, ready.observed_generation), (Status::True, Some(2)));
    case.world
        .edit_claim("n", |c| c.conditions.extend(patch.conditions));
    assert!(patch_of(&case.pass(2), ObjectKind::NodeClaim, "n").is_none());
}

#[test]
fn case_53_a_dead_node_skips_the_drain() {
    for (ready, released) in [(false, true), (true, false)] {
        let mut case = draining();
        case.world.instance(ID, -7200, "terminated");
        case.world.edit_node("n", |n| n.ready = ready);
        case.world.pod("p", Some("n"), 1, |_| {});
        let patch = patch_of(&case.pass(1), ObjectKind::Node, "n");
        assert_eq!(patch.is_some_and(|p| !p.remove_finalizers.is_empty()), released);
    }
}

#[test]
fn case_54_volumes_are_waited_for() {
    for (volume, deadline, goes) in [
        (Some("pv-1"), None, false),
        (None, None, true),
        (Some("pv-1"), Some(3), true),
        // Its pod tolerates the taint and stays.
        (Some("pv-stays"), None, true),
    ] {
        let mut case = draining();
        case.world
            .apply(Delta::VolumeClaim(Arc::new(crate::model::storage::VolumeClaim {
                volume: "pv-stays".into(),
                ..volume_claim("data")
            })));
        case.world.pod("agent", Some("n"), 1, |p| {
            change(p, |s| {
                s.volume_claims = vec!["data".into()];
                s.tolerations = vec![Toleration {
                    key: "".into(),
                    operator: TolerationOperator::Exists,
                    value: "".into(),
                    effect: None,
                }];
            });
        });
        case.world.apply(Delta::Attachment(Arc::new(Attachment {
            name: "va-1".into(),
            node: "n".into(),
            volume: volume.map(Into::into),
        })));
        if let Some(deadline) = deadline {
            case.world.edit_claim("n", |c| {
                c.annotations.insert(
                    names::TERMINATION_TIMESTAMP.into(),
                    at(deadline).to_string().into(),
                );
            });
        }
        let out = case.pass(6);
        assert_eq!(
            !only(&out, "terminate").is_empty(),
            goes,
            "{volume:?} {deadline:?}"
        );
        let out = if goes {
            case.memory
                .effect_result(&terminate(), &EffectResult::Done, at(6));
            case.timers(6)
        } else {
            out
        };
        let patch = patch_of(&out, ObjectKind::NodeClaim, "n").expect("conditions");
        let want = match (volume, deadline) {
            (None | Some("pv-stays"), _) => Status::True,
            (Some(_), None) => Status::Unknown,
            _ => Status::False,
        };
        assert_eq!(patch.conditions[names::VOLUMES_DETACHED].status, want);
    }
}
