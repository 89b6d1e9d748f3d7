//! Cases 109 and 113 to 118: commands that act, rebuilt from annotations.

use super::super::queue::time_limit;
use super::{Loop, fleet, keys};
use crate::api::names;
use crate::decide::pods::disrupted_taint;
use crate::decide::testing::{World, at, cond};
use crate::decide::{Outcome, Step};
use crate::model::decision::{Effect, EffectResult};
use crate::model::{Delta, Status};
use jiff::SignedDuration;

/// `n0` marked as replaced by `new`.
fn acting(replaced_by: &str) -> World {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 3900, |_| {});
    world.pod("b", Some("n1"), 3900, |_| {});
    world.edit_node("n0", |n| {
        n.taints.push(disrupted_taint());
        n.annotations
            .insert(names::KERF_REPLACED_BY.into(), replaced_by.into());
        n.annotations.insert(names::KERF_DECISION.into(), "7".into());
    });
    world.edit_claim("n0", |c| {
        let mut reason = cond(Status::True, 0);
        reason.reason = "Underutilized".into();
        c.conditions.insert(names::DISRUPTION_REASON.into(), reason);
    });
    world
}

fn replacement(world: &mut World, claim: &str, initialized: bool) {
    world.claim(claim, |c| {
        c.provider_id = format!("aws:///zone-a/i-{claim}").into();
        c.conditions.insert(names::LAUNCHED.into(), cond(Status::True, 1));
        if initialized {
            c.conditions
                .insert(names::INITIALIZED_CONDITION.into(), cond(Status::True, 5));
        }
    });
}

/// Steps that are no events.
fn acts(out: &Outcome) -> Vec<&Step> {
    out.steps
        .iter()
        .filter(|s| !matches!(s.effect, Effect::Event { .. }))
        .collect()
}

fn steps(out: &Outcome) -> Vec<String> {
    keys(acts(out).into_iter().map(|s| &s.effect))
}

/// Case 108, 114: candidates go when every replacement is initialized.
#[test]
fn case_114_candidates_go_after_their_replacements_are_initialized() {
    let mut world = acting("new-1,new-2");
    let mut turns = Loop::default();
    replacement(&mut world, "new-1", true);
    replacement(&mut world, "new-2", false);
    let out = turns.turn(&world, 10);
    assert!(steps(&out).is_empty());
    assert!(out.wake_at.is_some());
    replacement(&mut world, "new-2", true);
    let out = turns.turn(&world, 11);
    assert_eq!(steps(&out), ["delete-claim/n0"]);
    assert_eq!(acts(&out)[0].decision.map(|d| d.0), Some(7));
    assert!(matches!(&acts(&out)[0].effect,
        Effect::DeleteClaim { reason, .. } if &**reason == "underutilized"));
    // Under way: not again; refused: after a rest.
    turns.reserved.effects.insert("delete-claim/n0".into());
    assert!(steps(&turns.turn(&world, 12)).is_empty());
    turns.reserved.effects.clear();
    let refused = EffectResult::Failed {
        message: "no".into(),
        reason: "Forbidden".into(),
    };
    turns
        .memory
        .effect_result(&acts(&out)[0].effect, &refused, at(12));
    assert!(steps(&turns.turn(&world, 12)).is_empty());
    assert_eq!(steps(&turns.turn(&world, 13)), ["delete-claim/n0"]);
}

/// Case 109: a lost replacement gives its candidates their place back; siblings with a machine stay.
#[test]
fn case_109_a_lost_replacement_rolls_back() {
    let mut world = acting("new-1,new-2");
    let mut turns = Loop::default();
    replacement(&mut world, "new-1", false);
    replacement(&mut world, "new-2", false);
    assert!(steps(&turns.turn(&world, 10)).is_empty());
    world.apply(Delta::ClaimGone("new-1".into()));
    let out = turns.turn(&world, 11);
    assert_eq!(steps(&out), ["patch/Node/n0", "patch/NodeClaim/n0"]);
    let Effect::Patch(node) = &acts(&out)[0].effect else {
        panic!("a patch");
    };
    assert_eq!(node.remove_taints, [disrupted_taint()]);
    assert_eq!(node.annotations[names::KERF_REPLACED_BY], None);
    let Effect::Patch(claim) = &acts(&out)[1].effect else {
        panic!("a patch");
    };
    assert_eq!(&*claim.remove_conditions[0], names::DISRUPTION_REASON);
    // A sibling that was never launched is of no use.
    world.edit_claim("new-2", |c| c.provider_id = "".into());
    let out = turns.turn(&world, 12);
    assert!(steps(&out).contains(&"delete-claim/new-2".to_owned()));
}

/// Case 115: a replacement that is being created is waited for; one that never comes is lost.
#[test]
fn case_115_a_replacement_may_take_a_moment_to_appear() {
    let world = acting("new-1");
    let mut turns = Loop::default();
    turns.reserved.effects.insert("create/new-1".into());
    assert!(steps(&turns.turn(&world, 0)).is_empty());
    assert!(steps(&turns.turn(&world, 60)).is_empty());
    turns.reserved.effects.clear();
    assert_eq!(steps(&turns.turn(&world, 61)).len(), 2);
    assert!(
        steps(&Loop::default().turn(&world, 61)).is_empty(),
        "a restart waits anew"
    );
}

/// Case 118: a delete-only command resumes.
#[test]
fn case_118_a_deletion_resumes_after_a_restart() {
    let world = acting("-");
    assert_eq!(steps(&Loop::default().turn(&world, 100)), ["delete-claim/n0"]);
}

/// Case 113 and the time-out.
#[test]
fn case_113_commands_time_out() {
    for (entries, seconds) in [(100, 600), (10_000, 800), (40_000, 3200), (80_000, 3600)] {
        assert_eq!(time_limit(entries), SignedDuration::from_secs(seconds));
    }
    let mut world = acting("new-1");
    replacement(&mut world, "new-1", false);
    let mut turns = Loop::default();
    assert!(steps(&turns.turn(&world, 600)).is_empty());
    assert_eq!(steps(&turns.turn(&world, 601)).len(), 2);
    // Success wins over the time-out (Q14).
    replacement(&mut world, "new-1", true);
    assert_eq!(steps(&turns.turn(&world, 602)), ["delete-claim/n0"]);
}

/// Checklist 3: marks that no decision claims.
#[test]
fn leftovers_are_cleaned_up() {
    let mut world = acting("-");
    world.edit_node("n0", |n| n.annotations.clear());
    let mut turns = Loop::default();
    assert_eq!(
        steps(&turns.turn(&world, 0)),
        ["patch/Node/n0", "patch/NodeClaim/n0"]
    );
    turns.reserved.nodes.insert("n0".into(), "Underutilized".into());
    assert!(steps(&turns.turn(&world, 1)).is_empty(), "being marked right now");
    turns.reserved.nodes.clear();
    world.edit_claim("n0", |c| c.deleting = Some(at(0)));
    assert!(steps(&turns.turn(&world, 2)).is_empty());
}

/// Case 26.
#[test]
fn case_026_what_acts_is_no_candidate() {
    let mut world = acting("new-1");
    replacement(&mut world, "new-1", false);
    world.apply(Delta::PodGone("ns/a".into()));
    let out = Loop::default().turn(&world, 0);
    assert_eq!(super::code(&out, "n0"), "in_queue");
    assert_eq!(super::code(&out, "new-1"), "no_node");
}
