//! Multi-node consolidation (`disruption §13.3`): the longest prefix, by savings ratio, that can go or be replaced by
//! one cheaper machine.

use super::balanced::Scores;
use super::budgets::Budgets;
use super::candidates::Candidate;
use super::consolidate::{Command, decide_together};
use super::emptiness::Found;
use super::memo::joined;
use super::several;
use super::simulate::Simulator;
use super::verdicts::Why;
use crate::decide::{Fuel, Reserved};
use crate::model::UsdPerHour;

/// Upstream looks at prefixes up to this index (Q1).
const PARITY_LAST: usize = 100;
/// Checks that stand for upstream's limit of one minute.
const PARITY_FUEL: u64 = 9_000_000;

/// `candidates`: those that may be consolidated, in order of the savings ratio.
pub fn run<'a>(
    simulator: &mut Simulator<'a>,
    candidates: &[Candidate<'a>],
    scores: &Scores,
    budgets: &mut Budgets,
    reserved: &Reserved,
    fuel: &mut Fuel,
) -> Found<'a> {
    let mut found = Found::default();
    let mut taken = Vec::new();
    for candidate in candidates {
        match budgets.take(&candidate.pool.name) {
            Ok(()) => taken.push(candidate.clone()),
            Err(_) => found.constrained = true,
        }
    }
    if taken.len() < 2 {
        return found;
    }
    let parity = simulator.settings().parity;
    let mut limited = Fuel(if parity { fuel.0.min(PARITY_FUEL) } else { fuel.0 });
    let before = limited.0;
    let mut last = taken.len() - 1;
    if parity {
        last = last.min(PARITY_LAST);
    }
    let mut first = 1;
    while first <= last {
        if limited.0 == 0 {
            found.constrained = true;
            break;
        }
        let middle = first.midpoint(last);
        let window = taken.get(..=middle).unwrap_or(&taken);
        match evaluate(simulator, window, scores, reserved, &mut limited) {
            Ok(command) => {
                found.commands = vec![command];
                first = middle + 1;
            }
            Err(_) => last = middle - 1,
        }
    }
    if !parity {
        let single = found.commands.first();
        let to_beat = single.map_or(UsdPerHour::ZERO, |c| c.price_before() - c.price_after());
        if let Some(better) = several::run(simulator, &taken, scores, reserved, to_beat, &mut limited) {
            found.commands = vec![better];
        }
    }
    fuel.take(before - limited.0);
    found
}

/// One window: what becomes of it, or why it stays together.
pub fn evaluate<'a>(
    simulator: &mut Simulator<'a>,
    window: &[Candidate<'a>],
    scores: &Scores,
    reserved: &Reserved,
    fuel: &mut Fuel,
) -> Result<Command<'a>, Why> {
    let now = simulator.cluster().now;
    let key = joined(window.iter().map(Candidate::name));
    if reserved
        .rejected
        .get(key.as_str())
        .is_some_and(|until| *until > now)
    {
        return Err(Why::new("rejected_by_user"));
    }
    let mut command = decide_together(simulator, window, fuel)?;
    scores.judge(simulator, &mut command)?;
    Ok(command)
}
