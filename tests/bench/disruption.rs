//! What disruption costs on packed clusters: `cargo bench --bench disruption`, or with a size behind `--`.

// A bench may give up like a test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kerf::api::names;
use kerf::cli::instance_types;
use kerf::decide::disruption::{Memory, once, pass};
use kerf::decide::{Fuel, Reserved, Settings};
use kerf::model::nodepool::{Budget, ClassRef, Disruption, Template};
use kerf::model::pod::{Owner, SpreadConstraint};
use kerf::model::snapshot::ANY_CLASS;
use kerf::model::{
    Claim, Condition, Conditions, Delta, LabelSelector, Labels, Name, Node, NodePool, Phase, Pod, PodSpec,
    Requirement, Requirements, Resources, Snapshot, Status,
};

const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];
const APPS: usize = 30;
const PODS_PER_NODE: usize = 20;

fn now() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().expect("a constant")
}

fn long_ago() -> Timestamp {
    "2026-01-04T09:00:00Z".parse().expect("a constant")
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

fn conditions(kinds: &[&str]) -> Conditions {
    let of = |kind: &&str| -> (Name, Condition) {
        let condition = Condition {
            status: Status::True,
            reason: (*kind).into(),
            message: "".into(),
            since: long_ago(),
            observed_generation: Some(1),
        };
        ((*kind).into(), condition)
    };
    kinds.iter().map(of).collect()
}

fn class() -> ClassRef {
    ClassRef {
        group: names::AWS_GROUP.into(),
        kind: "EC2NodeClass".into(),
        name: "default".into(),
    }
}

fn pool() -> NodePool {
    NodePool {
        name: "default".into(),
        uid: "pool".into(),
        generation: 1,
        created: long_ago(),
        deleting: None,
        annotations: Labels::new(),
        weight: 0,
        replicas: None,
        limits: std::collections::BTreeMap::new(),
        template: Template {
            labels: Labels::new(),
            requirements: [
                Requirement::is_in(names::ARCH, ["amd64"]),
                Requirement::is_in(names::CAPACITY_TYPE, ["on-demand"]),
                Requirement::is_in(names::ZONE, ZONES),
            ]
            .into_iter()
            .collect(),
            class: class(),
            ..Template::default()
        },
        disruption: Disruption {
            consolidate_after: Some(Duration::ZERO),
            budgets: vec![Budget {
                nodes: "100%".into(),
                reasons: None,
                schedule: None,
                duration: None,
            }],
            ..Disruption::default()
        },
        hash: "1".into(),
        conditions: conditions(&[names::READY]),
        status_nodes: 0,
        status_resources: Resources::default(),
        invalid: Vec::new(),
        class_generation: None,
    }
}

/// Specs of the applications: a little different each, about a twentieth of a node.
fn specs(spread: bool) -> Vec<(Arc<PodSpec>, Arc<Labels>)> {
    (0..APPS)
        .map(|app| {
            let name = format!("app-{app}");
            let own = labels(&[("app", &name)]);
            let constraint = SpreadConstraint {
                topology_key: names::ZONE.into(),
                max_skew: 1,
                hard: false,
                selector: Some(LabelSelector {
                    match_labels: own.clone(),
                    expressions: Vec::new(),
                }),
                min_domains: None,
                match_label_keys: Vec::new(),
                honor_affinity: true,
                honor_taints: false,
            };
            let spec = PodSpec {
                requests: Resources {
                    cpu: 370 + i64::try_from(app).expect("few"),
                    memory: 1200 << 20,
                    pods: 1,
                    ..Resources::default()
                },
                grace_seconds: 30,
                spread: if spread { vec![constraint] } else { Vec::new() },
                ..PodSpec::default()
            };
            (Arc::new(spec), Arc::new(own))
        })
        .collect()
}

/// `count` nodes of one type, each full of pods.
fn packed(count: usize, spread: bool) -> Snapshot {
    let catalogue =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity/catalogs/us-east-1.json.gz");
    let types = Arc::new(instance_types::read(&catalogue).expect("instance types"));
    // The cheapest of eight CPUs that holds the pods: nothing cheaper can replace it.
    let price = |t: &kerf::model::InstanceType| t.offering(ZONES[0], "on-demand").map(|o| o.price);
    let holds = |t: &kerf::model::InstanceType| {
        let allocatable = t.allocatable();
        allocatable.cpu >= 20 * 385 && allocatable.memory >= 20 * (1200 << 20) && allocatable.pods >= 20
    };
    let amd64 = Requirements::from_labels(&labels(&[(names::ARCH, "amd64")]));
    let kind = types
        .types()
        .iter()
        .filter(|t| holds(t) && t.requirements.intersects(&amd64).is_ok() && price(t).is_some())
        .min_by_key(|t| (price(t), t.name.clone()))
        .expect("a type")
        .clone();
    let specs = specs(spread);
    let mut deltas = vec![Delta::Pool(Arc::new(pool()))];
    for i in 0..count {
        let node = format!("node-{i:05}");
        let zone = ZONES[i % ZONES.len()];
        let id = format!("aws:///{zone}/i-{i:017}");
        let own = labels(&[
            (names::NODEPOOL, "default"),
            (names::EC2_NODECLASS, "default"),
            (names::INSTANCE_TYPE, &kind.name),
            (names::ZONE, zone),
            (names::CAPACITY_TYPE, "on-demand"),
            (names::ARCH, "amd64"),
            (names::OS, "linux"),
            (names::HOSTNAME, &node),
            (names::REGISTERED, "true"),
            (names::INITIALIZED, "true"),
        ]);
        deltas.push(Delta::Claim(Arc::new(Claim {
            name: format!("claim-{i:05}").into(),
            uid: format!("claim-uid-{i}").into(),
            generation: 1,
            labels: own.clone(),
            annotations: Labels::new(),
            created: long_ago(),
            deleting: None,
            finalizers: Vec::new(),
            class: class(),
            requirements: Requirements::default(),
            requests: Resources::default(),
            taints: Vec::new(),
            startup_taints: Vec::new(),
            expire_after: None,
            termination_grace: None,
            provider_id: id.as_str().into(),
            node_name: node.as_str().into(),
            image_id: "".into(),
            capacity: kind.capacity.clone(),
            allocatable: kind.allocatable(),
            last_pod_event: None,
            conditions: conditions(&[
                names::LAUNCHED,
                names::REGISTERED_CONDITION,
                names::INITIALIZED_CONDITION,
                names::READY,
                names::CONSOLIDATABLE,
            ]),
        })));
        deltas.push(Delta::Node(Arc::new(Node {
            name: node.as_str().into(),
            uid: format!("node-uid-{i}").into(),
            provider_id: id.as_str().into(),
            labels: own,
            annotations: Labels::new(),
            taints: Vec::new(),
            capacity: kind.capacity.clone(),
            allocatable: kind.allocatable(),
            ready: true,
            ailments: Vec::new(),
            ready_since: Some(long_ago()),
            unschedulable: false,
            created: long_ago(),
            deleting: None,
            finalizers: Vec::new(),
        })));
        for p in 0..PODS_PER_NODE {
            let (spec, own) = &specs[(i * 7 + p) % APPS];
            let name = format!("pod-{i:05}-{p:02}");
            deltas.push(Delta::Pod(Arc::new(Pod {
                namespace: "shop".into(),
                uid: format!("uid-{name}").into(),
                name: name.into(),
                spec: spec.clone(),
                labels: own.clone(),
                created: long_ago(),
                phase: Phase::Running,
                node: Some(node.as_str().into()),
                nominated: None,
                unschedulable: false,
                ready: true,
                started: Some(long_ago()),
                deleting: None,
                owners: vec![Owner {
                    kind: "ReplicaSet".into(),
                    name: "rs".into(),
                    uid: "rs".into(),
                    controller: true,
                }],
                do_not_disrupt: None,
                // A little different each, so that the order is fixed.
                deletion_cost: Some(i32::try_from(i % 1000).expect("small")),
            })));
        }
    }
    let mut out = Snapshot::default();
    out.apply(&deltas);
    out.catalogues.insert(ANY_CLASS.into(), types);
    if let Some(catalogue) = out.catalogue("default") {
        catalogue.index();
    }
    out
}

/// A node of nobody's with room for two nodes' pods.
fn with_room(mut snapshot: Snapshot) -> Snapshot {
    let mut node = (**snapshot.nodes.values().next().expect("a node")).clone();
    node.name = "aside".into();
    node.uid = "aside".into();
    node.provider_id = "".into();
    node.labels = labels(&[(names::HOSTNAME, "aside"), (names::ZONE, ZONES[0])]);
    node.allocatable.cpu *= 2;
    node.allocatable.memory *= 2;
    node.allocatable.pods *= 2;
    snapshot.apply(&[Delta::Node(Arc::new(node))]);
    snapshot
}

fn full_pass(count: usize, spread: bool) {
    let snapshot = packed(count, spread);
    let started = Instant::now();
    let outcome = once(
        &snapshot,
        now(),
        &Settings::default(),
        &mut Fuel::UNLIMITED.clone(),
    );
    let took = started.elapsed();
    assert_eq!(outcome.verdicts.len(), count);
    println!(
        "full pass, {count} packed nodes, {} pods{}: {:.1} ms, {:.3} ms a node, {} command(s)",
        count * PODS_PER_NODE,
        if spread { ", soft zonal spread" } else { "" },
        took.as_secs_f64() * 1e3,
        took.as_secs_f64() * 1e3 / f64::from(u32::try_from(count).expect("few")),
        outcome.proposals.len(),
    );
}

/// The loop stops behind multi-node, which finds a set.
fn multi(count: usize, spread: bool) {
    let snapshot = with_room(packed(count, spread));
    let mut memory = Memory::default();
    let started = Instant::now();
    let outcome = pass(
        &snapshot,
        &mut memory,
        &Reserved::default(),
        None,
        now(),
        &Settings::default(),
        &mut Fuel::UNLIMITED.clone(),
    );
    let took = started.elapsed();
    let chosen: Vec<_> = outcome
        .verdicts
        .iter()
        .filter(|v| &*v.code == "selected")
        .collect();
    println!(
        "multi-node decision, {count} packed nodes{}: {:.1} ms, {} node(s) by {}",
        if spread { ", soft zonal spread" } else { "" },
        took.as_secs_f64() * 1e3,
        chosen.len(),
        chosen.first().map_or("nobody", |v| &*v.method),
    );
}

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let sizes = if sizes.is_empty() {
        vec![1000, 2000, 5000]
    } else {
        sizes
    };
    multi(1000, false);
    multi(500, true);
    for count in sizes {
        full_pass(count, false);
    }
    full_pass(500, true);
}
