//! `ReplicaSets`: as many pods as wanted; of too many, the least useful go first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::template;
use crate::clock::after;
use crate::model::{Name, Phase};
use crate::world::apiserver::DeleteOptions;
use crate::world::cluster::conditions::object_at;
use crate::world::cluster::rows::{Key, PodRow};
use crate::world::cluster::run::{Cluster, Work};

impl Cluster {
    pub(in crate::world::cluster) fn sync_replica_set(&mut self, key: &Key) {
        let Some((stored, object)) = self.read("replicasets.apps", key) else {
            return;
        };
        let pods: Vec<Arc<PodRow>> = self
            .index
            .pods_of(&stored.uid)
            .filter(|row| row.is_active())
            .cloned()
            .collect();
        let wanted = count(&object["spec"]["replicas"], 1);
        if !stored.deleting {
            if pods.len() < wanted {
                for _ in pods.len()..wanted {
                    let name = self.fresh_name(key, &stored.uid);
                    let mut pod = template::pod(&object["spec"]["template"], &name, &stored, &[]);
                    object_at(&mut pod, &["metadata"])
                        .insert("generateName".into(), json!(format!("{}-", key.1)));
                    if !self.make("pods", &key.0, pod) {
                        // Refused (a full namespace, a bad template): try again later, as the queue's back-off does.
                        self.mark_after(Work::ReplicaSet(key.clone()), Duration::from_secs(5));
                        break;
                    }
                }
            } else {
                for row in victims(&pods, pods.len() - wanted) {
                    self.remove_pod(&row);
                }
            }
            self.drain();
        }
        self.replica_status(key, &stored.uid, &object);
    }

    /// Deletes a pod in the ordinary way.
    pub(super) fn remove_pod(&mut self, row: &PodRow) {
        let options = DeleteOptions {
            uid: Some(row.uid.to_string()),
            ..DeleteOptions::default()
        };
        if let Err(error) = self.api.delete("pods", &row.key.0, &row.key.1, &options) {
            tracing::debug!(pod = &*row.key.1, %error.message, "pod not deleted");
        }
    }

    fn replica_status(&mut self, key: &Key, uid: &str, object: &Value) {
        let rows: Vec<Arc<PodRow>> = self
            .index
            .pods_of(uid)
            .filter(|r| r.is_active())
            .cloned()
            .collect();
        let work = Work::ReplicaSet(key.clone());
        let (ready, available) = self.readiness(&rows, &object["spec"]["minReadySeconds"], work);
        self.change("replicasets.apps", key, |object| {
            let generation = object["metadata"]["generation"].clone();
            let status = object_at(object, &["status"]);
            status.insert("replicas".into(), json!(rows.len()));
            status.insert("fullyLabeledReplicas".into(), json!(rows.len()));
            status.insert("readyReplicas".into(), json!(ready));
            status.insert("availableReplicas".into(), json!(available));
            status.insert("observedGeneration".into(), generation);
        });
    }

    /// Ready pods, and those that have been for `minReadySeconds`; looks again when more will be.
    pub(super) fn readiness(
        &mut self,
        rows: &[Arc<PodRow>],
        min_ready: &Value,
        work: Work,
    ) -> (usize, usize) {
        let wait = Duration::from_secs(min_ready.as_u64().unwrap_or(0));
        let now = self.now();
        let since: Vec<Timestamp> = rows.iter().filter_map(|r| r.ready_since).collect();
        let available = since.iter().filter(|at| after(**at, wait) <= now).count();
        if let Some(first) = since
            .iter()
            .map(|at| after(*at, wait))
            .filter(|at| *at > now)
            .min()
        {
            let left = Duration::try_from(first.duration_since(now)).unwrap_or_default();
            self.mark_after(work, left);
        }
        (since.len(), available)
    }
}

/// A count of an object's field.
pub fn count(value: &Value, default: usize) -> usize {
    value
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(default)
}

/// The pods that go first: without a node, pending, not ready, low deletion cost, many of the set on one node, ready
/// for the shortest time, youngest; then by name.
pub fn victims(pods: &[Arc<PodRow>], many: usize) -> Vec<Arc<PodRow>> {
    let mut crowd: BTreeMap<&Name, usize> = BTreeMap::new();
    for node in pods.iter().filter_map(|p| p.node.as_ref()) {
        *crowd.entry(node).or_insert(0) += 1;
    }
    let rank = |row: &PodRow| {
        (
            row.node.is_some(),
            match row.phase {
                Phase::Pending => 0,
                Phase::Unknown => 1,
                _ => 2,
            },
            row.is_ready(),
            row.cost,
            std::cmp::Reverse(row.node.as_ref().and_then(|n| crowd.get(n)).copied().unwrap_or(0)),
            std::cmp::Reverse(row.ready_since),
            std::cmp::Reverse(row.created),
            row.key.clone(),
        )
    };
    let mut order: Vec<&Arc<PodRow>> = pods.iter().collect();
    order.sort_by_cached_key(|row| rank(row));
    order.into_iter().take(many).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::cluster::rows::{Interner, PodRow};

    fn row(name: &str, json: &Value) -> Arc<PodRow> {
        let key = ("default".into(), name.into());
        let bytes = json.to_string();
        Arc::new(
            PodRow::decode(
                key,
                format!("uid-{name}").as_str().into(),
                bytes.as_bytes(),
                &mut Interner::default(),
            )
            .expect("a pod"),
        )
    }

    #[test]
    fn the_least_useful_pods_go_first() {
        let ready = |at: &str, cost: &str| {
            json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": cost}},
                "spec": {"nodeName": "n"}, "status": {"phase": "Running",
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at}]}})
        };
        let pods = [
            row("old", &ready("2026-01-01T00:00:00Z", "0")),
            row("young", &ready("2026-01-02T00:00:00Z", "0")),
            row("cheap", &ready("2026-01-01T00:00:00Z", "-5")),
            row(
                "unready",
                &json!({"spec": {"nodeName": "n"}, "status": {"phase": "Running"}}),
            ),
            row(
                "bound",
                &json!({"spec": {"nodeName": "n"}, "status": {"phase": "Pending"}}),
            ),
            row("waiting", &json!({"status": {"phase": "Pending"}})),
        ];
        let names: Vec<String> = victims(&pods, 6).iter().map(|r| r.key.1.to_string()).collect();
        assert_eq!(names, ["waiting", "bound", "unready", "cheap", "young", "old"]);
    }
}
