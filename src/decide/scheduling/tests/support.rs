//! A small cluster made of rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::api::names;
use crate::decide::scheduling::{Problem, Purpose, Solution, solve};
use crate::decide::{Fuel, Settings};
use crate::model::condition::{Condition, Status};
use crate::model::decision::Refusal;
use crate::model::nodepool::{ClassRef, Disruption, NodePool, Template};
use crate::model::snapshot::{ANY_CLASS, Daemon};
use crate::model::{
    CapacityType, Catalogue, Claim, InstanceType, LabelSelector, Labels, Name, Node, Offering, Phase, Pod,
    PodSpec, Requirement, Requirements, Resources, Snapshot, UsdPerHour,
};

pub const GI: i64 = 1 << 30;

pub fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().expect("a time")
}

pub fn resources(cpu: i64, memory: i64) -> Resources {
    Resources {
        cpu,
        memory,
        pods: 1,
        ..Resources::default()
    }
}

pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

pub fn selector(pairs: &[(&str, &str)]) -> LabelSelector {
    LabelSelector {
        match_labels: labels(pairs),
        expressions: Vec::new(),
    }
}

pub fn condition(status: Status) -> Condition {
    Condition {
        status,
        reason: "".into(),
        message: "".into(),
        since: now(),
        observed_generation: None,
    }
}

/// A type with both capacity types in every zone; spot at 40 % of the price.
pub fn kind(name: &str, cpu: i64, memory: i64, price: f64, zones: &[&str]) -> InstanceType {
    let mut requirements = Requirements::default();
    for (key, values) in [
        (names::INSTANCE_TYPE, vec![name]),
        (names::ARCH, vec!["amd64"]),
        (names::OS, vec!["linux"]),
        (names::ZONE, zones.to_vec()),
        (names::CAPACITY_TYPE, vec!["on-demand", "spot"]),
    ] {
        requirements.add(Requirement::is_in(key, values));
    }
    let offering = |zone: &str, capacity_type: CapacityType, price: f64| Offering {
        zone: zone.into(),
        capacity_type,
        price: UsdPerHour::from_f64(price),
        available: true,
        requirements: Requirements::default(),
        reservation_capacity: 0,
        overrides: None,
    };
    InstanceType {
        name: name.into(),
        requirements,
        capacity: Resources {
            cpu,
            memory,
            pods: 110,
            ephemeral: 20 * GI,
            ..Resources::default()
        },
        overhead: Resources::default(),
        offerings: zones
            .iter()
            .flat_map(|z| {
                [
                    offering(z, CapacityType::OnDemand, price),
                    offering(z, CapacityType::Spot, price * 0.4),
                ]
            })
            .collect(),
    }
}

pub struct World {
    pub snapshot: Snapshot,
    pub settings: Settings,
}

impl World {
    /// One pool `default`; types small 2c/4Gi, medium 4c/8Gi, large 16c/32Gi in z1, z2, z3.
    pub fn new() -> Self {
        let zones = ["z1", "z2", "z3"];
        let mut out = Self {
            snapshot: Snapshot::default(),
            settings: Settings::default(),
        };
        out.types([
            kind("small", 2000, 4 * GI, 0.1, &zones),
            kind("medium", 4000, 8 * GI, 0.2, &zones),
            kind("large", 16_000, 32 * GI, 0.8, &zones),
        ]);
        out.pool("default", |_| {});
        out
    }

    pub fn types(&mut self, types: impl IntoIterator<Item = InstanceType>) {
        let catalogue = Catalogue::new(types.into_iter().map(Arc::new));
        self.snapshot
            .catalogues
            .insert(ANY_CLASS.into(), Arc::new(catalogue));
    }

    pub fn pool(&mut self, name: &str, change: impl FnOnce(&mut NodePool)) {
        let mut pool = NodePool {
            name: name.into(),
            uid: format!("uid-{name}").into(),
            generation: 1,
            created: now(),
            deleting: None,
            annotations: Labels::new(),
            weight: 0,
            replicas: None,
            limits: std::collections::BTreeMap::new(),
            template: Template {
                class: ClassRef {
                    group: names::AWS_GROUP.into(),
                    kind: "EC2NodeClass".into(),
                    name: "default".into(),
                },
                ..Template::default()
            },
            disruption: Disruption::default(),
            hash: "hash".into(),
            conditions: crate::model::condition::Conditions::new(),
            status_nodes: 0,
            class_generation: None,
            status_resources: Resources::default(),
            invalid: Vec::new(),
        };
        change(&mut pool);
        self.snapshot.pools.insert(name.into(), Arc::new(pool));
    }

    pub fn pod_with(&mut self, name: &str, spec: impl FnOnce(&mut PodSpec), pod: impl FnOnce(&mut Pod)) {
        let mut wanted = PodSpec {
            requests: resources(1000, GI),
            grace_seconds: 30,
            ..PodSpec::default()
        };
        spec(&mut wanted);
        let mut row = Pod {
            namespace: "default".into(),
            name: name.into(),
            uid: format!("uid-{name}").into(),
            spec: Arc::new(wanted),
            labels: Arc::new(labels(&[("app", name.split('-').next().unwrap_or(name))])),
            created: now(),
            phase: Phase::Pending,
            node: None,
            nominated: None,
            unschedulable: true,
            ready: false,
            started: None,
            deleting: None,
            owners: Vec::new(),
            do_not_disrupt: None,
            deletion_cost: None,
        };
        pod(&mut row);
        self.snapshot.pods.insert(row.key(), Arc::new(row));
    }

    pub fn pod(&mut self, name: &str, spec: impl FnOnce(&mut PodSpec)) {
        self.pod_with(name, spec, |_| {});
    }

    /// `name-0` to `name-(n-1)`.
    pub fn pods(&mut self, n: usize, name: &str, spec: impl Fn(&mut PodSpec)) {
        for i in 0..n {
            self.pod(&format!("{name}-{i}"), &spec);
        }
    }

    /// A bound, running pod.
    pub fn bound(&mut self, name: &str, node: &str, spec: impl FnOnce(&mut PodSpec)) {
        self.pod_with(name, spec, |p| {
            p.node = Some(node.into());
            p.unschedulable = false;
            p.phase = Phase::Running;
            p.ready = true;
        });
    }

    /// A managed, initialised node of pool `default` in a zone, with its claim.
    pub fn node(&mut self, name: &str, zone: &str, cpu: i64, change: impl FnOnce(&mut Node, &mut Claim)) {
        let room = Resources {
            cpu,
            memory: 32 * GI,
            pods: 110,
            ephemeral: 20 * GI,
            ..Resources::default()
        };
        let all = labels(&[
            (names::NODEPOOL, "default"),
            (names::INSTANCE_TYPE, "large"),
            (names::ZONE, zone),
            (names::CAPACITY_TYPE, "on-demand"),
            (names::ARCH, "amd64"),
            (names::OS, "linux"),
            (names::HOSTNAME, name),
            (names::REGISTERED, "true"),
            (names::INITIALIZED, "true"),
        ]);
        let mut node = Node {
            name: name.into(),
            uid: format!("uid-{name}").into(),
            provider_id: format!("aws:///{name}").into(),
            labels: all.clone(),
            annotations: Labels::new(),
            taints: Vec::new(),
            capacity: room.clone(),
            allocatable: room.clone(),
            ready: true,
            ready_since: Some(now()),
            ailments: Vec::new(),
            unschedulable: false,
            created: now(),
            deleting: None,
            finalizers: Vec::new(),
        };
        let mut claim = Claim {
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
            provider_id: node.provider_id.clone(),
            node_name: name.into(),
            image_id: "".into(),
            capacity: room.clone(),
            allocatable: room,
            last_pod_event: None,
            conditions: crate::model::condition::Conditions::new(),
        };
        change(&mut node, &mut claim);
        self.snapshot.claims.insert(claim.name.clone(), Arc::new(claim));
        self.snapshot.nodes.insert(node.name.clone(), Arc::new(node));
    }

    /// Takes the Node of a claim away: a claim that boots.
    pub fn without_node(&mut self, name: &str) {
        self.snapshot.nodes.remove(name);
    }

    pub fn daemon(&mut self, name: &str, cpu: i64, spec: impl FnOnce(&mut PodSpec)) {
        let mut wanted = PodSpec {
            requests: resources(cpu, 0),
            ..PodSpec::default()
        };
        spec(&mut wanted);
        self.snapshot.daemons.insert(
            format!("default/{name}").into(),
            Arc::new(Daemon {
                namespace: "default".into(),
                name: name.into(),
                uid: format!("uid-{name}").into(),
                spec: Arc::new(wanted),
            }),
        );
    }

    pub fn plan(&self) -> Solution {
        let pods: Vec<Name> = self
            .snapshot
            .pods
            .iter()
            .filter(|(_, p)| p.is_provisionable())
            .map(|(k, _)| k.clone())
            .collect();
        self.plan_of(&pods, &[], Purpose::Provision)
    }

    pub fn plan_of(&self, pods: &[Name], without: &[&str], purpose: Purpose) -> Solution {
        let without: BTreeSet<Name> = without.iter().map(|n| (*n).into()).collect();
        let problem = Problem {
            snapshot: &self.snapshot,
            pods,
            without: &without,
            now: now(),
            settings: &self.settings,
            purpose,
        };
        let mut fuel = Fuel::UNLIMITED;
        solve(&problem, &mut fuel)
    }
}

/// Pods of each claim, without the namespace, in order of opening.
pub fn claims(solution: &Solution) -> Vec<Vec<String>> {
    solution
        .claims
        .iter()
        .map(|c| c.draft.pods.iter().map(|p| p.replace("default/", "")).collect())
        .collect()
}

/// Pods a claim, sorted descending.
pub fn sizes(solution: &Solution) -> Vec<usize> {
    let mut out: Vec<usize> = solution.claims.iter().map(|c| c.draft.pods.len()).collect();
    out.sort_unstable_by(|a, b| b.cmp(a));
    out
}

/// Pods by value of a label: of new claims by their requirement, when it is a single value.
pub fn by_domain(solution: &Solution, key: &str) -> Vec<(String, usize)> {
    let mut out = std::collections::BTreeMap::new();
    for claim in &solution.claims {
        let domain = claim.draft.requirements.get(key).map_or_else(String::new, |r| {
            r.values
                .iter()
                .map(AsRef::as_ref)
                .collect::<Vec<&str>>()
                .join(",")
        });
        *out.entry(domain).or_insert(0) += claim.draft.pods.len();
    }
    out.into_iter().collect()
}

/// Code of the first pool's refusal of each pod.
pub fn refusals(solution: &Solution) -> Vec<(String, &'static str)> {
    solution
        .unschedulable
        .iter()
        .map(|u| {
            let code = u.pools.first().map_or("", |(_, r)| Refusal::code(r));
            (u.pod.replace("default/", ""), code)
        })
        .collect()
}

/// Everything found a place.
pub fn all_placed(solution: &Solution) {
    assert_eq!(refusals(solution), [], "all pods should have a place");
}
