//! Commands that act, rebuilt from annotations at every look (`disruption §16`, decisions §6): candidates go when
//! every replacement is initialized, or get their place back.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::cluster::{Cluster, Machine};
use super::events;
use super::memory::Memory;
use crate::api::names;
use crate::decide::lifecycle::is_managed;
use crate::decide::pods::disrupted_taint;
use crate::decide::{Outcome, Reserved, Step};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{DecisionId, Effect, ObjectPatch, WriteClass};
use crate::model::{Claim, Name, Snapshot, Status};

/// How long a replacement that was never seen may take to appear after its candidates were marked.
const APPEARS_WITHIN: SignedDuration = SignedDuration::from_secs(30);
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// Whether anything carries a mark of a disruption.
pub fn has_work(snapshot: &Snapshot) -> bool {
    let taint = disrupted_taint();
    let marked = snapshot.nodes.values().any(|n| {
        n.annotations.contains_key(names::KERF_REPLACED_BY) || n.taints.iter().any(|t| t.same(&taint))
    });
    marked
        || snapshot
            .claims
            .values()
            .any(|c| c.conditions.contains_key(names::DISRUPTION_REASON))
}

/// Completions, roll-backs and the clean-up of marks that no decision claims.
pub fn steps(cluster: &Cluster<'_>, memory: &mut Memory, reserved: &Reserved, out: &mut Outcome) {
    let before = out.steps.len();
    let mut commands: BTreeMap<Name, Vec<&Machine<'_>>> = BTreeMap::new();
    for machine in cluster.machines.values() {
        let value = machine
            .node
            .and_then(|n| n.annotations.get(names::KERF_REPLACED_BY));
        match value {
            Some(value) => commands.entry(value.clone()).or_default().push(machine),
            None => clean_up(machine, reserved, out),
        }
    }
    memory.queued.retain(|value, _| commands.contains_key(value));
    let total = commands.values().map(Vec::len).sum();
    for (value, machines) in &commands {
        memory.queued.entry(value.clone()).or_insert(cluster.now);
        if &**value == "-" {
            for machine in machines {
                delete(cluster, memory, machine, reserved, out);
            }
        } else {
            advance(cluster, memory, reserved, value, machines, total, out);
        }
    }
    // Refused ones rest; the rest is over by the wake-up at the latest.
    for step in out.steps.split_off(before) {
        match memory.rests_until(&step.effect, cluster.now) {
            Some(until) => out.wake(until),
            None => out.steps.push(step),
        }
    }
    let wanted: std::collections::BTreeSet<&str> = commands.keys().flat_map(|v| v.split(',')).collect();
    memory.seen_replacements.retain(|name| wanted.contains(&**name));
}

/// One command with replacements.
fn advance(
    cluster: &Cluster<'_>,
    memory: &mut Memory,
    reserved: &Reserved,
    value: &Name,
    machines: &[&Machine<'_>],
    total: usize,
    out: &mut Outcome,
) {
    let open: Vec<&Machine<'_>> = machines
        .iter()
        .copied()
        .filter(|m| m.claim.is_some_and(|c| c.deleting.is_none()))
        .collect();
    if open.is_empty() {
        return;
    }
    // Once the first candidate goes the others go too, whatever becomes of the replacements.
    let begun = machines
        .iter()
        .any(|m| m.claim.is_some_and(|c| c.deleting.is_some()));
    let mut ready = true;
    let mut lost = false;
    for name in value.split(',') {
        match cluster.snapshot.claims.get(name) {
            Some(claim) if claim.deleting.is_none() => {
                memory.seen_replacements.insert(claim.name.clone());
                let initialized = claim.is(names::INITIALIZED_CONDITION);
                ready &= initialized;
                if !initialized {
                    events::waiting(memory, cluster, claim, out);
                }
            }
            gone => {
                ready = false;
                let seen = gone.is_some() || memory.seen_replacements.contains(name);
                let coming = reserved.effects.contains(&format!("create/{name}"))
                    || open.iter().any(|m| reserved.nodes.contains_key(&m.name));
                let first = memory.queued.get(value).copied().unwrap_or(cluster.now);
                let overdue = cluster.now.duration_since(first) >= APPEARS_WITHIN;
                lost |= seen || (overdue && !coming);
            }
        }
    }
    if ready || begun {
        for machine in open {
            delete(cluster, memory, machine, reserved, out);
        }
    } else if lost || timed_out(cluster.now, &open, total) {
        for machine in open {
            roll_back(machine, reserved, out);
        }
        for name in value.split(',') {
            drop_unlaunched(
                cluster.snapshot.claims.get(name).map(AsRef::as_ref),
                reserved,
                out,
            );
        }
    } else {
        out.wake(cluster.now.checked_add(LOOK_AGAIN).unwrap_or(Timestamp::MAX));
    }
}

/// `clamp(80 ms × candidates in the queue, 10 min, 1 h)` since the marks were set.
fn timed_out(now: Timestamp, open: &[&Machine<'_>], total: usize) -> bool {
    let began = open
        .iter()
        .filter_map(|m| m.claim?.conditions.get(names::DISRUPTION_REASON))
        .map(|c| c.since)
        .min();
    began.is_some_and(|at| now.duration_since(at) > time_limit(total))
}

/// How long a command may take with so many candidates in the queue.
pub fn time_limit(candidates: usize) -> SignedDuration {
    let millis = i64::try_from(candidates).unwrap_or(i64::MAX).saturating_mul(80);
    SignedDuration::from_millis(millis.clamp(600_000, 3_600_000))
}

fn push(reserved: &Reserved, out: &mut Outcome, decision: Option<DecisionId>, effect: Effect) {
    if !reserved.effects.contains(&effect.key()) {
        out.steps.push(Step { decision, effect });
    }
}

fn decision_of(machine: &Machine<'_>) -> Option<DecisionId> {
    let annotations = machine
        .node
        .map(|n| &n.annotations)
        .into_iter()
        .chain(machine.claim.map(|c| &c.annotations));
    annotations
        .filter_map(|a| a.get(names::KERF_DECISION))
        .find_map(|v| v.trim_start_matches('#').parse().ok())
        .map(DecisionId)
}

fn delete(
    cluster: &Cluster<'_>,
    memory: &mut Memory,
    machine: &Machine<'_>,
    reserved: &Reserved,
    out: &mut Outcome,
) {
    let Some(claim) = machine.claim.filter(|c| c.deleting.is_none()) else {
        return;
    };
    let reason = claim
        .conditions
        .get(names::DISRUPTION_REASON)
        .filter(|c| c.status == Status::True)
        .map_or("Underutilized", |c| &*c.reason);
    events::queue(memory, cluster, machine, reason, out);
    let effect = Effect::DeleteClaim {
        claim: claim.name.clone(),
        uid: claim.uid.clone(),
        reason: reason.to_lowercase().into(),
    };
    push(reserved, out, decision_of(machine), effect);
}

/// Takes the marks off a machine that stays.
fn roll_back(machine: &Machine<'_>, reserved: &Reserved, out: &mut Outcome) {
    let decision = decision_of(machine);
    if let Some(node) = machine.node {
        let mut patch = ObjectPatch::new(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete);
        patch.remove_taints.push(disrupted_taint());
        patch.annotations.insert(names::KERF_REPLACED_BY.into(), None);
        push(reserved, out, decision, Effect::Patch(Box::new(patch)));
    }
    if let Some(claim) = machine.claim {
        let mut patch = ObjectPatch::new(
            ObjectKind::NodeClaim,
            &claim.name,
            &claim.uid,
            WriteClass::Complete,
        );
        patch.remove_conditions.push(names::DISRUPTION_REASON.into());
        push(reserved, out, decision, Effect::Patch(Box::new(patch)));
    }
}

/// Replacements that have a machine already stay as ordinary nodes; one without a machine is of no use.
fn drop_unlaunched(claim: Option<&Claim>, reserved: &Reserved, out: &mut Outcome) {
    if let Some(claim) = claim.filter(|c| c.deleting.is_none() && c.provider_id.is_empty()) {
        let effect = Effect::DeleteClaim {
            claim: claim.name.clone(),
            uid: claim.uid.clone(),
            reason: "rolled_back".into(),
        };
        push(reserved, out, None, effect);
    }
}

/// `disruption §1`, step 4: marks that no decision claims.
fn clean_up(machine: &Machine<'_>, reserved: &Reserved, out: &mut Outcome) {
    let (Some(node), Some(claim)) = (machine.node, machine.claim) else {
        return;
    };
    let ours = is_managed(&claim.class) && !machine.is_leaving() && node.deleting.is_none();
    if !ours || reserved.nodes.contains_key(&machine.name) {
        return;
    }
    let taint = disrupted_taint();
    if node.taints.iter().any(|t| t.same(&taint)) {
        let mut patch = ObjectPatch::new(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete);
        patch.remove_taints.push(taint);
        push(reserved, out, None, Effect::Patch(Box::new(patch)));
    }
    if machine.is_initialized() && claim.conditions.contains_key(names::DISRUPTION_REASON) {
        let mut patch = ObjectPatch::new(
            ObjectKind::NodeClaim,
            &claim.name,
            &claim.uid,
            WriteClass::Complete,
        );
        patch.remove_conditions.push(names::DISRUPTION_REASON.into());
        push(reserved, out, None, Effect::Patch(Box::new(patch)));
    }
}
