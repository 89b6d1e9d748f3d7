//! Liveness (`lifecycle §3.4`): claims that do not launch or register in time are deleted.

use std::time::Duration;

use super::conditions::Draft;
use super::health;
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use crate::api::names;
use crate::clock::after;
use crate::model::Claim;
use crate::model::decision::Effect;

pub const LAUNCH_TIMEOUT: Duration = Duration::from_secs(5 * 60);
pub const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Whether the claim is given up. Before a time-out, asks to be looked at exactly then.
pub fn step(
    context: &Context<'_>,
    memory: &mut Memory,
    claim: &Claim,
    draft: &Draft,
    plan: &mut Plan,
) -> bool {
    if draft.is(names::REGISTERED_CONDITION) {
        return false;
    }
    let paused = claim
        .pool()
        .is_some_and(|p| context.reserved.paused_pools.contains(p));
    let launched = draft.is(names::LAUNCHED);
    if !launched && paused {
        // Nobody tries to launch it meanwhile, so its clock stands still.
        return false;
    }
    let (condition, limit, reason) = if launched {
        (
            names::REGISTERED_CONDITION,
            REGISTRATION_TIMEOUT,
            "registration_timeout",
        )
    } else {
        (names::LAUNCHED, LAUNCH_TIMEOUT, "launch_timeout")
    };
    let end = after(draft.since(condition), limit);
    if context.now < end {
        memory.wake(Key::Claim(claim.name.clone()), end);
        return false;
    }
    health::record(context, memory, claim, false, plan);
    plan.effect(
        Some(claim),
        Effect::DeleteClaim {
            claim: claim.name.clone(),
            uid: claim.uid.clone(),
            reason: reason.into(),
        },
    );
    true
}
