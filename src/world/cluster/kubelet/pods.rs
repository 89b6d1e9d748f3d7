//! The life of a pod on its node: pulled, running, ready, ended by itself or told to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::after;
use crate::model::{Name, Phase};
use crate::world::cluster::conditions::{Cond, object_at, set, time};
use crate::world::cluster::rows::{Key, NodeReady, PodRow};
use crate::world::cluster::run::{Cluster, Work};
use crate::world::cluster::timers::Timer;
use crate::world::random;

/// Pods bound to a node that does not exist are collected after this time.
const ORPHANED: Duration = Duration::from_secs(40);

impl Cluster {
    /// Looks at one pod and sets the timer for what happens to it next.
    pub(in crate::world::cluster) fn sync_pod(&mut self, key: &Key) {
        let Some(row) = self.index.pods.get(key).cloned() else {
            return;
        };
        let Some(name) = row.node.clone() else {
            self.mark_gated(&row);
            return;
        };
        let Some(node) = self.index.nodes.get(&name) else {
            self.mark_after(Work::Node(name), ORPHANED);
            return;
        };
        if !self.kubelet.is_up(&name) {
            return;
        }
        let ready = node.ready == NodeReady::True || row.host_network;
        let seed = self.config.seed;
        let uid = row.uid.clone();
        let (what, wait) = if row.deleting.is_some() {
            let most = if row.phase == Phase::Running { 5.0 } else { 0.5 };
            let time = random::between(seed, "pod-stop", &uid, 0.4, most);
            ("stop", Duration::from_secs_f64(time).min(row.grace))
        } else if row.phase == Phase::Pending && ready {
            let (low, high) = self.config.image_pull;
            let time = random::between(seed, "image-pull", &uid, low, high);
            ("start", Duration::from_secs_f64(time.max(0.0)))
        } else if row.phase == Phase::Running && !row.is_ready() {
            ("ready", row.warm_up)
        } else if let (Phase::Running, Some(time)) = (row.phase, row.run_for) {
            ("finish", time)
        } else {
            return;
        };
        if self.kubelet.begin(&row, what) {
            let pod = key.clone();
            let timer = match what {
                "stop" => Timer::PodStop { pod, uid },
                "start" => Timer::PodStart { pod, uid },
                "ready" => Timer::PodReady { pod, uid },
                _ => Timer::PodFinish { pod, uid },
            };
            self.timers.set(after(self.now(), wait), timer);
        }
    }

    pub(super) fn pod_timer(&mut self, key: &Key, uid: &Name, what: &'static str) {
        self.kubelet.end(uid, what);
        let Some(row) = self.index.pods.get(key).filter(|row| row.uid == *uid).cloned() else {
            return;
        };
        if what == "evict" {
            self.evict_late(&row);
            return;
        }
        let Some(node) = &row.node else { return };
        if !self.kubelet.is_up(node) || !self.index.nodes.contains_key(node) {
            return;
        }
        match what {
            "stop" => self.erase(&row),
            _ if row.deleting.is_some() => {}
            "start" if row.phase == Phase::Pending => self.start(&row),
            "ready" if row.phase == Phase::Running => self.ready(&row),
            "finish" if row.phase == Phase::Running => self.finish(&row),
            _ => {}
        }
    }

    /// A gated pod says so instead of being unschedulable.
    fn mark_gated(&mut self, row: &PodRow) {
        if !row.gated || row.deleting.is_some() {
            return;
        }
        let now = self.now();
        self.change("pods", &row.key, |object| {
            let cond = Cond {
                kind: "PodScheduled",
                status: false,
                reason: "SchedulingGated",
                message: "Scheduling is blocked due to non-empty scheduling gates",
            };
            set(object, cond, now);
        });
    }

    fn start(&mut self, row: &Arc<PodRow>) {
        let now = self.now();
        let seed = self.config.seed;
        let host = row
            .node
            .as_ref()
            .and_then(|n| self.index.nodes.get(n))
            .map_or_else(|| "".into(), |n| n.internal_ip.clone());
        let ip = if row.host_network {
            host.to_string()
        } else {
            pod_ip(seed, &host, &row.uid)
        };
        let ready = row.warm_up.is_zero();
        let at = time(now);
        self.change("pods", &row.key, |object| {
            let spec = object["spec"].clone();
            let list = |field: &str| spec[field].as_array().cloned().unwrap_or_default();
            let running: Vec<Value> = list("containers")
                .iter()
                .map(|c| container(seed, &row.uid, c, ready, &json!({"running": {"startedAt": at}})))
                .collect();
            let done = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": at, "finishedAt": at}});
            let begun: Vec<Value> = list("initContainers")
                .iter()
                .map(|c| {
                    let sidecar = c["restartPolicy"] == "Always";
                    let state = if sidecar { json!({"running": {"startedAt": at}}) } else { done.clone() };
                    container(seed, &row.uid, c, true, &state)
                })
                .collect();
            let status = object_at(object, &["status"]);
            status.insert("phase".into(), json!("Running"));
            status.insert("startTime".into(), json!(at));
            status.insert("hostIP".into(), json!(&*host));
            status.insert("hostIPs".into(), json!([{"ip": &*host}]));
            status.insert("podIP".into(), json!(ip));
            status.insert("podIPs".into(), json!([{"ip": ip}]));
            status.insert("containerStatuses".into(), Value::Array(running));
            if !begun.is_empty() {
                status.insert("initContainerStatuses".into(), Value::Array(begun));
            }
            for kind in ["PodReadyToStartContainers", "Initialized"] {
                set(object, condition(kind, true, ""), now);
            }
            for kind in ["Ready", "ContainersReady"] {
                set(object, condition(kind, ready, "ContainersNotReady"), now);
            }
        });
        self.pod_event(&row.key, "Normal", "Started", "Started containers", "kubelet");
    }

    fn ready(&mut self, row: &PodRow) {
        let now = self.now();
        self.change("pods", &row.key, |object| {
            if let Some(list) = object_at(object, &["status"])
                .get_mut("containerStatuses")
                .and_then(Value::as_array_mut)
            {
                for status in list {
                    object_at(status, &[]).insert("ready".into(), json!(true));
                }
            }
            for kind in ["Ready", "ContainersReady"] {
                set(object, condition(kind, true, ""), now);
            }
        });
    }

    /// The pod's work is done.
    fn finish(&mut self, row: &PodRow) {
        let now = self.now();
        let at = time(now);
        self.change("pods", &row.key, |object| {
            let status = object_at(object, &["status"]);
            status.insert("phase".into(), json!("Succeeded"));
            let list = status.get_mut("containerStatuses").and_then(Value::as_array_mut);
            for container in list.into_iter().flatten() {
                let begun = container["state"]["running"]["startedAt"].clone();
                let fields = object_at(container, &[]);
                fields.insert("ready".into(), json!(false));
                fields.insert("started".into(), json!(false));
                fields.insert(
                    "state".into(),
                    json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": begun, "finishedAt": at}}),
                );
            }
            for kind in ["Ready", "ContainersReady"] {
                set(object, condition(kind, false, "PodCompleted"), now);
            }
        });
    }
}

fn condition<'a>(kind: &'a str, status: bool, reason: &'a str) -> Cond<'a> {
    Cond {
        kind,
        status,
        reason: if status { "" } else { reason },
        message: "",
    }
}

fn container(seed: u64, pod: &str, container: &Value, ready: bool, state: &Value) -> Value {
    let name = container["name"].as_str().unwrap_or("");
    let image = container["image"].as_str().unwrap_or("");
    let digest = |what: &str, of: &str| {
        let part = |i: u8| random::draw(seed, what, &format!("{of}/{i}"));
        format!("{:016x}{:016x}{:016x}{:016x}", part(0), part(1), part(2), part(3))
    };
    json!({
        "name": name, "image": image,
        "imageID": format!("{}@sha256:{}", image.split(':').next().unwrap_or(""), digest("image", image)),
        "containerID": format!("containerd://{}", digest("container", &format!("{pod}/{name}"))),
        "ready": ready, "started": state.get("running").is_some(), "restartCount": 0, "lastState": {}, "state": state,
    })
}

/// An address in the node's /16.
fn pod_ip(seed: u64, host: &str, uid: &str) -> String {
    let mut parts = host.split('.');
    let (a, b) = (parts.next().unwrap_or("10"), parts.next().unwrap_or("0"));
    let draw = random::draw(seed, "pod-ip", uid);
    let a = if a.is_empty() { "10" } else { a };
    format!("{a}.{b}.{}.{}", 128 + draw % 128, 1 + (draw >> 8) % 254)
}
