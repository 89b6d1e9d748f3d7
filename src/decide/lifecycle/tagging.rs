//! Instances carry the names of their node and claim (`lifecycle §12`).

use std::collections::BTreeMap;

use super::memory::Memory;
use super::plan::{Context, Plan};
use crate::api::names;
use crate::model::Claim;
use crate::model::decision::Effect;

/// Tags once the node is known; the cloud's list tells whether the tags are there.
pub fn step(context: &Context<'_>, memory: &Memory, claim: &Claim, plan: &mut Plan) {
    let tagged = memory.tagged.contains(&claim.provider_id)
        || context
            .snapshot
            .instances
            .get(&claim.provider_id)
            .is_none_or(|i| i.claim.is_some());
    if claim.node_name.is_empty() || tagged {
        return;
    }
    plan.effect(
        Some(claim),
        Effect::TagInstance {
            provider_id: claim.provider_id.clone(),
            tags: BTreeMap::from([
                ("Name".into(), claim.node_name.clone()),
                (names::TAG_NODECLAIM.into(), claim.name.clone()),
            ]),
        },
    );
}
