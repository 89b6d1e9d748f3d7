//! Decisions §6: what was approved later is looked at again with zero delay.

use super::super::revalidate;
use super::{decide, fleet};
use crate::decide::Settings;
use crate::decide::testing::{World, at, budget};
use crate::model::Delta;

fn check(world: &World, then: impl FnOnce(&mut World)) -> Result<(), String> {
    let proposal = decide(world).proposals.remove(0);
    let mut later = world.clone();
    then(&mut later);
    revalidate(&later.snapshot, &proposal, at(200), &Settings::default())
}

#[test]
fn an_unchanged_world_keeps_its_decisions() {
    let world = fleet(2, "m5.xlarge");
    assert_eq!(check(&world, |_| {}), Ok(()));
    let mut world = fleet(1, "m5.2xlarge");
    world.pod("a", Some("n0"), 1500, |_| {});
    assert_eq!(check(&world, |_| {}), Ok(()));
}

#[test]
fn what_changed_is_named() {
    type Change = fn(&mut World);
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.pod("b", Some("n1"), 1500, |_| {});
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    let cases: [(&str, Change); 6] = [
        ("gone", |w| w.apply(Delta::ClaimGone("n0".into()))),
        ("gone", |w| w.edit_claim("n0", |c| c.uid = "another".into())),
        ("deleting", |w| w.edit_claim("n0", |c| c.deleting = Some(at(100)))),
        ("pdb blocked (pod ns/a)", |w| w.pdb("web", 0, |_| {})),
        ("budget exhausted", |w| {
            w.edit_pool("default", |p| p.disruption.budgets = vec![budget("0")]);
        }),
        ("replacement needed", |w| w.pod("fill", Some("n1"), 2000, |_| {})),
    ];
    for (want, change) in cases {
        let answer = check(&world, change).expect_err(want);
        assert!(
            answer.starts_with("node n0: ") && answer.contains(want),
            "{answer}"
        );
    }
}

/// An approved set is carried out whole or not at all.
#[test]
fn one_that_fell_out_voids_the_set() {
    let world = fleet(2, "m5.xlarge");
    assert!(check(&world, |w| w.pod("p", Some("n1"), 100, |_| {})).is_err());
}
