//! The searching behind explanations; the wording is in `words`.
//!
//! A [`Study`] is one plan with the state that it was made in. It is asked, in rising order of price: where a pod was
//! tried and the first failing check of each place; which single change would give it a place (`remedies`, found by
//! planning again with each candidate change); what a constraint of placed pods costs (`costs`, the plan with it
//! against the plan without). Nothing of this runs on the plain path. Every question takes an [`Effort`]: fuel, a
//! number of plans, and a way to be called off.

mod apply;
mod candidates;
mod costs;
mod options;
mod remedies;
mod study;
#[cfg(test)]
mod tests;

pub use options::options;
pub use study::{Effort, Study, places_of};

pub use super::packing::karpenter::{Asked, PoolAsked, Seat};

use std::sync::Arc;

use super::packing::karpenter::Tried;
use super::scheduling::Prepared;
use crate::model::Pod;

/// Every place that a pod was tried at, with its first failing check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// In weight order; `None`: it fits there. One entry without a name when the pod is never considered.
    pub pools: Tried,
    /// Existing nodes and claims that boot, closest first.
    pub nodes: Tried,
}

/// Why a pod has no place, as the picture has it, with nothing planned.
pub fn why_pending_prepared(prepared: &Prepared, pod: &Pod) -> Places {
    let asked = places_of(prepared, &Arc::new(pod.clone()));
    Places {
        pools: asked.pools.into_iter().map(|p| (p.pool, p.refusal)).collect(),
        nodes: asked.nodes,
    }
}
