//! Node lifecycle, taint eviction and pod garbage collection: taints follow the Ready condition and the cordon, pods
//! that do not tolerate a `NoExecute` taint go, and so do pods whose node is gone.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::conditions::object_at;
use super::rows::{Key, NodeReady, NodeRow, PodRow};
use super::run::{Cluster, Work};
use super::timers::Timer;
use crate::clock::after;
use crate::model::{Taint, TaintEffect};
use crate::world::apiserver::DeleteOptions;

pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
pub const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// How long a pod without a word of its own stays on a node that is not ready.
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

impl Cluster {
    pub(super) fn sync_node(&mut self, name: &str) {
        let Some(row) = self.index.nodes.get(name).cloned() else {
            self.collect_pods(name);
            return;
        };
        self.follow_condition(&row);
        self.evict_untolerated(&row);
        let pods: Vec<Key> = self.index.pods_on(name).map(|p| p.key.clone()).collect();
        for pod in pods {
            self.mark(Work::Pod(pod));
        }
    }

    fn follow_condition(&mut self, row: &NodeRow) {
        let wanted: Vec<(&str, &str)> = match row.ready {
            NodeReady::True => vec![],
            NodeReady::False => vec![(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")],
            NodeReady::Unknown => vec![(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")],
            NodeReady::Absent => vec![(NOT_READY, "NoSchedule")],
        };
        let cordon = row.unschedulable.then_some((UNSCHEDULABLE, "NoSchedule"));
        let wanted: Vec<(&str, &str)> = wanted.into_iter().chain(cordon).collect();
        let is = |taint: &Taint, (key, effect): (&str, &str)| {
            &*taint.key == key && taint.effect.as_str() == effect
        };
        let ours = |key: &str| matches!(key, NOT_READY | UNREACHABLE | UNSCHEDULABLE);
        let right = wanted.iter().all(|w| row.taints.iter().any(|t| is(t, *w)))
            && row
                .taints
                .iter()
                .all(|t| !ours(&t.key) || wanted.iter().any(|w| is(t, *w)));
        if right {
            return;
        }
        self.change("nodes", &("".into(), row.name.clone()), |object| {
            let spec = object_at(object, &["spec"]);
            let mut taints = spec
                .get("taints")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            taints.retain(|t| {
                let key = t["key"].as_str().unwrap_or("");
                !ours(key) || wanted.iter().any(|(k, e)| key == *k && t["effect"] == *e)
            });
            for (key, effect) in &wanted {
                if !taints.iter().any(|t| t["key"] == *key && t["effect"] == *effect) {
                    taints.push(json!({"key": key, "effect": effect}));
                }
            }
            if taints.is_empty() {
                spec.remove("taints");
            } else {
                spec.insert("taints".into(), Value::Array(taints));
            }
        });
    }

    fn evict_untolerated(&mut self, row: &NodeRow) {
        let taints: Vec<&Taint> = row
            .taints
            .iter()
            .filter(|t| t.effect == TaintEffect::NoExecute)
            .collect();
        if taints.is_empty() {
            return;
        }
        let pods: Vec<Arc<PodRow>> = self.index.pods_on(&row.name).cloned().collect();
        for pod in pods.iter().filter(|p| p.is_active()) {
            match taints.iter().filter_map(|taint| patience(pod, taint)).min() {
                Some(Duration::ZERO) => self.evict(pod),
                Some(time) if self.kubelet.begin(pod, "evict") => {
                    let at = after(self.now(), time);
                    let timer = Timer::PodEvict {
                        pod: pod.key.clone(),
                        uid: pod.uid.clone(),
                    };
                    self.timers.set(at, timer);
                }
                _ => {}
            }
        }
    }

    fn evict(&mut self, pod: &PodRow) {
        let options = DeleteOptions {
            uid: Some(pod.uid.to_string()),
            ..DeleteOptions::default()
        };
        if self.api.delete("pods", &pod.key.0, &pod.key.1, &options).is_ok() {
            let text = format!("Marking for deletion Pod {}/{}", pod.key.0, pod.key.1);
            self.pod_event(
                &pod.key,
                "Normal",
                "TaintManagerEviction",
                &text,
                "taint-eviction-controller",
            );
        }
    }

    /// A tolerance has run out; the taint may be gone meanwhile.
    pub(super) fn evict_late(&mut self, pod: &PodRow) {
        let Some(row) = pod.node.as_ref().and_then(|n| self.index.nodes.get(n)) else {
            return;
        };
        let still = row
            .taints
            .iter()
            .filter(|t| t.effect == TaintEffect::NoExecute)
            .any(|taint| patience(pod, taint).is_some());
        if still && pod.is_active() {
            self.evict(pod);
        }
    }

    /// Pods of a node that is gone are gone.
    fn collect_pods(&mut self, node: &str) {
        let pods: Vec<Arc<PodRow>> = self.index.pods_on(node).cloned().collect();
        for pod in pods {
            self.erase(&pod);
        }
    }

    /// Removes a pod at once.
    pub(super) fn erase(&mut self, pod: &PodRow) {
        let options = DeleteOptions {
            grace_seconds: Some(0),
            uid: Some(pod.uid.to_string()),
            ..DeleteOptions::default()
        };
        // Gone already is as good.
        let _ = self.api.delete("pods", &pod.key.0, &pod.key.1, &options);
    }
}

/// How long a pod stays under a `NoExecute` taint; `None` for ever.
fn patience(pod: &PodRow, taint: &Taint) -> Option<Duration> {
    if !pod.spec.tolerations.iter().any(|t| t.tolerates(taint)) {
        let common = matches!(&*taint.key, NOT_READY | UNREACHABLE);
        return Some(if common { DEFAULT_TOLERANCE } else { Duration::ZERO });
    }
    let limits: Vec<Duration> = pod
        .limited
        .iter()
        .filter(|(t, _)| t.tolerates(taint))
        .map(|(_, time)| *time)
        .collect();
    let unlimited = pod.spec.tolerations.iter().filter(|t| t.tolerates(taint)).count() > limits.len();
    if unlimited { None } else { limits.into_iter().min() }
}
