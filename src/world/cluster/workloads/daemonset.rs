//! `DaemonSets`: one pod on every node that takes it, not-ready and cordoned ones included.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::template;
use crate::model::taints::{TolerationOperator, untolerated};
use crate::model::{Name, PodSpec, TaintEffect, Toleration};
use crate::world::cluster::conditions::object_at;
use crate::world::cluster::node_lifecycle::{NOT_READY, UNREACHABLE, UNSCHEDULABLE};
use crate::world::cluster::pdb::amount;
use crate::world::cluster::rows::{Key, NodeRow, PodRow, daemon_spec, node_matches};
use crate::world::cluster::run::{Cluster, Work};

const HASH: &str = "controller-revision-hash";

impl Cluster {
    pub(in crate::world::cluster) fn sync_daemon_set(&mut self, key: &Key) {
        let Some((stored, object)) = self.read("daemonsets.apps", key) else {
            return;
        };
        if stored.deleting {
            return;
        }
        let spec = &object["spec"];
        let hash = template::hash(&spec["template"]);
        let host_network = spec["template"]["spec"]["hostNetwork"] == true;
        let mut pod = daemon_spec(&spec["template"]);
        pod.tolerations.extend(
            standard_tolerations(host_network)
                .iter()
                .map(|(key, effect)| Toleration {
                    key: (*key).into(),
                    operator: TolerationOperator::Exists,
                    value: "".into(),
                    effect: Some(*effect),
                }),
        );
        let mut by_node: BTreeMap<Name, Vec<Arc<PodRow>>> = BTreeMap::new();
        for row in self.index.pods_of(&stored.uid) {
            if let Some(node) = row.node.as_ref().or(row.pinned.as_ref()) {
                by_node.entry(node.clone()).or_default().push(row.clone());
            }
        }
        let nodes: Vec<Arc<NodeRow>> = self.index.nodes.values().cloned().collect();
        for node in nodes.iter().filter(|n| runs(&pod, n)) {
            let there = by_node.get(&node.name).map_or(&[][..], Vec::as_slice);
            if there.iter().any(|p| !p.is_terminal()) {
                continue;
            }
            for done in there {
                self.remove_pod(done);
            }
            let name = self.fresh_name(key, &stored.uid);
            let mut made = template::pod(&spec["template"], &name, &stored, &[(HASH, hash.as_str())]);
            pin(&mut made, &node.name, host_network);
            object_at(&mut made, &["metadata"]).insert("generateName".into(), json!(format!("{}-", key.1)));
            if !self.make("pods", &key.0, made) {
                self.mark_after(Work::DaemonSet(key.clone()), Duration::from_secs(5));
            }
        }
        for (name, rows) in &by_node {
            // Pods of a node that is gone are the garbage collector's.
            let wanted = self.index.nodes.get(name).is_none_or(|node| stays(&pod, node));
            if !wanted {
                rows.iter()
                    .filter(|p| p.is_active())
                    .for_each(|p| self.remove_pod(p));
            }
        }
        self.replace_outdated(spec, &hash, &by_node);
        self.drain();
        self.daemon_status(key, &stored.uid, &pod, &hash);
    }

    /// Rolling update: at most `maxUnavailable` pods are missing at a time.
    fn replace_outdated(&mut self, spec: &Value, hash: &str, by_node: &BTreeMap<Name, Vec<Arc<PodRow>>>) {
        if spec["updateStrategy"]["type"] == "OnDelete" {
            return;
        }
        let total = i64::try_from(by_node.len()).unwrap_or(i64::MAX);
        let most = match &spec["updateStrategy"]["rollingUpdate"]["maxUnavailable"] {
            Value::Null => 1,
            value => amount(value, total).max(1),
        };
        let rows = || by_node.values().flatten();
        let missing = rows().filter(|p| !p.is_ready() || !p.is_active()).count();
        let mut room = usize::try_from(most).unwrap_or(1).saturating_sub(missing);
        let old = rows().filter(|p| p.is_active() && p.labels.get(HASH).is_none_or(|h| **h != *hash));
        for row in old {
            // A pod that does not work is no loss.
            if row.is_ready() {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            self.remove_pod(row);
        }
    }

    fn daemon_status(&mut self, key: &Key, uid: &str, pod: &PodSpec, hash: &str) {
        let desired: Vec<Name> = self
            .index
            .nodes
            .values()
            .filter(|n| runs(pod, n))
            .map(|n| n.name.clone())
            .collect();
        let rows: Vec<Arc<PodRow>> = self
            .index
            .pods_of(uid)
            .filter(|r| r.is_active() && r.node.is_some())
            .cloned()
            .collect();
        let well = |r: &PodRow| r.node.as_ref().is_some_and(|n| desired.binary_search(n).is_ok());
        let current = rows.iter().filter(|r| well(r)).count();
        let ready = rows.iter().filter(|r| well(r) && r.is_ready()).count();
        let updated = rows
            .iter()
            .filter(|r| well(r) && r.labels.get(HASH).is_some_and(|h| **h == *hash))
            .count();
        self.change("daemonsets.apps", key, |object| {
            let generation = object["metadata"]["generation"].clone();
            let status = object_at(object, &["status"]);
            status.insert("observedGeneration".into(), generation);
            for (field, value) in [
                ("desiredNumberScheduled", desired.len()),
                ("currentNumberScheduled", current),
                ("numberMisscheduled", rows.len() - current),
                ("numberReady", ready),
                ("numberAvailable", ready),
                ("updatedNumberScheduled", updated),
                ("numberUnavailable", desired.len().saturating_sub(ready)),
            ] {
                status.insert(field.into(), json!(value));
            }
        });
    }
}

/// Whether a pod shall be made on the node.
fn runs(pod: &PodSpec, node: &NodeRow) -> bool {
    node_matches(pod, &node.labels)
        && untolerated(&node.taints, &pod.tolerations).all(|t| t.effect == TaintEffect::PreferNoSchedule)
}

/// Whether a pod that is there may stay: `NoSchedule` taints do not push it out.
fn stays(pod: &PodSpec, node: &NodeRow) -> bool {
    node_matches(pod, &node.labels)
        && untolerated(&node.taints, &pod.tolerations).all(|t| t.effect != TaintEffect::NoExecute)
}

/// What the `DaemonSet` controller adds to every pod.
fn standard_tolerations(host_network: bool) -> Vec<(&'static str, TaintEffect)> {
    let mut out = vec![
        (NOT_READY, TaintEffect::NoExecute),
        (UNREACHABLE, TaintEffect::NoExecute),
        (NOT_READY, TaintEffect::NoSchedule),
        (UNREACHABLE, TaintEffect::NoSchedule),
        ("node.kubernetes.io/disk-pressure", TaintEffect::NoSchedule),
        ("node.kubernetes.io/memory-pressure", TaintEffect::NoSchedule),
        ("node.kubernetes.io/pid-pressure", TaintEffect::NoSchedule),
        (UNSCHEDULABLE, TaintEffect::NoSchedule),
    ];
    if host_network {
        out.push(("node.kubernetes.io/network-unavailable", TaintEffect::NoSchedule));
    }
    out
}

/// Ties a pod to its node by field, as the controller does, and adds the standard tolerations.
fn pin(pod: &mut Value, node: &str, host_network: bool) {
    let field = json!([{"key": "metadata.name", "operator": "In", "values": [node]}]);
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let place = object_at(pod, &["spec", "affinity", "nodeAffinity", required]);
    match place.get_mut("nodeSelectorTerms").and_then(Value::as_array_mut) {
        Some(terms) if !terms.is_empty() => {
            for term in terms {
                object_at(term, &[]).insert("matchFields".into(), field.clone());
            }
        }
        _ => {
            place.insert("nodeSelectorTerms".into(), json!([{"matchFields": field}]));
        }
    }
    let spec = object_at(pod, &["spec"]);
    let mut tolerations = spec
        .get("tolerations")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for (key, effect) in standard_tolerations(host_network) {
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": effect.as_str()}));
    }
    spec.insert("tolerations".into(), Value::Array(tolerations));
}
