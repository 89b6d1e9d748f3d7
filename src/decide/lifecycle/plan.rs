//! What one pass collects: one patch an object, other effects, proposals. Leaves out what is under way or rests
//! after a refusal.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::memory::{Key, Memory};
use crate::api::names;
use crate::decide::{Outcome, Reserved, Settings, Step};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{DecisionId, Effect, ObjectPatch, Proposal, WriteClass};
use crate::model::{Claim, Name, Snapshot};

/// What every step of a pass reads.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub snapshot: &'a Snapshot,
    pub reserved: &'a Reserved,
    pub now: Timestamp,
    pub settings: &'a Settings,
}

/// The growing outcome of a pass.
#[derive(Default)]
pub struct Plan {
    patches: BTreeMap<(ObjectKind, Name), (Option<DecisionId>, ObjectPatch)>,
    effects: Vec<(Option<DecisionId>, Effect)>,
    proposals: Vec<Proposal>,
}

impl Plan {
    /// The one patch of an object, to be filled. Of several classes asked for, the most urgent holds.
    pub fn patch(
        &mut self,
        kind: ObjectKind,
        name: &Name,
        uid: &Name,
        class: WriteClass,
    ) -> &mut ObjectPatch {
        let (_, patch) = self
            .patches
            .entry((kind, name.clone()))
            .or_insert_with(|| (None, ObjectPatch::new(kind, name, uid, class)));
        patch.class = patch.class.min(class);
        patch
    }

    /// The patch of a claim, tied to the decision that made the claim.
    pub fn patch_claim(&mut self, claim: &Claim, class: WriteClass) -> &mut ObjectPatch {
        let entry = self
            .patches
            .entry((ObjectKind::NodeClaim, claim.name.clone()))
            .or_insert_with(|| {
                (
                    decision_of(claim),
                    ObjectPatch::new(ObjectKind::NodeClaim, &claim.name, &claim.uid, class),
                )
            });
        entry.1.class = entry.1.class.min(class);
        &mut entry.1
    }

    pub fn effect(&mut self, claim: Option<&Claim>, effect: Effect) {
        self.effects.push((claim.and_then(decision_of), effect));
    }

    pub fn propose(&mut self, proposal: Proposal) {
        self.proposals.push(proposal);
    }

    /// Closes the pass: drops empty patches, what is under way, and what rests until its back-off is over (with a
    /// timer, so that it is looked at again then).
    pub fn finish(self, context: &Context<'_>, memory: &mut Memory) -> Outcome {
        let mut out = Outcome {
            proposals: self.proposals,
            ..Outcome::default()
        };
        let patches = self
            .patches
            .into_values()
            .filter(|(_, p)| !p.is_empty())
            .map(|(decision, p)| (decision, Effect::Patch(Box::new(p))));
        for (decision, effect) in self.effects.into_iter().chain(patches) {
            let key = effect.key();
            if context.reserved.effects.contains(&key) {
                continue;
            }
            if let Some(until) = memory.rests_until(&key, context.now) {
                if let Some(owner) = owner_of(context.snapshot, &effect) {
                    memory.wake(owner, until);
                }
                continue;
            }
            out.steps.push(Step { decision, effect });
        }
        for event in memory.take_events() {
            out.steps.push(Step {
                decision: None,
                effect: event,
            });
        }
        out.wake_at = memory.next_wake();
        out
    }
}

/// The decision that a claim's annotation names.
pub fn decision_of(claim: &Claim) -> Option<DecisionId> {
    claim
        .annotations
        .get(names::KERF_DECISION)
        .and_then(|v| v.trim_start_matches('#').parse().ok())
        .map(DecisionId)
}

/// Whose step emits an effect: visiting that key emits it again if it is still needed.
pub fn owner_of(snapshot: &Snapshot, effect: &Effect) -> Option<Key> {
    Some(match effect {
        Effect::Launch { claim, .. } | Effect::DeleteClaim { claim, .. } => Key::Claim(claim.clone()),
        Effect::DeleteNode { node, .. } => {
            let node = snapshot.nodes.get(node)?;
            Key::Claim(snapshot.claim_of(&node.provider_id)?.name.clone())
        }
        Effect::Evict { node, .. } => Key::Node(node.clone()),
        Effect::DeletePod { namespace, pod, .. } => Key::Node(
            snapshot
                .pods
                .get(&crate::model::pod::pod_key(namespace, pod))?
                .node
                .clone()?,
        ),
        Effect::TerminateInstance { provider_id } | Effect::TagInstance { provider_id, .. } => {
            Key::Claim(snapshot.claim_of(provider_id)?.name.clone())
        }
        Effect::Patch(patch) => match patch.kind {
            ObjectKind::NodeClaim => Key::Claim(patch.name.clone()),
            ObjectKind::Node => match snapshot.nodes.get(&patch.name) {
                Some(node) if node.deleting.is_none() => {
                    Key::Claim(snapshot.claim_of(&node.provider_id)?.name.clone())
                }
                _ => Key::Node(patch.name.clone()),
            },
            ObjectKind::NodePool => Key::Pool(patch.name.clone()),
            ObjectKind::NodeClass => Key::Class(patch.name.clone()),
            ObjectKind::Pod | ObjectKind::NodeOverlay | ObjectKind::CapacityBuffer => return None,
        },
        Effect::CreateClaim(_) | Effect::Event { .. } => return None,
    })
}
