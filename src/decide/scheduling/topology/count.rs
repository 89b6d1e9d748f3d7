//! Counting the pods that are there already (`scheduling §18.3`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::Group;
use super::universe::accepts;
use super::{Prepared, Topology};
use crate::api::names;
use crate::model::{Labels, Name, Pod};

/// Pods with the position of their node.
pub type Bound = Vec<(usize, Arc<Pod>)>;

/// Bound pods by namespace and labels, so that a selector is asked once a set of labels.
#[derive(Debug, Default)]
pub struct CountIndex {
    classes: BTreeMap<(Name, Arc<Labels>), Bound>,
    /// Pods that carry a required anti-affinity term.
    pub carriers: Bound,
}

impl CountIndex {
    /// Pods that count: bound to a Node that is there, neither terminal nor terminating.
    pub fn new(nodes: &[super::super::prepare::Target]) -> Self {
        let mut out = Self::default();
        let mut shared: BTreeMap<(Name, usize), Bound> = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate().filter(|(_, n)| n.state.node.is_some()) {
            for pod in node.pods.iter().filter(|p| p.is_active()) {
                // One map by address first: equal labels mostly share one allocation.
                shared
                    .entry((pod.namespace.clone(), Arc::as_ptr(&pod.labels) as usize))
                    .or_default()
                    .push((i, pod.clone()));
                if pod.spec.anti_affinity.iter().any(|t| t.weight.is_none()) {
                    out.carriers.push((i, pod.clone()));
                }
            }
        }
        for ((namespace, _), pods) in shared {
            if let Some((_, first)) = pods.first() {
                let key = (namespace, first.labels.clone());
                out.classes.entry(key).or_default().extend(pods);
            }
        }
        out
    }
}

/// The domain of a node for a key: its label, for hostname the node's name where it has none.
pub(super) fn domain_of<'b>(prepared: &'b Prepared, node: usize, key: &str) -> Option<&'b Name> {
    let state = &prepared.nodes.get(node)?.state;
    match state.labels.get(key) {
        None if key == names::HOSTNAME => Some(&state.hostname),
        found => found,
    }
}

impl Topology<'_> {
    /// Adds the pods of the cluster to a new group.
    pub(super) fn count_existing(&self, group: &mut Group) {
        let mut accepted: BTreeMap<usize, bool> = BTreeMap::new();
        for ((namespace, labels), pods) in &self.prepared.counts().classes {
            if !group.counted(namespace, labels) {
                continue;
            }
            for (node, pod) in pods {
                let Some(domain) = domain_of(self.prepared, *node, &group.key) else {
                    continue;
                };
                if self.batch.contains(&pod.key()) {
                    continue;
                }
                let takes = *accepted.entry(*node).or_insert_with(|| {
                    group
                        .filter
                        .as_ref()
                        .is_none_or(|f| accepts(f, &self.prepared.nodes[*node].state))
                });
                if takes {
                    group.count(domain);
                }
            }
        }
    }

    /// Where the carriers of an inverse group are.
    pub(super) fn bound_carriers(&self) -> Bound {
        let batch: &BTreeSet<Name> = &self.batch;
        self.prepared
            .counts()
            .carriers
            .iter()
            .filter(|(_, pod)| !batch.contains(&pod.key()))
            .cloned()
            .collect()
    }
}
