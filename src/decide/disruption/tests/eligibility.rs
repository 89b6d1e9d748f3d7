//! Cases 1 to 26.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{check, check_with, daemon, decide, fleet, proposed, verdict};
use crate::api::names;
use crate::decide::Reserved;
use crate::decide::pods::{Protection, protection};
use crate::decide::testing::{World, at, owner};
use crate::model::{Delta, Phase, Pod};

type Change = fn(&mut World);

/// Cases 1 to 6 and 11, 26: the checks in their order.
#[test]
fn cases_001_002_003_005_006_011_the_first_failing_check_decides() {
    let cases: [(&str, Change); 9] = [
        ("unmanaged", |w| w.apply(Delta::ClaimGone("n0".into()))),
        ("no_node", |w| w.apply(Delta::NodeGone("n0".into()))),
        ("not_initialized", |w| {
            w.edit_node("n0", |n| {
                n.labels.remove(names::INITIALIZED);
            });
        }),
        ("deleting", |w| w.edit_claim("n0", |c| c.deleting = Some(at(0)))),
        ("no_nodepool_label", |w| {
            w.edit_node("n0", |n| {
                n.labels.remove(names::NODEPOOL);
            });
        }),
        ("nodepool_missing", |w| w.apply(Delta::PoolGone("default".into()))),
        ("node_do_not_disrupt", |w| {
            w.edit_node("n0", |n| {
                drop(n.annotations.insert(names::DO_NOT_DISRUPT.into(), "true".into()));
            });
        }),
        ("", |w| {
            w.edit_node("n0", |n| {
                drop(n.annotations.insert(names::DO_NOT_DISRUPT.into(), "false".into()));
            });
        }),
        ("", |w| {
            w.edit_node("n0", |n| {
                drop(n.annotations.insert(names::DO_NOT_DISRUPT.into(), "4h".into()));
            });
        }),
    ];
    for (want, change) in cases {
        let mut world = fleet(1, "m5.xlarge");
        change(&mut world);
        assert_eq!(check(&world, "n0", false), want);
    }
    let mut reserved = Reserved::default();
    reserved.nodes.insert("n0".into(), "Empty".into());
    let world = fleet(1, "m5.xlarge");
    assert_eq!(
        check_with(&world, "n0", false, &reserved, &BTreeMap::new()),
        "in_queue"
    );
}

/// Case 4.
#[test]
fn case_004_nominated_nodes_rest() {
    let world = fleet(1, "m5.xlarge");
    for (until, want) in [(15, "nominated"), (0, "")] {
        let nominated = BTreeMap::from([("n0".into(), at(until))]);
        assert_eq!(
            check_with(&world, "n0", false, &Reserved::default(), &nominated),
            want
        );
    }
}

/// Case 7: a pool without instance types.
#[test]
fn case_007_pools_without_types_have_no_candidates() {
    let mut world = fleet(1, "m5.xlarge");
    let none = std::sync::Arc::new(crate::model::Catalogue::default());
    world.apply(Delta::Catalogue {
        class: "default".into(),
        types: none,
    });
    assert_eq!(check(&world, "n0", false), "nodepool_missing");
}

/// Cases 8 to 10: still candidates; consolidation names what is missing.
#[test]
fn cases_008_009_010_incomplete_nodes_are_not_consolidated() {
    for (label, want) in [
        (names::CAPACITY_TYPE, "no_capacity_type"),
        (names::ZONE, "no_zone"),
        (names::INSTANCE_TYPE, "no_instance_type"),
    ] {
        let mut world = fleet(1, "m5.xlarge");
        world.edit_node("n0", |n| {
            n.labels.remove(label);
        });
        assert_eq!(check(&world, "n0", false), "");
        assert_eq!(proposed(&decide(&world)), "empty: n0", "{label}");
        world.pod("p", Some("n0"), 100, |_| {});
        let out = decide(&world);
        assert_eq!(&*verdict(&out, "n0").code, want);
        assert_eq!(proposed(&out), "");
    }
}

/// Cases 12 to 16: annotations and budgets against the termination grace period.
#[test]
fn cases_012_013_014_pod_blockers_are_waived_for_drift_with_a_grace_period() {
    let protect: fn(&mut Pod) = |p| p.do_not_disrupt = Some("true".into());
    let plain: fn(&mut Pod) = |_| {};
    for (change, pdb, code) in [
        (protect, false, "pod_do_not_disrupt"),
        (plain, true, "pdb_blocked"),
    ] {
        for (grace, eventual, blocked) in [
            (None, false, true),
            (None, true, true),
            (Some(300), true, false),
            (Some(300), false, true),
        ] {
            let mut world = fleet(1, "m5.xlarge");
            world.pod("p", Some("n0"), 100, change);
            if pdb {
                world.pdb("web", 0, |_| {});
            }
            world.edit_claim("n0", |c| c.termination_grace = grace.map(Duration::from_secs));
            let want = if blocked { code } else { "" };
            assert_eq!(check(&world, "n0", eventual), want, "{grace:?} {eventual}");
        }
    }
}

/// Cases 15, 16 and 25: who can block by annotation.
#[test]
fn cases_015_016_025_any_active_pod_blocks_by_annotation() {
    type Edit = fn(&mut Pod);
    let cases: [(Edit, bool); 5] = [
        (|p| p.owners = vec![owner("Node")], true),
        (daemon, true),
        (|p| p.owners.clear(), true),
        (|p| p.deleting = Some(at(30)), false),
        (|p| p.phase = Phase::Succeeded, false),
    ];
    for (change, blocks) in cases {
        let mut world = fleet(1, "m5.xlarge");
        world.pod("p", Some("n0"), 100, |p| {
            p.do_not_disrupt = Some("true".into());
            change(p);
        });
        assert_eq!(!check(&world, "n0", false).is_empty(), blocks);
    }
    let mut world = fleet(1, "m5.xlarge");
    world.pod("p", Some("n0"), 100, |p| p.owners.clear());
    assert_eq!(check(&world, "n0", false), "");
}

/// Cases 17 to 20.
#[test]
fn cases_017_018_019_020_disruption_budgets_block() {
    type Setup = fn(&mut World);
    let cases: [(&str, Setup); 9] = [
        ("multi_pdb", |w| {
            w.pod("p", Some("n0"), 1, |_| {});
            w.pdb("a", 1, |_| {});
            w.pdb("b", 1, |_| {});
        }),
        ("pdb_blocked", |w| {
            w.pod("p", Some("n0"), 1, daemon);
            w.pdb("a", 0, |_| {});
        }),
        ("", |w| {
            w.pod("p", Some("n0"), 1, |p| p.owners = vec![owner("Node")]);
            w.pdb("a", 0, |_| {});
        }),
        ("", |w| {
            w.pod("p", Some("n0"), 1, |p| p.phase = Phase::Failed);
            w.pdb("a", 0, |_| {});
        }),
        ("", |w| {
            w.pod("p", Some("n0"), 1, |p| p.deleting = Some(at(9)));
            w.pdb("a", 0, |_| {});
        }),
        ("", |w| {
            w.pod("p", Some("n0"), 1, |_| {});
            w.pdb("a", 0, |b| b.namespace = "other".into());
        }),
        ("", |w| {
            w.pod("p", Some("n0"), 1, |p| p.ready = false);
            w.pdb("a", 0, |b| b.always_allow_unhealthy = true);
        }),
        ("pdb_blocked", |w| {
            w.pod("p", Some("n0"), 1, |p| p.ready = false);
            w.pdb("a", 0, |_| {});
        }),
        ("", |w| {
            w.pod("p", Some("n0"), 1, |_| {});
            w.pdb("a", 1, |_| {});
        }),
    ];
    for (i, (want, setup)) in cases.into_iter().enumerate() {
        let mut world = fleet(1, "m5.xlarge");
        setup(&mut world);
        assert_eq!(check(&world, "n0", false), want, "{i}");
    }
}

/// Cases 21, 23 and 24.
#[test]
fn cases_021_023_024_durations_protect_from_the_start() {
    let mut world = World::new();
    let mut see = |text: &str, started: Option<i64>| {
        world.pod("p", Some("n"), 1, |p| {
            p.do_not_disrupt = Some(text.into());
            p.started = started.map(at);
        });
        protection(&world.snapshot.pods["ns/p"], at(0))
    };
    assert_eq!(see("30m", Some(-29 * 60)), Protection::Until(Some(at(60))));
    assert_eq!(see("30m", Some(-30 * 60)), Protection::Elapsed);
    assert_eq!(see("30m", None), Protection::Until(None));
    assert_eq!(see("true", None), Protection::Forever);
    for bad in ["soon", "-5m", "0s", "false", ""] {
        assert_eq!(see(bad, Some(-1)), Protection::Invalid, "{bad}");
    }
}

/// Case 22.
#[test]
fn case_022_the_longest_protection_counts() {
    let mut world = fleet(1, "m5.xlarge");
    for (pod, time) in [("a", "10m"), ("b", "1h")] {
        world.pod(pod, Some("n0"), 1, |p| {
            p.do_not_disrupt = Some(time.into());
            p.started = Some(at(-1800));
        });
    }
    assert_eq!(check(&world, "n0", false), "pod_do_not_disrupt");
}
