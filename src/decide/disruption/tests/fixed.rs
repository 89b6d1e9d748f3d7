//! Drift of static pools.

use super::drift::drifted;
use super::{code, decide, proposed};
use crate::decide::testing::{World, budget};

/// `count` drifted nodes of a static pool.
fn fixed(count: usize, replicas: i64, limit: Option<i64>, budget_text: &str) -> World {
    let mut world = drifted(count);
    world.edit_pool("default", |p| {
        p.replicas = Some(replicas);
        p.limits = limit.map(|l| ("nodes".into(), l)).into_iter().collect();
        p.disruption.budgets = vec![budget(budget_text)];
    });
    world
}

fn taken(world: &World) -> usize {
    let out = decide(world);
    assert!(
        out.proposals
            .iter()
            .all(|p| p.impact.nodes_added == 1 && p.subjects.len() == 1)
    );
    out.proposals.len()
}

#[test]
fn case_110_static_drift_keeps_the_node_limit() {
    assert_eq!(taken(&fixed(5, 5, Some(5), "100%")), 0);
    assert_eq!(code(&decide(&fixed(5, 5, Some(5), "100%")), "n0"), "static_limit");
    assert_eq!(taken(&fixed(5, 5, Some(6), "100%")), 1);
    assert_eq!(taken(&fixed(5, 5, Some(7), "100%")), 2);
    assert_eq!(taken(&fixed(5, 5, Some(99), "2")), 2);
    // Empty nodes are replaced too, by a claim of the template.
    let mut world = fixed(1, 1, None, "100%");
    world.apply(crate::model::Delta::PodGone("ns/p0".into()));
    let out = decide(&world);
    assert_eq!(proposed(&out), "static: n0");
    assert_eq!(out.proposals[0].impact.nodes_added, 1);
}

#[test]
fn case_111_scaling_down_comes_before_static_drift() {
    let world = fixed(2, 1, None, "100%");
    assert_eq!(taken(&world), 0);
    assert_eq!(code(&decide(&world), "n0"), "static_scaling_down");
}

#[test]
fn case_112_no_replicas_no_drift_no_limit_no_bound() {
    assert_eq!(taken(&fixed(2, 0, None, "100%")), 0);
    assert_eq!(taken(&fixed(4, 4, None, "3")), 3);
}
