//! The clusters that are measured, made from a seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use kerf::api::names;
use kerf::model::nodepool::{ClassRef, Disruption, Template};
use kerf::model::pod::{AffinityTerm, SpreadConstraint};
use kerf::model::snapshot::ANY_CLASS;
use kerf::model::{
    CapacityType, Catalogue, Claim, InstanceType, LabelSelector, Labels, Name, Node, NodePool, Offering,
    Phase, Pod, PodSpec, Requirement, Requirements, Resources, Snapshot, UsdPerHour,
};

pub const MI: i64 = 1 << 20;
const CPU: [i64; 5] = [100, 250, 500, 1000, 1500];
const MEMORY: [i64; 6] = [100, 256, 512, 1024, 2048, 4096];
const ZONES: [&str; 3] = ["zone-1", "zone-2", "zone-3"];
const EC2_ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];

pub fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().expect("a time")
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("below n")
    }

    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

fn selector(pairs: &[(&str, &str)]) -> LabelSelector {
    LabelSelector {
        match_labels: labels(pairs),
        expressions: Vec::new(),
    }
}

fn spread(key: &str, pairs: &[(&str, &str)]) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: key.into(),
        max_skew: 1,
        hard: true,
        selector: Some(selector(pairs)),
        min_domains: None,
        match_label_keys: Vec::new(),
        honor_affinity: true,
        honor_taints: false,
    }
}

fn term(key: &str, pairs: &[(&str, &str)], weight: Option<i32>) -> AffinityTerm {
    AffinityTerm {
        topology_key: key.into(),
        selector: Some(selector(pairs)),
        namespaces: Vec::new(),
        namespace_selector: None,
        weight,
    }
}

fn spec(cpu: i64, memory: i64) -> PodSpec {
    PodSpec {
        requests: Resources {
            cpu,
            memory,
            pods: 1,
            ..Resources::default()
        },
        grace_seconds: 30,
        ..PodSpec::default()
    }
}

fn drawn(random: &mut Random) -> PodSpec {
    let cpu = random.of(&CPU);
    spec(cpu, random.of(&MEMORY) * MI)
}

/// The types that Karpenter's benchmark makes up: type i has i vCPU, 2 GiB and 10 pods each, five offerings.
pub fn synthetic(count: i64) -> Catalogue {
    use CapacityType::{OnDemand, Spot};
    Catalogue::new((1..=count).map(|vcpu| {
        let mut requirements = Requirements::default();
        let name = format!("fake-it-{vcpu}");
        let integer = vcpu.to_string();
        for (key, values) in [
            (names::INSTANCE_TYPE, vec![name.as_str()]),
            (names::ARCH, vec!["amd64"]),
            (names::OS, vec!["linux", "windows", "darwin"]),
            (names::ZONE, ZONES.to_vec()),
            (names::CAPACITY_TYPE, vec!["on-demand", "spot"]),
            ("size", vec![if vcpu > 4 { "large" } else { "small" }]),
            ("integer", vec![integer.as_str()]),
        ] {
            requirements.add(Requirement::is_in(key, values));
        }
        let offering = |zone: &str, capacity_type: CapacityType| Offering {
            zone: zone.into(),
            capacity_type,
            price: UsdPerHour(
                vcpu * if capacity_type == CapacityType::Spot {
                    21
                } else {
                    30
                } * 1_000_000_000,
            ),
            available: true,
            requirements: Requirements::default(),
            reservation_capacity: 0,
            overrides: None,
        };
        Arc::new(InstanceType {
            name: name.as_str().into(),
            requirements,
            capacity: Resources {
                cpu: vcpu * 1000,
                memory: vcpu * 2048 * MI,
                pods: vcpu * 10,
                ephemeral: 20 * 1024 * MI,
                ..Resources::default()
            },
            overhead: Resources {
                cpu: 100,
                memory: 10 * MI,
                ..Resources::default()
            },
            offerings: vec![
                offering("zone-1", Spot),
                offering("zone-2", Spot),
                offering("zone-1", OnDemand),
                offering("zone-2", OnDemand),
                offering("zone-3", OnDemand),
            ],
        })
    }))
}

/// Real EC2 types with prices, as the parity workloads have them.
pub fn ec2() -> Catalogue {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity/catalogs/us-east-1.json.gz");
    kerf::cli::instance_types::read(&path).expect("instance types")
}

pub struct Cluster {
    pub snapshot: Snapshot,
    random: Random,
}

impl Cluster {
    pub fn new(catalogue: &Arc<Catalogue>) -> Self {
        let mut snapshot = Snapshot::default();
        snapshot.catalogues.insert(ANY_CLASS.into(), catalogue.clone());
        let mut out = Self {
            snapshot,
            random: Random(42),
        };
        out.pool("default", 0, |_| {});
        out
    }

    pub fn pool(&mut self, name: &str, weight: i32, change: impl FnOnce(&mut Template)) {
        let mut template = Template {
            class: ClassRef {
                group: names::AWS_GROUP.into(),
                kind: "EC2NodeClass".into(),
                name: "default".into(),
            },
            ..Template::default()
        };
        change(&mut template);
        let pool = NodePool {
            name: name.into(),
            uid: format!("uid-{name}").into(),
            generation: 1,
            created: now(),
            deleting: None,
            annotations: Labels::new(),
            weight,
            replicas: None,
            limits: BTreeMap::new(),
            template,
            disruption: Disruption::default(),
            hash: "hash".into(),
            conditions: kerf::model::condition::Conditions::new(),
            status_nodes: 0,
            status_resources: Resources::default(),
            class_generation: None,
            invalid: Vec::new(),
        };
        self.snapshot.pools.insert(name.into(), Arc::new(pool));
    }

    pub fn pod(&mut self, name: &str, labels: &Arc<Labels>, spec: &Arc<PodSpec>, node: Option<&Name>) {
        let pod = Pod {
            namespace: "default".into(),
            name: name.into(),
            uid: format!("{:016x}", self.random.next()).into(),
            spec: spec.clone(),
            labels: labels.clone(),
            created: now(),
            phase: if node.is_some() {
                Phase::Running
            } else {
                Phase::Pending
            },
            node: node.cloned(),
            nominated: None,
            unschedulable: node.is_none(),
            ready: node.is_some(),
            started: None,
            deleting: None,
            owners: Vec::new(),
            do_not_disrupt: None,
            deletion_cost: None,
        };
        self.snapshot.pods.insert(pod.key(), Arc::new(pod));
    }

    /// A managed node that has come up.
    pub fn node(&mut self, name: &str, kind: &InstanceType, zone: &str) -> Name {
        let room = kind.allocatable();
        let all = labels(&[
            (names::NODEPOOL, "default"),
            (names::INSTANCE_TYPE, &kind.name),
            (names::ZONE, zone),
            (names::CAPACITY_TYPE, "on-demand"),
            (names::ARCH, "amd64"),
            (names::OS, "linux"),
            (names::HOSTNAME, name),
            (names::REGISTERED, "true"),
            (names::INITIALIZED, "true"),
        ]);
        let provider_id: Name = format!("aws:///{zone}/{name}").into();
        let node = Node {
            name: name.into(),
            uid: format!("uid-{name}").into(),
            provider_id: provider_id.clone(),
            labels: all.clone(),
            annotations: Labels::new(),
            taints: Vec::new(),
            capacity: kind.capacity.clone(),
            allocatable: room.clone(),
            ready: true,
            ready_since: Some(now()),
            unschedulable: false,
            created: now(),
            deleting: None,
            finalizers: Vec::new(),
            ailments: Vec::new(),
        };
        let claim = Claim {
            name: format!("claim-{name}").into(),
            uid: format!("uid-claim-{name}").into(),
            generation: 1,
            labels: all,
            annotations: Labels::new(),
            created: now(),
            deleting: None,
            finalizers: Vec::new(),
            class: ClassRef::default(),
            requirements: Requirements::default(),
            requests: Resources::default(),
            taints: Vec::new(),
            startup_taints: Vec::new(),
            expire_after: None,
            termination_grace: None,
            provider_id,
            node_name: name.into(),
            image_id: "".into(),
            capacity: kind.capacity.clone(),
            allocatable: room,
            last_pod_event: None,
            conditions: kerf::model::condition::Conditions::new(),
        };
        self.snapshot.claims.insert(claim.name.clone(), Arc::new(claim));
        self.snapshot.nodes.insert(node.name.clone(), Arc::new(node));
        name.into()
    }
}

/// Karpenter's benchmark mix: a fifth each of plain pods, zonal spread, hostname spread, zonal affinity to themselves
/// over seven label values, and hostname anti-affinity to themselves. Every pod draws its size and labels.
pub fn mix(catalogue: &Arc<Catalogue>, count: usize) -> Cluster {
    let mut out = Cluster::new(catalogue);
    for i in 0..count {
        let value = |r: &mut Random| r.of(&["a", "b", "c", "d", "e", "f", "g"]);
        let (mine, other) = (value(&mut out.random), value(&mut out.random));
        let mut wanted = drawn(&mut out.random);
        let with = match i * 5 / count {
            0 => ("my-label", mine),
            kind @ (1 | 2) => {
                let key = if kind == 1 { names::ZONE } else { names::HOSTNAME };
                wanted.spread.push(spread(key, &[("my-label", other)]));
                ("my-label", mine)
            }
            3 => {
                let own = [("my-affinity", mine)];
                wanted.affinity.push(term(names::ZONE, &own, None));
                own[0]
            }
            _ => {
                let own = [("app", "nginx")];
                wanted.anti_affinity.push(term(names::HOSTNAME, &own, None));
                own[0]
            }
        };
        let labels = Arc::new(labels(&[with]));
        out.pod(&format!("pod-{i:05}"), &labels, &Arc::new(wanted), None);
    }
    out
}

/// Karpenter's preference benchmark: a preferred zone, a preferred anti-affinity over zones that cannot hold, one over
/// hosts that can.
pub fn preferences(catalogue: &Arc<Catalogue>, count: usize) -> Cluster {
    let mut out = Cluster::new(catalogue);
    let own = [("app", "nginx")];
    let mut wanted = drawn(&mut out.random);
    wanted
        .preferred_terms
        .push((1, vec![Requirement::is_in(names::ZONE, ["zone-1"])]));
    wanted.anti_affinity.push(term(names::ZONE, &own, Some(10)));
    wanted.anti_affinity.push(term(names::HOSTNAME, &own, Some(1)));
    let (labels, wanted) = (Arc::new(labels(&own)), Arc::new(wanted));
    for i in 0..count {
        out.pod(&format!("pod-{i:05}"), &labels, &wanted, None);
    }
    out
}

/// Deployments of equal pods; ten pools of every weight over one catalogue.
pub fn deployments(catalogue: &Arc<Catalogue>, count: usize, kinds: usize) -> Cluster {
    let mut out = Cluster::new(catalogue);
    for (i, weight) in (1..10).enumerate() {
        out.pool(&format!("pool-{i}"), weight, |t| {
            let category = ["c", "m", "r"][i % 3];
            let capacity: &[&str] = if i % 2 == 0 {
                &["spot", "on-demand"]
            } else {
                &["on-demand"]
            };
            t.requirements.add(Requirement::is_in(
                "karpenter.k8s.aws/instance-category",
                [category],
            ));
            t.requirements
                .add(Requirement::is_in(names::CAPACITY_TYPE, capacity.iter().copied()));
        });
    }
    for kind in 0..kinds {
        let name = format!("app-{kind:02}");
        let own = [("app", name.as_str())];
        let mut wanted = drawn(&mut out.random);
        match kind % 5 {
            1 => wanted.spread.push(spread(names::ZONE, &own)),
            2 => drop(wanted.node_selector.insert(names::ARCH.into(), "arm64".into())),
            3 => drop(
                wanted
                    .node_selector
                    .insert(names::CAPACITY_TYPE.into(), "on-demand".into()),
            ),
            _ => {}
        }
        let (labels, wanted) = (Arc::new(labels(&own)), Arc::new(wanted));
        for i in 0..count / kinds {
            out.pod(&format!("{name}-{i:05}"), &labels, &wanted, None);
        }
    }
    out
}

/// Pods with two spread terms each, and half empty nodes that can take them.
pub fn spread_on_nodes(catalogue: &Arc<Catalogue>, count: usize, nodes: usize) -> Cluster {
    let mut out = Cluster::new(catalogue);
    let kind = catalogue.get("fake-it-16").expect("there").clone();
    for i in 0..nodes {
        let node = out.node(&format!("node-{i:04}"), &kind, ZONES[i % 3]);
        let (labels, wanted) = (
            Arc::new(labels(&[("app", "old")])),
            Arc::new(spec(1000, 2048 * MI)),
        );
        for j in 0..i % 8 {
            out.pod(&format!("old-{i:04}-{j}"), &labels, &wanted, Some(&node));
        }
    }
    for i in 0..count {
        let name = format!("app-{}", i % 20);
        let own = [("app", name.as_str())];
        let mut wanted = drawn(&mut out.random);
        wanted.spread.push(spread(names::ZONE, &own));
        wanted.spread.push(spread(names::HOSTNAME, &own));
        let labels = Arc::new(labels(&own));
        out.pod(&format!("pod-{i:05}"), &labels, &Arc::new(wanted), None);
    }
    out
}

/// No two pods alike: every size is its own, and a third selects or spreads.
pub fn distinct(catalogue: &Arc<Catalogue>, count: usize) -> Cluster {
    let mut out = Cluster::new(catalogue);
    for i in 0..count {
        let at = i64::try_from(i).expect("small");
        let mut wanted = spec(100 + at % 1900, (128 + at) * MI);
        let name = format!("app-{i}");
        let own = [("app", name.as_str())];
        match i % 6 {
            1 => drop(
                wanted
                    .node_selector
                    .insert(names::ZONE.into(), EC2_ZONES[i % 3].into()),
            ),
            3 => wanted.spread.push(spread(names::ZONE, &own)),
            _ => {}
        }
        let labels = Arc::new(labels(&own));
        out.pod(&format!("pod-{i:05}"), &labels, &Arc::new(wanted), None);
    }
    out
}

/// A full cluster: `nodes` nodes with equally many pods each, a third of them spread over zones.
pub fn running(catalogue: &Arc<Catalogue>, nodes: usize, pods: usize) -> Cluster {
    let mut out = Cluster::new(catalogue);
    let kind = catalogue.get("fake-it-16").expect("there").clone();
    let shared: Vec<_> = (0..30)
        .map(|app| {
            let name = format!("app-{app:02}");
            let own = [("app", name.as_str())];
            let mut wanted = spec(out.random.of(&CPU[..4]), out.random.of(&MEMORY[..4]) * MI);
            if app % 3 == 0 {
                wanted.spread.push(spread(names::ZONE, &own));
            }
            (name.clone(), Arc::new(labels(&own)), Arc::new(wanted))
        })
        .collect();
    for i in 0..nodes {
        let node = out.node(&format!("node-{i:04}"), &kind, ZONES[i % 3]);
        for j in 0..pods / nodes {
            let (name, labels, wanted) = &shared[(i * 7 + j) % shared.len()];
            out.pod(&format!("{name}-{i:04}-{j:02}"), labels, wanted, Some(&node));
        }
    }
    out
}
