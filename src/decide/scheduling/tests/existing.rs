//! Cases 59 to 70 and items 48 to 50: nodes that are there or booting.

use super::support::*;
use crate::api::names;
use crate::decide::scheduling::Purpose;
use crate::model::pod::HostPort;
use crate::model::{Taint, TaintEffect};

fn taint(key: &str, effect: TaintEffect) -> Taint {
    Taint {
        key: key.into(),
        value: "".into(),
        effect,
    }
}

fn on(world: &World) -> Vec<String> {
    world.plan().existing.keys().map(ToString::to_string).collect()
}

#[test]
fn case_59_a_booting_claim_takes_pods() {
    let mut w = World::new();
    w.node("n1", "z1", 4000, |n, c| {
        n.labels.remove(names::INITIALIZED);
        c.labels.remove(names::INITIALIZED);
    });
    w.without_node("n1");
    w.pod("p", |_| {});
    assert_eq!(on(&w), ["claim-n1"]);
    assert!(w.plan().claims.is_empty());
}

#[test]
fn case_60_the_claims_value_counts_before_initialisation() {
    let mut w = World::new();
    w.node("n1", "z1", 4000, |n, c| {
        n.labels.remove(names::INITIALIZED);
        n.allocatable.set("nvidia.com/gpu", 0);
        c.allocatable.set("nvidia.com/gpu", 2);
    });
    w.pod("p", |s| s.requests.set("nvidia.com/gpu", 2));
    assert_eq!(on(&w), ["n1"]);
}

#[test]
fn case_61_to_63_ephemeral_and_startup_taints() {
    for (key, initialized, managed, usable) in [
        ("node.kubernetes.io/not-ready", false, true, true),
        ("node.kubernetes.io/not-ready", true, true, false),
        ("node.kubernetes.io/not-ready", true, false, false),
        ("example.com/startup", false, true, true),
        ("example.com/startup", true, true, false),
        ("example.com/other", false, true, false),
    ] {
        let mut w = World::new();
        w.snapshot.pools.remove("default");
        w.node("n1", "z1", 4000, |n, c| {
            n.taints = vec![taint(key, TaintEffect::NoSchedule)];
            c.startup_taints = vec![taint("example.com/startup", TaintEffect::NoSchedule)];
            if !initialized {
                n.labels.remove(names::INITIALIZED);
            }
        });
        if !managed {
            w.snapshot.claims.remove("claim-n1");
        }
        w.pod("p", |_| {});
        assert_eq!(on(&w).len() == 1, usable, "{key} {initialized} {managed}");
    }
}

#[test]
fn startup_taints_do_not_block_new_claims_case_62() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.startup_taints = vec![taint("x", TaintEffect::NoExecute)];
    });
    w.pod("p", |_| {});
    assert_eq!(sizes(&w.plan()), [1]);
}

#[test]
fn case_64_initialised_first_then_by_name() {
    let mut w = World::new();
    for i in 0..5 {
        w.node(&format!("a{i}"), "z1", 4000, |n, _| {
            n.labels.remove(names::INITIALIZED);
        });
    }
    w.node("z9", "z1", 4000, |_, _| {});
    w.pod("p", |_| {});
    assert_eq!(on(&w), ["z9"]);
}

#[test]
fn case_65_a_leaving_node_gives_no_capacity() {
    let mut w = World::new();
    w.node("n1", "z1", 4000, |_, c| c.deleting = Some(now()));
    w.pod("p", |_| {});
    assert_eq!(sizes(&w.plan()), [1]);
}

#[test]
fn item_46_to_49_order_of_everything() {
    let mut w = World::new();
    w.node("n1", "z1", 3000, |_, _| {});
    w.pod("a-small", |s| s.requests = resources(1000, GI));
    w.pod("b-big", |s| s.requests = resources(3000, GI));
    w.pod("c-small", |s| s.requests = resources(1000, 2 * GI));
    let plan = w.plan();
    // The biggest CPU takes the node; the rest shares a claim, more memory first.
    assert_eq!(plan.existing.get("n1").map(Vec::len), Some(1));
    assert_eq!(claims(&plan), [["c-small", "a-small"]]);
}

#[test]
fn item_48_fewest_pods_first() {
    let mut w = World::new();
    w.types([kind("t", 4000, 32 * GI, 1.0, &["z1"])]);
    w.pods(2, "big", |s| s.requests = resources(3000, GI));
    w.pods(2, "small", |s| s.requests = resources(500, GI));
    assert_eq!(claims(&w.plan()), [["big-0", "small-0"], ["big-1", "small-1"]]);
}

#[test]
fn case_67_a_bound_daemon_is_not_reserved_twice() {
    for (bound, room) in [(false, false), (true, true)] {
        let mut w = World::new();
        w.snapshot.pools.remove("default");
        w.daemon("d", 1000, |_| {});
        w.node("n1", "z1", 15_900, |_, _| {});
        if bound {
            w.pod_with(
                "d-1",
                |_| {},
                |p| {
                    p.node = Some("n1".into());
                    p.unschedulable = false;
                    p.owners = vec![crate::model::pod::Owner {
                        kind: "DaemonSet".into(),
                        name: "d".into(),
                        uid: "uid-d".into(),
                        controller: true,
                    }];
                },
            );
        }
        w.pod("p", |s| s.requests = resources(14_900 + i64::from(!bound), GI));
        assert_eq!(on(&w).len() == 1, room, "{bound}");
    }
}

#[test]
fn case_69_a_daemon_that_does_not_suit_reserves_nothing() {
    let mut w = World::new();
    w.daemon("d", 4000, |s| s.node_selector = labels(&[("special", "yes")]));
    w.node("n1", "z1", 4000, |_, _| {});
    w.pod("p", |s| s.requests = resources(4000, GI));
    assert_eq!(on(&w), ["n1"]);
}

#[test]
fn case_78_79_82_host_ports() {
    let port = || HostPort {
        ip: "0.0.0.0".into(),
        port: 8080,
        protocol: "TCP".into(),
    };
    let mut w = World::new();
    w.pods(2, "p", |s| s.host_ports = vec![port()]);
    assert_eq!(sizes(&w.plan()), [1, 1]);
    w.daemon("d", 10, |s| s.host_ports = vec![port()]);
    assert_eq!(
        refusals(&w.plan()),
        [("p-0".to_owned(), "host_port"), ("p-1".to_owned(), "host_port")]
    );
    w.daemon("d", 10, |s| {
        s.host_ports = vec![port()];
        s.node_selector = labels(&[(names::INSTANCE_TYPE, "large")]);
    });
    let plan = w.plan();
    assert_eq!(sizes(&plan), [1, 1]);
    assert!(!plan.claims[0].draft.instance_types.contains(&"large".into()));
    let mut w = World::new();
    w.node("n1", "z1", 8000, |_, _| {});
    w.bound("q", "n1", |s| s.host_ports = vec![port()]);
    w.pod("p", |s| s.host_ports = vec![port()]);
    assert!(on(&w).is_empty());
}

#[test]
fn item_75_resting_nodes_are_closed_to_running_pods() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.disruption.consolidate_after = Some(std::time::Duration::from_secs(600));
    });
    let soon = now() - jiff::SignedDuration::from_secs(60);
    w.node("n1", "z1", 8000, |_, _| {});
    w.node("n2", "z1", 8000, |_, c| c.last_pod_event = Some(soon));
    w.bound("p", "n1", |_| {});
    let pods = ["default/p".into()];
    let rests = w.plan_of(&pods, &["n1"], Purpose::Simulate);
    assert_eq!(sizes(&rests), [1]);
    let old = now() - jiff::SignedDuration::from_secs(601);
    w.node("n2", "z1", 8000, |_, c| c.last_pod_event = Some(old));
    let moves = w.plan_of(&pods, &["n1"], Purpose::Simulate);
    assert_eq!(moves.existing.get("n2").map(Vec::len), Some(1));
    assert!(moves.claims.is_empty());
}

#[test]
fn moved_pods_leave_their_room_behind() {
    let mut w = World::new();
    w.node("n1", "z1", 2000, |_, _| {});
    w.node("n2", "z1", 2000, |_, _| {});
    w.bound("a", "n1", |s| s.requests = resources(1500, GI));
    w.bound("b", "n2", |s| s.requests = resources(1500, GI));
    let pods = ["default/a".into(), "default/b".into()];
    // With n1 gone, only one of the two fits n2, which both left.
    let plan = w.plan_of(&pods, &["n1"], Purpose::Simulate);
    assert_eq!(plan.existing.get("n2").map(Vec::len), Some(1));
    assert_eq!(sizes(&plan), [1]);
}
