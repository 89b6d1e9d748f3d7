//! Limits of a what-if: past them its answer is not wanted any more.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::Solver;
use crate::decide::scheduling::Solution;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::Name;

static NOBODY: BTreeSet<Name> = BTreeSet::new();

/// What ends a solve early, and what it may not use.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'b> {
    /// One more new claim than that ends it.
    pub most_claims: Option<usize>,
    /// The first pod without a place ends it, except these.
    pub ends_at_failure: bool,
    pub may_fail: &'b BTreeSet<Name>,
    /// Nodes that take no pods, by name; they stay where they are.
    pub closed: &'b BTreeSet<Name>,
    /// New claims are made of types with at most so many milli-CPUs.
    pub largest_cpu: Option<i64>,
    /// Nodes inside their pool's `consolidateAfter` window take pods too.
    pub windows_open: bool,
}

impl Default for Bounds<'_> {
    fn default() -> Self {
        Self {
            most_claims: None,
            ends_at_failure: false,
            may_fail: &NOBODY,
            closed: &NOBODY,
            largest_cpu: None,
            windows_open: false,
        }
    }
}

/// A solution, or the reason why it was not finished.
#[derive(Clone, Debug, Default)]
pub struct Bounded {
    pub solution: Solution,
    /// More new claims would be needed than were allowed; the solution is empty.
    pub too_many: bool,
}

/// Types of each template that are small enough.
pub fn small_enough(p: &Prepared, largest_cpu: i64) -> Vec<FixedBitSet> {
    let of_template = |t: &crate::decide::scheduling::templates::Template| {
        let mut out = t.index.none();
        let types = t.catalogue.types().iter().enumerate();
        out.extend(
            types
                .filter(|(_, k)| k.capacity.cpu <= largest_cpu)
                .map(|(i, _)| i),
        );
        out
    };
    p.templates.usable.iter().map(of_template).collect()
}

impl Solver<'_> {
    /// Whether a placement went past what is wanted.
    pub(super) fn has_too_many(&self) -> bool {
        self.bounds
            .most_claims
            .is_some_and(|most| self.claims.len() > most)
    }

    /// Whether a failure makes the rest pointless: nothing that is placed later could help that pod. Topology could.
    pub(super) fn ends_at(&self, item: usize) -> bool {
        self.bounds.ends_at_failure
            && !self.bounds.may_fail.contains(&self.items[item].key)
            && self.shapes[self.items[item].shape]
                .levels
                .iter()
                .all(|form| self.forms[*form].member.is_free())
    }
}
