//! Initialization (`lifecycle §3.3`): one-way, without a time-out.

use std::time::Duration;

use super::conditions::Draft;
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::registration::nodes_of;
use crate::api::names;
use crate::clock::after;
use crate::decide::scheduling::state::is_ephemeral;
use crate::model::decision::WriteClass;
use crate::model::decision::effect::ObjectKind;
use crate::model::{Claim, Node, Status};

/// How long a registered node usually takes to be ready for use.
const BOOTS_WITHIN: Duration = Duration::from_secs(60);

/// The first check that fails: reason and message for the condition.
fn obstacle(claim: &Claim, node: &Node) -> Option<(&'static str, String)> {
    if !node.ready {
        return Some(("NodeNotReady", "Node status is NotReady".into()));
    }
    if let Some(taint) = claim
        .startup_taints
        .iter()
        .find(|t| node.taints.iter().any(|n| n.same(t)))
    {
        return Some((
            "StartupTaintsExist",
            format!("StartupTaint \"{taint}\" still exists"),
        ));
    }
    if let Some(taint) = node.taints.iter().find(|t| is_ephemeral(t)) {
        return Some((
            "KnownEphemeralTaintsExist",
            format!("KnownEphemeralTaint \"{taint}\" still exists"),
        ));
    }
    claim
        .requests
        .iter()
        .find(|(resource, _)| node.allocatable.get(resource) == 0)
        .map(|(resource, _)| {
            (
                "ResourceNotRegistered",
                format!("Resource \"{resource}\" was requested but not registered"),
            )
        })
}

/// Evaluated only for registered claims.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, draft: &mut Draft, plan: &mut Plan) {
    if !draft.is(names::REGISTERED_CONDITION) {
        return;
    }
    let nodes = nodes_of(context, memory, claim);
    let node = match nodes.as_slice() {
        [one] if one.deleting.is_none() => Some(*one),
        _ => None,
    };
    if draft.status(names::INITIALIZED_CONDITION) == Some(Status::Unknown) {
        let Some(node) = node else {
            draft.set(
                names::INITIALIZED_CONDITION,
                Status::Unknown,
                "NodeNotFound",
                "Node not registered with cluster",
            );
            return;
        };
        if let Some((reason, message)) = obstacle(claim, node) {
            // A boot passes through several obstacles: after the first, only one that lasts is told.
            let told = draft.get(names::INITIALIZED_CONDITION).is_some_and(|c| {
                !matches!(&*c.reason, "AwaitingReconciliation" | "NodeNotFound") && &*c.reason != reason
            });
            let lasts = after(draft.since(names::REGISTERED_CONDITION), BOOTS_WITHIN);
            if told && context.now < lasts {
                memory.wake(Key::Claim(claim.name.clone()), lasts);
                return;
            }
            draft.set(names::INITIALIZED_CONDITION, Status::Unknown, reason, &message);
            return;
        }
        draft.set_true(names::INITIALIZED_CONDITION);
        // An urgent step, not a mirror: disruption and replacements wait for it.
        plan.patch_claim(claim, WriteClass::Complete);
    } else {
        draft.refresh(names::INITIALIZED_CONDITION);
    }
    if let Some(node) = node
        && draft.is(names::INITIALIZED_CONDITION)
        && node.label(names::INITIALIZED).is_none_or(|v| &**v != "true")
    {
        plan.patch(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete)
            .labels
            .insert(names::INITIALIZED.into(), Some("true".into()));
    }
}
