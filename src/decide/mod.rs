//! Pure decisions: same snapshot, memory, time and fuel give the same outcome, to the byte.
//!
//! `scheduling` finds places for pods, `disruption` takes nodes away, `lifecycle` walks claims from creation to
//! deletion. [`Outcome`] is what each returns for one pass.

pub mod backoff;
pub mod disruption;
pub mod explain;
pub mod lifecycle;
pub mod packing;
pub mod pods;
pub mod scheduling;
pub mod spelling;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::Name;
use crate::model::decision::{DecisionId, Effect, Proposal, Verdict};

/// What changed since the last pass, so that nothing walks what did not.
#[derive(Clone, Debug, Default)]
pub struct Dirty {
    /// Everything is to be looked at: the first pass, a relist, a restart.
    pub all: bool,
    /// Pod keys.
    pub pods: BTreeSet<Name>,
    pub nodes: BTreeSet<Name>,
    pub claims: BTreeSet<Name>,
    pub pools: BTreeSet<Name>,
    pub classes: BTreeSet<Name>,
}

/// What is held or under way and must not be decided again (decisions §6).
#[derive(Clone, Debug, Default)]
pub struct Reserved {
    /// Pods of held or acting provisioning decisions.
    pub pods: BTreeSet<Name>,
    /// Candidates of held or acting disruptions → reason (`Empty`, `Drifted`, `Underutilized`); they count
    /// against budgets.
    pub nodes: std::collections::BTreeMap<Name, Name>,
    /// Effect keys under way.
    pub effects: BTreeSet<String>,
    /// Sets of candidates a person rejected, sorted and joined by `,` → until when they rest.
    pub rejected: std::collections::BTreeMap<Name, Timestamp>,
    /// Pools whose provisioning and disruption are paused.
    pub paused_pools: BTreeSet<Name>,
}

/// A count of candidate checks: the limit of a decision that has no wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Fuel(pub u64);

impl Fuel {
    pub const UNLIMITED: Self = Self(u64::MAX);

    /// Takes `n`; false when it ran out.
    pub fn take(&mut self, n: u64) -> bool {
        let left = self.0.checked_sub(n);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// A step of something begun earlier, or housekeeping: never asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The decision it belongs to, where known.
    pub decision: Option<DecisionId>,
    pub effect: Effect,
}

/// What one room of `decide` has to say after a pass.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub proposals: Vec<Proposal>,
    pub steps: Vec<Step>,
    /// The newest verdict of every node that this pass looked at.
    pub verdicts: Vec<Verdict>,
    /// The only timer a room may ask for.
    pub wake_at: Option<Timestamp>,
}

impl Outcome {
    pub fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |w| w.min(at)));
    }

    pub fn merge(&mut self, other: Self) {
        self.proposals.extend(other.proposals);
        self.steps.extend(other.steps);
        self.verdicts.extend(other.verdicts);
        if let Some(at) = other.wake_at {
            self.wake(at);
        }
    }
}

/// Settings that change decisions, all under Karpenter's names (commands.md).
#[derive(Clone, Debug)]
pub struct Settings {
    /// No deviation from Karpenter that changes a plan (decisions §4).
    pub parity: bool,
    pub batch_idle: std::time::Duration,
    pub batch_max: std::time::Duration,
    pub min_values_best_effort: bool,
    pub ignore_preferences: bool,
    pub reserved_capacity: bool,
    pub spot_to_spot: bool,
    pub node_repair: bool,
    pub node_overlay: bool,
    pub static_capacity: bool,
    pub capacity_buffer: bool,
    /// Given to pods without spread constraints of their own; without selectors (`scheduling §18.7`).
    pub default_spread: Vec<crate::model::pod::SpreadConstraint>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parity: false,
            batch_idle: std::time::Duration::from_secs(1),
            batch_max: std::time::Duration::from_secs(10),
            min_values_best_effort: false,
            ignore_preferences: false,
            reserved_capacity: true,
            spot_to_spot: false,
            node_repair: false,
            node_overlay: false,
            static_capacity: false,
            capacity_buffer: false,
            default_spread: Vec::new(),
        }
    }
}
