//! Drift of static pools (`disruption §15.4`): one templated replacement a candidate, as far as budget and node limit
//! allow; scaling down comes first. No simulation: such nodes are not there for particular pods.

use std::collections::BTreeMap;

use super::Method;
use super::budgets::Budgets;
use super::candidates::Candidate;
use super::cluster::Cluster;
use super::consolidate::Command;
use super::drift::Drifted;
use super::emptiness::Found;
use super::simulate::Simulator;
use super::verdicts::{Verdicts, Why};
use crate::api::names;
use crate::decide::Reserved;
use crate::decide::lifecycle::templated;
use crate::decide::scheduling::Planned;
use crate::model::decision::evidence::ClaimEvidence;
use crate::model::decision::refusal::Funnel;
use crate::model::{Name, NodePool, Resources};

/// Claims of one pool by what becomes of them.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    running: i64,
    /// Candidates of commands that have not deleted them yet.
    pending: i64,
    deleting: i64,
}

fn count(cluster: &Cluster<'_>, reserved: &Reserved, pool: &str) -> Count {
    let mut out = Count::default();
    for machine in cluster.machines.values() {
        let Some(claim) = machine.claim.filter(|c| c.pool().is_some_and(|p| **p == *pool)) else {
            continue;
        };
        if claim.deleting.is_some() || claim.is(names::INSTANCE_TERMINATING) {
            out.deleting += 1;
        } else if machine.is_queued() || reserved.nodes.contains_key(&machine.name) {
            out.pending += 1;
        } else {
            out.running += 1;
        }
    }
    out
}

/// How many candidates of a pool may be replaced now.
fn granted(pool: &NodePool, count: Count, wanted: i64) -> i64 {
    let limit = pool.limits.get("nodes").copied().unwrap_or(i64::MAX);
    let taken = count.running + count.pending + count.deleting;
    wanted.min(limit.saturating_sub(taken)).max(0)
}

/// One command a granted candidate.
pub fn run<'a>(
    simulator: &Simulator<'a>,
    drifted: Vec<Drifted<'a>>,
    budgets: &mut Budgets,
    reserved: &Reserved,
    verdicts: &mut Verdicts,
) -> Found<'a> {
    let cluster = simulator.cluster();
    let mut found = Found::default();
    let mut by_pool: BTreeMap<Name, Vec<Drifted<'a>>> = BTreeMap::new();
    for one in drifted {
        by_pool
            .entry(one.candidate.pool.name.clone())
            .or_default()
            .push(one);
    }
    for (name, mut drifted) in by_pool {
        drifted.sort_by(|a, b| a.candidate.name().cmp(b.candidate.name()));
        let Some(pool) = drifted.first().map(|d| d.candidate.pool) else {
            continue;
        };
        let count = count(cluster, reserved, &name);
        let replicas = pool.replicas.unwrap_or(0);
        let left = i64::from(budgets.room(&name).left());
        let wanted = left.min(i64::try_from(drifted.len()).unwrap_or(i64::MAX));
        let mut grant = granted(pool, count, wanted);
        for (ordinal, Drifted { candidate, drift, .. }) in drifted.into_iter().enumerate() {
            let node = candidate.name().clone();
            let mut say = |why: Why| {
                verdicts.say(&node, Some(Method::StaticDrift), why.fact("drift", drift.reason));
            };
            if count.running + count.pending > replicas {
                say(Why::new("static_scaling_down")
                    .fact("replicas", replicas)
                    .fact("nodes", count.running + count.pending));
            } else if let Err(why) = budgets.check(&name) {
                say(why);
            } else if grant == 0 {
                say(Why::new("static_limit")
                    .fact("limit", pool.limits.get("nodes").copied().unwrap_or(i64::MAX)));
            } else if budgets.take(&name).is_ok() {
                grant -= 1;
                found.commands.push(command(cluster, candidate, ordinal));
            }
        }
    }
    found
}

fn command<'a>(cluster: &Cluster<'_>, candidate: Candidate<'a>, ordinal: usize) -> Command<'a> {
    let draft = templated(cluster.snapshot, candidate.pool, cluster.now, ordinal);
    let evidence = ClaimEvidence {
        claim: draft.name.clone(),
        pool: draft.pool.clone(),
        pods: Vec::new(),
        requests: Resources::default(),
        daemon_overhead: Resources::default(),
        daemons: Vec::new(),
        pools_refused: Vec::new(),
        targets_refused: BTreeMap::new(),
        funnel: Funnel::default(),
        ranking: Vec::new(),
        options: 0,
        cheaper_refused: Vec::new(),
    };
    Command {
        candidates: vec![candidate],
        replacements: vec![Planned { draft, evidence }],
        moves: BTreeMap::new(),
        largest_cpu: None,
        scores: BTreeMap::new(),
    }
}
