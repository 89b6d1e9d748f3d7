//! Cases 27 to 44.

use std::time::Duration;

use jiff::Timestamp;

use super::super::budgets::{Budgets, UNLIMITED, allowed};
use super::super::cluster::Cluster;
use super::{code, decide, evidence, fleet};
use crate::api::names;
use crate::decide::Reserved;
use crate::decide::testing::{World, at, budget, cond};
use crate::model::nodepool::Budget;
use crate::model::{NodePool, Status};

fn room(world: &World) -> super::super::budgets::Room {
    let cluster = Cluster::new(&world.snapshot, at(0));
    Budgets::new(&cluster, &Reserved::default(), "Empty", false).room("default")
}

fn pool_with(budgets: Vec<Budget>) -> NodePool {
    let mut world = World::new();
    world.edit_pool("default", |p| p.disruption.budgets = budgets);
    (*world.snapshot.pools["default"]).clone()
}

fn scheduled(nodes: &str, schedule: &str, hours: u64) -> Budget {
    Budget {
        schedule: Some(schedule.into()),
        duration: Some(Duration::from_secs(hours * 3600)),
        ..budget(nodes)
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a constant")
}

/// Cases 27 and 29, through a whole decision.
#[test]
fn cases_027_029_percentages_round_up() {
    for (nodes, budget_text, deleted) in [
        (10, "30%", 3),
        (10, "100%", 10),
        (19, "20%", 4),
        (10, "5%", 1),
        (10, "4", 4),
    ] {
        let mut world = fleet(nodes, "m5.xlarge");
        world.edit_pool("default", |p| p.disruption.budgets = vec![budget(budget_text)]);
        let out = decide(&world);
        assert_eq!(
            out.proposals[0].subjects.len(),
            deleted,
            "{budget_text} of {nodes}"
        );
    }
}

/// Case 27, last part, and 41: nothing may go.
#[test]
fn case_041_zero_and_nonsense_allow_nothing() {
    for text in ["0%", "0", "abc", "101%", "-1", ""] {
        let mut world = fleet(3, "m5.xlarge");
        world.edit_pool("default", |p| p.disruption.budgets = vec![budget(text)]);
        let out = decide(&world);
        assert!(out.proposals.is_empty(), "{text}");
        assert_eq!(code(&out, "n0"), "budget_exhausted");
    }
}

/// Case 28: every pool has its own.
#[test]
fn case_028_one_command_spans_pools() {
    let mut world = World::new();
    for pool in ["a", "b"] {
        world.pool(pool, |p| p.disruption.budgets = vec![budget("50%")]);
        for i in 0..3 {
            let node = format!("{pool}{i}");
            world.machine(&node, "m5.xlarge");
            world.edit_node(&node, |n| {
                drop(n.labels.insert(names::NODEPOOL.into(), pool.into()));
            });
        }
    }
    let out = decide(&world);
    assert_eq!(out.proposals[0].subjects.len(), 4, "1.5 of each, rounded up");
    assert_eq!(evidence(&out.proposals[0]).budgets["a"], (2, 0));
}

/// Cases 30 to 33.
#[test]
fn cases_030_031_032_033_what_counts_and_what_consumes() {
    let mut world = fleet(10, "m5.xlarge");
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("10%")]);
    world.edit_node("n0", |n| n.ready = false);
    assert_eq!(room(&world).left(), 0);

    let mut world = fleet(10, "m5.xlarge");
    for i in 0..10 {
        world.edit_claim(&format!("n{i}"), |c| c.deleting = Some(at(0)));
    }
    assert_eq!((room(&world).used, room(&world).left()), (10, 0));

    let mut world = fleet(3, "m5.xlarge");
    world.edit_node("n0", |n| drop(n.labels.remove(names::INITIALIZED)));
    world.node("stranger", "", |n| {
        drop(n.labels.insert(names::NODEPOOL.into(), "default".into()));
    });
    world.edit_claim("n1", |c| {
        c.deleting = Some(at(0));
        c.conditions
            .insert(names::INSTANCE_TERMINATING.into(), cond(Status::True, 0));
    });
    assert_eq!((room(&world).nodes, room(&world).used), (1, 0));
}

/// Cases 34 and 35.
#[test]
fn cases_034_035_reasons_narrow_a_budget() {
    let empty_only = |nodes: &str, reason: &str| Budget {
        reasons: Some(vec![reason.into()]),
        ..budget(nodes)
    };
    let pool = pool_with(vec![budget("10"), empty_only("4", "Empty")]);
    for (reason, want) in [("Empty", 4), ("Drifted", 10), ("Underutilized", 10)] {
        assert_eq!(allowed(&pool, reason, 100, at(0)), want);
    }
    let pool = pool_with(vec![empty_only("0", "Drifted")]);
    assert_eq!(allowed(&pool, "Underutilized", 100, at(0)), UNLIMITED);
    assert_eq!(allowed(&pool_with(Vec::new()), "Empty", 100, at(0)), UNLIMITED);
}

/// Cases 36 to 40.
#[test]
fn cases_036_037_038_039_040_windows_are_half_open_and_utc() {
    for (schedule, hours, now, active) in [
        ("@daily", 48, "2026-01-05T13:00:00Z", true),
        ("30 6 * * SUN", 6, "2026-01-04T00:00:00Z", false),
        ("30 6 * * SUN", 6, "2026-01-04T06:30:00Z", true),
        ("30 6 * * SUN", 6, "2026-01-04T12:29:59Z", true),
        ("30 6 * * SUN", 6, "2026-01-04T12:30:00Z", false),
        ("@yearly", 24, "2026-01-01T12:00:00Z", true),
    ] {
        let pool = pool_with(vec![scheduled("0", schedule, hours)]);
        let want = if active { 0 } else { UNLIMITED };
        assert_eq!(allowed(&pool, "Empty", 5, time(now)), want, "{schedule} {now}");
    }
    let broken = pool_with(vec![
        budget("100%"),
        Budget {
            reasons: Some(vec!["Drifted".into()]),
            ..scheduled("10", "0 0 * * tue-mon", 1)
        },
    ]);
    assert_eq!(
        allowed(&broken, "Empty", 10, at(0)),
        0,
        "fails closed for every reason"
    );
}

/// Case 42: a decision that a budget held back is looked at again.
#[test]
fn case_042_a_constrained_pass_leaves_no_memo() {
    let mut world = fleet(2, "m5.xlarge");
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("0")]);
    let mut turns = super::Loop::default();
    turns.turn(&world, 0);
    let out = turns.turn(&world, 10);
    assert_eq!(code(&out, "n0"), "budget_exhausted");
    // Free again without any change that the memo would see.
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    let out = turns.turn(&world, 20);
    assert_eq!(code(&out, "n0"), "selected");
}

/// Held candidates count as in use.
#[test]
fn held_decisions_consume_budgets() {
    let mut world = fleet(4, "m5.xlarge");
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("2")]);
    let mut turns = super::Loop::default();
    turns.reserved.nodes.insert("n0".into(), "Empty".into());
    turns.turn(&world, 0);
    let out = turns.turn(&world, 15);
    assert_eq!(super::proposed(&out), "empty: n1");
}
