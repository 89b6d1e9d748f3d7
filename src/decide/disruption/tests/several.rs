//! N → M consolidation.

use super::{Loop, decide, decide_with, evidence, fleet, proposed};
use crate::decide::Settings;
use crate::decide::testing::World;
use crate::model::UsdPerHour;

/// Two nodes of 32 CPUs and one of 16, whose pods need just the CPUs of three of 8.
fn oversized() -> World {
    let mut world = World::new();
    world.types(&[
        ("m5.2xlarge", 8, 32, 0.384),
        ("m5.4xlarge", 16, 64, 0.768),
        ("m5.8xlarge", 32, 128, 1.536),
    ]);
    world.machine("big0", "m5.8xlarge");
    world.machine("big1", "m5.8xlarge");
    world.machine("mid", "m5.4xlarge");
    for (i, node) in ["big0", "big1", "mid", "big0", "big1", "mid"].iter().enumerate() {
        world.pod(&format!("p{i}"), Some(node), 3900, |p| {
            let mut spec = (*p.spec).clone();
            spec.requests.memory = 15 << 30;
            p.spec = std::sync::Arc::new(spec);
        });
    }
    // What is there takes no more.
    for (node, cpu) in [("big0", 7900), ("big1", 7900), ("mid", 7900)] {
        world.edit_node(node, |n| n.allocatable.cpu = cpu);
    }
    world
}

#[test]
fn three_oversized_nodes_become_smaller_ones() {
    let world = oversized();
    let out = decide(&world);
    assert_eq!(proposed(&out), "multi: big0 big1 mid");
    let found = evidence(&out.proposals[0]);
    // One replacement would be a 32-CPU node for 1.536.
    assert!(found.replacements.len() > 1);
    assert_eq!(found.price_after, UsdPerHour::from_f64(3.0 * 0.384));
    assert_eq!(found.price_before, UsdPerHour::from_f64(2.0 * 1.536 + 0.768));
    let parity = Settings {
        parity: true,
        ..Settings::default()
    };
    let upstream = decide_with(&world, &parity);
    assert!(evidence(&upstream.proposals[0]).replacements.len() <= 1);
}

/// The plan survives its validation, and falls when it no longer fits.
#[test]
fn it_is_validated_like_any_other() {
    let mut world = oversized();
    let mut turns = Loop::default();
    turns.turn(&world, 0);
    let out = turns.turn(&world, 15);
    assert_eq!(proposed(&out), "multi: big0 big1 mid");
    assert!(
        crate::decide::disruption::revalidate(
            &world.snapshot,
            &out.proposals[0],
            super::at(16),
            &Settings::default()
        )
        .is_ok()
    );
    world.pod("more", Some("mid"), 7000, |_| {});
    assert!(
        crate::decide::disruption::revalidate(
            &world.snapshot,
            &out.proposals[0],
            super::at(17),
            &Settings::default()
        )
        .is_err()
    );
}

/// Equal nodes that are well used are left alone.
#[test]
fn nothing_is_found_where_nothing_is_saved() {
    let mut world = fleet(4, "m5.large");
    for i in 0..4 {
        world.pod(&format!("p{i}"), Some(&format!("n{i}")), 1800, |_| {});
    }
    assert_eq!(proposed(&decide(&world)), "");
}
