//! Registration (`lifecycle §3.2`): the claim's labels, annotations and taints go to its node, once.

use super::conditions::Draft;
use super::memory::Memory;
use super::plan::{Context, Plan};
use super::{health, memory::Key};
use crate::api::names;
use crate::model::decision::WriteClass;
use crate::model::decision::effect::ObjectKind;
use crate::model::{Claim, Labels, Name, Node, Status};

/// Nodes that carry the claim's provider id.
pub fn nodes_of<'a>(context: &Context<'a>, memory: &Memory, claim: &Claim) -> Vec<&'a Node> {
    if claim.provider_id.is_empty() {
        return Vec::new();
    }
    memory
        .index
        .nodes_with(&claim.provider_id)
        .iter()
        .filter_map(|name| context.snapshot.nodes.get(name))
        .map(AsRef::as_ref)
        .collect()
}

/// Patches the node first; `Registered` follows when the node shows it.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, draft: &mut Draft, plan: &mut Plan) {
    if draft.status(names::REGISTERED_CONDITION) != Some(Status::Unknown) {
        draft.refresh(names::REGISTERED_CONDITION);
        return;
    }
    let nodes = nodes_of(context, memory, claim);
    let node = match nodes.as_slice() {
        [] => {
            draft.set(
                names::REGISTERED_CONDITION,
                Status::Unknown,
                "NodeNotFound",
                "Node not registered with cluster",
            );
            return;
        }
        [one] => *one,
        several => {
            let names: Vec<&str> = several.iter().map(|n| &*n.name).collect();
            draft.set(
                names::REGISTERED_CONDITION,
                Status::False,
                "MultipleNodesFound",
                &format!("Invariant violated, matched multiple nodes: {}", names.join(", ")),
            );
            return;
        }
    };
    if node.deleting.is_some() {
        return;
    }
    let labelled = node.label(names::REGISTERED).is_some_and(|v| &**v == "true");
    let unregistered = node.taints.iter().any(|t| &*t.key == names::UNREGISTERED_TAINT);
    if !labelled && !unregistered {
        memory.say_claim(
            claim,
            true,
            "UnregisteredTaintMissing",
            format!(
                "Missing {} taint which prevents registration related race conditions on Karpenter-managed nodes",
                names::UNREGISTERED_TAINT
            ),
            context.now,
        );
    }
    let guarded = node
        .finalizers
        .iter()
        .any(|f| &**f == names::TERMINATION_FINALIZER);
    if labelled && !unregistered && guarded {
        draft.set_true(names::REGISTERED_CONDITION);
        let patch = plan.patch_claim(claim, WriteClass::Complete);
        if claim.node_name != node.name {
            patch
                .status
                .insert("nodeName".into(), serde_json::Value::from(&*node.name));
        }
        health::record(context, memory, claim, true, plan);
        if let Some(pool) = claim.pool() {
            memory.wake(Key::Pool(pool.clone()), context.now);
        }
        return;
    }
    sync(claim, node, labelled, plan);
}

/// Everything a node gets from its claim. Taints only before the node is labelled: a startup taint that its owner
/// removed must not come back.
fn sync(claim: &Claim, node: &Node, labelled: bool, plan: &mut Plan) {
    let patch = plan.patch(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete);
    patch.add_finalizers.push(names::TERMINATION_FINALIZER.into());
    patch.owner_claim = Some((claim.name.clone(), claim.uid.clone()));
    let keeps_taints = claim
        .labels
        .get(names::DO_NOT_SYNC_TAINTS)
        .or_else(|| node.label(names::DO_NOT_SYNC_TAINTS))
        .is_some_and(|v| &**v == "true");
    if !labelled && !keeps_taints {
        for taint in claim.taints.iter().chain(&claim.startup_taints) {
            let there = node.taints.iter().any(|t| t.same(taint));
            if !there && !patch.add_taints.iter().any(|t| t.same(taint)) {
                patch.add_taints.push(taint.clone());
            }
        }
    }
    for taint in node
        .taints
        .iter()
        .filter(|t| &*t.key == names::UNREGISTERED_TAINT)
    {
        patch.remove_taints.push(taint.clone());
    }
    copy_missing(&claim.labels, &node.labels, &mut patch.labels);
    for (key, value) in [
        (names::EC2_NODECLASS, claim.class.name.clone()),
        (names::REGISTERED, "true".into()),
    ] {
        if node.label(key) != Some(&value) {
            patch.labels.insert(key.into(), Some(value));
        }
    }
    let ours: Labels = claim
        .annotations
        .iter()
        .filter(|(k, _)| !k.starts_with("kerf.dev/") && &***k != names::TERMINATION_TIMESTAMP)
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    copy_missing(&ours, &node.annotations, &mut patch.annotations);
}

fn copy_missing(from: &Labels, to: &Labels, patch: &mut std::collections::BTreeMap<Name, Option<Name>>) {
    for (key, value) in from {
        if to.get(key) != Some(value) {
            patch.insert(key.clone(), Some(value.clone()));
        }
    }
}
