//! Cases 60 and 77 to 83: what is known of the cluster. The snapshot is the state; nothing is kept beside it.

use super::Case;
use crate::api::names;
use crate::decide::scheduling::state::{is_synced, state_nodes};
use crate::decide::scheduling::{Prepared, prepare};
use crate::decide::testing::{World, at, cond};
use crate::decide::{Dirty, Fuel, Reserved, Settings, disruption};
use crate::model::pod::HostPort;
use crate::model::{Delta, Phase, Status, Taint, TaintEffect};

fn prepared(world: &World) -> Prepared {
    prepare(&world.snapshot, &Settings::default(), at(0))
}

fn free(world: &World, node: &str) -> i64 {
    let all = prepared(world);
    all.nodes
        .iter()
        .find(|n| &*n.state.name == node)
        .map_or(i64::MIN, |n| n.free.cpu)
}

#[test]
fn case_60_a_claim_that_left_before_it_launched_blocks_nothing() {
    let mut case = Case::new();
    case.world.claim("c", |_| {});
    case.pass(0);
    assert!(!is_synced(&case.world.snapshot));
    case.world.apply(Delta::ClaimGone("c".into()));
    case.pass(1);
    assert!(is_synced(&case.world.snapshot));
    // It comes back late, as a stale list would bring it, and is gone again.
    case.world.claim("c", |_| {});
    case.world.apply(Delta::ClaimGone("c".into()));
    case.pass(16);
    assert!(is_synced(&case.world.snapshot));
    assert!(!case.memory.seen.contains_key("uid-c") && case.memory.counted.is_empty());
}

#[test]
fn case_77_nothing_is_synced_while_a_claim_is_unlaunched() {
    let mut world = World::new();
    world.machine("n", "m5.xlarge");
    assert!(is_synced(&world.snapshot));
    world.claim("c", |_| {});
    assert!(!is_synced(&world.snapshot));
    world.edit_claim("c", |c| c.provider_id = "aws:///zone-a/i-c".into());
    assert!(is_synced(&world.snapshot));
    // Nodes are known as soon as they are listed: the snapshot holds every one, whoever made it.
    world.node("stranger", "", |_| {});
    assert!(
        state_nodes(&world.snapshot)
            .iter()
            .any(|n| &*n.name == "stranger")
    );
}

#[test]
fn case_78_a_node_that_learns_its_machine_late_is_one_entry() {
    let mut case = Case::new();
    case.world.machine("n", "m5.xlarge");
    case.world.edit_node("n", |n| n.provider_id = "".into());
    case.pass(0);
    assert!(case.memory.index.nodes_with("aws:///zone-a/i-n").is_empty());
    case.world
        .edit_node("n", |n| n.provider_id = "aws:///zone-a/i-n".into());
    let dirty = Dirty {
        nodes: ["n".into()].into(),
        ..Dirty::default()
    };
    case.dirty(1, &dirty);
    case.dirty(2, &dirty);
    assert_eq!(case.memory.index.nodes_with("aws:///zone-a/i-n"), ["n".into()]);
    assert_eq!(state_nodes(&case.world.snapshot).len(), 1);
}

#[test]
fn case_79_taints_of_a_start_are_hidden_until_it_is_over() {
    let not_ready = Taint {
        key: "node.kubernetes.io/not-ready".into(),
        value: "".into(),
        effect: TaintEffect::NoSchedule,
    };
    for (managed, initialized, visible) in [(true, false, false), (true, true, true), (false, false, true)] {
        let mut world = World::new();
        if managed {
            world.machine("n", "m5.xlarge");
        } else {
            world.node("n", "", |_| {});
        }
        world.edit_node("n", |n| {
            n.taints = vec![not_ready.clone()];
            if !initialized {
                n.labels.remove(names::INITIALIZED);
            }
        });
        let nodes = state_nodes(&world.snapshot);
        assert_eq!(
            nodes[0].taints.contains(&not_ready),
            visible,
            "{managed} {initialized}"
        );
    }
}

#[test]
fn case_80_usage_follows_the_pod() {
    let mut world = World::new();
    world.machine("a", "m5.xlarge");
    world.machine("b", "m5.xlarge");
    let (empty_a, empty_b) = (free(&world, "a"), free(&world, "b"));
    world.pod("p", Some("a"), 500, |_| {});
    assert_eq!(free(&world, "a"), empty_a - 500);
    world.edit_pod("p", |p| p.phase = Phase::Succeeded);
    assert_eq!(free(&world, "a"), empty_a, "a pod that ended takes nothing");
    // The same name on another node.
    world.pod("p", Some("b"), 700, |p| p.uid = "another".into());
    assert_eq!((free(&world, "a"), free(&world, "b")), (empty_a, empty_b - 700));
}

#[test]
fn case_81_a_node_may_go_before_its_pods() {
    let mut case = Case::new();
    case.world.machine("n", "m5.xlarge");
    case.world.pod("p", Some("n"), 100, |_| {});
    case.pass(0);
    case.world.apply(Delta::NodeGone("n".into()));
    case.world.apply(Delta::ClaimGone("n".into()));
    case.pass(1);
    assert!(prepared(&case.world).nodes.is_empty());
    case.world.apply(Delta::PodGone("ns/p".into()));
    case.pass(2);
    assert_eq!(case.memory.index.pods_on("n").count(), 0);
}

#[test]
fn case_82_a_new_claim_version_keeps_ports_volumes_and_costs() {
    let mut world = World::new();
    world.machine("n", "m5.xlarge");
    world.pod("p", Some("n"), 100, |p| {
        std::sync::Arc::make_mut(&mut p.spec).host_ports = vec![HostPort {
            ip: "0.0.0.0".into(),
            port: 80,
            protocol: "TCP".into(),
        }];
        p.deletion_cost = Some(7);
    });
    let ports = |world: &World| prepared(world).nodes[0].ports.len();
    assert_eq!(ports(&world), 1);
    world.edit_claim("n", |c| {
        c.conditions.insert("Other".into(), cond(Status::True, 5));
    });
    assert_eq!(ports(&world), 1);
    assert_eq!(world.snapshot.pods["ns/p"].deletion_cost, Some(7));
}

#[test]
fn case_83_a_nomination_is_extended_and_never_shortened() {
    let mut world = World::new();
    world.machine("n", "m5.xlarge");
    world.machine("m", "m5.xlarge");
    let mut memory = disruption::Memory::default();
    let code = |memory: &mut disruption::Memory, second: i64| {
        let out = disruption::pass(
            &world.snapshot,
            memory,
            &Reserved::default(),
            None,
            at(second),
            &Settings::default(),
            &mut Fuel(u64::MAX),
        );
        let verdict = out.verdicts.into_iter().find(|v| &*v.node == "n");
        verdict.map(|v| v.code.to_string())
    };
    memory.nominate(&"n".into(), at(20));
    memory.nominate(&"n".into(), at(40));
    memory.nominate(&"n".into(), at(30));
    assert_eq!(code(&mut memory, 39).as_deref(), Some("nominated"));
    assert_ne!(code(&mut memory, 60).as_deref(), Some("nominated"));
}
