//! What becomes of a command that a method found: it waits out its validation, or is proposed (`disruption §14`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::budgets::Budgets;
use super::candidates::{Candidate, Checks};
use super::consolidate::Command;
use super::memo::joined;
use super::memory::{Memory, Pending};
use super::proposal::{Forced, proposal};
use super::simulate::Simulator;
use super::turn::{POLL, Turn};
use super::validate::{Claimed, Rules, validate};
use super::verdicts::Why;
use super::window::{Window, window};
use super::{Method, events};
use crate::clock::after;
use crate::decide::Outcome;
use crate::model::Name;
use crate::model::nodepool::ConsolidationPolicy;

const VALIDATION_DELAY: Duration = Duration::from_secs(15);
/// After a command the next pass follows at once; this lets its marks be seen first.
const NEXT: Duration = Duration::from_secs(1);
/// A command that was proposed and not taken up is not proposed again for so long.
const PROPOSE_AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

impl<'a> Turn<'_, 'a> {
    /// A found command waits out its validation, or is proposed at once. False when it rests after a rejection.
    pub fn accept(
        &mut self,
        memory: &mut Memory,
        method: Method,
        command: &Command<'a>,
        out: &mut Outcome,
    ) -> bool {
        let now = self.now();
        let key = joined(command.candidates.iter().map(Candidate::name));
        let rejected = self
            .reserved
            .rejected
            .get(key.as_str())
            .is_some_and(|until| *until > now);
        let resting = self.force.is_none()
            && self.waits
            && memory
                .proposed
                .get(&key)
                .is_some_and(|at| now.duration_since(*at) < PROPOSE_AGAIN);
        if rejected || resting {
            let code = if rejected {
                "rejected_by_user"
            } else {
                "awaiting_approval"
            };
            for candidate in &command.candidates {
                self.verdicts.say(candidate.name(), Some(method), Why::new(code));
            }
            return false;
        }
        self.select(command, method);
        if self.waits {
            events::candidate_found(memory, self.cluster, command, out);
            events::approved(memory, self.cluster, method, command, out);
        }
        if self.waits && self.force.is_none() && method.validates() {
            let due = after(now, VALIDATION_DELAY);
            memory.pending = Some(Pending {
                method,
                due,
                candidates: command
                    .candidates
                    .iter()
                    .map(|c| (c.name().clone(), c.claim.uid.clone()))
                    .collect(),
                replacements: command.replacements.clone(),
                moves: command.moves.clone(),
                scores: command.scores.clone(),
                largest_cpu: command.largest_cpu,
            });
            memory.next_poll = Some(due);
        } else {
            memory.pending = None;
            self.propose(memory, method, command, out);
        }
        true
    }

    /// The verdict on every candidate of a command.
    fn select(&mut self, command: &Command<'_>, method: Method) {
        for candidate in &command.candidates {
            let mut why = Why::new(if self.force.is_some() {
                "forced_by_user"
            } else {
                "selected"
            })
            .fact("decision", command.decision())
            .fact("savings", command.price_before() - command.price_after());
            if let Some(replacement) = command.replacements.first() {
                let types: Vec<&str> = replacement
                    .draft
                    .instance_types
                    .iter()
                    .take(5)
                    .map(|t| &**t)
                    .collect();
                why = why.fact("types", types.join(", "));
            }
            if command.candidates.len() > 1 {
                why = why.fact("together", command.candidates.len());
            }
            if let Some(score) = command.scores.get(&candidate.pool.name) {
                why = why.fact("score", format!("{:.3}", score.score));
            }
            self.verdicts.say(candidate.name(), Some(method), why);
        }
    }

    fn propose(&mut self, memory: &mut Memory, method: Method, command: &Command<'_>, out: &mut Outcome) {
        let now = self.now();
        let budgets = Budgets::new(self.cluster, self.reserved, method.reason(), false);
        let overridden = self.force.map(|_| self.overridden(method, command, &budgets));
        out.proposals
            .push(proposal(command, method, &budgets, Forced(overridden), now));
        let key = joined(command.candidates.iter().map(Candidate::name));
        memory
            .proposed
            .retain(|_, at| now.duration_since(*at) < PROPOSE_AGAIN);
        memory.proposed.insert(key, now);
        memory.next_poll = Some(after(now, NEXT));
    }

    /// Which rules a force set aside for this command, by name.
    fn overridden(&self, method: Method, command: &Command<'_>, budgets: &Budgets) -> Vec<Name> {
        let mut out: Vec<Name> = Vec::new();
        let closed = command
            .candidates
            .iter()
            .any(|c| window(c, self.now()) != Window::Open);
        if closed && method.validates() {
            out.push("consolidateAfter".into());
        }
        let mut left = budgets.clone();
        let over = command
            .candidates
            .iter()
            .any(|c| left.take(&c.pool.name).is_err());
        if over && self.ignores_budgets() {
            out.push("budgets".into());
        }
        let when_empty =
            |c: &Candidate<'_>| c.pool.disruption.policy == ConsolidationPolicy::WhenEmpty && !c.is_empty();
        let consolidates = matches!(method, Method::MultiNode | Method::SingleNode);
        if consolidates && command.candidates.iter().any(when_empty) {
            out.push("policy".into());
        }
        if command.scores.values().any(|s| !s.is_approved()) {
            out.push("score".into());
        }
        if method.validates() {
            out.push("validation".into());
        }
        out
    }

    /// A command that waits: nothing else is decided until it is validated.
    pub fn pending(&mut self, memory: &mut Memory, out: &mut Outcome) {
        let now = self.now();
        let Some(pending) = memory.pending.take() else {
            return;
        };
        if now < pending.due {
            out.wake(pending.due);
            memory.pending = Some(pending);
            return;
        }
        let rules = Rules {
            checks: Checks {
                reserved: self.reserved,
                nominated: &memory.nominated,
                pod_events: &memory.pod_events,
                eventual: false,
            },
            waive: self.waive(),
            ignore_budgets: false,
        };
        let claimed = Claimed {
            method: pending.method,
            candidates: &pending.candidates,
            replacements: &pending.replacements,
            moves: &pending.moves,
            largest_cpu: pending.largest_cpu,
        };
        let mut simulator = Simulator::new(self.cluster, self.settings);
        let (command, failures): (_, BTreeMap<Name, Why>) =
            validate(&mut simulator, &claimed, &rules, self.fuel);
        if let Some(why) = failures.values().next().filter(|_| command.is_none()) {
            let nodes: Vec<&str> = pending.candidates.keys().map(|n| &**n).collect();
            let new = pending.replacements.len();
            events::rejected(memory, self.cluster, pending.method, &nodes, new, &why.code, out);
        }
        memory.next_poll = Some(after(now, POLL));
        match command {
            Some(mut command) => {
                command.scores = pending.scores;
                self.select(&command, pending.method);
                self.propose(memory, pending.method, &command, out);
                out.wake(memory.next_poll.unwrap_or(now));
            }
            // The methods behind it still have their turn.
            None if pending.method < Method::SingleNode => self.methods(memory, Some(pending.method), out),
            None => out.wake(memory.next_poll.unwrap_or(now)),
        }
        for (node, why) in failures {
            self.verdicts.say_unless_chosen(&node, Some(pending.method), why);
        }
    }
}
