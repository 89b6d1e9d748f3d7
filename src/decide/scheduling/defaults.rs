//! Spread constraints that a cluster gives pods without their own (`scheduling §18.7`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::prepare::Prepared;
use crate::model::pod::{SpreadConstraint, pod_key};
use crate::model::selector::{SelectorExpression, SelectorOperator};
use crate::model::{LabelSelector, Labels, Name, Pod, PodSpec, Snapshot};

/// The selector that the pod's Services and its controller agree on; `None` when they say nothing.
pub fn deduced(snapshot: &Snapshot, pod: &Pod) -> Option<LabelSelector> {
    let mut merged = Labels::new();
    for service in snapshot
        .services
        .values()
        .filter(|s| s.namespace == pod.namespace)
    {
        let Some(selector) = &service.selector else {
            continue;
        };
        if selector.iter().all(|(k, v)| pod.labels.get(k) == Some(v)) {
            merged.extend(selector.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    let mut expressions = Vec::new();
    if let Some(owner) = pod.owners.iter().find(|o| o.controller) {
        let key = pod_key(&pod.namespace, &owner.name);
        let selector = match &*owner.kind {
            "ReplicationController" => {
                let found = snapshot.replication_controllers.get(&key);
                if let Some(selector) = found.and_then(|c| c.selector.as_ref()) {
                    merged.extend(selector.match_labels.clone());
                }
                None
            }
            "ReplicaSet" => snapshot.replica_sets.get(&key).and_then(|r| r.selector.as_ref()),
            "StatefulSet" => snapshot.stateful_sets.get(&key).and_then(|s| s.selector.as_ref()),
            _ => None,
        };
        if let Some(selector) = selector {
            expressions.extend(selector.match_labels.iter().map(|(k, v)| SelectorExpression {
                key: k.clone(),
                operator: SelectorOperator::In,
                values: vec![v.clone()],
            }));
            expressions.extend(selector.expressions.iter().cloned());
        }
    }
    let out = LabelSelector {
        match_labels: merged,
        expressions,
    };
    (out != LabelSelector::default()).then_some(out)
}

/// Gives every pod of a batch that has no constraint of its own the cluster's, on copies.
pub fn apply(p: &Prepared, pods: &mut [(Name, Arc<Pod>)]) {
    let defaults: &[SpreadConstraint] = &p.settings.default_spread;
    if defaults.is_empty() {
        return;
    }
    // Equal pods keep sharing one spec, so that they stay one shape.
    let mut known: BTreeMap<(Arc<PodSpec>, Option<LabelSelector>), Arc<PodSpec>> = BTreeMap::new();
    for (_, pod) in pods.iter_mut().filter(|(_, pod)| pod.spec.spread.is_empty()) {
        let Some(selector) = deduced(&p.snapshot, pod) else {
            continue;
        };
        let spec = known
            .entry((pod.spec.clone(), Some(selector.clone())))
            .or_insert_with(|| {
                let mut spec = (*pod.spec).clone();
                spec.spread = defaults
                    .iter()
                    .map(|d| SpreadConstraint {
                        selector: Some(selector.clone()),
                        ..d.clone()
                    })
                    .collect();
                Arc::new(spec)
            })
            .clone();
        *pod = Arc::new(Pod {
            spec,
            ..(**pod).clone()
        });
    }
}
