//! A deleting node (`lifecycle §5`): taint, drain, volumes, machine, finalizer.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::conditions::{self, Draft};
use super::eviction;
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::termination::{deadline_of, instance_gone};
use crate::api::names;
use crate::clock::after;
use crate::decide::pods;
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, WriteClass};
use crate::model::{Claim, Name, Node, Pod, Status, TaintEffect};

/// Catches pods that the scheduler bound before it saw the taint.
const LEAST_DRAIN: SignedDuration = SignedDuration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Emits what the node's deletion needs next.
pub fn step(context: &Context<'_>, memory: &mut Memory, node: &Node, plan: &mut Plan) {
    let guarded = node
        .finalizers
        .iter()
        .any(|f| &**f == names::TERMINATION_FINALIZER);
    if node.deleting.is_none() || !guarded || node.label(names::EC2_NODECLASS).is_none() {
        return;
    }
    let claim = only_claim(context, memory, node);
    if let Some(claim) = claim.filter(|c| c.deleting.is_none()) {
        plan.effect(
            Some(claim),
            Effect::DeleteClaim {
                claim: claim.name.clone(),
                uid: claim.uid.clone(),
                reason: "node_deleted".into(),
            },
        );
    }
    if !node.ready && instance_is_gone(context, memory, node) {
        release(memory, node, plan);
        return;
    }
    let deadline = memory.tightest(&node.uid, claim.and_then(deadline_of));
    if let Some(deadline) = deadline {
        memory.say_node(
            node,
            true,
            "TerminationGracePeriodExpiring",
            format!("All pods will be deleted by {deadline}"),
            context.now,
        );
    }
    if mark(node, plan) {
        return;
    }
    let mut draft = claim.map(|c| Draft::of_claim(c, context.now));
    let drained = drain(context, memory, node, claim, &mut draft, deadline, plan);
    let detached = drained && volumes(context, memory, node, &mut draft, deadline);
    // Drained, detached and terminating are told in one write, once the cloud took the call.
    let soon_more = detached
        && claim
            .is_some_and(|c| !c.provider_id.is_empty() && !memory.terminating.contains_key(&c.provider_id));
    if let (Some(claim), Some(draft), false) = (claim, &mut draft, soon_more) {
        draft.root(&conditions::CLAIM);
        draft.write(plan.patch_claim(claim, WriteClass::Complete));
    }
    if !detached {
        memory.wake(Key::Node(node.name.clone()), after(context.now, LOOK_AGAIN));
        return;
    }
    if let Some(claim) = claim.filter(|c| !c.provider_id.is_empty())
        && !instance_gone(context, memory, claim, plan)
    {
        memory.wake(Key::Node(node.name.clone()), after(context.now, LOOK_AGAIN));
        return;
    }
    release(memory, node, plan);
}

/// The claim with the node's provider id, unless there is none or more than one.
fn only_claim<'a>(context: &Context<'a>, memory: &Memory, node: &Node) -> Option<&'a Claim> {
    if node.provider_id.is_empty() {
        return None;
    }
    match memory.index.claims_with(&node.provider_id).as_slice() {
        [one] => context.snapshot.claims.get(one).map(AsRef::as_ref),
        _ => None,
    }
}

fn instance_is_gone(context: &Context<'_>, memory: &Memory, node: &Node) -> bool {
    if node.provider_id.is_empty() || context.snapshot.instances.is_empty() {
        return false;
    }
    memory.gone.contains(&node.provider_id)
        || context
            .snapshot
            .instances
            .get(&node.provider_id)
            .is_none_or(|i| &*i.state == "terminated")
}

fn release(memory: &mut Memory, node: &Node, plan: &mut Plan) {
    memory.draining.remove(&node.uid);
    memory.deadlines.remove(&node.uid);
    plan.patch(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete)
        .remove_finalizers
        .push(names::TERMINATION_FINALIZER.into());
}

/// Taint and load-balancer label; true while the node does not show them yet.
fn mark(node: &Node, plan: &mut Plan) -> bool {
    let taint = pods::disrupted_taint();
    let tainted = node.taints.iter().any(|t| t.same(&taint));
    let labelled = node.label(names::EXCLUDE_BALANCERS).is_some();
    if tainted && labelled {
        return false;
    }
    let patch = plan.patch(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete);
    if !tainted {
        for other in node
            .taints
            .iter()
            .filter(|t| &*t.key == names::DISRUPTED_TAINT && t.effect != TaintEffect::NoSchedule)
        {
            patch.remove_taints.push(other.clone());
        }
        patch.add_taints.push(taint);
    }
    if !labelled {
        patch
            .labels
            .insert(names::EXCLUDE_BALANCERS.into(), Some("karpenter".into()));
    }
    true
}

/// True when no pod waits and the least time is over.
fn drain(
    context: &Context<'_>,
    memory: &mut Memory,
    node: &Node,
    claim: Option<&Claim>,
    draft: &mut Option<Draft>,
    deadline: Option<Timestamp>,
    plan: &mut Plan,
) -> bool {
    let first = *memory.draining.entry(node.uid.clone()).or_insert(context.now);
    let began = match draft {
        Some(d) if d.is(names::DRAINED) => return true,
        Some(d) => {
            // A node without pods is not worth telling that it drains.
            if d.get(names::DRAINED).is_none()
                && !pods_here(context, memory, node)
                    .iter()
                    .all(|p| !pods::waits_for_eviction(p, context.now))
            {
                d.set(names::DRAINED, Status::Unknown, "Draining", "Draining");
            }
            d.get(names::DRAINED).map_or(first, |c| c.since.min(first))
        }
        None => first,
    };
    let here = pods_here(context, memory, node);
    let waiting: Vec<&Pod> = here
        .iter()
        .copied()
        .filter(|p| pods::waits_for_eviction(p, context.now))
        .collect();
    if !waiting.is_empty() {
        let reason = claim
            .and_then(|c| c.conditions.get(names::DISRUPTION_REASON))
            .filter(|c| c.status == Status::True)
            .map_or_else(|| Name::from("Forceful Termination"), |c| c.reason.clone());
        let turn = eviction::Turn {
            node: &node.name,
            claim,
            deadline,
            reason: &reason,
        };
        eviction::next_wave(context, memory, &waiting, &turn, plan);
        say_refusal(context, memory, node);
        memory.say_node(
            node,
            true,
            "FailedDraining",
            format!(
                "Failed to drain node, {} pods are waiting to be evicted",
                waiting.len()
            ),
            context.now,
        );
        return false;
    }
    if claim.is_some() && context.now.duration_since(began) < LEAST_DRAIN {
        return false;
    }
    if let Some(d) = draft {
        d.set_true(names::DRAINED);
    }
    true
}

/// Names the budget rule that refused an eviction (deduplicated by its text, `observed`, rulings).
fn say_refusal(context: &Context<'_>, memory: &mut Memory, node: &Node) {
    let Some((pod, answer)) = memory.refused.remove(&node.name) else {
        return;
    };
    let text = if answer.contains("more than one PodDisruptionBudget") {
        "eviction does not support multiple PDBs"
    } else {
        "evicting pod violates a PDB"
    };
    let text = format!("Failed to drain node, {text} (Pod={pod})");
    memory.say_node(node, true, "FailedDraining", text, context.now);
}

/// True when no volume that a drained pod used hangs on the node, or the deadline has passed.
fn volumes(
    context: &Context<'_>,
    memory: &mut Memory,
    node: &Node,
    draft: &mut Option<Draft>,
    deadline: Option<Timestamp>,
) -> bool {
    let staying: BTreeSet<&Name> = pods_here(context, memory, node)
        .iter()
        .filter(|p| !pods::is_drainable(p, context.now))
        .flat_map(|p| {
            p.spec
                .volume_claims
                .iter()
                .filter_map(|c| {
                    context
                        .snapshot
                        .volume_claims
                        .get(&crate::model::pod::pod_key(&p.namespace, c))
                })
                .map(|c| &c.volume)
        })
        .collect();
    let pending: Vec<&Name> = context
        .snapshot
        .attachments
        .values()
        .filter(|a| a.node == node.name)
        .filter(|a| a.volume.as_ref().is_some_and(|v| !staying.contains(v)))
        .map(|a| &a.name)
        .collect();
    if pending.is_empty() {
        if let Some(d) = draft {
            d.set_true(names::VOLUMES_DETACHED);
        }
        return true;
    }
    if deadline.is_some_and(|d| context.now > d) {
        if let Some(d) = draft {
            d.set(
                names::VOLUMES_DETACHED,
                Status::False,
                "TerminationGracePeriodElapsed",
                "",
            );
        }
        return true;
    }
    let shown: Vec<&str> = pending.iter().take(5).map(|n| &***n).collect();
    let more = match pending.len().saturating_sub(5) {
        0 => String::new(),
        n => format!(" and {n} other(s)"),
    };
    memory.say_node(
        node,
        false,
        "AwaitingVolumeDetachment",
        format!(
            "Awaiting deletion of bound volumeattachments ({}{more})",
            shown.join(", ")
        ),
        context.now,
    );
    if let Some(d) = draft {
        d.set(
            names::VOLUMES_DETACHED,
            Status::Unknown,
            "AwaitingVolumeDetachment",
            "",
        );
    }
    false
}

fn pods_here<'a>(context: &Context<'a>, memory: &Memory, node: &Node) -> Vec<&'a Pod> {
    memory
        .index
        .pods_on(&node.name)
        .filter_map(|key| context.snapshot.pods.get(key))
        .map(AsRef::as_ref)
        .collect()
}
