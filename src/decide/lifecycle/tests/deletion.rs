//! Cases 32 to 55: deleting claims, draining nodes, evicting pods.

use std::sync::Arc;
use std::time::Duration;

use super::{Case, events, keys, patch_of};
use crate::api::names;
use crate::decide::Outcome;
use crate::decide::testing::{at, cond, owner};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, EffectResult};
use crate::model::storage::Attachment;
use crate::model::taints::TolerationOperator;
use crate::model::{Delta, Phase, Pod, Status, TaintEffect, Toleration};

const ID: &str = "aws:///zone-a/i-n";

/// A machine whose claim and node are deleting since 0, tainted, draining since 0.
fn draining() -> Case {
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

fn change(pod: &mut Pod, change: impl FnOnce(&mut crate::model::PodSpec)) {
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

fn only(out: &Outcome, prefix: &str) -> Vec<String> {
    keys(out).into_iter().filter(|k| k.starts_with(prefix)).collect()
}

fn evicted(out: &Outcome) -> Vec<String> {
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

/// Cases 40, 41, 42 and 51: who is evicted and who holds up the node.
#[test]
fn case_40_41_42_51_only_drainable_pods_are_evicted_or_waited_for() {
    type Edit = Box<dyn Fn(&mut Pod)>;
    let tolerate = |key: &'static str, operator| {
        move |p: &mut Pod| {
            change(p, |s| {
                s.tolerations = vec![Toleration {
                    key: key.into(),
                    operator,
                    value: "".into(),
                    effect: None,
                }];
            });
        }
    };
    let cases: Vec<(&str, Edit, bool)> = vec![
        (
            "equal",
            Box::new(tolerate(names::DISRUPTED_TAINT, TolerationOperator::Equal)),
            false,
        ),
        (
            "exists",
            Box::new(tolerate("", TolerationOperator::Exists)),
            false,
        ),
        (
            "other",
            Box::new(tolerate(
                "node.kubernetes.io/unschedulable",
                TolerationOperator::Exists,
            )),
            true,
        ),
        (
            "static",
            Box::new(|p: &mut Pod| p.owners = vec![owner("Node")]),
            false,
        ),
        ("done", Box::new(|p: &mut Pod| p.phase = Phase::Succeeded), false),
        ("ownerless", Box::new(|p: &mut Pod| p.owners.clear()), true),
        ("stuck", Box::new(|p: &mut Pod| p.deleting = Some(at(-61))), false),
    ];
    for (what, edit, goes) in cases {
        let mut case = draining();
        case.world.pod("p", Some("n"), 100, |p| edit(p));
        let out = case.pass(6);
        assert_eq!(!evicted(&out).is_empty(), goes, "{what}");
        assert_eq!(!only(&out, "terminate").is_empty(), !goes, "{what}");
    }
}

/// Case 43: a refusal names the budget, pauses 100 ms doubling to 10 s, and is retried.
#[test]
fn case_43_a_refused_eviction_is_retried() {
    let mut case = draining();
    case.world.pod("p", Some("n"), 100, |_| {});
    let out = case.pass(0);
    let effect = out
        .steps
        .iter()
        .map(|s| s.effect.clone())
        .find(|e| matches!(e, Effect::Evict { .. }))
        .expect("evict");
    for (text, want) in [
        ("Cannot evict pod", "violates a PDB"),
        ("This pod has more than one PodDisruptionBudget", "multiple PDBs"),
    ] {
        let refused = EffectResult::Retry {
            message: text.into(),
            reason: "TooManyRequests".into(),
            retry_at: at(0),
        };
        let again = case
            .memory
            .effect_result(&effect, &refused, at(0))
            .expect("timer");
        assert!(again > at(0) && again < at(1));
        let out = case.pass(0);
        assert!(evicted(&out).is_empty(), "rests");
        assert!(
            events(&out)
                .iter()
                .any(|(r, m)| r == "FailedDraining" && m.contains(want))
        );
        assert_eq!(evicted(&case.pass(1)), ["p"]);
    }
}

#[test]
fn case_44_pods_leave_in_four_waves() {
    let mut case = draining();
    let critical = |p: &mut Pod| change(p, |s| s.priority_class = "system-node-critical".into());
    case.world.pod("a-critical-daemon", Some("n"), 1, |p| {
        critical(p);
        p.owners = vec![owner("DaemonSet")];
    });
    case.world.pod("b-critical", Some("n"), 1, critical);
    case.world
        .pod("c-daemon", Some("n"), 1, |p| p.owners = vec![owner("DaemonSet")]);
    case.world.pod("d-normal", Some("n"), 1, |_| {});
    for (second, want) in ["d-normal", "c-daemon", "b-critical", "a-critical-daemon"]
        .iter()
        .enumerate()
    {
        let second = i64::try_from(second).expect("small");
        assert_eq!(evicted(&case.pass(second)), [*want]);
        case.world.edit_pod(want, |p| p.deleting = Some(at(100)));
        assert!(evicted(&case.pass(second)).is_empty(), "waits until it is gone");
        case.world.apply(Delta::PodGone(format!("ns/{want}").into()));
    }
}

/// Cases 45 to 48: the deadline.
#[test]
fn case_45_46_47_48_the_deadline_forces_pods_out() {
    // (deadline, now, pod's grace, protected, terminating until) → expected
    for (deadline, now, grace, protected, until, want) in [
        (300, 1, 300, true, None, Some("p!299")),
        (300, 239, 60, true, None, None),
        (300, 241, 60, true, None, Some("p!59")),
        (300, 90, 6000, false, Some(6000), Some("p!210")),
        (0, 10, 30, false, None, Some("p!1")),
    ] {
        let mut case = draining();
        case.world.edit_claim("n", |c| {
            c.annotations.insert(
                names::TERMINATION_TIMESTAMP.into(),
                at(deadline).to_string().into(),
            );
        });
        case.world.pod("p", Some("n"), 1, |p| {
            change(p, |s| s.grace_seconds = grace);
            p.do_not_disrupt = protected.then(|| "true".into());
            p.deleting = until.map(at);
        });
        assert_eq!(
            evicted(&case.pass(now)),
            want.into_iter().collect::<Vec<_>>(),
            "{now}"
        );
    }
    // A blocked normal pod does not keep a critical one past its deadline.
    let mut case = draining();
    case.world.edit_claim("n", |c| {
        c.annotations
            .insert(names::TERMINATION_TIMESTAMP.into(), at(100).to_string().into());
    });
    case.world.pod("blocked", Some("n"), 1, |p| {
        change(p, |s| s.grace_seconds = 1);
        p.do_not_disrupt = Some("true".into());
    });
    case.world.pod("critical", Some("n"), 1, |p| {
        change(p, |s| {
            s.grace_seconds = 90;
            s.priority_class = "system-node-critical".into();
        });
    });
    assert_eq!(evicted(&case.pass(20)), ["critical!80"]);
}

#[test]
fn case_49_a_deadline_that_comes_later_is_taken_and_only_gets_earlier() {
    let mut case = draining();
    case.world
        .pod("p", Some("n"), 1, |p| change(p, |s| s.grace_seconds = 10));
    let stamp = |case: &mut Case, second: i64| {
        case.world.edit_claim("n", |c| {
            c.annotations
                .insert(names::TERMINATION_TIMESTAMP.into(), at(second).to_string().into());
        });
    };
    assert_eq!(evicted(&case.pass(0)), ["p"], "no deadline: asked politely");
    stamp(&mut case, 60);
    assert_eq!(evicted(&case.pass(51)), ["p!9"]);
    stamp(&mut case, 600);
    assert_eq!(evicted(&case.pass(52)), ["p!8"], "the looser one does not count");
}

#[test]
fn case_50_a_pod_that_took_the_name_is_another_pod() {
    let mut case = draining();
    case.world.machine("other", "m5.xlarge");
    case.world.pod("p", Some("n"), 1, |_| {});
    let out = case.pass(0);
    let old = out
        .steps
        .iter()
        .find(|s| matches!(s.effect, Effect::Evict { .. }));
    let old = old.expect("evicted").effect.clone();
    let refused = EffectResult::Retry {
        message: "Cannot evict pod".into(),
        reason: "TooManyRequests".into(),
        retry_at: at(0),
    };
    case.memory.effect_result(&old, &refused, at(0));
    case.world
        .pod("p", Some("other"), 1, |p| p.uid = "another".into());
    let out = case.pass(1);
    assert!(evicted(&out).is_empty(), "it runs where nothing drains");
    // On the draining node it would be asked under its own key.
    case.world.pod("p", Some("n"), 1, |p| p.uid = "third".into());
    let out = case.pass(1);
    let new = out
        .steps
        .iter()
        .find(|s| matches!(s.effect, Effect::Evict { .. }));
    assert_ne!(new.expect("evicted").effect.key(), old.key());
}

#[test]
fn case_52_an_empty_node_waits_five_seconds() {
    let mut case = draining();
    assert!(only(&case.pass(4), "terminate").is_empty());
    let out = case.pass(5);
    assert_eq!(only(&out, "terminate").len(), 1);
    let patch = patch_of(&out, ObjectKind::NodeClaim, "n").expect("conditions");
    assert_eq!(patch.conditions[names::DRAINED].status, Status::True);
    assert_eq!(patch.conditions[names::VOLUMES_DETACHED].status, Status::True);
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
        let patch = patch_of(&out, ObjectKind::NodeClaim, "n").expect("conditions");
        let want = match (volume, deadline) {
            (None | Some("pv-stays"), _) => Status::True,
            (Some(_), None) => Status::Unknown,
            _ => Status::False,
        };
        assert_eq!(patch.conditions[names::VOLUMES_DETACHED].status, want);
    }
}

#[test]
fn case_55_evicted_pods_are_told_why() {
    for (reason, want) in [
        (Some("Underutilized"), "Underutilized"),
        (None, "Forceful Termination"),
    ] {
        let mut case = draining();
        if let Some(reason) = reason {
            case.world.edit_claim("n", |c| {
                let mut condition = cond(Status::True, 0);
                condition.reason = reason.into();
                c.conditions.insert(names::DISRUPTION_REASON.into(), condition);
            });
        }
        case.world.pod("p", Some("n"), 1, |_| {});
        let out = case.pass(1);
        assert!(out.steps.iter().any(|s| matches!(&s.effect,
            Effect::Evict { reason, .. } if &**reason == want)));
    }
}
