//! Cases 1 to 10: launch and its time-out.

use super::{Case, events, keys, patch_of};
use crate::api::names;
use crate::decide::testing::{at, cond};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, EffectResult};
use crate::model::{Condition, Status};

fn launch_effect() -> Effect {
    Effect::Launch {
        claim: "c".into(),
        uid: "uid-c".into(),
    }
}

#[test]
fn the_finalizer_precedes_the_launch() {
    let mut case = Case::new();
    case.world.claim("c", |c| c.finalizers.clear());
    let out = case.pass(0);
    assert_eq!(keys(&out), ["patch/NodeClaim/c"]);
    let patch = patch_of(&out, ObjectKind::NodeClaim, "c").expect("patch");
    assert_eq!(&*patch.add_finalizers[0], names::TERMINATION_FINALIZER);
    let launched = &patch.conditions[names::LAUNCHED];
    assert_eq!(
        (launched.status, &*launched.reason, launched.since),
        (Status::Unknown, "AwaitingReconciliation", at(0))
    );
}

/// Case 1 and 7: asked for once while it runs, and not again once the claim says so.
#[test]
fn case_1_7_a_launch_is_asked_for_until_the_claim_shows_it() {
    let mut case = Case::new();
    case.world.claim("c", |_| {});
    assert_eq!(keys(&case.pass(0)), ["launch/c"]);
    case.reserved.effects.insert("launch/c".into());
    assert!(keys(&case.pass(1)).is_empty());
    case.reserved.effects.clear();
    case.world.edit_claim("c", |c| {
        c.provider_id = "aws:///zone-a/i-1".into();
        c.conditions.insert(names::LAUNCHED.into(), cond(Status::True, 1));
    });
    assert!(!keys(&case.pass(2)).contains(&"launch/c".to_owned()));
}

/// Case 3: no capacity.
#[test]
fn case_3_a_claim_without_capacity_goes() {
    let mut case = Case::new();
    case.world.claim("c", |_| {});
    case.pass(0);
    let refused = EffectResult::InsufficientCapacity {
        message: "x".repeat(400),
    };
    assert_eq!(
        case.memory.effect_result(&launch_effect(), &refused, at(1)),
        Some(at(1))
    );
    let out = case.timers(1);
    assert_eq!(keys(&out), ["delete-claim/c"]);
    let (reason, message) = &events(&out)[0];
    assert_eq!(reason, "InsufficientCapacityError");
    assert!(message.ends_with("...") && message.len() < 340, "{message}");
}

/// Case 4: an unusable class.
#[test]
fn case_4_a_claim_of_an_unready_class_goes() {
    let mut case = Case::new();
    case.world.claim("c", |_| {});
    case.pass(0);
    let failed = EffectResult::Failed {
        message: "no subnets".into(),
        reason: "NodeClassNotReady".into(),
    };
    case.memory.effect_result(&launch_effect(), &failed, at(1));
    let out = case.timers(1);
    assert!(keys(&out).contains(&"delete-claim/c".to_owned()));
    assert!(!keys(&out).contains(&"launch/c".to_owned()));
    assert_eq!(events(&out)[0].0, "NodeClassNotReady");
}

/// Cases 5 and 6: the reason is shown, the message cut, the call repeated after a growing pause.
#[test]
fn case_5_6_a_failed_launch_is_shown_and_retried() {
    let mut case = Case::new();
    case.world.claim("c", |_| {});
    case.pass(0);
    for (second, reason, message, shown, pause) in [
        (0, "SubnetsExhausted", "msg".to_owned(), "SubnetsExhausted", 1),
        (1, "", "y".repeat(400), "LaunchFailed", 2),
    ] {
        let failed = EffectResult::Failed {
            message,
            reason: reason.into(),
        };
        let again = case.memory.effect_result(&launch_effect(), &failed, at(second));
        assert_eq!(again, Some(at(second + pause)));
        let out = case.timers(second);
        let patch = patch_of(&out, ObjectKind::NodeClaim, "c").expect("shown");
        let launched: &Condition = &patch.conditions[names::LAUNCHED];
        assert_eq!((launched.status, &*launched.reason), (Status::Unknown, shown));
        assert!(matches!(launched.message.len(), 3 | 303));
        assert!(!keys(&out).contains(&"launch/c".to_owned()), "rests");
        assert!(keys(&case.timers(second + pause)).contains(&"launch/c".to_owned()));
    }
}

#[test]
fn case_8_foreign_claims_are_not_touched() {
    let mut case = Case::new();
    case.world.claim("c", |c| {
        c.finalizers.clear();
        c.class.kind = "KWOKNodeClass".into();
    });
    assert!(keys(&case.pass(0)).is_empty());
}

/// Cases 9 and 10: five minutes from the condition's transition.
#[test]
fn case_9_10_launch_times_out() {
    for (since, kept, gone) in [(0, 299, 300), (60, 359, 360)] {
        let mut case = Case::new();
        case.world.claim("c", |c| {
            c.conditions
                .insert(names::LAUNCHED.into(), cond(Status::Unknown, since));
        });
        let out = case.pass(kept);
        assert_eq!(keys(&out), ["launch/c"], "{since}");
        assert!(out.wake_at.is_some_and(|w| w <= at(gone)));
        let out = case.timers(gone);
        assert_eq!(keys(&out), ["delete-claim/c"], "{since}");
        assert!(matches!(&out.steps[0].effect,
            Effect::DeleteClaim { reason, .. } if &**reason == "launch_timeout"));
    }
}

/// `observed §1`: a condition that appears is no event, one whose status changes is, once.
#[test]
fn transitions_are_announced_once() {
    let mut case = Case::new();
    case.world.claim("c", |c| {
        c.conditions
            .insert(names::LAUNCHED.into(), cond(Status::Unknown, 0));
    });
    assert!(events(&case.pass(0)).is_empty());
    case.world.edit_claim("c", |c| {
        let mut launched = cond(Status::True, 1);
        launched.reason = names::LAUNCHED.into();
        c.conditions.insert(names::LAUNCHED.into(), launched);
    });
    let said = events(&case.pass(1));
    let text = "Status condition transitioned, Type: Launched, Status: Unknown -> True, Reason: Launched";
    assert_eq!(said, [("Launched".to_owned(), text.to_owned())]);
    assert!(events(&case.pass(2)).is_empty());
}

#[test]
fn a_paused_pool_launches_nothing_and_its_clock_stands_still() {
    let mut case = Case::new();
    case.world.claim("c", |_| {});
    case.reserved.paused_pools.insert("default".into());
    assert!(keys(&case.pass(1000)).is_empty());
}

#[test]
fn steps_name_the_decision_that_made_the_claim() {
    let mut case = Case::new();
    case.world.claim("c", |c| {
        c.annotations.insert(names::KERF_DECISION.into(), "142".into());
    });
    let out = case.pass(0);
    let step = out
        .steps
        .iter()
        .find(|s| s.effect.key() == "launch/c")
        .expect("step");
    assert_eq!(step.decision.map(|d| d.0), Some(142));
}
