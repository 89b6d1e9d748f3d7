//! One turn of the disruption loop (`disruption §1`).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::budgets::Budgets;
use super::candidates::{Candidate, Checks, candidate, sort};
use super::cluster::Cluster;
use super::consolidate::Command;
use super::eligibility::Waive;
use super::emptiness::{self, Found};
use super::memo::{fingerprint, joined};
use super::memory::{Memory, Pending};
use super::proposal::{Forced, proposal};
use super::simulate::Simulator;
use super::validate::{Claimed, Rules, validate};
use super::verdicts::{Verdicts, Why};
use super::window::{Window, window};
use super::{Force, Method, Scope, events, queue, single_node};
use crate::clock::after;
use crate::decide::{Fuel, Outcome, Reserved, Settings};
use crate::model::{Name, Snapshot};

const POLL: Duration = Duration::from_secs(10);
const UNSYNCED_RETRY: Duration = Duration::from_secs(1);
const VALIDATION_DELAY: Duration = Duration::from_secs(15);
/// After a command the next pass follows at once; this lets its marks be seen first.
const NEXT: Duration = Duration::from_secs(1);
/// A command that was proposed and not taken up is not proposed again for so long.
const PROPOSE_AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// One turn. Completions and roll-backs of what acts come at every call; the methods run every 10 s, or at once for
/// a force. At most one proposal is made.
pub fn pass(
    snapshot: &Snapshot,
    memory: &mut Memory,
    reserved: &Reserved,
    force: Option<&Force>,
    now: Timestamp,
    settings: &Settings,
    fuel: &mut Fuel,
) -> Outcome {
    let mut out = Outcome::default();
    if queue::has_work(snapshot) {
        queue::steps(&Cluster::without_pods(snapshot, now), memory, reserved, &mut out);
    }
    if let Some(at) = memory.next_poll.filter(|at| force.is_none() && now < *at) {
        out.wake(at);
        return out;
    }
    let cluster = Cluster::new(snapshot, now);
    memory.notice_pods(&cluster);
    if !cluster.is_synced() {
        let retry = after(now, UNSYNCED_RETRY);
        memory.next_poll = Some(retry);
        out.wake(retry);
        return out;
    }
    let mut turn = Turn {
        cluster: &cluster,
        reserved,
        settings,
        force,
        waits: true,
        fuel,
        verdicts: Verdicts::default(),
    };
    if force.is_none() && memory.pending.is_some() {
        turn.pending(memory, &mut out);
    } else {
        turn.methods(memory, &mut out);
    }
    out.verdicts = turn.verdicts.into_vec();
    let verdicts = std::mem::take(&mut out.verdicts);
    for verdict in &verdicts {
        events::verdict(memory, &cluster, verdict, &mut out);
    }
    out.verdicts = verdicts;
    out
}

/// The decision for one picture, without poll, memo and validation wait: for files, previews and comparisons.
/// `consolidateAfter` and budgets hold.
pub fn once(snapshot: &Snapshot, now: Timestamp, settings: &Settings, fuel: &mut Fuel) -> Outcome {
    let cluster = Cluster::new(snapshot, now);
    let mut out = Outcome::default();
    let mut turn = Turn {
        cluster: &cluster,
        reserved: &Reserved::default(),
        settings,
        force: None,
        waits: false,
        fuel,
        verdicts: Verdicts::default(),
    };
    turn.methods(&mut Memory::default(), &mut out);
    out.verdicts = turn.verdicts.into_vec();
    out.wake_at = None;
    out
}

struct Turn<'t, 'a> {
    cluster: &'a Cluster<'a>,
    reserved: &'t Reserved,
    settings: &'a Settings,
    force: Option<&'t Force>,
    waits: bool,
    fuel: &'t mut Fuel,
    verdicts: Verdicts,
}

impl<'a> Turn<'_, 'a> {
    fn now(&self) -> Timestamp {
        self.cluster.now
    }

    fn waive(&self) -> Waive {
        Waive {
            consolidate_after: self.force.is_some(),
        }
    }

    fn ignores_budgets(&self) -> bool {
        self.force.is_some_and(|f| f.ignore_budgets)
    }

    fn checks<'m>(&'m self, memory: &'m Memory) -> Checks<'m> {
        Checks {
            reserved: self.reserved,
            nominated: &memory.nominated,
            pod_events: &memory.pod_events,
            eventual: false,
        }
    }

    /// Every machine gets a verdict or becomes a candidate; sorted.
    fn candidates(&mut self, memory: &Memory) -> Vec<Candidate<'a>> {
        let cluster = self.cluster;
        let mut out = Vec::new();
        for machine in cluster.machines.values() {
            let in_scope = match self.force.map(|f| &f.scope) {
                None | Some(Scope::All) => true,
                Some(Scope::Pool(pool)) => machine.label(crate::api::names::NODEPOOL) == Some(pool),
                Some(Scope::Node(node)) => machine.name == *node,
            };
            if !in_scope {
                continue;
            }
            let checked = candidate(cluster, machine, &self.checks(memory));
            match checked {
                Ok(c) if self.reserved.paused_pools.contains(&c.pool.name) => {
                    self.verdicts
                        .say(&machine.name, None, Why::new("paused").fact("pool", &c.pool.name));
                }
                Ok(c) => out.push(c),
                Err(why) => self.verdicts.say(&machine.name, None, why),
            }
        }
        sort(&mut out);
        out
    }

    /// Methods in their order; the first that finds a command ends the pass.
    fn methods(&mut self, memory: &mut Memory, out: &mut Outcome) {
        let now = self.now();
        memory.next_poll = Some(after(now, POLL));
        let candidates = self.candidates(memory);
        let seen = fingerprint(self.cluster, &candidates, self.settings);
        let mut simulator = Simulator::new(self.cluster, self.settings);
        for method in [Method::Emptiness, Method::SingleNode] {
            let unchanged = self.force.is_none() && self.waits && memory.is_unchanged(method, seen, now);
            if unchanged {
                // What was said about every node still holds.
                continue;
            }
            let mut budgets = Budgets::new(
                self.cluster,
                self.reserved,
                method.reason(),
                self.ignores_budgets(),
            );
            let found = self.ask(method, memory, &mut simulator, &candidates, &mut budgets);
            match found.command {
                Some(command) if self.accept(memory, method, &command, out) => {
                    out.wake(memory.next_poll.unwrap_or(now));
                    return;
                }
                None if !found.constrained && self.force.is_none() => memory.remember(method, seen, now),
                _ => {}
            }
        }
        out.wake(memory.next_poll.unwrap_or(now));
    }

    fn ask(
        &mut self,
        method: Method,
        memory: &mut Memory,
        simulator: &mut Simulator<'a>,
        candidates: &[Candidate<'a>],
        budgets: &mut Budgets,
    ) -> Found<'a> {
        let waive = self.waive();
        if method == Method::Emptiness {
            let holders = simulator.holders(self.fuel);
            let (held, free): (Vec<_>, Vec<_>) = candidates
                .iter()
                .cloned()
                .partition(|c| holders.contains(c.name()));
            for candidate in held {
                let why = Why::new("buffer_pods");
                self.verdicts.say(candidate.name(), Some(Method::Emptiness), why);
            }
            return emptiness::run(&free, budgets, self.now(), waive, &mut self.verdicts);
        }
        single_node::run(
            simulator,
            candidates.to_vec(),
            budgets,
            self.reserved,
            &mut memory.unseen,
            waive,
            &mut self.verdicts,
            self.fuel,
        )
    }

    /// A found command waits out its validation, or is proposed at once. False when it rests after a rejection.
    fn accept(
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
        }
        if self.waits && self.force.is_none() {
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
        let decision = if command.replacements.is_empty() {
            "delete"
        } else {
            "replace"
        };
        for candidate in &command.candidates {
            let mut why = Why::new(if self.force.is_some() {
                "forced_by_user"
            } else {
                "selected"
            })
            .fact("decision", decision)
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
            self.verdicts.say(candidate.name(), Some(method), why);
        }
    }

    fn propose(&mut self, memory: &mut Memory, method: Method, command: &Command<'_>, out: &mut Outcome) {
        let now = self.now();
        let budgets = Budgets::new(self.cluster, self.reserved, method.reason(), false);
        let overridden = self.force.map(|_| self.overridden(command, &budgets));
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
    fn overridden(&self, command: &Command<'_>, budgets: &Budgets) -> Vec<Name> {
        let mut out: Vec<Name> = Vec::new();
        let closed = command
            .candidates
            .iter()
            .any(|c| window(c, self.now()) != Window::Open);
        if closed {
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
        out.push("validation".into());
        out
    }

    /// A command that waits: nothing else is decided until it is validated.
    fn pending(&mut self, memory: &mut Memory, out: &mut Outcome) {
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
        };
        let mut simulator = Simulator::new(self.cluster, self.settings);
        let (command, failures): (_, BTreeMap<Name, Why>) =
            validate(&mut simulator, &claimed, &rules, self.fuel);
        if let Some(why) = failures.values().next().filter(|_| command.is_none()) {
            let nodes: Vec<&str> = pending.candidates.keys().map(|n| &**n).collect();
            let new = pending.replacements.len();
            events::rejected(memory, self.cluster, pending.method, &nodes, new, &why.code, out);
        }
        for (node, why) in failures {
            self.verdicts.say(&node, Some(pending.method), why);
        }
        memory.next_poll = Some(after(now, POLL));
        if let Some(command) = command {
            self.select(&command, pending.method);
            self.propose(memory, pending.method, &command, out);
        }
        out.wake(memory.next_poll.unwrap_or(now));
    }
}
