//! The numbered cases of `disruption §25`: tests are named by their numbers, and `numbers` counts them.

mod ahead;
mod balanced;
mod budgets;
mod class_drift;
mod consolidation;
mod drift;
mod eligibility;
mod emptiness;
mod fixed;
mod multi;
mod numbers;
mod placing;
mod queue;
mod revalidation;
mod several;

use std::collections::BTreeMap;

use super::candidates::{Candidate, Checks, candidate};
use super::cluster::Cluster;
use super::verdicts::Why;
use super::{Force, Memory, once, pass};
use crate::decide::testing::{World, at, owner};
use crate::decide::{Fuel, Outcome, Reserved, Settings};
use crate::model::Name;
use crate::model::decision::evidence::Disruption;
use crate::model::decision::{Effect, Evidence, Proposal, Verdict};

/// One immediate decision at 0.
fn decide(world: &World) -> Outcome {
    decide_with(world, &Settings::default())
}

fn decide_with(world: &World, settings: &Settings) -> Outcome {
    once(&world.snapshot, at(0), settings, &mut Fuel::UNLIMITED.clone())
}

/// A running loop.
#[derive(Default)]
struct Loop {
    memory: Memory,
    reserved: Reserved,
}

impl Loop {
    fn turn(&mut self, world: &World, seconds: i64) -> Outcome {
        self.forced(world, seconds, None)
    }

    fn forced(&mut self, world: &World, seconds: i64, force: Option<&Force>) -> Outcome {
        pass(
            &world.snapshot,
            &mut self.memory,
            &self.reserved,
            force,
            at(seconds),
            &Settings::default(),
            &mut Fuel::UNLIMITED.clone(),
        )
    }
}

fn verdict<'a>(outcome: &'a Outcome, node: &str) -> &'a Verdict {
    outcome
        .verdicts
        .iter()
        .find(|v| &*v.node == node)
        .expect("a verdict")
}

fn code(outcome: &Outcome, node: &str) -> String {
    verdict(outcome, node).code.to_string()
}

fn evidence(proposal: &Proposal) -> &Disruption {
    match &proposal.evidence {
        Evidence::Disruption(evidence) => evidence,
        other => panic!("{other:?}"),
    }
}

/// `method: subjects` of the only proposal, empty for none.
fn proposed(outcome: &Outcome) -> String {
    match outcome.proposals.as_slice() {
        [] => String::new(),
        [one] => format!("{}: {}", evidence(one).method, one.subjects.join(" ")),
        more => panic!("{} proposals", more.len()),
    }
}

fn keys<'a>(effects: impl Iterator<Item = &'a Effect>) -> Vec<String> {
    effects.map(Effect::key).collect()
}

/// Code of the first check that a node fails; empty when it is a candidate.
fn check(world: &World, node: &str, eventual: bool) -> String {
    let reserved = Reserved::default();
    check_with(world, node, eventual, &reserved, &BTreeMap::new())
}

fn check_with(
    world: &World,
    node: &str,
    eventual: bool,
    reserved: &Reserved,
    nominated: &BTreeMap<Name, jiff::Timestamp>,
) -> String {
    let cluster = Cluster::new(&world.snapshot, at(0));
    let checks = Checks {
        reserved,
        nominated,
        pod_events: &BTreeMap::new(),
        eventual,
    };
    let machine = cluster.machines.get(node).expect("machine");
    let found: Result<Candidate<'_>, Why> = candidate(&cluster, machine, &checks);
    found.err().map(|w| w.code.to_string()).unwrap_or_default()
}

/// Machines `n0` to `n<count − 1>` of one type, empty.
fn fleet(count: usize, instance_type: &str) -> World {
    let mut world = World::new();
    for i in 0..count {
        world.machine(&format!("n{i}"), instance_type);
    }
    world
}

fn daemon(pod: &mut crate::model::Pod) {
    pod.owners = vec![owner("DaemonSet")];
}
