//! The domains that a key can have (`scheduling §18.2`).

use fixedbitset::FixedBitSet;

use super::group::NodeFilter;
use super::values::Values;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::{Name, Taint};

/// Domains from pools and their types, of the pools whose taints are within `reach`.
pub(super) fn of_pools(
    prepared: &Prepared,
    key: &Name,
    reach: impl Fn(&[Taint]) -> bool,
    values: &Values,
) -> FixedBitSet {
    let mut out = FixedBitSet::with_capacity(values.len());
    for source in &prepared.templates.sources {
        if !reach(&source.taints) {
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
    if filter.tolerations.is_some() {
        for (i, node) in prepared.nodes.iter().enumerate() {
            // Upstream looks at what the Node itself says, also at taints that it will lose when it has started.
            let now = node.state.node.as_ref().filter(|_| filter.any_effect);
            if !filter.bears(now.map_or(&node.state.taints, |n| &n.taints)) {
                out.set(i, false);
            }
        }
    }
    out
}
