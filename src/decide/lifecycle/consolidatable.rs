//! The condition `Consolidatable` and `status.lastPodEventTime` (`disruption §6`), mirrored for others; disruption
//! works them out for itself.

use super::conditions::Draft;
use super::is_leaving;
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::termination::whole_seconds;
use crate::api::names;
use crate::clock::after;
use crate::model::Claim;
use crate::model::decision::WriteClass;

/// A later stamp within this time changes nothing.
const STAMP_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

/// Sets or clears the condition and mirrors the stamp.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, draft: &mut Draft, plan: &mut Plan) {
    let pool = claim.pool().and_then(|p| context.snapshot.pools.get(p));
    let Some(pool) = pool.filter(|p| p.replicas.is_none() && !is_leaving(claim)) else {
        return;
    };
    let stamped = memory
        .index
        .nodes_with(&claim.provider_id)
        .iter()
        .filter_map(|node| memory.pod_events.get(node))
        .max()
        .map(|at| whole_seconds(*at));
    let last = claim.last_pod_event.max(stamped);
    if let Some(at) = last
        && claim
            .last_pod_event
            .is_none_or(|old| at.duration_since(old) >= STAMP_EVERY)
    {
        plan.patch_claim(claim, WriteClass::Mirror)
            .status
            .insert("lastPodEventTime".into(), serde_json::Value::from(at.to_string()));
    }
    let initialized = draft.is(names::INITIALIZED_CONDITION);
    let Some(wait) = pool.disruption.consolidate_after.filter(|_| initialized) else {
        draft.clear(names::CONSOLIDATABLE);
        return;
    };
    let quiet_since = last.unwrap_or_else(|| draft.since(names::INITIALIZED_CONDITION));
    let ripe = after(quiet_since, wait);
    if !wait.is_zero() && context.now < ripe {
        draft.clear(names::CONSOLIDATABLE);
        memory.wake(Key::Claim(claim.name.clone()), ripe);
    } else if !draft.is(names::CONSOLIDATABLE) {
        draft.set_true(names::CONSOLIDATABLE);
    }
}
