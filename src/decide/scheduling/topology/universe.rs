//! The domains that a key can have (`scheduling §18.2`).

use fixedbitset::FixedBitSet;

use super::group::NodeFilter;
use super::values::Values;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::Name;
use crate::model::taints::{Toleration, untolerated};

/// Domains from pools and their types. `tolerations`: only those that some pool offers behind tolerated taints.
pub(super) fn of_pools(
    prepared: &Prepared,
    key: &Name,
    tolerations: Option<&[Toleration]>,
    values: &Values,
) -> FixedBitSet {
    let mut out = FixedBitSet::with_capacity(values.len());
    for source in &prepared.templates.sources {
        if tolerations.is_some_and(|t| untolerated(&source.taints, t).next().is_some()) {
            continue;
        }
        let of_pool = source.requirements.get(key);
        let of_types = source
            .index
            .values(key)
            .filter(|v| of_pool.is_none_or(|r| r.has(v)));
        // Q10: values that a pool excludes are no domains.
        let named = of_pool
            .filter(|r| !r.complement || prepared.settings.parity)
            .into_iter()
            .flat_map(|r| &r.values);
        out.extend(
            of_types
                .chain(named)
                .filter_map(|v| values.id(v))
                .map(|d| d as usize),
        );
    }
    out
}

/// The nodes that a filter takes.
pub(super) fn taken(prepared: &Prepared, filter: &NodeFilter) -> FixedBitSet {
    let mut out = FixedBitSet::with_capacity(prepared.nodes.len());
    if filter.terms.is_empty() {
        out.insert_range(..);
    }
    for term in &filter.terms {
        out.union_with(&prepared.node_labels.all_matching(term));
    }
    if let Some(tolerations) = &filter.tolerations {
        for (i, node) in prepared.nodes.iter().enumerate() {
            // What the Node itself says, not the taints that placing looks at.
            let taints = node.state.node.as_ref().map_or(&node.state.taints, |n| &n.taints);
            if untolerated(taints, tolerations).next().is_some() {
                out.set(i, false);
            }
        }
    }
    out
}
