//! The simulated cluster in paused time, with machines that appear and go by hand.

mod lifecycle;
mod placing;
mod workloads;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Cluster, ClusterConfig, seed};
use crate::clock::Clock;
use crate::model::Resources;
use crate::world::apiserver::{ApiServer, Change, Config, DeleteOptions};
use crate::world::ec2::{Machine, MachineEvent};

pub struct World {
    pub api: ApiServer,
    pub clock: Clock,
    pub machines: UnboundedSender<MachineEvent>,
}

impl World {
    pub fn start(number: u64) -> Self {
        let clock = Clock::starting_at("2026-01-05T09:00:00Z".parse().expect("a time"));
        let api = ApiServer::new(Config {
            clock,
            seed: number,
            state: None,
        })
        .expect("a server");
        seed(&api).expect("a seeded cluster");
        let (machines, receiver) = unbounded_channel();
        let config = ClusterConfig {
            seed: number,
            ..ClusterConfig::default()
        };
        tokio::spawn(Cluster::new(api.clone(), receiver, clock, config).run());
        Self { api, clock, machines }
    }

    pub async fn sleep(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// A machine of four cores and 16 GiB that registers after 30 s and is ready 10 s later.
    pub fn boot(&self, number: u8, zone: &str) {
        self.boot_with(number, zone, "", "");
    }

    pub fn boot_with(&self, number: u8, zone: &str, labels: &str, taints: &str) {
        let mut allocatable = Resources {
            cpu: 3920,
            memory: 15 << 30,
            pods: 58,
            ephemeral: 18 << 30,
            ..Resources::default()
        };
        let capacity = allocatable.clone();
        allocatable.cpu -= 100;
        let machine = Machine {
            id: format!("i-{number}").into(),
            provider_id: format!("aws:///{zone}/i-{number}").into(),
            private_dns: node(number).into(),
            private_ip: format!("10.0.0.{number}").into(),
            instance_type: "m6i.xlarge".into(),
            zone: zone.into(),
            zone_id: "usw2-az1".into(),
            region: "us-west-2".into(),
            arch: "amd64".into(),
            image_id: "ami-1".into(),
            user_data: format!(
                "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n    config:\n      \
                 registerWithTaints: [{taints}]\n    flags:\n      - --node-labels=karpenter.sh/nodepool=default{labels}\n"
            ),
            capacity,
            allocatable,
            register_after: Duration::from_secs(30),
            ready_after: Duration::from_secs(10),
        };
        self.machines
            .send(MachineEvent::Running(Box::new(machine)))
            .expect("a cluster");
    }

    pub fn pods(&self, namespace: &str) -> Vec<Value> {
        let pods = self.api.list("pods");
        pods.iter()
            .filter(|p| &*p.namespace == namespace)
            .map(|p| p.value())
            .collect()
    }

    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Value {
        self.api
            .get(kind, namespace, name)
            .map_or(Value::Null, |s| s.value())
    }

    pub fn create(&self, kind: &str, object: Value) {
        self.api.create(kind, "default", object).expect("created");
    }

    pub fn deploy(&self, name: &str, replicas: u64, spec: Value) {
        self.create("deployments.apps", deployment(name, replicas, spec));
    }

    pub fn scale(&self, kind: &str, name: &str, replicas: u64) {
        self.api
            .update(kind, "default", name, &mut |o| {
                o["spec"]["replicas"] = json!(replicas);
            })
            .expect("scaled");
    }

    pub fn delete(&self, kind: &str, namespace: &str, name: &str) {
        self.api
            .delete(kind, namespace, name, &DeleteOptions::default())
            .expect("deleted");
    }

    pub fn running(&self) -> usize {
        self.pods("default")
            .iter()
            .filter(|p| p["status"]["phase"] == "Running")
            .count()
    }
}

pub fn node(number: u8) -> String {
    format!("ip-10-0-0-{number}.us-west-2.compute.internal")
}

pub fn deployment(name: &str, replicas: u64, spec: Value) -> Value {
    let mut pod = json!({"containers": [{"name": "c", "image": "pause",
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]});
    if let (Some(pod), Value::Object(more)) = (pod.as_object_mut(), spec) {
        pod.extend(more);
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod}},
    })
}

pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == kind)
        .unwrap_or(&NULL)
}

/// Everything that happened so far, with the world's time.
pub fn drained(receiver: &mut UnboundedReceiver<Change>) -> Vec<String> {
    let mut out = Vec::new();
    while let Ok(change) = receiver.try_recv() {
        let object = &change.object;
        out.push(format!(
            "{} {:?} {} {}/{} {}",
            object.version, change.event, object.kind.key, object.namespace, object.name, object.uid
        ));
    }
    out
}
