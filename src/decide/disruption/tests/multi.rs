//! Multi-node consolidation.

use super::{Loop, code, decide, decide_with, evidence, fleet, proposed, verdict};
use crate::api::names;
use crate::decide::Settings;
use crate::decide::testing::{World, budget};
use crate::model::{Delta, Pod, UsdPerHour};

/// `n0` … of 8 CPUs, each with two pods of `cpu`.
fn half_empty(count: usize, cpu: i64) -> World {
    let mut world = fleet(count, "m5.2xlarge");
    for i in 0..count {
        for part in ["a", "b"] {
            world.pod(&format!("{part}{i}"), Some(&format!("n{i}")), cpu, |_| {});
        }
    }
    world
}

fn parity() -> Settings {
    Settings {
        parity: true,
        ..Settings::default()
    }
}

#[test]
fn case_044_a_budget_caps_the_command() {
    let mut world = half_empty(10, 200);
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("30%")]);
    let out = decide(&world);
    assert_eq!(proposed(&out), "multi: n0 n1 n2");
    assert_eq!(out.proposals[0].impact.nodes_removed, 3);
}

#[test]
fn case_066_three_nodes_become_one_cheaper() {
    // 3 × 2.4 CPUs do not fit two nodes' spare room, but one of 8.
    let mut world = fleet(3, "m5.2xlarge");
    world.types(&[("m5.2xlarge", 8, 32, 0.384), ("c5.2xlarge", 8, 16, 0.34)]);
    for i in 0..3 {
        world.pod(&format!("p{i}"), Some(&format!("n{i}")), 2500, |_| {});
    }
    // On its own nobody can go: every other node is told to hold no more.
    for i in 0..3 {
        world.edit_node(&format!("n{i}"), |n| n.allocatable.cpu = 3000);
    }
    let out = decide(&world);
    assert_eq!(proposed(&out), "multi: n0 n1 n2");
    let evidence = evidence(&out.proposals[0]);
    assert_eq!(&*evidence.reason, "Underutilized");
    assert_eq!(evidence.replacements.len(), 1);
    assert_eq!(verdict(&out, "n1").facts["together"], "3".into());
    let draft = evidence.price_after;
    assert_eq!(draft, UsdPerHour::from_f64(0.34));
}

#[test]
fn case_065_two_of_the_cheapest_type_are_not_replaced_by_one() {
    let mut world = fleet(2, "m5.large");
    world.pod("a", Some("n0"), 500, |_| {});
    world.pod("b", Some("n1"), 500, |_| {});
    // Neither node takes the other's pod: only a new one would hold both.
    for node in ["n0", "n1"] {
        world.edit_node(node, |n| n.allocatable.cpu = 600);
    }
    let out = decide(&world);
    assert_eq!(proposed(&out), "");
    assert_eq!(code(&out, "n0"), "not_cheaper");
    // With room on one of them the other goes by itself.
    world.edit_node("n1", |n| n.allocatable.cpu = 2000);
    assert_eq!(proposed(&decide(&world)), "single: n0");
}

#[test]
fn case_064_the_same_type_filter_minds_min_values() {
    let mut world = fleet(2, "m5.2xlarge");
    world.edit_pool("default", |p| {
        p.template.requirements.0.insert(names::INSTANCE_TYPE.into(), {
            let mut r = crate::model::Requirement::exists(names::INSTANCE_TYPE);
            r.min_values = Some(2);
            r
        });
    });
    for (node, pod) in [("n0", "a"), ("n1", "b")] {
        world.pod(pod, Some(node), 1500, |_| {});
        world.edit_node(node, |n| n.allocatable.cpu = 1600);
    }
    world.machine("small", "m5.large");
    world.pod("c", Some("small"), 900, |_| {});
    world.edit_node("small", |n| n.allocatable.cpu = 1000);
    // {n0, n1}: m5.xlarge holds both, alone of what is cheaper: minValues 2 is not met, and nothing crashes.
    let out = decide_with(&world, &parity());
    assert_ne!(proposed(&out), "multi: n0 n1 small");
    assert!(out.verdicts.len() == 3, "{:?}", out.verdicts);
}

#[test]
fn case_067_spot_and_on_demand_together_take_the_normal_path() {
    let mut world = half_empty(2, 900);
    world.edit_pool("default", |p| {
        p.template.requirements.0.insert(
            names::CAPACITY_TYPE.into(),
            crate::model::Requirement::is_in(names::CAPACITY_TYPE, ["on-demand", "spot"]),
        );
    });
    world.edit_node("n1", |n| {
        drop(n.labels.insert(names::CAPACITY_TYPE.into(), "spot".into()));
    });
    for node in ["n0", "n1"] {
        world.edit_node(node, |n| n.allocatable.cpu = 2000);
    }
    let out = decide(&world);
    assert_eq!(proposed(&out), "multi: n0 n1");
    let draft = out.proposals[0]
        .effects
        .iter()
        .find_map(|e| match e {
            crate::model::decision::Effect::CreateClaim(draft) => Some(draft),
            _ => None,
        })
        .expect("a replacement");
    let capacity = draft.requirements.get(names::CAPACITY_TYPE).expect("pinned");
    assert!(capacity.has("spot") && !capacity.has("on-demand"));
}

#[test]
fn case_081_after_a_failed_validation_single_acts_in_the_same_pass() {
    let mut world = half_empty(3, 200);
    let mut turns = Loop::default();
    let out = turns.turn(&world, 0);
    assert_eq!(code(&out, "n0"), "selected");
    assert_eq!(verdict(&out, "n0").method, "multi".into());
    world.edit_pod("a0", |p: &mut Pod| p.do_not_disrupt = Some("true".into()));
    let out = turns.turn(&world, 15);
    assert_eq!(proposed(&out), "");
    assert_eq!(code(&out, "n0"), "validation_churn");
    let chosen: Vec<&str> = out
        .verdicts
        .iter()
        .filter(|v| &*v.code == "selected")
        .map(|v| &*v.method)
        .collect();
    assert_eq!(chosen, ["single"]);
}

#[test]
fn a_hundred_and_one_under_parity_and_all_otherwise() {
    let mut world = half_empty(120, 20);
    world.machine("big", "m5.2xlarge");
    world.edit_node("big", |n| {
        n.allocatable.cpu = 100_000;
        n.allocatable.pods = 10_000;
    });
    world.pod("keep", Some("big"), 100, |p| {
        p.do_not_disrupt = Some("true".into());
    });
    let removed = |settings: &Settings| decide_with(&world, settings).proposals[0].impact.nodes_removed;
    assert_eq!(removed(&parity()), 101);
    assert_eq!(removed(&Settings::default()), 120);
}

#[test]
fn a_rejected_set_is_not_found_again() {
    let world = half_empty(2, 200);
    let mut turns = Loop::default();
    turns.reserved.rejected.insert("n0,n1".into(), super::at(600));
    let out = turns.turn(&world, 0);
    assert_eq!(verdict(&out, "n0").method, "single".into());
}

/// Every node gets a verdict in one look, also those behind the command.
#[test]
fn once_says_something_about_every_node() {
    let mut world = half_empty(4, 200);
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("2")]);
    world.pod("full", Some("n3"), 7000, |_| {});
    world.apply(Delta::PodGone("ns/gone".into()));
    let out = decide(&world);
    assert_eq!(out.verdicts.len(), 4);
    assert!(
        out.verdicts.iter().any(|v| &*v.code == "outranked"),
        "{:?}",
        out.verdicts
    );
}
