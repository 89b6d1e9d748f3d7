//! The domains that a key can have (`scheduling §18.2`).

use std::collections::BTreeSet;

use super::Place;
use super::Topology;
use super::group::NodeFilter;
use crate::api::names;
use crate::model::taints::{Toleration, untolerated};
use crate::model::{Name, Requirement, Requirements};

impl Topology<'_> {
    /// From pools and their types, and from the nodes that `filter` accepts. `tolerations`: only domains that some pool
    /// offers behind tolerated taints. `of_nodes`: whether the labels of nodes count as well.
    pub(super) fn domains(
        &self,
        key: &Name,
        filter: Option<&NodeFilter>,
        tolerations: Option<&[Toleration]>,
        of_nodes: bool,
    ) -> BTreeSet<Name> {
        let mut out = BTreeSet::new();
        if **key == *names::HOSTNAME {
            return out;
        }
        for source in &self.prepared.templates.sources {
            if tolerations.is_some_and(|t| untolerated(&source.taints, t).next().is_some()) {
                continue;
            }
            let of_pool = source.requirements.get(key);
            out.extend(
                source
                    .index
                    .values(key)
                    .filter(|v| of_pool.is_none_or(|r| r.has(v)))
                    .cloned(),
            );
            if let Some(r) = of_pool
                && (!r.complement || self.parity)
            {
                out.extend(r.values.iter().cloned());
            }
        }
        for node in self.prepared.nodes.iter().map(|n| &n.state).filter(|_| of_nodes) {
            if node.node.is_none() || node.marked || self.without.contains(&node.name) {
                continue;
            }
            let Some(domain) = node.labels.get(key) else {
                continue;
            };
            if !out.contains(domain) && filter.is_none_or(|f| accepts(f, node)) {
                out.insert(domain.clone());
            }
        }
        out
    }
}

/// Whether a filter takes a node that is there.
pub(super) fn accepts(filter: &NodeFilter, node: &super::super::state::StateNode) -> bool {
    let mut labels = Requirements::from_labels(&node.labels);
    labels
        .0
        .entry(names::HOSTNAME.into())
        .or_insert_with(|| Requirement::is_in(names::HOSTNAME, [node.hostname.clone()]));
    filter.accepts(&Place {
        requirements: &labels,
        hostname: &node.hostname,
        taints: node.node.as_ref().map_or(&node.taints, |n| &n.taints),
    })
}
