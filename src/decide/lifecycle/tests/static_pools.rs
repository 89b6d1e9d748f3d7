//! Cases 72 to 76: pools with a fixed number of nodes.

use super::Case;
use crate::api::names;
use crate::decide::Outcome;
use crate::decide::testing::{at, cond, owner};
use crate::model::Status;
use crate::model::decision::{Effect, Kind, WriteClass};

fn pool(replicas: i64, machines: usize) -> Case {
    let mut case = Case::new();
    case.settings.static_capacity = true;
    case.world.edit_pool("default", |p| p.replicas = Some(replicas));
    for i in 0..machines {
        case.world.machine(&format!("n{i}"), "m5.xlarge");
    }
    case
}

fn created(out: &Outcome) -> usize {
    let effects = out.proposals.iter().flat_map(|p| &p.effects);
    effects.filter(|e| matches!(e, Effect::CreateClaim(_))).count()
}

fn deleted(out: &Outcome) -> Vec<String> {
    out.proposals
        .iter()
        .filter(|p| p.kind == Kind::Static)
        .flat_map(|p| &p.effects)
        .filter_map(|e| match e {
            Effect::DeleteClaim { claim, .. } => Some(claim.to_string()),
            _ => None,
        })
        .collect()
}

fn disrupted(case: &mut Case, claim: &str) {
    case.world.edit_claim(claim, |c| {
        c.conditions
            .insert(names::DISRUPTION_REASON.into(), cond(Status::True, 0));
    });
}

#[test]
fn case_72_missing_nodes_are_made() {
    let mut case = pool(3, 0);
    let out = case.pass(0);
    assert_eq!(created(&out), 3);
    let proposal = &out.proposals[0];
    assert_eq!(
        (proposal.kind, proposal.class()),
        (Kind::Static, WriteClass::Provision)
    );
    assert_eq!(proposal.impact.nodes_added, 3);
    let names: std::collections::BTreeSet<_> = proposal.effects.iter().map(Effect::key).collect();
    assert_eq!(names.len(), 3, "each claim has a name of its own");
    let Effect::CreateClaim(draft) = &proposal.effects[0] else {
        panic!("a creation")
    };
    assert_eq!(
        draft.expected.as_ref().map(|e| &*e.instance_type),
        Some("m5.large")
    );
    assert!(draft.requests.is_zero() && draft.instance_types.is_empty());
    // Held, then under way: not asked for twice.
    case.reserved
        .nodes
        .insert("default".into(), "static_scale_up".into());
    assert_eq!(created(&case.pass(1)), 0);

    let mut case = pool(3, 2);
    disrupted(&mut case, "n0");
    assert_eq!(
        created(&case.pass(0)),
        1,
        "Q13: its replacement is somebody else's"
    );
    let mut case = pool(2, 2);
    disrupted(&mut case, "n0");
    assert_eq!(created(&case.pass(0)), 0);
}

#[test]
fn case_73_the_limit_of_nodes_holds() {
    let limited = |machines: usize| {
        let mut case = pool(5, machines);
        case.world
            .edit_pool("default", |p| p.limits = [("nodes".into(), 2)].into());
        case
    };
    let mut case = limited(0);
    assert_eq!(created(&case.pass(0)), 2);
    // What is being created counts already.
    let mut case = limited(0);
    case.reserved.effects.insert("create/default-bcdfg".into());
    assert_eq!(created(&case.pass(0)), 1);
    let mut case = limited(2);
    let out = case.pass(0);
    assert_eq!(created(&out), 0);
    assert!(out.wake_at.is_some_and(|w| w <= at(30)));
    // Deleting ones count until they are gone.
    case.world.edit_claim("n0", |c| c.deleting = Some(at(1)));
    assert_eq!(created(&case.pass(2)), 0);
}

#[test]
fn case_74_the_least_useful_nodes_go_first() {
    let build = |replicas: i64| {
        let mut case = pool(replicas, 8);
        for (pod, node, change) in [
            ("daemon", "n6", 0),
            ("daemon-2", "n7", 0),
            ("cheap-a", "n2", 1),
            ("cheap-b", "n3", 1),
            ("dear-a", "n0", 100),
            ("dear-b", "n1", 100),
            ("kept-a", "n4", -1),
            ("kept-b", "n5", -1),
        ] {
            case.world.pod(pod, Some(node), 100, |p| {
                if change == 0 {
                    p.owners = vec![owner("DaemonSet")];
                }
                p.deletion_cost = (change > 1).then_some(1 << 27);
                p.do_not_disrupt = (change < 0).then(|| "true".into());
            });
        }
        let mut gone = deleted(&case.pass(0));
        gone.sort();
        gone
    };
    assert_eq!(build(6), ["n6", "n7"]);
    assert_eq!(build(4), ["n2", "n3", "n6", "n7"]);
    assert_eq!(build(2), ["n0", "n1", "n2", "n3", "n6", "n7"]);
    assert_eq!(build(0).len(), 8);
}

#[test]
fn case_75_unlaunched_claims_go_first_and_a_closed_pool_does_not_grow() {
    let mut case = pool(1, 1);
    case.world.claim("fresh", |_| {});
    assert_eq!(deleted(&case.pass(0)), ["fresh"]);
    let mut case = pool(0, 2);
    assert_eq!(deleted(&case.pass(0)), ["n0", "n1"]);
    let mut case = pool(3, 0);
    case.world.edit_pool("default", |p| p.deleting = Some(at(0)));
    assert_eq!(created(&case.pass(0)), 0);
    let mut case = pool(3, 0);
    case.world.edit_pool("default", |p| {
        p.conditions.insert(names::READY.into(), cond(Status::False, 0));
    });
    assert_eq!(created(&case.pass(0)), 0);
    // The gate is off by default.
    let mut case = pool(3, 0);
    case.settings.static_capacity = false;
    assert_eq!(created(&case.pass(0)), 0);
}

#[test]
fn case_76_deleting_claims_do_not_run() {
    let mut case = pool(2, 2);
    case.world.edit_claim("n0", |c| c.deleting = Some(at(0)));
    let out = case.pass(0);
    assert_eq!((created(&out), deleted(&out).len()), (1, 0));
}
