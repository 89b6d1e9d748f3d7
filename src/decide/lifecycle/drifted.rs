//! The condition `Drifted` (`disruption §15.1`), mirrored for others; disruption works it out for itself.

use jiff::SignedDuration;

use super::conditions::Draft;
use super::memory::{Key, Memory};
use super::plan::Context;
use crate::api::names;
use crate::decide::disruption;
use crate::model::{Claim, Status};

/// From this age on a claim's type is looked up.
const TYPE_CHECK_AGE: SignedDuration = SignedDuration::from_secs(3601);

/// Sets or clears the condition.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, draft: &mut Draft) {
    match disruption::drift(context.snapshot, claim, context.now) {
        Some(drift) => {
            let changed = draft
                .get(names::DRIFTED)
                .is_none_or(|c| c.status != Status::True || *c.reason != *drift.reason);
            if changed {
                draft.set(names::DRIFTED, Status::True, drift.reason, drift.reason);
            }
        }
        None => draft.clear(names::DRIFTED),
    }
    if let Ok(at) = claim.created.checked_add(TYPE_CHECK_AGE)
        && context.now < at
    {
        memory.wake(Key::Claim(claim.name.clone()), at);
    }
}
