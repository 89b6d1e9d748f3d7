//! Hand-built snapshots for the tests of `decide`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::names;
use crate::model::nodepool::{Budget, ClassRef, Disruption, Template};
use crate::model::pod::{Owner, Phase};
use crate::model::snapshot::{ANY_CLASS, Instance};
use crate::model::storage::Pdb;
use crate::model::{
    CapacityType, Catalogue, Claim, Condition, Delta, InstanceType, LabelSelector, Labels, Name, Node,
    NodeClass, NodePool, Offering, Pod, PodSpec, Requirement, Requirements, Resources, Snapshot, Status,
    UsdPerHour,
};

/// Seconds after the instant at which every test begins.
pub fn at(seconds: i64) -> Timestamp {
    "2026-01-05T09:00:00Z"
        .parse::<Timestamp>()
        .expect("a constant")
        .checked_add(SignedDuration::from_secs(seconds))
        .expect("near")
}

pub fn name(text: &str) -> Name {
    text.into()
}

pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| (name(k), name(v))).collect()
}

pub fn class_ref() -> ClassRef {
    ClassRef {
        group: names::AWS_GROUP.into(),
        kind: "EC2NodeClass".into(),
        name: "default".into(),
    }
}

pub fn cond(status: Status, since: i64) -> Condition {
    Condition {
        status,
        reason: "".into(),
        message: "".into(),
        since: at(since),
        observed_generation: None,
    }
}

pub fn cpu_mem(cpu: i64, memory_gib: i64) -> Resources {
    Resources {
        cpu,
        memory: memory_gib << 30,
        pods: 58,
        ..Resources::default()
    }
}

/// A snapshot under construction.
#[derive(Clone, Default)]
pub struct World {
    pub snapshot: Snapshot,
}

impl World {
    /// One NodePool `default` with its class and a small catalogue.
    pub fn new() -> Self {
        let mut world = Self::default();
        world.class("default");
        world.pool("default", |_| {});
        world.types(&[
            ("m5.large", 2, 8, 0.096),
            ("m5.xlarge", 4, 16, 0.192),
            ("m5.2xlarge", 8, 32, 0.384),
        ]);
        world
    }

    pub fn apply(&mut self, delta: Delta) {
        self.snapshot.apply(&[delta]);
    }

    /// Types with on-demand offerings at the price given and spot ones at a third, in zones a and b.
    pub fn types(&mut self, types: &[(&str, i64, i64, f64)]) {
        let types = types.iter().map(|(type_name, cpu, gib, price)| {
            let offering = |zone: &str, capacity: CapacityType, price: f64| Offering {
                zone: zone.into(),
                capacity_type: capacity,
                price: UsdPerHour::from_f64(price),
                available: true,
                requirements: Requirements::from_iter([
                    Requirement::is_in(names::ZONE, [zone]),
                    Requirement::is_in(names::CAPACITY_TYPE, [capacity.as_str()]),
                ]),
                reservation_capacity: 0,
                overrides: None,
            };
            let offerings = ["zone-a", "zone-b"]
                .iter()
                .flat_map(|zone| {
                    [
                        offering(zone, CapacityType::OnDemand, *price),
                        offering(zone, CapacityType::Spot, *price / 3.0),
                    ]
                })
                .collect();
            Arc::new(InstanceType {
                name: (*type_name).into(),
                requirements: Requirements::from_iter([
                    Requirement::is_in(names::INSTANCE_TYPE, [*type_name]),
                    Requirement::is_in(names::ARCH, ["amd64"]),
                    Requirement::is_in(names::OS, ["linux"]),
                    Requirement::is_in(names::ZONE, ["zone-a", "zone-b"]),
                    Requirement::is_in(names::CAPACITY_TYPE, ["on-demand", "spot"]),
                ]),
                capacity: cpu_mem(cpu * 1000, *gib),
                overhead: Resources::default(),
                offerings,
            })
        });
        self.apply(Delta::Catalogue {
            class: ANY_CLASS.into(),
            types: Arc::new(Catalogue::new(types)),
        });
    }

    pub fn class(&mut self, class: &str) {
        self.apply(Delta::Class(Arc::new(NodeClass {
            name: class.into(),
            uid: format!("class-{class}").into(),
            generation: 1,
            created: at(-3600),
            deleting: None,
            finalizers: vec!["karpenter.k8s.aws/termination".into()],
            spec: Arc::default(),
            hash: "1".into(),
            conditions: BTreeMap::from([(names::READY.into(), cond(Status::True, -3600))]),
            resolved: None,
        })));
    }

    pub fn pool(&mut self, pool: &str, change: impl FnOnce(&mut NodePool)) {
        let mut row = NodePool {
            name: pool.into(),
            uid: format!("pool-{pool}").into(),
            generation: 1,
            created: at(-3600),
            deleting: None,
            annotations: labels(&[(names::NODEPOOL_HASH_VERSION, names::NODEPOOL_HASH_V3)]),
            weight: 0,
            replicas: None,
            limits: BTreeMap::new(),
            template: Template {
                labels: labels(&[(names::NODEPOOL, pool)]),
                requirements: Requirements::from_iter([Requirement::is_in(
                    names::CAPACITY_TYPE,
                    ["on-demand"],
                )]),
                class: class_ref(),
                ..Template::default()
            },
            disruption: Disruption {
                consolidate_after: Some(Duration::ZERO),
                budgets: vec![budget("100%")],
                ..Disruption::default()
            },
            hash: "7".into(),
            conditions: BTreeMap::from([
                (names::VALIDATION_SUCCEEDED.into(), cond(Status::True, -3600)),
                (names::NODE_CLASS_READY.into(), cond(Status::True, -3600)),
                (names::READY.into(), cond(Status::True, -3600)),
            ]),
            status_nodes: 0,
            class_generation: Some(1),
            status_resources: Resources::default(),
            invalid: Vec::new(),
        };
        change(&mut row);
        self.apply(Delta::Pool(Arc::new(row)));
    }

    pub fn edit_pool(&mut self, pool: &str, change: impl FnOnce(&mut NodePool)) {
        let mut row = (**self.snapshot.pools.get(pool).expect("pool")).clone();
        change(&mut row);
        self.apply(Delta::Pool(Arc::new(row)));
    }

    /// A claim that was created at 0 and knows nothing yet but its finalizer.
    pub fn claim(&mut self, claim: &str, change: impl FnOnce(&mut Claim)) {
        let mut row = Claim {
            name: claim.into(),
            uid: format!("uid-{claim}").into(),
            generation: 1,
            labels: labels(&[(names::NODEPOOL, "default")]),
            annotations: Labels::new(),
            created: at(0),
            deleting: None,
            finalizers: vec![names::TERMINATION_FINALIZER.into()],
            class: class_ref(),
            requirements: Requirements::default(),
            requests: cpu_mem(100, 0),
            taints: Vec::new(),
            startup_taints: Vec::new(),
            expire_after: None,
            termination_grace: None,
            provider_id: "".into(),
            node_name: "".into(),
            image_id: "".into(),
            capacity: Resources::default(),
            allocatable: Resources::default(),
            last_pod_event: None,
            conditions: BTreeMap::new(),
        };
        change(&mut row);
        self.apply(Delta::Claim(Arc::new(row)));
    }

    pub fn edit_claim(&mut self, claim: &str, change: impl FnOnce(&mut Claim)) {
        let mut row = (**self.snapshot.claims.get(claim).expect("claim")).clone();
        change(&mut row);
        self.apply(Delta::Claim(Arc::new(row)));
    }

    /// A booting node: Ready, with nothing of its claim on it.
    pub fn node(&mut self, node: &str, provider_id: &str, change: impl FnOnce(&mut Node)) {
        let mut row = Node {
            name: node.into(),
            uid: format!("node-uid-{node}").into(),
            provider_id: provider_id.into(),
            labels: Labels::new(),
            annotations: Labels::new(),
            taints: Vec::new(),
            capacity: cpu_mem(4000, 16),
            allocatable: cpu_mem(4000, 16),
            ready: true,
            ready_since: Some(at(0)),
            ailments: Vec::new(),
            unschedulable: false,
            created: at(0),
            deleting: None,
            finalizers: Vec::new(),
        };
        change(&mut row);
        self.apply(Delta::Node(Arc::new(row)));
    }

    pub fn edit_node(&mut self, node: &str, change: impl FnOnce(&mut Node)) {
        let mut row = (**self.snapshot.nodes.get(node).expect("node")).clone();
        change(&mut row);
        self.apply(Delta::Node(Arc::new(row)));
    }

    /// An initialized, consolidatable on-demand machine of pool `default` with its claim, both named `node`.
    pub fn machine(&mut self, node: &str, instance_type: &str) {
        let id = format!("aws:///zone-a/i-{node}");
        let (capacity, zone) = (
            self.snapshot
                .catalogue("default")
                .and_then(|c| c.get(instance_type))
                .map_or_else(|| cpu_mem(4000, 16), |t| t.capacity.clone()),
            "zone-a",
        );
        let own = labels(&[
            (names::NODEPOOL, "default"),
            (names::EC2_NODECLASS, "default"),
            (names::INSTANCE_TYPE, instance_type),
            (names::ZONE, zone),
            (names::CAPACITY_TYPE, "on-demand"),
            (names::ARCH, "amd64"),
            (names::OS, "linux"),
            (names::HOSTNAME, node),
            (names::REGISTERED, "true"),
            (names::INITIALIZED, "true"),
        ]);
        self.claim(node, |c| {
            c.created = at(-7200);
            c.labels.clone_from(&own);
            c.provider_id = id.as_str().into();
            c.node_name = node.into();
            c.capacity = capacity.clone();
            c.allocatable = capacity.clone();
            for kind in [
                names::LAUNCHED,
                names::REGISTERED_CONDITION,
                names::INITIALIZED_CONDITION,
                names::READY,
                names::CONSOLIDATABLE,
                names::CONSISTENT_STATE_FOUND,
            ] {
                let mut condition = cond(Status::True, -7200);
                condition.reason = kind.into();
                c.conditions.insert(kind.into(), condition);
            }
        });
        self.node(node, &id, |n| {
            n.labels = own;
            n.created = at(-7200);
            n.capacity = capacity.clone();
            n.allocatable = capacity;
            n.finalizers = vec![names::TERMINATION_FINALIZER.into()];
        });
    }

    /// A ReplicaSet's pod in namespace `ns` that asks for `cpu` milli-cores; bound and running when `node` is given.
    pub fn pod(&mut self, pod: &str, node: Option<&str>, cpu: i64, change: impl FnOnce(&mut Pod)) {
        let mut requests = cpu_mem(cpu, 0);
        requests.pods = 1;
        let mut row = Pod {
            namespace: "ns".into(),
            name: pod.into(),
            uid: format!("uid-{pod}").into(),
            spec: Arc::new(PodSpec {
                requests,
                grace_seconds: 30,
                ..PodSpec::default()
            }),
            labels: Arc::new(labels(&[("app", "web")])),
            created: at(-600),
            phase: if node.is_some() {
                Phase::Running
            } else {
                Phase::Pending
            },
            node: node.map(Into::into),
            nominated: None,
            unschedulable: node.is_none(),
            ready: node.is_some(),
            started: node.map(|_| at(-600)),
            deleting: None,
            owners: vec![owner("ReplicaSet")],
            do_not_disrupt: None,
            deletion_cost: None,
        };
        change(&mut row);
        self.apply(Delta::Pod(Arc::new(row)));
    }

    pub fn edit_pod(&mut self, pod: &str, change: impl FnOnce(&mut Pod)) {
        let key = format!("ns/{pod}");
        let mut row = (**self.snapshot.pods.get(key.as_str()).expect("pod")).clone();
        change(&mut row);
        self.apply(Delta::Pod(Arc::new(row)));
    }

    /// Selects `app=web` in namespace `ns`.
    pub fn pdb(&mut self, pdb: &str, allowed: i64, change: impl FnOnce(&mut Pdb)) {
        let mut row = Pdb {
            namespace: "ns".into(),
            name: pdb.into(),
            selector: Some(LabelSelector {
                match_labels: labels(&[("app", "web")]),
                expressions: Vec::new(),
            }),
            min_available: None,
            max_unavailable: None,
            always_allow_unhealthy: false,
            disruptions_allowed: Some(allowed),
        };
        change(&mut row);
        self.apply(Delta::Pdb(Arc::new(row)));
    }

    pub fn instance(&mut self, provider_id: &str, launched: i64, state: &str) {
        self.apply(Delta::Instance(Arc::new(Instance {
            provider_id: provider_id.into(),
            instance_type: "m5.xlarge".into(),
            zone: "zone-a".into(),
            capacity_type: CapacityType::OnDemand,
            launched: at(launched),
            state: state.into(),
            pool: Some("default".into()),
            token: None,
            claim: None,
            subnet: "".into(),
            security_groups: Vec::new(),
        })));
    }
}

pub fn owner(kind: &str) -> Owner {
    Owner {
        kind: kind.into(),
        name: "owner".into(),
        uid: "owner-uid".into(),
        controller: true,
    }
}

pub fn budget(nodes: &str) -> Budget {
    Budget {
        nodes: nodes.into(),
        reasons: None,
        schedule: None,
        duration: None,
    }
}
