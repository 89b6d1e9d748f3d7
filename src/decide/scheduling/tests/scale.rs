//! Size: many pods of few shapes cost about as much as few.

use super::support::*;
use crate::decide::Fuel;
use crate::decide::scheduling::{Problem, Purpose, prepare, solve_prepared};
use crate::model::Name;

#[test]
fn item_51_a_prepared_picture_answers_like_a_fresh_one() {
    let mut w = World::new();
    for i in 0..20 {
        let name = format!("n{i:02}");
        w.node(&name, "z1", 8000, |_, _| {});
        for j in 0..4 {
            w.bound(&format!("p{i}-{j}"), &name, |_| {});
        }
    }
    let prepared = prepare(&w.snapshot, &w.settings, now());
    for i in 0..20 {
        let node = format!("n{i:02}");
        let pods: Vec<Name> = (0..4).map(|j| format!("default/p{i}-{j}").into()).collect();
        let fresh = w.plan_of(&pods, &[&node], Purpose::Simulate);
        let without = [Name::from(node)].into();
        let problem = Problem {
            snapshot: &w.snapshot,
            pods: &pods,
            without: &without,
            now: now(),
            settings: &w.settings,
            purpose: Purpose::Simulate,
        };
        let mut fuel = Fuel::UNLIMITED;
        let again = solve_prepared(&prepared, &problem, &mut fuel);
        assert_eq!(again.existing, fresh.existing);
        assert!(again.claims.is_empty());
    }
}

#[test]
fn item_11_fuel_keeps_what_was_placed() {
    let mut w = World::new();
    w.pods(50, "p", |s| s.requests = resources(15_000, GI));
    let pods: Vec<Name> = w.snapshot.pods.keys().cloned().collect();
    let without = std::collections::BTreeSet::new();
    let problem = Problem {
        snapshot: &w.snapshot,
        pods: &pods,
        without: &without,
        now: now(),
        settings: &w.settings,
        purpose: Purpose::Provision,
    };
    let prepared = prepare(&w.snapshot, &w.settings, now());
    let mut fuel = Fuel(30);
    let plan = solve_prepared(&prepared, &problem, &mut fuel);
    assert!(!plan.claims.is_empty() && plan.claims.len() < 50);
    assert_eq!(plan.claims.len() + plan.unschedulable.len(), 50);
    assert!(refusals(&plan).iter().all(|(_, code)| *code == "out_of_fuel"));
    assert_eq!(fuel.0, 0);
}

#[test]
fn twenty_thousand_equal_pods_take_few_checks() {
    let mut w = World::new();
    let spec = {
        w.pod("p-0", |s| s.requests = resources(150, 1));
        w.snapshot
            .pods
            .get("default/p-0")
            .map(|p| p.spec.clone())
            .expect("there")
    };
    for i in 0..20_000 {
        let spec = spec.clone();
        w.pod_with(&format!("p-{i:05}"), |_| {}, |p| p.spec = spec);
    }
    let pods: Vec<Name> = w.snapshot.pods.keys().cloned().collect();
    let without = std::collections::BTreeSet::new();
    let problem = Problem {
        snapshot: &w.snapshot,
        pods: &pods,
        without: &without,
        now: now(),
        settings: &w.settings,
        purpose: Purpose::Provision,
    };
    let prepared = prepare(&w.snapshot, &w.settings, now());
    let mut fuel = Fuel(1_000_000);
    let plan = solve_prepared(&prepared, &problem, &mut fuel);
    all_placed(&plan);
    let used = 1_000_000 - fuel.0;
    assert!(used < 25_000, "{used} checks for 20,001 pods");
}
