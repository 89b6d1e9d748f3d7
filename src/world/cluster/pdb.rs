//! The disruption controller: status of `PodDisruptionBudgets`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::conditions::{Cond, object_at, set};
use super::rows::{Key, PodRow, SelectorDoc};
use super::run::{Cluster, Work};
use crate::model::{LabelSelector, Name};

/// How long the API server's note of an eviction counts against a pod that does not go.
const NOTE_SECONDS: i64 = 120;

pub fn selector(budget: &Value) -> Option<LabelSelector> {
    SelectorDoc::read(&budget["spec"]["selector"])
}

impl Cluster {
    pub(super) fn mark_budgets(&mut self, namespace: &Name) {
        let keys: Vec<Key> = self.budgets_in(namespace).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.mark(Work::Budget(key));
        }
    }

    fn budgets_in(&self, namespace: &Name) -> impl Iterator<Item = (&Key, &Option<LabelSelector>)> {
        let namespace = namespace.clone();
        self.index
            .budgets
            .range((namespace.clone(), "".into())..)
            .take_while(move |(key, _)| key.0 == namespace)
    }

    /// Marks the budgets that select a pod as it was or as it is.
    pub(super) fn mark_budgets_of(&mut self, old: Option<&PodRow>, new: Option<&PodRow>) {
        let rows = || [old, new].into_iter().flatten();
        let Some(namespace) = rows().next().map(|row| row.key.0.clone()) else {
            return;
        };
        let keys: Vec<Key> = self
            .budgets_in(&namespace)
            .filter(|(_, selector)| {
                selector
                    .as_ref()
                    .is_some_and(|s| rows().any(|row| s.matches(&row.labels)))
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.mark(Work::Budget(key));
        }
    }

    pub(super) fn sync_budget(&mut self, key: &Key) {
        let Some((_, budget)) = self.read("poddisruptionbudgets.policy", key) else {
            return;
        };
        let Some(selector) = selector(&budget) else { return };
        let pods: Vec<&PodRow> = self
            .index
            .pods
            .range((key.0.clone(), "".into())..)
            .take_while(|(pod, _)| pod.0 == key.0)
            .map(|(_, row)| &**row)
            .filter(|row| !row.is_terminal() && selector.matches(&row.labels))
            .collect();
        let (expected, desired) = self.expectation(&budget["spec"], &pods);
        let now = self.now();
        let noted = Self::noted(&budget, &pods, now);
        let healthy = pods
            .iter()
            .filter(|row| row.is_ready() && row.deleting.is_none() && !noted.contains_key(&*row.key.1))
            .count();
        let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
        let allowed = (healthy - desired).max(0);
        self.change("poddisruptionbudgets.policy", key, |object| {
            let generation = object["metadata"]["generation"].clone();
            let status = object_at(object, &["status"]);
            status.insert("observedGeneration".into(), generation);
            status.insert("expectedPods".into(), json!(expected));
            status.insert("desiredHealthy".into(), json!(desired));
            status.insert("currentHealthy".into(), json!(healthy));
            status.insert("disruptionsAllowed".into(), json!(allowed));
            if noted.is_empty() {
                status.remove("disruptedPods");
            } else {
                status.insert("disruptedPods".into(), Value::Object(noted.clone()));
            }
            let (status, reason) = if allowed > 0 {
                (true, "SufficientPods")
            } else {
                (false, "InsufficientPods")
            };
            let cond = Cond {
                kind: "DisruptionAllowed",
                status,
                reason,
                message: "",
            };
            set(object, cond, now);
        });
    }

    /// Notes of evictions that still count: the pod is there, is not going yet, and the note is fresh.
    fn noted(budget: &Value, pods: &[&PodRow], now: Timestamp) -> Map<String, Value> {
        budget["status"]["disruptedPods"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, at)| {
                let fresh = at
                    .as_str()
                    .and_then(|t| t.parse::<Timestamp>().ok())
                    .is_some_and(|t| now.duration_since(t).as_secs() < NOTE_SECONDS);
                fresh
                    && pods
                        .iter()
                        .any(|row| *row.key.1 == ***name && row.deleting.is_none())
            })
            .map(|(name, at)| (name.clone(), at.clone()))
            .collect()
    }

    /// Expected and desired counts.
    fn expectation(&self, spec: &Value, pods: &[&PodRow]) -> (i64, i64) {
        let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
        let max = &spec["maxUnavailable"];
        if !max.is_null() {
            let expected = self.scale_of(pods);
            return (expected, (expected - amount(max, expected)).max(0));
        }
        let min = &spec["minAvailable"];
        if min.is_string() {
            let expected = self.scale_of(pods);
            return (expected, amount(min, expected));
        }
        (count, min.as_i64().unwrap_or(0))
    }

    /// The replicas that the controllers of these pods want; pods without one count as themselves.
    fn scale_of(&self, pods: &[&PodRow]) -> i64 {
        let mut loose = 0;
        let mut scales: BTreeMap<Name, i64> = BTreeMap::new();
        let mut seen: BTreeSet<&Name> = BTreeSet::new();
        for row in pods {
            let Some((_, uid)) = &row.controller else {
                loose += 1;
                continue;
            };
            if !seen.insert(uid) {
                continue;
            }
            if let Some((root, replicas)) = self.root(uid) {
                scales.insert(root, replicas);
            } else {
                let same = pods
                    .iter()
                    .filter(|p| p.controller.as_ref().is_some_and(|(_, u)| u == uid));
                loose += i64::try_from(same.count()).unwrap_or(0);
            }
        }
        scales.values().sum::<i64>() + loose
    }

    /// The topmost controller with a scale, and that.
    fn root(&self, uid: &Name) -> Option<(Name, i64)> {
        let place = self.index.places.get(uid)?;
        let (stored, object) = self.read(&place.kind, &place.key)?;
        for owner in &stored.owners {
            if let Some(root) = self.root(owner) {
                return Some(root);
            }
        }
        let scaled = matches!(
            &*place.kind,
            "deployments.apps" | "replicasets.apps" | "statefulsets.apps"
        );
        scaled.then(|| (uid.clone(), object["spec"]["replicas"].as_i64().unwrap_or(1)))
    }
}

/// A count, or a percentage of `total` rounded up.
pub fn amount(value: &Value, total: i64) -> i64 {
    let percent = value
        .as_str()
        .and_then(|text| text.strip_suffix('%')?.trim().parse::<i64>().ok());
    match percent {
        Some(percent) => percent.saturating_mul(total).saturating_add(99).div_euclid(100),
        None => value
            .as_i64()
            .or_else(|| value.as_str()?.parse().ok())
            .unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_up() {
        assert_eq!(amount(&json!("25%"), 10), 3);
        assert_eq!(amount(&json!("0%"), 10), 0);
        assert_eq!(amount(&json!(4), 10), 4);
        assert_eq!(amount(&json!("100%"), 7), 7);
    }
}
