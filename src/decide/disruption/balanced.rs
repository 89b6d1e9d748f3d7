//! The policy Balanced (`disruption §10`): a move must save at least half as large a share of the pool's bill as the
//! share of the pool's disruption that it costs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::candidates::Candidate;
use super::cluster::{Cluster, Machine};
use super::consolidate::{Command, options};
use super::price;
use super::simulate::Simulator;
use super::verdicts::Why;
use crate::api::names;
use crate::decide::pods;
use crate::model::nodepool::ConsolidationPolicy;
use crate::model::{Name, UsdPerHour};

const K: f64 = 2.0;

/// How a command weighs for one pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Share of the pool's bill that is saved.
    pub savings: f64,
    /// Share of the pool's disruption that it costs.
    pub disruption: f64,
    pub score: f64,
}

impl Score {
    /// The least score that is approved.
    pub const THRESHOLD: f64 = 1.0 / K;

    fn new(saved: f64, cost: f64, totals: Totals) -> Self {
        if totals.cost <= UsdPerHour::ZERO || totals.disruption <= 0.0 {
            return Self {
                savings: 0.0,
                disruption: 0.0,
                score: 0.0,
            };
        }
        let savings = saved / totals.cost.as_f64();
        let disruption = cost / totals.disruption;
        let score = if savings <= 0.0 {
            0.0
        } else if disruption == 0.0 {
            f64::INFINITY
        } else {
            savings / disruption
        };
        Self {
            savings,
            disruption,
            score,
        }
    }

    pub fn is_approved(&self) -> bool {
        self.score >= Self::THRESHOLD
    }

    fn why(&self) -> Why {
        Why::new("score_too_low")
            .fact("score", format!("{:.3}", self.score))
            .fact("threshold", Self::THRESHOLD)
            .fact("savings", format!("{:.1}%", self.savings * 100.0))
            .fact("disruption", format!("{:.1}%", self.disruption * 100.0))
    }

    /// The text of the event (`disruption §10`).
    pub fn text(&self) -> String {
        format!(
            "score {:.2} >= threshold {:.2} (k: {K}, savings {:.1}%, disruption {:.1}%)",
            self.score,
            Self::THRESHOLD,
            self.savings * 100.0,
            self.disruption * 100.0
        )
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Totals {
    cost: UsdPerHour,
    disruption: f64,
}

/// What every pool costs and what disrupting all of it would cost, as of one look at the prices (Q18).
#[derive(Clone, Debug, Default)]
pub struct Scores {
    pools: BTreeMap<Name, Totals>,
    /// Scores are worked out, and keep nothing from happening.
    pub only_tells: bool,
}

impl Scores {
    /// `candidates`: those of the method, whose own disruption costs count.
    pub fn new(cluster: &Cluster<'_>, candidates: &[Candidate<'_>], parity: bool) -> Self {
        let balanced = |pool: &str| {
            cluster
                .snapshot
                .pools
                .get(pool)
                .is_some_and(|p| p.disruption.policy == ConsolidationPolicy::Balanced)
        };
        let mut out: BTreeMap<Name, Totals> = BTreeMap::new();
        if !cluster.snapshot.pools.keys().any(|p| balanced(p)) {
            return Self::default();
        }
        let own: BTreeMap<&Name, f64> = candidates.iter().map(|c| (c.name(), c.cost)).collect();
        for machine in cluster.machines.values().filter(|m| m.claim.is_some()) {
            let Some(pool) = machine.label(names::NODEPOOL).filter(|p| balanced(p)) else {
                continue;
            };
            let totals = out.entry(pool.clone()).or_default();
            totals.cost += cluster.price(machine);
            totals.disruption += match own.get(&machine.name) {
                Some(cost) => *cost,
                None if parity => upstream_cost(machine),
                None => machine.disruption_cost(),
            };
        }
        Self {
            pools: out,
            only_tells: false,
        }
    }

    fn of(&self, pool: &str, saved: f64, cost: f64) -> Score {
        Score::new(saved, cost, self.pools.get(pool).copied().unwrap_or_default())
    }

    /// Whether even a plain delete of a node could pass; only for single nodes. Pools without a known bill pass.
    pub fn could_pass(&self, candidate: &Candidate<'_>) -> Result<(), Why> {
        let known = self
            .pools
            .get(&candidate.pool.name)
            .is_some_and(|t| t.cost > UsdPerHour::ZERO);
        if candidate.pool.disruption.policy != ConsolidationPolicy::Balanced || !known || self.only_tells {
            return Ok(());
        }
        let score = self.of(&candidate.pool.name, candidate.price.as_f64(), candidate.cost);
        if score.is_approved() {
            Ok(())
        } else {
            Err(score.why())
        }
    }

    /// Writes the scores into a command. `Err`: a Balanced source pool does not approve.
    pub fn judge(&self, simulator: &Simulator<'_>, command: &mut Command<'_>) -> Result<(), Why> {
        let mut sources: BTreeMap<&Name, (UsdPerHour, f64, bool)> = BTreeMap::new();
        for candidate in &command.candidates {
            let balanced = candidate.pool.disruption.policy == ConsolidationPolicy::Balanced;
            let source = sources
                .entry(&candidate.pool.name)
                .or_insert((UsdPerHour::ZERO, 0.0, balanced));
            source.0 += candidate.price;
            source.1 += candidate.cost;
        }
        if !sources.values().any(|s| s.2) {
            return Ok(());
        }
        let total = command.price_before();
        let saved = total - replacement_price(simulator, command);
        let mut scores = BTreeMap::new();
        for (pool, (price, cost, _)) in sources.iter().filter(|(_, s)| s.2) {
            let share = if sources.len() > 1 && total > UsdPerHour::ZERO {
                saved.as_f64() * (price.as_f64() / total.as_f64())
            } else {
                saved.as_f64()
            };
            scores.insert((*pool).clone(), self.of(pool, share, *cost));
        }
        command.scores = scores;
        match command.scores.iter().find(|(_, s)| !s.is_approved()) {
            _ if self.only_tells => Ok(()),
            None => Ok(()),
            Some((pool, score)) => Err(score.why().fact("pool", pool)),
        }
    }
}

/// What upstream keeps for nodes that are no candidates: mirror and terminating pods count too (Q5).
fn upstream_cost(machine: &Machine<'_>) -> f64 {
    1.0 + machine
        .pods
        .iter()
        .filter(|p| !p.is_terminal() && !pods::is_daemon(p))
        .map(|p| pods::eviction_cost(p).max(0.0))
        .sum::<f64>()
}

/// Of each replacement the cheapest available offering of its first option (Q6).
fn replacement_price(simulator: &Simulator<'_>, command: &Command<'_>) -> UsdPerHour {
    command
        .replacements
        .iter()
        .filter_map(|planned| {
            let first = options(simulator, planned).into_iter().next()?;
            price::cheapest(&first, &planned.draft.requirements).map(|o| o.price)
        })
        .sum()
}
