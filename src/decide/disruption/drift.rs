//! Drift (`disruption §15.3`): nodes that are not what their pool asks for are replaced, oldest first, without a look at
//! prices. As many at a time as the budget allows; one under parity.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Method;
use super::budgets::Budgets;
use super::candidates::{Candidate, Checks, candidate};
use super::consolidate::Command;
use super::drifted::{self, Drift};
use super::emptiness::Found;
use super::simulate::Simulator;
use super::verdicts::{Verdicts, Why};
use crate::decide::packing::karpenter::Bounds;
use crate::decide::{Fuel, Reserved};
use crate::model::Name;

/// A candidate with the reason why it shall go.
pub struct Drifted<'a> {
    pub candidate: Candidate<'a>,
    pub drift: Drift,
    since: Timestamp,
}

/// Candidates that have drifted, static pools' or the others', in the order in which they go.
pub fn candidates<'a>(
    simulator: &Simulator<'a>,
    checks: &Checks<'_>,
    in_scope: impl Fn(&super::cluster::Machine<'a>) -> bool,
    of_static: bool,
    verdicts: &mut Verdicts,
) -> Vec<Drifted<'a>> {
    let cluster = simulator.cluster();
    let method = if of_static {
        Method::StaticDrift
    } else {
        Method::Drift
    };
    let mut out = Vec::new();
    for machine in cluster.machines.values().filter(|m| in_scope(m)) {
        let Some(claim) = machine.claim else { continue };
        let pool = claim.pool().and_then(|p| cluster.snapshot.pools.get(p));
        if pool.is_none_or(|p| p.replicas.is_some() != of_static) {
            continue;
        }
        let Some(drift) = drifted::drift(cluster.snapshot, claim, cluster.now) else {
            continue;
        };
        match candidate(cluster, machine, checks) {
            Ok(candidate) if !checks.reserved.paused_pools.contains(&candidate.pool.name) => {
                out.push(Drifted {
                    since: drifted::since(claim).unwrap_or(cluster.now),
                    candidate,
                    drift,
                });
            }
            Ok(_) => {}
            Err(why) => verdicts.say(&machine.name, Some(method), why.fact("drift", drift.reason)),
        }
    }
    out.sort_by(|a, b| {
        (!a.candidate.pods.is_empty(), a.since, a.candidate.name()).cmp(&(
            !b.candidate.pods.is_empty(),
            b.since,
            b.candidate.name(),
        ))
    });
    out
}

/// One command a candidate.
pub fn run<'a>(
    simulator: &mut Simulator<'a>,
    drifted: Vec<Drifted<'a>>,
    budgets: &mut Budgets,
    reserved: &Reserved,
    verdicts: &mut Verdicts,
    fuel: &mut Fuel,
) -> Found<'a> {
    let (parity, now) = (simulator.settings().parity, simulator.cluster().now);
    let mut found = Found::default();
    // Where the pods of this pass's commands go: what one was promised is not promised again.
    let mut promised: BTreeSet<Name> = BTreeSet::new();
    for Drifted { candidate, drift, .. } in drifted {
        let name = candidate.name().clone();
        let mut say = |why: Why| verdicts.say(&name, Some(Method::Drift), why.fact("drift", drift.reason));
        if let Err(why) = budgets.check(&candidate.pool.name) {
            say(why);
            continue;
        }
        if reserved.rejected.get(&name).is_some_and(|until| *until > now) {
            say(Why::new("rejected_by_user"));
            continue;
        }
        let bounds = Bounds {
            closed: &promised,
            windows_open: true,
            ..Bounds::default()
        };
        let mut simulated = match simulator.run_within(std::slice::from_ref(&candidate), &bounds, fuel) {
            Ok(simulated) => simulated,
            Err(why) => {
                say(why);
                continue;
            }
        };
        if let Some(failure) = simulated.failure {
            // A replacement that boots makes room within seconds: no need to wait out the poll (`observed`, rulings).
            found.look_soon |= !parity && &*failure.code == "uninitialized_target";
            say(failure);
            continue;
        }
        if budgets.take(&candidate.pool.name).is_err() {
            continue;
        }
        // Room for pods that wait anyway is provisioning's to make.
        if !parity {
            let moves: BTreeSet<&Name> = candidate.movers.iter().collect();
            simulated
                .claims
                .retain(|c| c.draft.pods.iter().any(|p| moves.contains(p)));
        }
        let new: BTreeSet<&Name> = simulated.claims.iter().map(|c| &c.draft.name).collect();
        promised.extend(simulated.moves.values().filter(|t| !new.contains(t)).cloned());
        found.commands.push(Command {
            candidates: vec![candidate],
            replacements: simulated.claims,
            moves: simulated.moves,
            largest_cpu: None,
            scores: std::collections::BTreeMap::new(),
        });
        if parity {
            break;
        }
    }
    found
}
