//! Emptiness (`disruption §13.6`): one delete command over every empty candidate that the budgets allow.

use std::collections::BTreeMap;

use super::Method;
use super::budgets::Budgets;
use super::candidates::Candidate;
use super::consolidate::Command;
use super::eligibility::{Waive, empty};
use super::verdicts::Verdicts;
use jiff::Timestamp;

/// What a method came to.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// Only drift has more than one.
    pub commands: Vec<Command<'a>>,
    /// A budget kept a candidate from being looked at: the memo must not be stored.
    pub constrained: bool,
    /// What stood in the way goes away by itself within seconds.
    pub look_soon: bool,
}

/// `candidates` in order of the savings ratio.
pub fn run<'a>(
    candidates: &[Candidate<'a>],
    budgets: &mut Budgets,
    now: Timestamp,
    waive: Waive,
    verdicts: &mut Verdicts,
) -> Found<'a> {
    let mut found = Found::default();
    let mut taken = Vec::new();
    for candidate in candidates {
        if let Err(why) = empty(candidate, now, waive) {
            verdicts.say(candidate.name(), Some(Method::Emptiness), why);
            continue;
        }
        match budgets.take(&candidate.pool.name) {
            Ok(()) => taken.push(candidate.clone()),
            Err(why) => {
                found.constrained = true;
                verdicts.say(candidate.name(), Some(Method::Emptiness), why);
            }
        }
    }
    if !taken.is_empty() {
        found.commands.push(Command {
            candidates: taken,
            replacements: Vec::new(),
            moves: BTreeMap::new(),
            largest_cpu: None,
            scores: BTreeMap::new(),
        });
    }
    found
}
