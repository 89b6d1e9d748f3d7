//! Finding places for pods (`scheduling.md`).

use std::collections::BTreeSet;

use jiff::Timestamp;

pub mod arena;
pub mod batch;
pub mod buffer_status;
pub mod buffers;
pub mod daemons;
pub mod defaults;
pub mod demand;
pub mod labels;
pub mod min_values;
pub mod ports;
pub mod prepare;
pub mod relax;
pub mod reserved;
pub mod revalidate;
pub mod room;
pub mod state;
pub mod templates;
pub mod topology;
pub mod validate;
pub mod vocabulary;
pub mod volumes;
pub mod window;

pub use batch::{Memory, pass};
pub use prepare::{Prepared, prepare};
pub use revalidate::revalidate;

use super::{Fuel, Settings};
use crate::model::decision::ClaimDraft;
use crate::model::decision::evidence::{ClaimEvidence, Unschedulable};
use crate::model::decision::remedy::Relaxed;
use crate::model::{Name, Snapshot, UsdPerHour};

/// What to place and what to leave out.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    pub snapshot: &'a Snapshot,
    /// Keys of the pods to place; bound ones among them are taken off their nodes first.
    pub pods: &'a [Name],
    /// Nodes that count as gone.
    pub without: &'a BTreeSet<Name>,
    pub now: Timestamp,
    pub settings: &'a Settings,
    pub purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Strict reserved mode, full evidence.
    Provision,
    /// A what-if of disruption (`scheduling §22`): reserved fallback, no evidence beyond the claims' prices,
    /// destinations inside their pool's `consolidateAfter` window are skipped.
    Simulate,
}

/// Where everything would go.
#[derive(Clone, Debug, Default)]
pub struct Solution {
    /// In order of opening.
    pub claims: Vec<Planned>,
    /// Target (node, or in-flight claim that is no node yet) → pods, in placement order.
    pub existing: std::collections::BTreeMap<Name, Vec<Name>>,
    pub unschedulable: Vec<Unschedulable>,
    /// Pods that wait until the reserved capacity within their reach is settled: planned again in the next pass, and
    /// neither placed nor refused now (`scheduling §20`).
    pub deferred: Vec<Unschedulable>,
    /// What placed pods had to give up; empty in simulations.
    pub relaxed: Vec<Relaxed>,
}

impl Solution {
    /// Σ expected price of the new claims.
    pub fn price(&self) -> UsdPerHour {
        self.claims
            .iter()
            .filter_map(|c| c.draft.expected.as_ref())
            .map(|e| e.price_per_hour)
            .sum()
    }

    /// How many pods got a place.
    pub fn placed(&self) -> usize {
        let new: usize = self.claims.iter().map(|c| c.draft.pods.len()).sum();
        new + self.existing.values().map(Vec::len).sum::<usize>()
    }
}

/// One new claim.
#[derive(Clone, Debug)]
pub struct Planned {
    pub draft: ClaimDraft,
    pub evidence: ClaimEvidence,
}

/// Solves one problem (`scheduling §16`, `§17`).
pub fn solve(problem: &Problem<'_>, fuel: &mut Fuel) -> Solution {
    let prepared = prepare(problem.snapshot, problem.settings, problem.now);
    solve_prepared(&prepared, problem, fuel)
}

/// Solves one problem on a picture that was compiled before; `prepared` must be of `problem.snapshot`.
pub fn solve_prepared(prepared: &Prepared, problem: &Problem<'_>, fuel: &mut Fuel) -> Solution {
    super::packing::karpenter::solve(prepared, problem, fuel)
}

/// As [`solve_prepared`], given up as soon as `bounds` are passed.
pub fn solve_bounded(
    prepared: &Prepared,
    problem: &Problem<'_>,
    bounds: &super::packing::karpenter::Bounds<'_>,
    fuel: &mut Fuel,
) -> super::packing::karpenter::Bounded {
    super::packing::karpenter::solve_bounded(prepared, problem, bounds, fuel)
}

#[cfg(test)]
pub(crate) mod tests;
