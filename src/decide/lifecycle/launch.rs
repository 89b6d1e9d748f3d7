//! Launch (`lifecycle §3.1`): ask for it until the claim says Launched.

use super::conditions::Draft;
use super::memory::Memory;
use super::plan::{Context, Plan};
use crate::api::names;
use crate::model::decision::Effect;
use crate::model::{Claim, Status};

/// `act` writes Launched=True with what the launch gave; this step shows why a launch failed and asks again.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, draft: &mut Draft, plan: &mut Plan) {
    if draft.status(names::LAUNCHED) == Some(Status::True) {
        draft.refresh(names::LAUNCHED);
        memory.launch_failures.remove(&claim.uid);
        return;
    }
    if let Some(reason) = memory.doomed.get(&claim.uid) {
        // No capacity or an unusable class: the provisioner plans the pods again.
        plan.effect(
            Some(claim),
            Effect::DeleteClaim {
                claim: claim.name.clone(),
                uid: claim.uid.clone(),
                reason: reason.clone(),
            },
        );
        return;
    }
    if let Some((reason, message)) = memory.launch_failures.get(&claim.uid) {
        draft.set(names::LAUNCHED, Status::Unknown, reason, message);
    }
    let paused = claim
        .pool()
        .is_some_and(|p| context.reserved.paused_pools.contains(p));
    if !paused {
        plan.effect(
            Some(claim),
            Effect::Launch {
                claim: claim.name.clone(),
                uid: claim.uid.clone(),
            },
        );
    }
}
