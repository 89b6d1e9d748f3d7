//! The policy Balanced.

use super::{code, decide, evidence, proposed, verdict};
use crate::decide::disruption::balanced::{Score, Scores};
use crate::decide::disruption::candidates::{Candidate, Checks, candidate};
use crate::decide::disruption::cluster::Cluster;
use crate::decide::disruption::consolidate::Command;
use crate::decide::disruption::simulate::Simulator;
use crate::decide::testing::{World, at, budget};
use crate::decide::{Reserved, Settings};
use crate::model::nodepool::ConsolidationPolicy;
use crate::model::{NodePool, UsdPerHour};
use std::collections::BTreeMap;

fn balanced(pool: &mut NodePool) {
    pool.disruption.policy = ConsolidationPolicy::Balanced;
}

/// A pool of the worked numbers: 4.84 and 9.68 a day are prices an hour here.
fn worked(small: usize, big: usize, pods: &[(&str, usize)]) -> World {
    let mut world = World::new();
    world.types(&[
        ("tiny", 8, 64, 2.42),
        ("small", 16, 128, 4.84),
        ("big", 32, 256, 9.68),
    ]);
    world.edit_pool("default", balanced);
    for i in 0..small {
        world.machine(&format!("s{i}"), "small");
    }
    for i in 0..big {
        world.machine(&format!("b{i}"), "big");
    }
    for (node, count) in pods {
        for i in 0..*count {
            world.pod(&format!("{node}-{i}"), Some(node), 100, |_| {});
        }
    }
    world
}

/// Score of taking `node` away for a price that comes instead.
fn score(world: &World, node: &str, instead: f64) -> Score {
    let cluster = Cluster::new(&world.snapshot, at(0));
    let settings = Settings::default();
    let candidates = all(&cluster);
    let scores = Scores::new(&cluster, &candidates, false);
    let one: Vec<Candidate<'_>> = candidates.into_iter().filter(|c| **c.name() == *node).collect();
    let simulator = Simulator::new(&cluster, &settings);
    // A replacement's price is what the source costs less.
    let mut command = Command {
        candidates: one,
        replacements: Vec::new(),
        moves: BTreeMap::new(),
        scores: BTreeMap::new(),
        largest_cpu: None,
    };
    let whole = command.candidates[0].price;
    command.candidates[0].price = whole - UsdPerHour::from_f64(instead);
    let _ = scores.judge(&simulator, &mut command);
    command.scores["default"]
}

fn all<'a>(cluster: &'a Cluster<'a>) -> Vec<Candidate<'a>> {
    let (reserved, none) = (Reserved::default(), BTreeMap::new());
    let checks = Checks {
        reserved: &reserved,
        nominated: &none,
        pod_events: &none,
        eventual: false,
    };
    let machines = cluster.machines.values();
    machines
        .filter_map(|m| candidate(cluster, m, &checks).ok())
        .collect()
}

fn two(score: &Score) -> String {
    format!("{:.2}", score.score)
}

/// The worked numbers of the reference, the boundary included.
#[test]
fn case_090_worked_numbers_and_the_boundary() {
    let mut pods = vec![("b0", 3), ("s0", 4), ("s1", 8)];
    pods.extend([
        ("s2", 9),
        ("s3", 9),
        ("s4", 9),
        ("s5", 9),
        ("s6", 9),
        ("s7", 9),
        ("b1", 11),
    ]);
    let world = worked(8, 2, &pods);
    assert_eq!(two(&score(&world, "b0", 2.42)), "2.81");
    assert_eq!(two(&score(&world, "s0", 0.0)), "1.50");
    let rejected = score(&world, "s1", 2.42);
    assert_eq!((two(&rejected).as_str(), rejected.is_approved()), ("0.42", false));
    let nodes: Vec<String> = (0..10).map(|i| format!("s{i}")).collect();
    let pods: Vec<(&str, usize)> = nodes.iter().map(|n| (n.as_str(), 8)).collect();
    let uniform = score(&worked(10, 0, &pods), "s3", 2.42);
    assert!((uniform.score - 0.5).abs() == 0.0, "{uniform:?}");
    assert!(uniform.is_approved());
}

#[test]
fn dear_pods_weigh_more() {
    let mut pods = vec![("s0", 4), ("s1", 3)];
    pods.extend([
        ("s2", 9),
        ("s3", 9),
        ("s4", 9),
        ("s5", 9),
        ("s6", 9),
        ("s7", 9),
        ("b0", 9),
        ("b1", 10),
    ]);
    let mut world = worked(8, 2, &pods);
    for i in 0..3 {
        world.edit_pod(&format!("s1-{i}"), |p| p.deletion_cost = Some(i32::MAX));
    }
    let dear = score(&world, "s1", 0.0);
    let cheap = score(&world, "s0", 0.0);
    assert!(
        cheap.score > 1.0 && dear.score < cheap.score / 3.0,
        "{dear:?} {cheap:?}"
    );
}

#[test]
fn case_091_the_pools_size_cancels() {
    let of = |count: usize| {
        let nodes: Vec<String> = (0..count).map(|i| format!("s{i}")).collect();
        let pods: Vec<(&str, usize)> = nodes.iter().map(|n| (n.as_str(), 4)).collect();
        score(&worked(count, 0, &pods), "s0", 1.0).score
    };
    assert!((of(3) - of(30)).abs() < 1e-12);
}

#[test]
fn case_092_no_savings_no_approval() {
    let world = worked(2, 0, &[("s0", 1), ("s1", 1)]);
    for instead in [4.84, 9.0] {
        let score = score(&world, "s0", instead);
        assert!(score.score == 0.0 && !score.is_approved());
    }
}

#[test]
fn case_093_one_balanced_pool_that_says_no_is_enough() {
    // Two nodes of two pools can be replaced by one; the Balanced one is full of pods and cheap.
    let mut world = worked(2, 0, &[("s0", 9), ("s1", 1)]);
    world.pool("other", |_| {});
    for i in 0..4 {
        world.machine(&format!("x{i}"), "big");
        world.pod(&format!("x{i}-p"), Some(&format!("x{i}")), 100, |p| {
            p.do_not_disrupt = Some("true".into());
        });
        world.edit_node(&format!("x{i}"), |n| n.allocatable.cpu = 100);
    }
    world.edit_node("s1", |n| {
        drop(
            n.labels
                .insert(crate::api::names::NODEPOOL.into(), "other".into()),
        );
    });
    for node in ["s0", "s1"] {
        world.edit_node(node, |n| n.allocatable.cpu = 950);
    }
    let out = decide(&world);
    assert!(!proposed(&out).starts_with("multi"), "{}", proposed(&out));
    world.edit_pool("default", |p| {
        p.disruption.policy = ConsolidationPolicy::default();
    });
    let out = decide(&world);
    assert_eq!(proposed(&out), "multi: s0 s1");
}

#[test]
fn case_094_a_price_that_is_no_number_is_nothing() {
    assert_eq!(UsdPerHour::from_f64(f64::NAN), UsdPerHour::ZERO);
    let mut world = worked(2, 0, &[("s0", 1), ("s1", 1)]);
    world.types(&[("small", 16, 128, f64::NAN)]);
    let score = score(&world, "s0", 0.0);
    assert!(score.score == 0.0 && score.savings.is_finite() && score.disruption.is_finite());
}

#[test]
fn case_095_the_only_node_scores_one() {
    let world = worked(1, 0, &[("s0", 4)]);
    let score = score(&world, "s0", 0.0);
    assert!((score.score - 1.0).abs() < 1e-12 && score.is_approved());
}

/// The pool admits on-demand only, so spot prices do not count as the replacement's.
#[test]
fn case_096_only_reachable_prices_count() {
    let mut world = worked(1, 1, &[("b0", 3), ("s0", 12)]);
    world.edit_node("s0", |n| n.allocatable.cpu = 1200);
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: b0");
    let evidence = evidence(&out.proposals[0]);
    assert_eq!(evidence.price_after, UsdPerHour::from_f64(2.42));
    let expected = (9.68 - 2.42) / (9.68 + 4.84) / (4.0 / 17.0);
    assert!((evidence.scores["default"] - expected).abs() < 1e-9);
    assert_eq!(
        verdict(&out, "b0").facts["score"],
        format!("{expected:.3}").into()
    );
}

#[test]
fn case_097_a_high_ratio_comes_first() {
    // `b0` is dear with many pods, `s0` cheap with few: 9.68 / 7 > 4.84 / 4.
    let mut world = worked(1, 1, &[("b0", 6), ("s0", 3)]);
    world.edit_pool("default", |p| {
        p.disruption.policy = ConsolidationPolicy::default();
    });
    world.edit_pool("default", |p| {
        p.disruption.budgets = vec![budget("1")];
    });
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: b0");
}

/// A move that saves too little stays, with its numbers.
#[test]
fn a_low_score_is_said() {
    let mut pods: Vec<(String, usize)> = (0..8).map(|i| (format!("s{i}"), 8)).collect();
    pods.extend([("b0".to_owned(), 8), ("b1".to_owned(), 8)]);
    let pods: Vec<(&str, usize)> = pods.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    let mut world = worked(8, 2, &pods);
    for i in 0..8 {
        world.edit_node(&format!("s{i}"), |n| n.allocatable.cpu = 800);
    }
    for i in 0..2 {
        world.edit_node(&format!("b{i}"), |n| n.allocatable.cpu = 800);
        world.edit_pod(&format!("b{i}-0"), |p| p.do_not_disrupt = Some("true".into()));
    }
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    let out = decide(&world);
    assert_eq!(
        (proposed(&out).as_str(), code(&out, "s0").as_str()),
        ("", "score_too_low")
    );
    assert_eq!(verdict(&out, "s0").facts["score"], "0.417".into());
    assert_eq!(verdict(&out, "s0").facts["threshold"], "0.5".into());
}
