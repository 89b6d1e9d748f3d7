//! Cases 40 to 51 and 55: which pods leave a draining node, and how.

use super::deletion::{change, draining, evicted, only};
use super::{Case, events};
use crate::api::names;
use crate::decide::testing::{at, cond, owner};
use crate::model::decision::{Effect, EffectResult};
use crate::model::taints::TolerationOperator;
use crate::model::{Delta, Phase, Pod, Status, Toleration};

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
