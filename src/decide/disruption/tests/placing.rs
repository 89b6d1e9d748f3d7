//! Where the pods of candidates may go, and what limits a search.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Loop, check, code, decide, decide_with, evidence, fleet, proposed};
use crate::api::names;
use crate::decide::disruption::candidates::{Candidate, Checks, candidate};
use crate::decide::disruption::cluster::Cluster;
use crate::decide::disruption::{Memory, consolidate, once, pass, simulate};
use crate::decide::testing::{World, at, budget, cond, labels};
use crate::decide::{Fuel, Outcome, Reserved, Settings};
use crate::model::decision::{ClaimDraft, Effect};
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::storage::{Volume, VolumeClaim};
use crate::model::{
    CapacityType, Catalogue, Delta, LabelSelector, Name, Offering, PodSpec, Requirement, Requirements,
    Status, UsdPerHour,
};

fn draft(out: &Outcome) -> ClaimDraft {
    out.proposals[0]
        .effects
        .iter()
        .find_map(|e| match e {
            Effect::CreateClaim(draft) => Some((**draft).clone()),
            _ => None,
        })
        .expect("a replacement")
}

fn edit_spec(world: &mut World, pod: &str, change: impl FnOnce(&mut PodSpec)) {
    world.edit_pod(pod, |p| {
        let mut spec = (*p.spec).clone();
        change(&mut spec);
        p.spec = Arc::new(spec);
    });
}

fn web() -> LabelSelector {
    LabelSelector {
        match_labels: labels(&[("app", "web")]),
        expressions: Vec::new(),
    }
}

fn apart(weight: Option<i32>) -> AffinityTerm {
    AffinityTerm {
        topology_key: names::HOSTNAME.into(),
        selector: Some(web()),
        namespaces: Vec::new(),
        namespace_selector: None,
        weight,
    }
}

/// Reserved capacity costs next to nothing.
#[test]
fn case_068_reserved_capacity_is_cheaper_than_anything() {
    let mut world = fleet(1, "m5.large");
    world.pod("a", Some("n0"), 1900, |_| {});
    world.edit_pool("default", |p| {
        p.template.requirements.0.insert(
            names::CAPACITY_TYPE.into(),
            Requirement::is_in(names::CAPACITY_TYPE, ["on-demand", "reserved"]),
        );
    });
    assert_eq!(code(&decide(&world), "n0"), "not_cheaper");
    let types = world.snapshot.catalogue("default").expect("types").clone();
    let types = types.types().iter().map(|t| {
        let mut t = (**t).clone();
        if &*t.name == "m5.large" {
            t.requirements.add(Requirement::is_in(
                names::CAPACITY_TYPE,
                ["on-demand", "spot", "reserved"],
            ));
            t.requirements.0.insert(
                names::CAPACITY_TYPE.into(),
                Requirement::is_in(names::CAPACITY_TYPE, ["on-demand", "spot", "reserved"]),
            );
            t.offerings.push(Offering {
                zone: "zone-a".into(),
                capacity_type: CapacityType::Reserved,
                price: UsdPerHour(UsdPerHour::from_f64(0.096).0 / 10_000_000),
                available: true,
                requirements: Requirements::from_iter([
                    Requirement::is_in(names::ZONE, ["zone-a"]),
                    Requirement::is_in(names::CAPACITY_TYPE, ["reserved"]),
                ]),
                reservation_capacity: 4,
                overrides: None,
            });
        }
        Arc::new(t)
    });
    world.apply(Delta::Catalogue {
        class: crate::model::snapshot::ANY_CLASS.into(),
        types: Arc::new(Catalogue::new(types)),
    });
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: n0");
    let expected = draft(&out).expected.expect("priced");
    assert_eq!(
        (&*expected.instance_type, expected.capacity_type),
        ("m5.large", CapacityType::Reserved)
    );
}

#[test]
fn case_071_a_destination_that_just_got_a_pod_takes_none() {
    let mut world = fleet(1, "m5.2xlarge");
    world.machine("other", "m5.xlarge");
    world.pod("a", Some("n0"), 1500, |_| {});
    world.pod("b", Some("other"), 1500, |_| {});
    world.edit_pool("default", |p| {
        p.disruption.consolidate_after = Some(Duration::from_secs(60));
    });
    world.edit_claim("n0", |c| c.last_pod_event = Some(at(-100)));
    world.edit_claim("other", |c| c.last_pod_event = Some(at(-20)));
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: n0");
    assert_eq!(out.proposals[0].impact.nodes_added, 1);
    // Where no replacement would be cheaper, the node is told what it waits for.
    world.types(&[("m5.xlarge", 4, 16, 0.192), ("m5.2xlarge", 8, 32, 0.001)]);
    assert_eq!(code(&decide(&world), "n0"), "destination_cooling");
    world.edit_claim("other", |c| c.last_pod_event = Some(at(-61)));
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    let out = decide(&world);
    assert_eq!(out.proposals[0].impact.nodes_added, 0);
}

#[test]
fn case_072_a_pool_that_never_consolidates_takes_pods() {
    let mut world = fleet(1, "m5.xlarge");
    world.pool("y", |p| p.disruption.consolidate_after = None);
    world.machine("other", "m5.xlarge");
    world.edit_node("other", |n| {
        drop(n.labels.insert(names::NODEPOOL.into(), "y".into()));
    });
    world.edit_claim("other", |c| {
        drop(c.labels.insert(names::NODEPOOL.into(), "y".into()));
    });
    world.pod("a", Some("n0"), 1500, |_| {});
    world.pod("b", Some("other"), 1500, |_| {});
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: n0");
    assert_eq!(evidence(&out.proposals[0]).moves["ns/a"], "other".into());
}

#[test]
fn case_074_spread_and_anti_affinity_hold_for_replacements() {
    // The replacement must keep the skew: only zone-a does.
    let mut world = fleet(1, "m5.2xlarge");
    world.machine("other", "m5.large");
    world.edit_node("other", |n| {
        drop(n.labels.insert(names::ZONE.into(), "zone-b".into()));
        n.allocatable.cpu = 700;
    });
    world.pod("a", Some("n0"), 600, |_| {});
    world.pod("b", Some("other"), 600, |p| {
        p.do_not_disrupt = Some("true".into());
    });
    let constraint = SpreadConstraint {
        topology_key: names::ZONE.into(),
        max_skew: 1,
        hard: true,
        selector: Some(web()),
        min_domains: None,
        match_label_keys: Vec::new(),
        honor_affinity: true,
        honor_taints: false,
    };
    for pod in ["a", "b"] {
        edit_spec(&mut world, pod, |s| s.spread = vec![constraint.clone()]);
    }
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: n0");
    let zone = draft(&out)
        .requirements
        .get(names::ZONE)
        .expect("narrowed")
        .clone();
    assert!(zone.has("zone-a") && !zone.has("zone-b"));

    // The other node has room, and a pod that it must not be with.
    let mut world = fleet(2, "m5.large");
    world.pod("a", Some("n0"), 600, |_| {});
    world.pod("b", Some("n1"), 600, |p| p.do_not_disrupt = Some("true".into()));
    assert_eq!(proposed(&decide(&world)), "single: n0");
    edit_spec(&mut world, "a", |s| s.anti_affinity = vec![apart(None)]);
    let out = decide(&world);
    assert_eq!(
        (proposed(&out).as_str(), code(&out, "n0").as_str()),
        ("", "not_cheaper")
    );
}

#[test]
fn case_075_preferences_may_be_ignored() {
    let mut world = fleet(2, "m5.large");
    world.pod("a", Some("n0"), 600, |_| {});
    world.pod("b", Some("n1"), 600, |p| p.do_not_disrupt = Some("true".into()));
    edit_spec(&mut world, "a", |s| s.anti_affinity = vec![apart(Some(100))]);
    assert_eq!(code(&decide(&world), "n0"), "not_cheaper");
    let ignoring = Settings {
        ignore_preferences: true,
        ..Settings::default()
    };
    assert_eq!(proposed(&decide_with(&world, &ignoring)), "single: n0");
}

#[test]
fn case_076_a_local_volume_does_not_tie_its_pod_to_the_node() {
    let mut world = fleet(1, "m5.2xlarge");
    world.pod("a", Some("n0"), 1500, |_| {});
    edit_spec(&mut world, "a", |s| s.volume_claims = vec!["data".into()]);
    let claim = VolumeClaim {
        namespace: "ns".into(),
        name: "data".into(),
        volume: "pv-data".into(),
        storage_class: None,
        phase: "Bound".into(),
        deleting: false,
        bind_completed: true,
    };
    let volume = |local: bool| Volume {
        name: "pv-data".into(),
        terms: vec![vec![Requirement::is_in(names::HOSTNAME, ["n0"])]],
        local,
        driver: None,
        deleting: false,
    };
    world.apply(Delta::VolumeClaim(Arc::new(claim)));
    world.apply(Delta::Volume(Arc::new(volume(true))));
    assert_eq!(proposed(&decide(&world)), "single: n0");
    world.apply(Delta::Volume(Arc::new(volume(false))));
    assert_eq!(proposed(&decide(&world)), "");
}

#[test]
fn case_077_a_pool_that_cannot_launch_stops_nobody() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.pod("b", Some("n1"), 1500, |p| p.do_not_disrupt = Some("true".into()));
    world.class("broken");
    let mut class = (**world.snapshot.classes.get("broken").expect("class")).clone();
    class
        .conditions
        .insert(names::READY.into(), cond(Status::False, 0));
    world.apply(Delta::Class(Arc::new(class)));
    world.pool("x", |p| {
        p.weight = 100;
        p.template.class.name = "broken".into();
    });
    world.pool("y", |p| {
        p.weight = 90;
        p.template.requirements.0.insert(
            names::INSTANCE_TYPE.into(),
            Requirement::is_in(names::INSTANCE_TYPE, ["nothing.large"]),
        );
    });
    assert_eq!(proposed(&decide(&world)), "single: n0");
}

/// With no pool that could launch, what fits on nodes that are there still goes (Q16).
#[test]
fn without_pools_deletes_still_happen() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.pod("b", Some("n1"), 1500, |p| p.do_not_disrupt = Some("true".into()));
    world.edit_pool("default", |p| {
        p.conditions.insert(names::READY.into(), cond(Status::False, 0));
    });
    assert_eq!(proposed(&decide(&world)), "single: n0");
}

fn three_pools() -> World {
    let mut world = World::new();
    for pool in ["x", "y", "z"] {
        world.pool(pool, |_| {});
        for i in 0..2 {
            let node = format!("{pool}{i}");
            world.machine(&node, "m5.large");
            world.edit_node(&node, |n| {
                drop(n.labels.insert(names::NODEPOOL.into(), pool.into()));
            });
            world.edit_claim(&node, |c| {
                drop(c.labels.insert(names::NODEPOOL.into(), pool.into()));
            });
            world.pod(&format!("p-{node}"), Some(&node), 1900, |_| {});
        }
    }
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("0")]);
    world
}

#[test]
fn case_083_pools_that_were_not_reached_come_first() {
    let world = three_pools();
    let reserved = Reserved::default();
    let look = |memory: &mut Memory, seconds: i64, fuel: u64| {
        pass(
            &world.snapshot,
            memory,
            &reserved,
            None,
            at(seconds),
            &Settings::default(),
            &mut Fuel(fuel),
        )
    };
    let reached = |out: &Outcome| -> Vec<String> {
        let looked = |v: &&crate::model::decision::Verdict| &*v.method == "single" && &*v.code != "timeout";
        out.verdicts
            .iter()
            .filter(looked)
            .map(|v| v.node.to_string())
            .collect()
    };
    // Enough for a part of the pools.
    let fuel = (1..4000)
        .find(|fuel| {
            let mut memory = Memory::default();
            let out = look(&mut memory, 0, *fuel);
            !reached(&out).is_empty() && memory.unseen.contains("z") && memory.unseen.len() < 3
        })
        .expect("a fuel that ends in the middle");
    let mut memory = Memory::default();
    look(&mut memory, 0, fuel);
    let cluster = Cluster::new(&world.snapshot, at(0));
    let first_of_next = super::super::single_node::interleave(all(&cluster), &memory.unseen);
    assert!(memory.unseen.contains(&first_of_next[0].pool.name));
    look(&mut memory, 10, u64::MAX);
    assert!(memory.unseen.is_empty(), "a full pass leaves nobody");
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

#[test]
fn case_084_a_search_that_ran_out_uses_what_it_has() {
    let mut world = fleet(8, "m5.2xlarge");
    for i in 0..8 {
        world.pod(&format!("p{i}"), Some(&format!("n{i}")), 200, |_| {});
    }
    let settings = Settings {
        parity: true,
        ..Settings::default()
    };
    let removed = |fuel: u64| {
        let out = once(&world.snapshot, at(0), &settings, &mut Fuel(fuel));
        out.proposals.first().map_or(0, |p| p.impact.nodes_removed)
    };
    assert_eq!(removed(u64::MAX), 8);
    let stopped = (1..2000).map(removed).find(|n| *n > 1 && *n < 8);
    assert!(stopped.is_some(), "a smaller window was saved and is used");
}

#[test]
fn case_085_a_candidate_that_is_being_deleted_meanwhile() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    let before = world.snapshot.clone();
    world.edit_claim("n0", |c| c.deleting = Some(at(0)));
    let (old, new) = (Cluster::new(&before, at(0)), Cluster::new(&world.snapshot, at(0)));
    let settings = Settings::default();
    let mut simulator = simulate::Simulator::new(&new, &settings);
    let chosen: Vec<Candidate<'_>> = all(&old).into_iter().filter(|c| **c.name() == *"n0").collect();
    let answer = consolidate::decide(&mut simulator, &chosen, &mut Fuel::UNLIMITED.clone());
    assert_eq!(
        answer.err().map(|w| w.code),
        Some(Name::from("candidate_deleting"))
    );
}

#[test]
fn case_086_a_node_that_boots_for_a_deleting_node_is_left_alone() {
    let mut world = fleet(1, "m5.xlarge");
    world.edit_claim("n0", |c| c.deleting = Some(at(0)));
    world.pod("a", Some("n0"), 1000, |_| {});
    world.machine("fresh", "m5.2xlarge");
    world.edit_node("fresh", |n| drop(n.labels.remove(names::INITIALIZED)));
    assert_eq!(check(&world, "fresh", false), "not_initialized");
    assert_eq!(proposed(&decide(&world)), "");
}

/// The replacement holds the room of its candidate's pods: nothing is bought twice.
#[test]
fn case_117_provisioning_does_not_buy_what_a_replacement_brings() {
    let mut world = fleet(1, "m5.xlarge");
    world.pod("a", Some("n0"), 3000, |_| {});
    world.edit_node("n0", |n| {
        n.taints.push(crate::decide::pods::disrupted_taint());
        n.annotations.insert(names::KERF_REPLACED_BY.into(), "new".into());
    });
    let buys = |world: &World| {
        let mut memory = crate::decide::scheduling::Memory::default();
        let dirty = crate::decide::Dirty {
            all: true,
            ..Default::default()
        };
        let mut bought = 0;
        for second in 0..15 {
            let out = crate::decide::scheduling::pass(
                &world.snapshot,
                &mut memory,
                &dirty,
                &Reserved::default(),
                at(second),
                &Settings::default(),
                &mut Fuel::UNLIMITED.clone(),
            );
            bought += out.proposals.iter().map(|p| p.impact.nodes_added).sum::<u32>();
        }
        bought
    };
    assert_eq!(buys(&world), 0, "before the replacement is there");
    world.claim("new", |c| {
        c.provider_id = "aws:///zone-a/i-new".into();
        c.conditions.insert(names::LAUNCHED.into(), cond(Status::True, 0));
        c.capacity = crate::decide::testing::cpu_mem(4000, 16);
        c.allocatable = c.capacity.clone();
        c.labels.extend(labels(&[
            (names::INSTANCE_TYPE, "m5.xlarge"),
            (names::ZONE, "zone-a"),
            (names::CAPACITY_TYPE, "on-demand"),
            (names::ARCH, "amd64"),
            (names::OS, "linux"),
        ]));
    });
    assert_eq!(buys(&world), 0, "while it boots");
}

/// What was there first ends first.
#[test]
fn case_116_the_command_whose_replacement_is_ready_completes_first() {
    let mut world = fleet(2, "m5.xlarge");
    for (node, new) in [("n0", "new-0"), ("n1", "new-1")] {
        world.edit_node(node, |n| {
            n.taints.push(crate::decide::pods::disrupted_taint());
            n.annotations.insert(names::KERF_REPLACED_BY.into(), new.into());
        });
        world.claim(new, |c| {
            c.provider_id = format!("aws:///zone-a/i-{new}").into();
            c.conditions.insert(names::LAUNCHED.into(), cond(Status::True, 0));
        });
    }
    let mut turns = Loop::default();
    let deleted = |out: &Outcome| -> Vec<String> {
        let keys = super::keys(out.steps.iter().map(|s| &s.effect));
        keys.into_iter()
            .filter(|k| k.starts_with("delete-claim/"))
            .collect()
    };
    assert!(deleted(&turns.turn(&world, 0)).is_empty());
    world.edit_claim("new-1", |c| {
        c.conditions
            .insert(names::INITIALIZED_CONDITION.into(), cond(Status::True, 5));
    });
    assert_eq!(deleted(&turns.turn(&world, 5)), ["delete-claim/n1"]);
    world.edit_claim("new-0", |c| {
        c.conditions
            .insert(names::INITIALIZED_CONDITION.into(), cond(Status::True, 6));
    });
    assert!(deleted(&turns.turn(&world, 6)).contains(&"delete-claim/n0".to_owned()));
}
