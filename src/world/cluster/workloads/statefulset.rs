//! `StatefulSets`: numbered pods with claims of their own, one after the other or all at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::replicaset::count;
use super::template;
use crate::world::apiserver::Stored;
use crate::world::cluster::conditions::object_at;
use crate::world::cluster::rows::{Key, PodRow};
use crate::world::cluster::run::{Cluster, Work};

const HASH: &str = "controller-revision-hash";

impl Cluster {
    pub(in crate::world::cluster) fn sync_stateful_set(&mut self, key: &Key) {
        let Some((stored, object)) = self.read("statefulsets.apps", key) else {
            return;
        };
        let spec = &object["spec"];
        let hash = format!("{}-{}", key.1, template::hash(&spec["template"]));
        let wanted = count(&spec["replicas"], 1);
        if !stored.deleting {
            let pods = self.ordinals(key, &stored);
            self.step_stateful_set(key, &stored, spec, &hash, wanted, &pods);
            self.drain();
        }
        self.stateful_status(key, &stored, spec, &hash);
    }

    fn ordinals(&self, key: &Key, stored: &Stored) -> BTreeMap<usize, Arc<PodRow>> {
        let prefix = format!("{}-", key.1);
        self.index
            .pods_of(&stored.uid)
            .filter_map(|row| {
                Some((
                    row.key.1.strip_prefix(prefix.as_str())?.parse().ok()?,
                    row.clone(),
                ))
            })
            .collect()
    }

    fn step_stateful_set(
        &mut self,
        key: &Key,
        stored: &Stored,
        spec: &Value,
        hash: &str,
        wanted: usize,
        pods: &BTreeMap<usize, Arc<PodRow>>,
    ) {
        let parallel = spec["podManagementPolicy"] == "Parallel";
        let first = count(&spec["ordinals"]["start"], 0);
        for ordinal in first..first + wanted {
            match pods.get(&ordinal) {
                None => {
                    self.make_ordinal(key, stored, spec, hash, ordinal);
                    if !parallel {
                        return;
                    }
                }
                // A pod that has ended is made anew under its name.
                Some(row) if row.is_terminal() && row.deleting.is_none() => {
                    self.remove_pod(row);
                    if !parallel {
                        return;
                    }
                }
                Some(row) if !parallel && (!row.is_ready() || row.deleting.is_some()) => return,
                Some(_) => {}
            }
        }
        let surplus = pods
            .iter()
            .rev()
            .filter(|(o, _)| **o < first || **o >= first + wanted);
        for (_, row) in surplus {
            if row.deleting.is_none() {
                self.remove_pod(row);
            }
            if !parallel {
                return;
            }
        }
        if spec["updateStrategy"]["type"] == "OnDelete" {
            return;
        }
        let partition = count(&spec["updateStrategy"]["rollingUpdate"]["partition"], 0);
        for (_, row) in pods.iter().rev().filter(|(o, _)| **o >= partition) {
            if row.deleting.is_some() || !row.is_ready() {
                return;
            }
            if row.labels.get(HASH).is_none_or(|h| **h != *hash) {
                self.remove_pod(row);
                return;
            }
        }
    }

    fn make_ordinal(&mut self, key: &Key, stored: &Stored, spec: &Value, hash: &str, ordinal: usize) {
        let name = format!("{}-{ordinal}", key.1);
        let index = ordinal.to_string();
        let labels = [
            (HASH, hash),
            ("apps.kubernetes.io/pod-index", index.as_str()),
            ("statefulset.kubernetes.io/pod-name", name.as_str()),
        ];
        let mut pod = template::pod(&spec["template"], &name, stored, &labels);
        let mut volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
        for claim in spec["volumeClaimTemplates"].as_array().into_iter().flatten() {
            let Some(volume) = claim["metadata"]["name"].as_str() else {
                continue;
            };
            let claim_name = format!("{volume}-{name}");
            volumes.retain(|v| v["name"] != volume);
            volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim_name}}));
            if self
                .api
                .get("persistentvolumeclaims", &key.0, &claim_name)
                .is_none()
            {
                let mut made = json!({
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                    "metadata": {"name": claim_name, "namespace": &*key.0, "labels": spec["selector"]["matchLabels"]},
                    "spec": claim["spec"], "status": {"phase": "Pending"},
                });
                if made["spec"]["storageClassName"].is_null()
                    && let Some(class) = self.default_class()
                {
                    object_at(&mut made, &["spec"]).insert("storageClassName".into(), json!(class));
                }
                self.make("persistentvolumeclaims", &key.0, made);
            }
        }
        let fields = object_at(&mut pod, &["spec"]);
        if !volumes.is_empty() {
            fields.insert("volumes".into(), Value::Array(volumes));
        }
        fields.insert("hostname".into(), json!(name));
        if let Some(service) = spec["serviceName"].as_str() {
            fields.insert("subdomain".into(), json!(service));
        }
        if !self.make("pods", &key.0, pod) {
            self.mark_after(Work::StatefulSet(key.clone()), std::time::Duration::from_secs(5));
        }
    }

    fn default_class(&self) -> Option<String> {
        let classes = self.api.list("storageclasses.storage.k8s.io");
        let default = classes.iter().find(|c| {
            c.value()["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
        })?;
        Some(default.name.to_string())
    }

    fn stateful_status(&mut self, key: &Key, stored: &Stored, spec: &Value, hash: &str) {
        let rows: Vec<Arc<PodRow>> = self
            .ordinals(key, stored)
            .into_values()
            .filter(|r| !r.is_terminal())
            .collect();
        let work = Work::StatefulSet(key.clone());
        let (ready, available) = self.readiness(&rows, &spec["minReadySeconds"], work);
        let updated = rows
            .iter()
            .filter(|r| r.labels.get(HASH).is_some_and(|h| **h == *hash))
            .count();
        self.change("statefulsets.apps", key, |object| {
            let generation = object["metadata"]["generation"].clone();
            let status = object_at(object, &["status"]);
            status.insert("observedGeneration".into(), generation);
            for (field, value) in [
                ("replicas", rows.len()),
                ("readyReplicas", ready),
                ("availableReplicas", available),
                ("currentReplicas", updated),
                ("updatedReplicas", updated),
            ] {
                status.insert(field.into(), json!(value));
            }
            status.insert("updateRevision".into(), json!(hash));
            if updated == rows.len() || status.get("currentRevision").is_none() {
                status.insert("currentRevision".into(), json!(hash));
            }
            status.insert("collisionCount".into(), json!(0));
        });
    }
}
