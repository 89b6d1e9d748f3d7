//! Jobs: pods until enough have succeeded.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::replicaset::{count, victims};
use super::template;
use crate::clock::after;
use crate::model::Phase;
use crate::world::apiserver::{Propagation, Stored};
use crate::world::cluster::conditions::{Cond, object_at, set, status_of, time};
use crate::world::cluster::index::Place;
use crate::world::cluster::rows::{Key, PodRow};
use crate::world::cluster::run::{Cluster, Work};

const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// What a Job's pods add up to.
struct Tally {
    active: Vec<Arc<PodRow>>,
    succeeded: usize,
    failed: usize,
    /// Indexes that are done or under way, for indexed Jobs.
    indexes: BTreeSet<usize>,
}

impl Cluster {
    pub(in crate::world::cluster) fn sync_job(&mut self, key: &Key) {
        let Some((stored, object)) = self.read("jobs.batch", key) else {
            return;
        };
        if stored.deleting {
            return;
        }
        let finished = status_of(&object, "Complete") == "True" || status_of(&object, "Failed") == "True";
        if finished {
            self.expire_job(key, &stored, &object);
            return;
        }
        let spec = &object["spec"];
        let parallelism = count(&spec["parallelism"], 1);
        let completions = spec["completions"].as_u64().and_then(|n| usize::try_from(n).ok());
        let tally = self.tally(&stored);
        let done = match completions {
            Some(wanted) => tally.succeeded >= wanted,
            // A work queue: one success says that all is done, once the others have ended.
            None => tally.succeeded > 0 && tally.active.is_empty(),
        };
        let broken = tally.failed > count(&spec["backoffLimit"], 6);
        if done || broken {
            for row in &tally.active {
                self.remove_pod(row);
            }
            self.drain();
            self.job_status(key, &stored, Some(done));
            return;
        }
        let wanted = match completions {
            _ if spec["suspend"] == true => 0,
            Some(all) => parallelism.min(all - tally.succeeded),
            None if tally.succeeded > 0 => tally.active.len(),
            None => parallelism,
        };
        let have = tally.active.len();
        if have > wanted {
            for row in victims(&tally.active, have - wanted) {
                self.remove_pod(&row);
            }
        }
        let mut used = tally.indexes;
        for _ in have..wanted {
            let index = (0..=used.len()).find(|i| !used.contains(i)).unwrap_or(0);
            used.insert(index);
            if !self.make_job_pod(key, &stored, spec, index) {
                self.mark_after(Work::Job(key.clone()), Duration::from_secs(5));
                break;
            }
        }
        self.drain();
        self.job_status(key, &stored, None);
    }

    fn tally(&self, stored: &Stored) -> Tally {
        let rows: Vec<Arc<PodRow>> = self.index.pods_of(&stored.uid).cloned().collect();
        let index = |row: &PodRow| row.labels.get(INDEX).and_then(|i| i.parse().ok());
        Tally {
            succeeded: rows.iter().filter(|r| r.phase == Phase::Succeeded).count(),
            failed: rows.iter().filter(|r| r.phase == Phase::Failed).count(),
            indexes: rows
                .iter()
                .filter(|r| r.is_active() || r.phase == Phase::Succeeded)
                .filter_map(|r| index(r))
                .collect(),
            active: rows.into_iter().filter(|r| r.is_active()).collect(),
        }
    }

    fn make_job_pod(&mut self, key: &Key, stored: &Stored, spec: &Value, index: usize) -> bool {
        let indexed = spec["completionMode"] == "Indexed";
        let text = index.to_string();
        let owner = if indexed {
            (key.0.clone(), format!("{}-{index}", key.1).as_str().into())
        } else {
            key.clone()
        };
        let name = self.fresh_name(&owner, &stored.uid);
        let mut labels = vec![
            ("batch.kubernetes.io/controller-uid", &*stored.uid),
            ("batch.kubernetes.io/job-name", &*key.1),
            ("controller-uid", &*stored.uid),
            ("job-name", &*key.1),
        ];
        if indexed {
            labels.push((INDEX, text.as_str()));
        }
        let mut pod = template::pod(&spec["template"], &name, stored, &labels);
        object_at(&mut pod, &["metadata"]).insert("generateName".into(), json!(format!("{}-", owner.1)));
        if indexed {
            object_at(&mut pod, &["metadata", "annotations"]).insert(INDEX.into(), json!(text));
        }
        self.make("pods", &key.0, pod)
    }

    fn job_status(&mut self, key: &Key, stored: &Stored, outcome: Option<bool>) {
        let tally = self.tally(stored);
        let ready = tally.active.iter().filter(|r| r.is_ready()).count();
        let now = self.now();
        self.change("jobs.batch", key, |object| {
            let status = object_at(object, &["status"]);
            status.entry("startTime").or_insert_with(|| json!(time(now)));
            for (field, value) in [
                ("active", tally.active.len()),
                ("succeeded", tally.succeeded),
                ("failed", tally.failed),
            ] {
                if value == 0 {
                    status.remove(field);
                } else {
                    status.insert(field.into(), json!(value));
                }
            }
            status.insert("ready".into(), json!(ready));
            status.insert("terminating".into(), json!(0));
            status.insert("uncountedTerminatedPods".into(), json!({}));
            let Some(done) = outcome else { return };
            if done {
                status.insert("completionTime".into(), json!(time(now)));
            }
            let (kinds, reason, message) = if done {
                (
                    ["SuccessCriteriaMet", "Complete"],
                    "CompletionsReached",
                    "Reached expected number of succeeded pods",
                )
            } else {
                (
                    ["FailureTarget", "Failed"],
                    "BackoffLimitExceeded",
                    "Job has reached the specified backoff limit",
                )
            };
            for kind in kinds {
                let cond = Cond {
                    kind,
                    status: true,
                    reason,
                    message,
                };
                set(object, cond, now);
            }
        });
    }

    /// `ttlSecondsAfterFinished`.
    fn expire_job(&mut self, key: &Key, stored: &Stored, object: &Value) {
        let Some(life) = object["spec"]["ttlSecondsAfterFinished"].as_u64() else {
            return;
        };
        let ended = object["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|c| c["type"] == "Complete" || c["type"] == "Failed")
            .filter_map(|c| c["lastTransitionTime"].as_str()?.parse::<Timestamp>().ok())
            .min();
        let Some(ended) = ended else { return };
        let (now, end) = (self.now(), after(ended, Duration::from_secs(life)));
        if end > now {
            let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
            self.mark_after(Work::Job(key.clone()), left);
            return;
        }
        let place = Place {
            kind: "jobs.batch".into(),
            key: key.clone(),
        };
        self.remove(&place, stored, Propagation::Background);
    }
}
