//! One claim: the order of its steps (`lifecycle §3`).

use super::conditions::{self, Draft};
use super::events::About;
use super::memory::Memory;
use super::plan::{Context, Plan};
use super::{
    consistency, consolidatable, drifted, expiration, hydration, initialization, is_managed, launch,
    liveness, registration, repair, tagging, termination,
};
use crate::api::names;
use crate::model::Claim;
use crate::model::decision::WriteClass;

/// Looks at one claim. Claims of a foreign class are not touched.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, plan: &mut Plan) {
    if !is_managed(&claim.class) {
        return;
    }
    let about = About::of_claim(claim);
    memory.announce(&about, &claim.conditions, context.now);
    let mut draft = Draft::of_claim(claim, context.now);
    if claim.deleting.is_some() {
        termination::step(context, memory, claim, plan);
        return;
    }
    let has_finalizer = claim
        .finalizers
        .iter()
        .any(|f| &**f == names::TERMINATION_FINALIZER);
    if !has_finalizer {
        // Nothing is launched before its removal is sure to be noticed.
        plan.patch_claim(claim, WriteClass::Complete)
            .add_finalizers
            .push(names::TERMINATION_FINALIZER.into());
    }
    let leaves = liveness::step(context, memory, claim, &draft, plan);
    let being_patched = context
        .reserved
        .effects
        .contains(&format!("patch/NodeClaim/{}", claim.name));
    if has_finalizer && !leaves && (!being_patched || draft.is(names::LAUNCHED)) {
        launch::step(context, memory, claim, &mut draft, plan);
    }
    if draft.is(names::LAUNCHED) {
        registration::step(context, memory, claim, &mut draft, plan);
        initialization::step(context, memory, claim, &mut draft, plan);
        consistency::step(context, memory, claim, &mut draft, plan);
        hydration::step(context, memory, claim, plan);
        tagging::step(context, memory, claim, plan);
    }
    draft.root(&conditions::CLAIM);
    consolidatable::step(context, memory, claim, &mut draft, plan);
    if draft.is(names::LAUNCHED) {
        drifted::step(context, memory, claim, &mut draft);
    }
    // The launch writes conditions too. While one may be running, an older picture must not undo them.
    let launch = format!("launch/{}", claim.name);
    let may_run =
        has_finalizer && !draft.is(names::LAUNCHED) && memory.rests_until(&launch, context.now).is_none();
    if !may_run && !context.reserved.effects.contains(&launch) {
        draft.write(plan.patch_claim(claim, WriteClass::Mirror));
    }
    if !leaves {
        repair::step(context, memory, claim, plan);
        expiration::step(context, memory, claim, plan);
    }
}
