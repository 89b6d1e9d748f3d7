//! The methods in their order, over one cluster (`disruption §1`, `§2`).

use std::time::Duration;

use jiff::Timestamp;

use super::balanced::Scores;
use super::budgets::Budgets;
use super::candidates::{Candidate, Checks, candidate, sort};
use super::cluster::{Cluster, Machine};
use super::eligibility::{self, Waive};
use super::emptiness::{self, Found};
use super::memo::fingerprint;
use super::memory::Memory;
use super::simulate::Simulator;
use super::verdicts::{Verdicts, Why};
use super::{Force, Method, Scope, drift, multi_node, single_node, static_drift};
use crate::api::names;
use crate::clock::after;
use crate::decide::{Fuel, Outcome, Reserved, Settings};

pub(super) const POLL: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(1);

/// One look at everything.
pub(super) struct Turn<'t, 'a> {
    pub cluster: &'a Cluster<'a>,
    pub reserved: &'t Reserved,
    pub settings: &'a Settings,
    pub force: Option<&'t Force>,
    /// Commands wait out their validation, and what was looked at in vain is remembered.
    pub waits: bool,
    pub fuel: &'t mut Fuel,
    pub verdicts: Verdicts,
}

/// What the methods of a turn share.
struct Looked<'a> {
    candidates: Vec<Candidate<'a>>,
    /// For multi-node and single-node, once one of them asked.
    consolidatable: Option<(Vec<Candidate<'a>>, Scores)>,
}

impl<'a> Turn<'_, 'a> {
    pub fn now(&self) -> Timestamp {
        self.cluster.now
    }

    pub fn waive(&self) -> Waive {
        Waive {
            consolidate_after: self.force.is_some(),
            policy: self.force.is_some(),
        }
    }

    pub fn ignores_budgets(&self) -> bool {
        self.force.is_some_and(|f| f.ignore_budgets)
    }

    fn is_in_scope(&self, machine: &Machine<'_>) -> bool {
        match self.force.map(|f| &f.scope) {
            None | Some(Scope::All) => true,
            Some(Scope::Pool(pool)) => machine.label(names::NODEPOOL) == Some(pool),
            Some(Scope::Node(node)) => machine.name == *node,
        }
    }

    /// Every machine gets a verdict or becomes a candidate; sorted.
    fn candidates(&mut self, memory: &Memory) -> Vec<Candidate<'a>> {
        let cluster = self.cluster;
        let checks = Checks {
            reserved: self.reserved,
            nominated: &memory.nominated,
            pod_events: &memory.pod_events,
            eventual: false,
        };
        let mut out = Vec::new();
        for machine in cluster.machines.values() {
            if !self.is_in_scope(machine) {
                continue;
            }
            match candidate(cluster, machine, &checks) {
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

    /// Methods in their order, from the one behind `after_method`; the first that finds a command ends the pass.
    pub fn methods(&mut self, memory: &mut Memory, after_method: Option<Method>, out: &mut Outcome) {
        let now = self.now();
        memory.next_poll = Some(after(now, POLL));
        let candidates = self.candidates(memory);
        let seen = fingerprint(self.cluster, &candidates, self.settings);
        let mut looked = Looked {
            candidates,
            consolidatable: None,
        };
        let mut simulator = Simulator::new(self.cluster, self.settings);
        let methods = [
            Method::Emptiness,
            Method::StaticDrift,
            Method::Drift,
            Method::MultiNode,
            Method::SingleNode,
        ];
        for method in methods
            .into_iter()
            .filter(|m| after_method.is_none_or(|a| *m > a))
        {
            let remembers = method.validates() && self.waits && self.force.is_none();
            let unchanged = remembers && memory.is_unchanged(method, seen, now);
            if unchanged {
                // What was said about every node still holds.
                continue;
            }
            let found = self.ask(method, memory, &mut simulator, &mut looked);
            let nothing = found.commands.is_empty();
            let mut accepted = false;
            for command in &found.commands {
                accepted |= self.accept(memory, method, command, out);
            }
            if accepted {
                break;
            }
            if found.look_soon {
                memory.next_poll = Some(after(now, SOON));
            }
            if nothing && !found.constrained && remembers {
                memory.remember(method, seen, now);
            }
        }
        if !self.waits {
            self.complete(&mut simulator, &mut looked);
        }
        out.wake(memory.next_poll.unwrap_or(now));
    }

    fn ask(
        &mut self,
        method: Method,
        memory: &mut Memory,
        simulator: &mut Simulator<'a>,
        looked: &mut Looked<'a>,
    ) -> Found<'a> {
        let waive = self.waive();
        let mut budgets = Budgets::new(
            self.cluster,
            self.reserved,
            method.reason(),
            self.ignores_budgets(),
        );
        if method == Method::Emptiness {
            let holders = simulator.holders(self.fuel);
            let (held, free): (Vec<_>, Vec<_>) = looked
                .candidates
                .iter()
                .cloned()
                .partition(|c| holders.contains(c.name()));
            for candidate in held {
                let why = Why::new("buffer_pods");
                self.verdicts.say(candidate.name(), Some(Method::Emptiness), why);
            }
            return emptiness::run(&free, &mut budgets, self.now(), waive, &mut self.verdicts);
        }
        if let Method::StaticDrift | Method::Drift = method {
            let fixed = method == Method::StaticDrift;
            let checks = Checks {
                reserved: self.reserved,
                nominated: &memory.nominated,
                pod_events: &memory.pod_events,
                eventual: true,
            };
            let mut verdicts = std::mem::take(&mut self.verdicts);
            let drifted =
                drift::candidates(simulator, &checks, |m| self.is_in_scope(m), fixed, &mut verdicts);
            self.verdicts = verdicts;
            if fixed {
                let verdicts = &mut self.verdicts;
                return static_drift::run(simulator, drifted, &mut budgets, self.reserved, verdicts);
            }
            return drift::run(
                simulator,
                drifted,
                &mut budgets,
                self.reserved,
                &mut self.verdicts,
                self.fuel,
            );
        }
        let (eligible, scores) = self.consolidatable(looked);
        if method == Method::MultiNode {
            return multi_node::run(
                simulator,
                eligible,
                scores,
                &mut budgets,
                self.reserved,
                self.fuel,
            );
        }
        let (mut eligible, scores) = (eligible.clone(), scores.clone());
        eligible = single_node::interleave(eligible, &memory.unseen);
        single_node::run(
            simulator,
            eligible,
            &scores,
            &budgets,
            self.reserved,
            &mut memory.unseen,
            &mut self.verdicts,
            self.fuel,
        )
    }

    /// The candidates of multi-node and single-node consolidation; the others hear why not.
    fn consolidatable<'l>(&mut self, looked: &'l mut Looked<'a>) -> (&'l Vec<Candidate<'a>>, &'l Scores) {
        let (cluster, waive, now) = (self.cluster, self.waive(), self.now());
        let (candidates, verdicts, parity) = (&looked.candidates, &mut self.verdicts, self.settings.parity);
        let (eligible, scores) = looked.consolidatable.get_or_insert_with(|| {
            let mut eligible = Vec::new();
            for candidate in candidates {
                let catalogue = cluster.snapshot.catalogue(&candidate.claim.class.name);
                let known = catalogue.is_some_and(|c| c.get(&candidate.instance_type).is_some());
                match eligibility::underutilized(candidate, known, now, waive) {
                    Ok(()) => eligible.push(candidate.clone()),
                    // Emptiness has spoken about it.
                    Err(why) if &*why.code == "is_empty" => {
                        verdicts.say_first(candidate.name(), Some(Method::SingleNode), why);
                    }
                    Err(why) => verdicts.say(candidate.name(), Some(Method::SingleNode), why),
                }
            }
            let mut scores = Scores::new(cluster, &eligible, parity);
            scores.only_tells = waive.policy;
            (eligible, scores)
        });
        (eligible, scores)
    }

    /// Nodes that no method came to because another command ended the pass: what would become of each on its own.
    fn complete(&mut self, simulator: &mut Simulator<'a>, looked: &mut Looked<'a>) {
        let budgets = Budgets::new(
            self.cluster,
            self.reserved,
            Method::SingleNode.reason(),
            self.ignores_budgets(),
        );
        self.consolidatable(looked);
        let Some((eligible, scores)) = &looked.consolidatable else {
            return;
        };
        for candidate in eligible {
            if self.fuel.0 == 0 {
                return;
            }
            if self.verdicts.has_final(candidate.name()) {
                continue;
            }
            let (reserved, fuel) = (self.reserved, &mut *self.fuel);
            let why = match single_node::one(simulator, candidate, scores, &budgets, reserved, fuel) {
                Ok(command) => Why::new("outranked")
                    .fact("decision", command.decision())
                    .fact("savings", command.price_before() - command.price_after()),
                Err((why, _)) => why,
            };
            self.verdicts.say(candidate.name(), Some(Method::SingleNode), why);
        }
    }
}
