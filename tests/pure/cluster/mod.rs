//! A small cluster of Kubernetes objects for tests, planned through the same path as files: JSON objects are projected
//! to rows, instance types are read from Karpenter's file format, the solver answers, and the independent checker looks
//! at every answer.

mod objects;
mod plan;

pub use objects::{instance_type, merge, parse, price, taint};
pub use plan::Plan;

use std::collections::BTreeSet;
use std::sync::Arc;

use kerf::cli::instance_types;
use kerf::decide::scheduling::{Problem, Purpose, solve};
use kerf::decide::{Fuel, Settings};
use kerf::model::snapshot::ANY_CLASS;
use kerf::model::{Catalogue, Delta, Name, Snapshot};
use kerf::observe::Projector;
use serde_json::{Value, json};

use crate::checker;

/// The instant of every plan.
pub const NOW: &str = "2026-01-01T00:10:00Z";

pub fn now() -> jiff::Timestamp {
    NOW.parse().expect("a time")
}

#[derive(Clone)]
pub struct Cluster {
    /// Kubernetes objects, ours included.
    pub objects: Vec<Value>,
    /// Rows of an instance-type file.
    pub types: Vec<Value>,
    pub settings: Settings,
}

impl Cluster {
    /// Types small 2c/4Gi $0.10, medium 4c/8Gi $0.20, large 16c/32Gi $0.80 in z1, z2, z3 on demand and spot, and a pool
    /// `default` without wishes.
    pub fn new() -> Self {
        let mut out = Self::without_pools();
        out.pool("default", "");
        out
    }

    pub fn without_pools() -> Self {
        let mut out = Self {
            objects: Vec::new(),
            types: Vec::new(),
            settings: Settings::default(),
        };
        for (name, cpu, memory, dollars) in [
            ("small", 2, 4, 0.1),
            ("medium", 4, 8, 0.2),
            ("large", 16, 32, 0.8),
        ] {
            out.types.push(instance_type(
                name,
                &cpu.to_string(),
                &format!("{memory}Gi"),
                dollars,
            ));
        }
        out
    }

    pub fn add(&mut self, object: Value) {
        self.objects.push(object);
    }

    /// Objects in YAML, one or many documents.
    pub fn yaml(&mut self, text: &str) {
        for document in text.split("\n---\n") {
            self.add(parse(document));
        }
    }

    /// A NodePool; `spec` is merged into an empty template. Requirements are written short: `{key: Op [values]}` would
    /// not be Kubernetes, so they are as in manifests.
    pub fn pool(&mut self, name: &str, spec: &str) {
        let mut object = objects::pool(name);
        merge(&mut object["spec"], &parse(spec));
        self.add(object);
    }

    /// Requirements of a pool's template, as a flow list.
    pub fn pool_wants(&mut self, name: &str, requirements: &str) {
        self.pool(
            name,
            &format!("template: {{spec: {{requirements: {requirements}}}}}"),
        );
    }

    /// A pending pod of 1 cpu and 1Gi with the label `app` (its name up to the first dash). Of `wants`, the keys `cpu`,
    /// `memory`, `labels`, `namespace`, `metadata` and `status` go where they belong, all others into the spec.
    pub fn pod(&mut self, name: &str, wants: &str) {
        self.add(objects::pod(name, &parse(wants)));
    }

    /// `name-0` to `name-(n-1)`.
    pub fn pods(&mut self, n: usize, name: &str, wants: &str) {
        for i in 0..n {
            self.pod(&format!("{name}-{i}"), wants);
        }
    }

    /// A running pod on a node.
    pub fn bound(&mut self, name: &str, node: &str, wants: &str) {
        self.add(objects::bound(objects::pod(name, &parse(wants)), node));
    }

    /// An initialised 16c/32Gi node of pool `default` with its claim; `change` is merged into the Node.
    pub fn node(&mut self, name: &str, zone: &str, change: &str) {
        let (mut node, claim) = objects::node(name, zone);
        merge(&mut node, &parse(change));
        self.add(node);
        self.add(claim);
    }

    /// A node that nobody manages.
    pub fn foreign_node(&mut self, name: &str, zone: &str, change: &str) {
        let (mut node, _) = objects::node(name, zone);
        let labels = json!({"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone,
            "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"});
        node["metadata"]["labels"] = labels;
        merge(&mut node, &parse(change));
        self.add(node);
    }

    /// A launched claim of pool `default` whose node has not joined.
    pub fn booting(&mut self, name: &str, zone: &str, change: &str) {
        let (_, mut claim) = objects::node(name, zone);
        claim["metadata"]["name"] = json!(name);
        merge(&mut claim, &parse(change));
        self.add(claim);
    }

    /// A DaemonSet; `wants` as for [`Self::pod`].
    pub fn daemon(&mut self, name: &str, wants: &str) {
        self.add(objects::daemon(name, &parse(wants)));
    }

    /// Changes an object in place.
    pub fn change(&mut self, kind: &str, name: &str, change: &str) {
        let change = parse(change);
        for object in &mut self.objects {
            if object["kind"] == kind && object["metadata"]["name"] == name {
                merge(object, &change);
            }
        }
    }

    pub fn kind(&mut self, name: &str) -> &mut Value {
        self.types
            .iter_mut()
            .find(|t| t["name"] == name)
            .expect("a type of that name")
    }

    pub fn catalogue(&self) -> Catalogue {
        let text = Value::Array(self.types.clone()).to_string();
        instance_types::parse("types.json", text.as_bytes()).expect("instance types")
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut out = Snapshot::default();
        out.apply(&deltas(&self.objects));
        out.catalogues
            .insert(ANY_CLASS.into(), Arc::new(self.catalogue()));
        out
    }

    /// Places the pods that wait; the checker looks at the answer.
    pub fn plan(&self) -> Plan<'_> {
        let plan = self.plan_unchecked();
        if let Err(why) = checker::check(self, &plan) {
            panic!("{why}");
        }
        plan
    }

    /// For the few rules of Karpenter that Kubernetes itself would not follow.
    pub fn plan_unchecked(&self) -> Plan<'_> {
        self.solve(&[], Purpose::Provision)
    }

    /// As [`Self::plan`], with nodes gone and their pods placed again.
    pub fn solve(&self, without: &[&str], purpose: Purpose) -> Plan<'_> {
        let snapshot = self.snapshot();
        let without: BTreeSet<Name> = without.iter().map(|n| (*n).into()).collect();
        let pods: Vec<Name> = snapshot
            .pods
            .iter()
            .filter(|(_, p)| match &p.node {
                None => p.is_provisionable(),
                Some(node) => without.contains(node) && p.is_reschedulable(),
            })
            .map(|(key, _)| key.clone())
            .collect();
        let problem = Problem {
            snapshot: &snapshot,
            pods: &pods,
            without: &without,
            now: now(),
            settings: &self.settings,
            purpose,
        };
        let mut fuel = Fuel::UNLIMITED;
        let solution = solve(&problem, &mut fuel);
        Plan {
            cluster: self,
            batch: pods.iter().map(ToString::to_string).collect(),
            without: without.iter().map(ToString::to_string).collect(),
            solution,
        }
    }
}

/// As a watch would project them.
fn deltas(objects: &[Value]) -> Vec<Delta> {
    fn read<T: serde::de::DeserializeOwned>(item: &Value) -> T {
        serde_json::from_value(item.clone()).unwrap_or_else(|e| panic!("{e}: {item}"))
    }
    let mut projector = Projector::new("");
    let p = &mut projector;
    objects
        .iter()
        .map(|item| match item["kind"].as_str().expect("a kind") {
            "Pod" => Delta::Pod(Arc::new(p.pod(&read(item)))),
            "Node" => Delta::Node(Arc::new(p.node(&read(item)))),
            "NodeClaim" => Delta::Claim(Arc::new(p.claim(&read(item)))),
            "NodePool" => Delta::Pool(Arc::new(p.pool(&read(item)))),
            "EC2NodeClass" => Delta::Class(Arc::new(p.class(&read(item)))),
            "DaemonSet" => Delta::Daemon(Arc::new(p.daemon(&read(item)))),
            "Namespace" => Delta::Namespace(Arc::new(p.namespace(&read(item)))),
            "PersistentVolumeClaim" => Delta::VolumeClaim(Arc::new(p.volume_claim(&read(item)))),
            "PersistentVolume" => Delta::Volume(Arc::new(p.volume(&read(item)))),
            "StorageClass" => Delta::StorageClass(Arc::new(p.storage_class(&read(item)))),
            "CSINode" => Delta::CsiNode(Arc::new(p.csi_node(&read(item)))),
            "PodDisruptionBudget" => Delta::Pdb(Arc::new(p.pdb(&read(item)))),
            other => panic!("no test needs a {other}"),
        })
        .collect()
}
