//! A deleting claim (`lifecycle §4`): deadline, nodes, machine, finalizer, in that order.

use std::time::Duration;

use jiff::Timestamp;

use super::conditions::{self, Draft};
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::registration::nodes_of;
use crate::api::names;
use crate::clock::after;
use crate::model::decision::{Effect, WriteClass};
use crate::model::{Claim, Name};

/// How often a machine is asked whether it is gone (`lifecycle §16`).
pub const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Emits what the deletion needs next; nothing without our finalizer.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, plan: &mut Plan) {
    let Some(deleted) = claim.deleting else { return };
    if !claim
        .finalizers
        .iter()
        .any(|f| &**f == names::TERMINATION_FINALIZER)
    {
        return;
    }
    if context
        .reserved
        .effects
        .contains(&format!("launch/{}", claim.name))
    {
        // What it brings must be seen before the claim may go.
        memory.wake(
            Key::Claim(claim.name.clone()),
            after(context.now, Duration::from_secs(1)),
        );
        return;
    }
    stamp_deadline(context, memory, claim, deleted, plan);
    let nodes = nodes_of(context, memory, claim);
    if claim.is(names::REGISTERED_CONDITION) && !nodes.is_empty() {
        for node in nodes.iter().filter(|n| n.deleting.is_none()) {
            plan.effect(
                Some(claim),
                Effect::DeleteNode {
                    node: node.name.clone(),
                    uid: node.uid.clone(),
                },
            );
        }
        return;
    }
    if !claim.provider_id.is_empty() && !instance_gone(context, memory, claim, plan) {
        return;
    }
    plan.patch_claim(claim, WriteClass::Complete)
        .remove_finalizers
        .push(names::TERMINATION_FINALIZER.into());
}

/// `deletionTimestamp + terminationGracePeriod`, written once and never moved.
fn stamp_deadline(
    context: &Context<'_>,
    memory: &mut Memory,
    claim: &Claim,
    deleted: Timestamp,
    plan: &mut Plan,
) {
    let Some(grace) = claim.termination_grace else {
        return;
    };
    if claim.annotations.contains_key(names::TERMINATION_TIMESTAMP) {
        return;
    }
    let deadline = whole_seconds(after(deleted, grace));
    plan.patch_claim(claim, WriteClass::Complete).annotations.insert(
        names::TERMINATION_TIMESTAMP.into(),
        Some(deadline.to_string().into()),
    );
    memory.say_claim(
        claim,
        true,
        "TerminationGracePeriodExpiring",
        format!("All pods will be deleted by {deadline}"),
        context.now,
    );
}

/// Kubernetes times have whole seconds.
pub fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The hard end of a drain that a claim's annotation names; unreadable ones count as none.
pub fn deadline_of(claim: &Claim) -> Option<Timestamp> {
    claim.annotations.get(names::TERMINATION_TIMESTAMP)?.parse().ok()
}

/// Asks the provider to terminate the claim's machine, again every five seconds, until it is gone. Shows
/// `InstanceTerminating` once the provider took the call.
pub fn instance_gone(context: &Context<'_>, memory: &mut Memory, claim: &Claim, plan: &mut Plan) -> bool {
    let id = &claim.provider_id;
    let asked = memory.terminating.get(id).copied();
    if memory.gone.contains(id) || (asked.is_some() && has_vanished(context, id)) {
        return true;
    }
    if asked.is_some() && !claim.is(names::INSTANCE_TERMINATING) {
        let mut draft = Draft::of_claim(claim, context.now);
        draft.set_true(names::INSTANCE_TERMINATING);
        draft.root(&conditions::CLAIM);
        draft.write(plan.patch_claim(claim, WriteClass::Complete));
    }
    let next = asked.map_or(context.now, |at| after(at, ASK_AGAIN));
    if next <= context.now {
        plan.effect(
            Some(claim),
            Effect::TerminateInstance {
                provider_id: id.clone(),
            },
        );
        // The answer brings us back earlier; this is for an answer that is lost.
        memory.wake(Key::Claim(claim.name.clone()), after(context.now, ASK_AGAIN));
    } else {
        memory.wake(Key::Claim(claim.name.clone()), next);
    }
    false
}

/// The cloud's list says terminated, or no longer has it. Only conclusive once termination was asked for: a fresh
/// instance may not be listed yet.
fn has_vanished(context: &Context<'_>, provider_id: &Name) -> bool {
    match context.snapshot.instances.get(provider_id) {
        Some(instance) => &*instance.state == "terminated",
        None => !context.snapshot.instances.is_empty(),
    }
}
