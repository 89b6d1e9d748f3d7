//! Taking a command back before any eviction: marks off, replacements away.

use std::collections::BTreeSet;

use crate::api::names;
use crate::decide::Step;
use crate::decide::pods::disrupted_taint;
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, ObjectPatch, WriteClass};
use crate::model::{Name, Snapshot};

/// The steps that give these candidates back. The caller knows that nothing was evicted or deleted yet.
pub fn undo(snapshot: &Snapshot, candidates: &BTreeSet<Name>) -> Vec<Step> {
    let mut effects = Vec::new();
    for node in candidates.iter().filter_map(|name| snapshot.nodes.get(name)) {
        for name in node
            .annotations
            .get(names::KERF_REPLACED_BY)
            .into_iter()
            .flat_map(|v| v.split(','))
        {
            if let Some(claim) = snapshot.claims.get(name).filter(|c| c.deleting.is_none()) {
                effects.push(Effect::DeleteClaim {
                    claim: claim.name.clone(),
                    uid: claim.uid.clone(),
                    reason: "undone".into(),
                });
            }
        }
        let mut patch = ObjectPatch::new(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete);
        patch.remove_taints.push(disrupted_taint());
        patch.annotations.insert(names::KERF_REPLACED_BY.into(), None);
        effects.push(Effect::Patch(Box::new(patch)));
        if let Some(claim) = snapshot.claim_of(&node.provider_id) {
            let mut patch = ObjectPatch::new(
                ObjectKind::NodeClaim,
                &claim.name,
                &claim.uid,
                WriteClass::Complete,
            );
            patch.remove_conditions.push(names::DISRUPTION_REASON.into());
            effects.push(Effect::Patch(Box::new(patch)));
        }
    }
    effects
        .into_iter()
        .map(|effect| Step {
            decision: None,
            effect,
        })
        .collect()
}
