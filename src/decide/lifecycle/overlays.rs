//! NodeOverlay status (`scheduling §23`): whether it may be used, and with which other it collides.

use super::conditions::{self, Draft};
use super::plan::{Context, Plan};
use crate::api::names;
use crate::model::Status;
use crate::model::decision::WriteClass;
use crate::model::decision::effect::ObjectKind;
use crate::model::overlaid::OverlayVerdict;

/// Looks at all of them: what becomes of one depends on the others.
pub fn step(context: &Context<'_>, plan: &mut Plan) {
    let snapshot = context.snapshot;
    if snapshot.overlays.is_empty() {
        return;
    }
    let evaluated = snapshot.overlaid(context.settings.parity);
    for overlay in snapshot.overlays.values() {
        let mut draft = Draft::new(
            &overlay.conditions,
            &conditions::OVERLAY,
            overlay.created,
            overlay.generation,
            context.now,
        );
        match evaluated.verdicts.get(&overlay.name) {
            Some(OverlayVerdict::Succeeded) => draft.set_true(names::VALIDATION_SUCCEEDED),
            Some(OverlayVerdict::Invalid(why)) => {
                let why: Vec<&str> = why.iter().map(|w| &**w).collect();
                draft.set(
                    names::VALIDATION_SUCCEEDED,
                    Status::False,
                    "RuntimeValidation",
                    &why.join("; "),
                );
            }
            Some(OverlayVerdict::Conflict(other)) => draft.set(
                names::VALIDATION_SUCCEEDED,
                Status::False,
                "Conflict",
                &format!("has the same weight as {other} and changes the same instance types"),
            ),
            None => continue,
        }
        draft.root(&conditions::OVERLAY);
        let patch = plan.patch(
            ObjectKind::NodeOverlay,
            &overlay.name,
            &overlay.uid,
            WriteClass::Mirror,
        );
        draft.write(patch);
    }
}
