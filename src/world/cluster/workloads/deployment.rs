//! Deployments: a `ReplicaSet` for each template, and the status over all of them.

use serde_json::{Value, json};

use super::replicaset::count;
use super::rollout::{Plan, Set};
use super::template;
use crate::model::Name;
use crate::world::apiserver::{Propagation, Stored};
use crate::world::cluster::conditions::{Cond, object_at, set, status_of};
use crate::world::cluster::index::Place;
use crate::world::cluster::rows::Key;
use crate::world::cluster::run::Cluster;

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const SETS: &str = "replicasets.apps";

impl Cluster {
    pub(in crate::world::cluster) fn sync_deployment(&mut self, key: &Key) {
        let Some((stored, object)) = self.read("deployments.apps", key) else {
            return;
        };
        if stored.deleting {
            return;
        }
        let spec = &object["spec"];
        let hash = template::hash(&spec["template"]);
        let mut sets = self.sets_of(key, &stored, &hash);
        if spec["paused"] == true {
            for set in &mut sets {
                set.current |= set.hash == hash;
            }
        } else if !sets.iter().any(|s| s.current) {
            let revision = sets.iter().map(|s| s.revision).max().unwrap_or(0) + 1;
            self.make_set(key, &stored, &object, &hash, revision);
            self.drain();
            sets = self.sets_of(key, &stored, &hash);
        }
        let plan = Plan::new(spec);
        for (name, replicas) in plan.steps(&sets) {
            let set: Key = (key.0.clone(), name);
            self.change(SETS, &set, |object| {
                object_at(object, &["spec"]).insert("replicas".into(), json!(replicas));
            });
        }
        self.drain();
        let sets = self.sets_of(key, &stored, &hash);
        self.forget_sets(key, spec, &sets);
        self.deployment_status(key, &plan, &sets);
    }

    fn sets_of(&self, key: &Key, stored: &Stored, hash: &str) -> Vec<Set> {
        let mut out = Vec::new();
        for set in self.index.owned(&stored.uid, SETS) {
            let Some((row, object)) = self.read(SETS, &set) else {
                continue;
            };
            if set.0 != key.0 || row.deleting {
                continue;
            }
            let status = &object["status"];
            let mine = row.labels.get(HASH).map_or("", |h| h);
            let current = mine == hash;
            out.push(Set {
                name: set.1.clone(),
                hash: mine.to_owned(),
                current,
                wanted: count(&object["spec"]["replicas"], 1),
                replicas: count(&status["replicas"], 0),
                ready: count(&status["readyReplicas"], 0),
                available: count(&status["availableReplicas"], 0),
                revision: object["metadata"]["annotations"][REVISION]
                    .as_str()
                    .and_then(|r| r.parse().ok())
                    .unwrap_or(0),
            });
        }
        out.sort_by_key(|s| s.revision);
        out
    }

    fn make_set(&mut self, key: &Key, stored: &Stored, object: &Value, hash: &str, revision: u64) {
        let spec = &object["spec"];
        let mut template = spec["template"].clone();
        object_at(&mut template, &["metadata", "labels"]).insert(HASH.into(), json!(hash));
        let mut selector = spec["selector"].clone();
        object_at(&mut selector, &["matchLabels"]).insert(HASH.into(), json!(hash));
        let set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": format!("{}-{hash}", key.1), "namespace": &*key.0,
                "labels": template["metadata"]["labels"],
                "annotations": {
                    REVISION: revision.to_string(),
                    "deployment.kubernetes.io/desired-replicas": count(&spec["replicas"], 1).to_string(),
                },
                "ownerReferences": [template::owner(stored)],
            },
            "spec": {
                "replicas": 0, "selector": selector, "template": template,
                "minReadySeconds": spec["minReadySeconds"].as_u64().unwrap_or(0),
            },
        });
        if self.make(SETS, &key.0, set) {
            self.change("deployments.apps", key, |object| {
                object_at(object, &["metadata", "annotations"])
                    .insert(REVISION.into(), json!(revision.to_string()));
            });
        }
    }

    /// Old, empty sets beyond the history limit go.
    fn forget_sets(&mut self, key: &Key, spec: &Value, sets: &[Set]) {
        let keep = count(&spec["revisionHistoryLimit"], 10);
        let old: Vec<&Set> = sets
            .iter()
            .filter(|s| !s.current && s.wanted == 0 && s.replicas == 0)
            .collect();
        for set in old.iter().take(old.len().saturating_sub(keep)) {
            let place = Place {
                kind: SETS.into(),
                key: (key.0.clone(), set.name.clone()),
            };
            if let Some(stored) = self.api.get(SETS, &key.0, &set.name) {
                self.remove(&place, &stored, Propagation::Background);
            }
        }
    }

    fn deployment_status(&mut self, key: &Key, plan: &Plan, sets: &[Set]) {
        let sum = |f: fn(&Set) -> usize| sets.iter().map(f).sum::<usize>();
        let (total, ready, available) = (sum(|s| s.replicas), sum(|s| s.ready), sum(|s| s.available));
        let current = sets.iter().find(|s| s.current);
        let updated = current.map_or(0, |s| s.replicas);
        let done = updated == plan.replicas && total == plan.replicas && available == plan.replicas;
        let set_name: Name = current.map_or_else(|| "".into(), |s| s.name.clone());
        let now = self.now();
        self.change("deployments.apps", key, |object| {
            let was_done = status_of(object, "Progressing") == "True"
                && object["status"]["conditions"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|c| c["type"] == "Progressing" && c["reason"] == "NewReplicaSetAvailable");
            let same_set = object["status"]["updatedReplicas"].as_u64().unwrap_or(0) > 0;
            let generation = object["metadata"]["generation"].clone();
            let status = object_at(object, &["status"]);
            status.insert("observedGeneration".into(), generation);
            for (field, value) in [
                ("replicas", total),
                ("updatedReplicas", updated),
                ("readyReplicas", ready),
                ("availableReplicas", available),
                (
                    "unavailableReplicas",
                    plan.replicas.max(total).saturating_sub(available),
                ),
            ] {
                // Zero counts are left out, as the API does.
                if value == 0 {
                    status.remove(field);
                } else {
                    status.insert(field.into(), json!(value));
                }
            }
            let enough = available >= plan.replicas.saturating_sub(plan.unavailable);
            set(
                object,
                Cond {
                    kind: "Available",
                    status: enough,
                    reason: if enough {
                        "MinimumReplicasAvailable"
                    } else {
                        "MinimumReplicasUnavailable"
                    },
                    message: if enough {
                        "Deployment has minimum availability."
                    } else {
                        "Deployment does not have minimum availability."
                    },
                },
                now,
            );
            // Scaling a finished deployment does not make it progress again.
            let (reason, message) = if done || (was_done && same_set && updated == total) {
                (
                    "NewReplicaSetAvailable",
                    format!("ReplicaSet \"{set_name}\" has successfully progressed."),
                )
            } else {
                (
                    "ReplicaSetUpdated",
                    format!("ReplicaSet \"{set_name}\" is progressing."),
                )
            };
            let cond = Cond {
                kind: "Progressing",
                status: true,
                reason,
                message: &message,
            };
            set(object, cond, now);
        });
    }
}
