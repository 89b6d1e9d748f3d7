//! Fail-static: what is seen is not to be trusted, so what runs is left alone.

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Limits;
use crate::model::decision::{Decision, Evidence};
use crate::model::{Name, UsdPerHour};

/// The API flaps when it was lost so often …
const LOSSES: usize = 3;
/// … within this time, or is lost for as long as that.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);
const LOST_FOR: SignedDuration = SignedDuration::from_secs(30);
/// A share of very few nodes means nothing.
const LEAST_NODES: u32 = 3;

/// How the cluster looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Nodes of ours that have started, are not being deleted, and are not Ready; and all such nodes.
    pub not_ready: u32,
    pub nodes: u32,
    /// NodePools with nodes whose prices are not known.
    pub without_prices: BTreeSet<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Prices,
    Api,
    NotReady,
}

#[derive(Clone, Debug, Default)]
pub struct FailStatic {
    losses: VecDeque<Timestamp>,
    lost_since: Option<Timestamp>,
    causes: BTreeSet<Cause>,
    /// A person said to go on in spite of these, for as long as they last.
    excused: BTreeSet<Cause>,
}

impl FailStatic {
    pub fn connection(&mut self, lost_since: Option<Timestamp>, now: Timestamp) {
        if lost_since.is_some() && self.lost_since.is_none() {
            self.losses.push_back(now);
        }
        self.lost_since = lost_since;
        while self
            .losses
            .front()
            .is_some_and(|at| now.duration_since(*at) > WITHIN)
        {
            self.losses.pop_front();
        }
    }

    /// Goes on in spite of what is wrong now.
    pub fn excuse(&mut self) {
        self.excused.extend(self.causes.iter().copied());
    }

    /// Why nothing may be disrupted, if so.
    pub fn cause(
        &mut self,
        decision: &Decision,
        health: &Health,
        limits: &Limits,
        now: Timestamp,
    ) -> Option<String> {
        self.connection(self.lost_since, now);
        let mut found: Vec<(Cause, String)> = Vec::new();
        if let Some(what) = without_price(decision, health) {
            found.push((Cause::Prices, format!("prices are missing for {what}")));
        }
        let lost = self
            .lost_since
            .is_some_and(|at| now.duration_since(at) >= LOST_FOR);
        if lost || self.losses.len() >= LOSSES {
            let text = format!(
                "the API server was lost {} times within 10 min",
                self.losses.len()
            );
            found.push((Cause::Api, text));
        }
        let (bad, all) = (health.not_ready, health.nodes);
        if bad >= LEAST_NODES && u64::from(bad) * 100 > u64::from(all) * u64::from(limits.not_ready_percent) {
            found.push((Cause::NotReady, format!("{bad} of {all} nodes are not Ready")));
        }
        self.causes = found.iter().map(|(c, _)| *c).collect();
        self.excused.retain(|c| self.causes.contains(c));
        found
            .into_iter()
            .find(|(cause, _)| !self.excused.contains(cause))
            .map(|(_, text)| format!("nothing is disrupted: {text}"))
    }
}

/// A candidate without a price, or of a pool without prices.
fn without_price(decision: &Decision, health: &Health) -> Option<String> {
    let Evidence::Disruption(evidence) = &decision.evidence else {
        return health.without_prices.first().map(|p| format!("NodePool {p}"));
    };
    evidence
        .candidates
        .iter()
        .find(|c| c.price == UsdPerHour::ZERO || health.without_prices.contains(&c.pool))
        .map(|c| format!("{} of NodePool {}", c.instance_type, c.pool))
}
