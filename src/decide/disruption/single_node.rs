//! Single-node consolidation (`disruption §13.5`): the first candidate, pools taking turns, that can go or be
//! replaced by something cheaper.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Method;
use super::budgets::Budgets;
use super::candidates::Candidate;
use super::consolidate::decide;
use super::eligibility::{Waive, underutilized};
use super::emptiness::Found;
use super::simulate::Simulator;
use super::verdicts::{Verdicts, Why};
use crate::decide::{Fuel, Reserved};
use crate::model::Name;

/// Best of each pool, then second best of each; pools that a former pass did not reach come first.
fn interleave<'a>(candidates: Vec<Candidate<'a>>, unseen: &BTreeSet<Name>) -> Vec<Candidate<'a>> {
    let mut pools: BTreeMap<(bool, Name), VecDeque<Candidate<'a>>> = BTreeMap::new();
    for candidate in candidates {
        let pool = candidate.pool.name.clone();
        pools
            .entry((!unseen.contains(&pool), pool))
            .or_default()
            .push_back(candidate);
    }
    let mut out = Vec::new();
    while !pools.is_empty() {
        out.extend(pools.values_mut().filter_map(VecDeque::pop_front));
        pools.retain(|_, queue| !queue.is_empty());
    }
    out
}

/// `candidates` in order of the savings ratio. Leaves in `unseen` the pools that fuel did not reach.
#[allow(clippy::too_many_arguments, reason = "one call, from the pass")]
pub fn run<'a>(
    simulator: &mut Simulator<'a>,
    candidates: Vec<Candidate<'a>>,
    budgets: &Budgets,
    reserved: &Reserved,
    unseen: &mut BTreeSet<Name>,
    waive: Waive,
    verdicts: &mut Verdicts,
    fuel: &mut Fuel,
) -> Found<'a> {
    let cluster = simulator.cluster();
    let mut found = Found::default();
    let mut eligible = Vec::new();
    for candidate in candidates {
        let catalogue = cluster.snapshot.catalogue(&candidate.claim.class.name);
        let known = catalogue.is_some_and(|c| c.get(&candidate.instance_type).is_some());
        match underutilized(&candidate, known, cluster.now, waive) {
            Ok(()) => eligible.push(candidate),
            // Emptiness has spoken about it.
            Err(why) if &*why.code == "is_empty" => {
                verdicts.say_first(candidate.name(), Some(Method::SingleNode), why);
            }
            Err(why) => verdicts.say(candidate.name(), Some(Method::SingleNode), why),
        }
    }
    let mut queue = interleave(eligible, unseen).into_iter();
    unseen.clear();
    while let Some(candidate) = queue.next() {
        let name = candidate.name().clone();
        if fuel.0 == 0 {
            for left in std::iter::once(candidate).chain(queue) {
                unseen.insert(left.pool.name.clone());
                verdicts.say(left.name(), Some(Method::SingleNode), Why::new("timeout"));
            }
            found.constrained = true;
            return found;
        }
        if let Err(why) = budgets.check(&candidate.pool.name) {
            found.constrained = true;
            verdicts.say(&name, Some(Method::SingleNode), why);
            continue;
        }
        if reserved
            .rejected
            .get(&name)
            .is_some_and(|until| *until > cluster.now)
        {
            verdicts.say(&name, Some(Method::SingleNode), Why::new("rejected_by_user"));
            found.constrained = true;
            continue;
        }
        match decide(simulator, std::slice::from_ref(&candidate), fuel) {
            Ok(command) => {
                found.command = Some(command);
                return found;
            }
            Err(why) => verdicts.say(&name, Some(Method::SingleNode), why),
        }
    }
    found
}
