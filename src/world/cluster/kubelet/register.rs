//! A kubelet's first and later words about its node (`aws §28`, node shape).

use serde_json::{Map, Value, json};

use super::user_data;
use crate::api::names;
use crate::model::Resources;
use crate::world::cluster::conditions::{Cond, object_at, set, status_of, time};
use crate::world::cluster::node_lifecycle::NOT_READY;
use crate::world::cluster::rows::Key;
use crate::world::cluster::run::Cluster;
use crate::world::ec2::Machine;
use crate::world::random;

/// Attachments that a Nitro instance takes beside its root volume and network interfaces.
const EBS_ATTACHMENTS: i64 = 25;

impl Cluster {
    /// Creates the Node of a machine, not Ready yet, and its CSINode.
    pub(super) fn register(&mut self, machine: &Machine) {
        let told = user_data::read(&machine.user_data);
        let node = &*machine.private_dns;
        let mut labels = Map::new();
        for (key, value) in &told.labels {
            labels.insert(key.clone(), json!(value));
        }
        for (key, value) in [
            ("beta.kubernetes.io/arch", &*machine.arch),
            ("beta.kubernetes.io/os", "linux"),
            ("beta.kubernetes.io/instance-type", &*machine.instance_type),
            ("failure-domain.beta.kubernetes.io/region", &*machine.region),
            ("failure-domain.beta.kubernetes.io/zone", &*machine.zone),
            (names::ARCH, &*machine.arch),
            (names::OS, "linux"),
            (names::HOSTNAME, node),
            (names::INSTANCE_TYPE, &*machine.instance_type),
            (names::REGION, &*machine.region),
            (names::ZONE, &*machine.zone),
            (names::ZONE_ID, &*machine.zone_id),
            ("topology.ebs.csi.aws.com/zone", &*machine.zone),
        ] {
            labels.insert(key.into(), json!(value));
        }
        let mut taints = told.taints.clone();
        taints.push(json!({"key": NOT_READY, "effect": "NoSchedule"}));
        let object = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": node,
                "labels": labels,
                "annotations": {
                    "alpha.kubernetes.io/provided-node-ip": &*machine.private_ip,
                    "node.alpha.kubernetes.io/ttl": "0",
                    "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                },
            },
            "spec": {"providerID": &*machine.provider_id, "taints": taints},
            "status": self.first_status(machine, told.max_pods),
        });
        if self.make("nodes", "", object) {
            let driver = json!({
                "name": "ebs.csi.aws.com", "nodeID": &*machine.id,
                "topologyKeys": ["kubernetes.io/os", names::ZONE, "topology.ebs.csi.aws.com/zone"],
                "allocatable": {"count": EBS_ATTACHMENTS},
            });
            let owner = self
                .api
                .get("nodes", "", node)
                .map_or_else(String::new, |n| n.uid.to_string());
            let csi = json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "CSINode",
                "metadata": {"name": node, "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Node", "name": node, "uid": owner}]},
                "spec": {"drivers": [driver]},
            });
            self.make("csinodes.storage.k8s.io", "", csi);
        }
    }

    fn first_status(&self, machine: &Machine, max_pods: Option<i64>) -> Value {
        let at = time(self.now());
        let with_pods = |resources: &Resources| {
            let mut out = resources.clone();
            if let Some(pods) = max_pods {
                out.pods = pods;
            }
            out.to_quantities()
        };
        let calm = |kind: &str, reason: &str, message: &str| {
            json!({"type": kind, "status": "False", "reason": reason, "message": message,
                "lastHeartbeatTime": at, "lastTransitionTime": at})
        };
        let id = |what: &str| random::uuid(self.config.seed, what, &machine.id);
        json!({
            "capacity": with_pods(&machine.capacity),
            "allocatable": with_pods(&machine.allocatable),
            "addresses": [
                {"type": "InternalIP", "address": &*machine.private_ip},
                {"type": "InternalDNS", "address": &*machine.private_dns},
                {"type": "Hostname", "address": &*machine.private_dns},
            ],
            "conditions": [
                calm("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                calm("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                calm("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                calm("Ready", "KubeletNotReady", "container runtime network not ready"),
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": id("machine-id").replace('-', ""),
                "systemUUID": id("system-uuid"),
                "bootID": id("boot-id"),
                "kernelVersion": "6.12.55-74.119.amzn2023",
                "osImage": "Amazon Linux 2023.9.20251117",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kubeletVersion": self.config.kubelet_version,
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": &*machine.arch,
            },
        })
    }

    /// Ready=True and no not-ready taint, in one write.
    pub(super) fn turn_ready(&mut self, node: &str) {
        let now = self.now();
        let key: Key = ("".into(), node.into());
        self.change("nodes", &key, |object| {
            set(
                object,
                Cond {
                    kind: "Ready",
                    status: true,
                    reason: "KubeletReady",
                    message: "kubelet is posting ready status",
                },
                now,
            );
            let spec = object_at(object, &["spec"]);
            if let Some(taints) = spec.get_mut("taints").and_then(Value::as_array_mut) {
                taints.retain(|t| t["key"] != NOT_READY);
                if taints.is_empty() {
                    spec.remove("taints");
                }
            }
        });
    }

    /// Takes the startup taints of the node's claim off, as the agents that they wait for do (`aws §28`). `false` when
    /// the claim has not put them on yet.
    pub(super) fn finish_startup(&mut self, machine: &Machine) -> bool {
        let claims = self.api.list("nodeclaims.karpenter.sh");
        let claim = claims
            .iter()
            .map(|stored| stored.value())
            .find(|claim| claim["status"]["providerID"] == *machine.provider_id);
        let Some(claim) = claim else { return true };
        let Some(wanted) = claim["spec"]["startupTaints"]
            .as_array()
            .filter(|t| !t.is_empty())
        else {
            return true;
        };
        if status_of(&claim, names::REGISTERED_CONDITION) != "True" {
            return false;
        }
        let key: Key = ("".into(), machine.private_dns.clone());
        self.change("nodes", &key, |object| {
            if let Some(taints) = object["spec"]["taints"].as_array_mut() {
                taints.retain(|t| {
                    !wanted
                        .iter()
                        .any(|w| w["key"] == t["key"] && w["effect"] == t["effect"])
                });
            }
        });
        true
    }

    /// The last word of a kubelet whose machine is shutting down.
    pub(super) fn report_shutdown(&mut self, node: &str) {
        let now = self.now();
        let key: Key = ("".into(), node.into());
        self.change("nodes", &key, |object| {
            let cond = Cond {
                kind: "Ready",
                status: false,
                reason: "KubeletNotReady",
                message: "node is shutting down",
            };
            set(object, cond, now);
        });
    }
}
