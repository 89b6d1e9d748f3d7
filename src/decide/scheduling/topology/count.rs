//! Counting the pods that are there already (`scheduling §18.3`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::prepare::{Prepared, Target};
use crate::api::names;
use crate::model::{Labels, Name, Pod};

/// Pods with the position of their node.
pub type Bound = Vec<(usize, Arc<Pod>)>;

/// (node, pods there), in order of the nodes.
type Counts = Vec<(u32, u32)>;

/// Bound pods by namespace and labels, so that a selector is asked once a set of labels.
#[derive(Debug, Default)]
pub struct CountIndex {
    pub classes: BTreeMap<(Name, Arc<Labels>), Counts>,
    /// Pods that carry a required anti-affinity term, in order of their nodes.
    pub carriers: Bound,
}

impl CountIndex {
    /// Pods that count: bound to a Node that is there, neither terminal nor terminating.
    pub fn new(nodes: &[Target]) -> Self {
        let mut out = Self::default();
        // One map by address first: equal labels mostly share one allocation.
        let mut by_address: BTreeMap<(usize, &Name), (&Arc<Labels>, Counts)> = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate().filter(|(_, n)| n.state.node.is_some()) {
            let at = u32::try_from(i).unwrap_or(u32::MAX);
            for pod in node.pods.iter().filter(|p| p.is_active()) {
                let key = (Arc::as_ptr(&pod.labels) as usize, &pod.namespace);
                let (_, counts) = by_address.entry(key).or_insert_with(|| (&pod.labels, Vec::new()));
                add(counts, at, 1);
                if pod.spec.anti_affinity.iter().any(|t| t.weight.is_none()) {
                    out.carriers.push((i, pod.clone()));
                }
            }
        }
        for ((_, namespace), (labels, counts)) in by_address {
            let class = out
                .classes
                .entry((namespace.clone(), labels.clone()))
                .or_default();
            if class.is_empty() {
                *class = counts;
            } else {
                class.extend(counts);
            }
        }
        out
    }

    /// Positions among the carriers of those on one node.
    pub fn carriers_on(&self, node: usize) -> std::ops::Range<usize> {
        let start = self.carriers.partition_point(|(i, _)| *i < node);
        let end = self.carriers.partition_point(|(i, _)| *i <= node);
        start..end
    }
}

fn add(counts: &mut Vec<(u32, u32)>, node: u32, pods: u32) {
    match counts.last_mut() {
        Some((last, n)) if *last == node => *n += pods,
        _ => counts.push((node, pods)),
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
