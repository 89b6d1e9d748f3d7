//! Guards: what stops the autoscaler before a mistake becomes dear. A guard that trips turns `auto` into a question
//! (or leaves a pod or a disruption alone), raises an alarm and stays tripped until a person releases it.
//!
//! | guard | trips when |
//! |---|---|
//! | `runaway` | a third machine would be bought for a pod that two machines did not help |
//! | `spend`, `nodes` | a decision would exceed a ceiling, of a pool, of the whole or of one hour |
//! | `flap` | a machine would be replaced by what it replaced itself within a day, nothing else having changed |
//! | `fail-static` | prices are missing, the API flaps, or too many nodes are not Ready: nothing is disrupted |
//!
//! All of them look at values that the engine hands them; they know neither snapshot nor clock.

mod ceilings;
mod fail_static;
mod flap;
mod limits;
mod runaway;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::decision::{Decision, DecisionId, Effect, Kind};
use crate::model::{Name, UsdPerHour};

pub use fail_static::Health;
pub use limits::{GuardFlag, Limits};
pub use runaway::Purchase;

/// Which guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    Runaway,
    Spend,
    Nodes,
    Flap,
    FailStatic,
}

impl Guard {
    pub const ALL: [Self; 5] = [
        Self::Runaway,
        Self::Spend,
        Self::Nodes,
        Self::Flap,
        Self::FailStatic,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runaway => "runaway",
            Self::Spend => "spend",
            Self::Nodes => "nodes",
            Self::Flap => "flap",
            Self::FailStatic => "fail-static",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.as_str() == text)
    }
}

/// A guard that tripped: since when, and on what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trip {
    pub since: Timestamp,
    pub text: String,
}

/// The fleet as the ceilings see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    pub nodes: u32,
    pub usd_per_hour: UsdPerHour,
    /// Pool → nodes and price.
    pub pools: BTreeMap<Name, (u32, UsdPerHour)>,
    /// Equal as long as workloads and manifests are.
    pub fingerprint: u64,
}

/// What guards look at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub fleet: &'a Fleet,
    pub health: &'a Health,
    pub limits: &'a Limits,
    pub now: Timestamp,
}

/// What a guard says of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A person decides.
    Ask(Guard, String),
    /// These pods are not planned for any more; the rest may be proposed anew.
    Pods(BTreeSet<Name>, String),
    /// Not now.
    Drop(Guard),
}

/// Memory of all guards. Trips outlive a restart (in `Supervision`), counts do not.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    runaway: runaway::Runaway,
    hour: ceilings::Hour,
    flap: flap::Flap,
    fail_static: fail_static::FailStatic,
    /// Decisions that wait because of a guard.
    held: BTreeMap<DecisionId, Guard>,
}

/// Disruptions that can wait.
fn is_voluntary(decision: &Decision) -> bool {
    let waits = matches!(
        decision.kind,
        Kind::Emptiness | Kind::Consolidation | Kind::Drift | Kind::Static | Kind::Expiration
    );
    let creates_only = decision
        .effects
        .iter()
        .all(|e| matches!(e, Effect::CreateClaim(_)));
    waits && !(decision.kind == Kind::Static && creates_only)
}

fn note(trips: &mut BTreeMap<Guard, Trip>, guard: Guard, text: &str, now: Timestamp) {
    trips.entry(guard).or_insert_with(|| Trip {
        since: now,
        text: text.to_owned(),
    });
}

impl Guards {
    /// Looks at a proposal that the policy would carry out, and notes what trips. `stage` tells how far a claim has
    /// come.
    pub fn check(
        &mut self,
        decision: &Decision,
        look: &Look<'_>,
        trips: &mut BTreeMap<Guard, Trip>,
        stage: impl Fn(&str) -> String,
    ) -> Option<Stop> {
        if is_voluntary(decision) {
            let cause = self
                .fail_static
                .cause(decision, look.health, look.limits, look.now);
            if let Some(text) = &cause {
                note(trips, Guard::FailStatic, text, look.now);
            }
            if cause.is_some() || trips.contains_key(&Guard::FailStatic) {
                return Some(Stop::Drop(Guard::FailStatic));
            }
        } else if let Some((pods, text)) = self.runaway.offenders(decision, look.limits, stage) {
            note(trips, Guard::Runaway, &text, look.now);
            return Some(Stop::Pods(pods, text));
        }
        let flaps = self.flap.returns(decision, look.fleet, look.now);
        let (guard, text) = match flaps {
            Some(text) => (Guard::Flap, text),
            None => self.hour.exceeded(decision, look.fleet, look.limits, look.now)?,
        };
        note(trips, guard, &text, look.now);
        self.held.insert(decision.id, guard);
        Some(Stop::Ask(guard, text))
    }

    /// A machine was launched for a claim of a decision.
    pub fn bought(&mut self, purchase: &Purchase, pods: &[Name], price: UsdPerHour, now: Timestamp) {
        self.hour.bought(price, now);
        self.runaway.bought(purchase, pods);
    }

    /// A pod was bound, ended or left: whatever was bought for it has served or is forgotten.
    pub fn progress(&mut self, pod: &str) {
        self.runaway.progress(pod);
    }

    /// A disruption begins: what replaces what is remembered for a day.
    pub fn begun(&mut self, decision: &Decision, fleet: &Fleet, now: Timestamp) {
        self.held.remove(&decision.id);
        self.flap.begun(decision, fleet, now);
    }

    /// The cluster's API was lost or is back.
    pub fn connection(&mut self, lost_since: Option<Timestamp>, now: Timestamp) {
        self.fail_static.connection(lost_since, now);
    }

    /// Pods that are not planned for any more.
    pub fn stopped_pods(&self) -> impl Iterator<Item = &Name> {
        self.runaway.stopped()
    }

    /// A person lets a guard go: its memory starts anew, and the decisions that waited for it are given.
    pub fn released(&mut self, guard: Guard) -> Vec<DecisionId> {
        match guard {
            Guard::Runaway => self.runaway.forget(),
            Guard::Flap => self.flap.forget(),
            Guard::FailStatic => self.fail_static.excuse(),
            Guard::Spend | Guard::Nodes => self.hour.forget(),
        }
        let waiting: Vec<DecisionId> = self
            .held
            .iter()
            .filter(|(_, g)| **g == guard)
            .map(|(id, _)| *id)
            .collect();
        self.held.retain(|_, g| *g != guard);
        waiting
    }
}
