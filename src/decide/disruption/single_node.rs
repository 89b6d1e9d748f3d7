//! Single-node consolidation (`disruption §13.5`): the first candidate, pools taking turns, that can go or be
//! replaced by something cheaper.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Method;
use super::balanced::Scores;
use super::budgets::Budgets;
use super::candidates::Candidate;
use super::consolidate::{Command, decide};
use super::emptiness::Found;
use super::simulate::Simulator;
use super::verdicts::{Verdicts, Why};
use crate::decide::{Fuel, Reserved};
use crate::model::Name;

/// Best of each pool, then second best of each; pools that a former pass did not reach come first.
pub fn interleave<'a>(candidates: Vec<Candidate<'a>>, unseen: &BTreeSet<Name>) -> Vec<Candidate<'a>> {
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

/// Checks that stand for upstream's limit of three minutes.
const PARITY_FUEL: u64 = 27_000_000;

/// What one candidate comes to on its own. `Err`: why it stays, and whether a budget or a person kept it from being
/// looked at.
pub fn one<'a>(
    simulator: &mut Simulator<'a>,
    candidate: &Candidate<'a>,
    scores: &Scores,
    budgets: &Budgets,
    reserved: &Reserved,
    fuel: &mut Fuel,
) -> Result<Command<'a>, (Why, bool)> {
    budgets.check(&candidate.pool.name).map_err(|why| (why, true))?;
    let now = simulator.cluster().now;
    let rejected = reserved.rejected.get(candidate.name());
    if rejected.is_some_and(|until| *until > now) {
        return Err((Why::new("rejected_by_user"), true));
    }
    let seen = |why: Why| (why, false);
    scores.could_pass(candidate).map_err(seen)?;
    let alone = std::slice::from_ref(candidate);
    let mut command = match decide(simulator, alone, fuel) {
        Ok(command) => command,
        // Would it go if the nodes that just got pods took more?
        Err(why) if simulator.goes_later(alone, fuel) => {
            let why = Why::new("destination_cooling").fact("otherwise", why.code);
            return Err(seen(why));
        }
        Err(why) => return Err(seen(why)),
    };
    scores.judge(simulator, &mut command).map_err(seen)?;
    Ok(command)
}

/// `candidates`: those that may be consolidated, in the order of trial. Leaves in `unseen` the pools that fuel did not
/// reach.
#[allow(clippy::too_many_arguments, reason = "the parts of one turn, each used")]
pub fn run<'a>(
    simulator: &mut Simulator<'a>,
    candidates: Vec<Candidate<'a>>,
    scores: &Scores,
    budgets: &Budgets,
    reserved: &Reserved,
    unseen: &mut BTreeSet<Name>,
    verdicts: &mut Verdicts,
    fuel: &mut Fuel,
) -> Found<'a> {
    let parity = simulator.settings().parity;
    let mut limited = Fuel(if parity { fuel.0.min(PARITY_FUEL) } else { fuel.0 });
    let before = limited.0;
    let mut found = Found::default();
    let mut say = |candidate: &Candidate<'_>, why: Why| {
        verdicts.say(candidate.name(), Some(Method::SingleNode), why);
    };
    let mut queue = candidates.into_iter();
    unseen.clear();
    while let Some(candidate) = queue.next() {
        if limited.0 == 0 {
            for left in std::iter::once(candidate).chain(queue) {
                unseen.insert(left.pool.name.clone());
                say(&left, Why::new("timeout"));
            }
            found.constrained = true;
            break;
        }
        match one(simulator, &candidate, scores, budgets, reserved, &mut limited) {
            Ok(command) => {
                found.commands.push(command);
                break;
            }
            Err((why, constrained)) => {
                found.constrained |= constrained;
                say(&candidate, why);
            }
        }
    }
    fuel.take(before - limited.0);
    found
}
