//! Whether an involuntary decision still makes sense just before it is carried out.

use crate::model::Snapshot;
use crate::model::decision::{Effect, Proposal};

/// `Err` says what changed since it was proposed.
pub fn revalidate(snapshot: &Snapshot, proposal: &Proposal) -> Result<(), String> {
    for effect in &proposal.effects {
        match effect {
            Effect::DeleteClaim { claim, uid, .. } => match snapshot.claims.get(claim) {
                Some(row) if row.uid != *uid => return Err(format!("NodeClaim {claim} was replaced")),
                Some(row) if row.deleting.is_some() => {
                    return Err(format!("NodeClaim {claim} is being deleted already"));
                }
                Some(_) => {}
                None => return Err(format!("NodeClaim {claim} is gone")),
            },
            Effect::TerminateInstance { provider_id } => {
                if !snapshot.instances.get(provider_id).is_some_and(|i| i.is_alive()) {
                    return Err(format!("instance {provider_id} is gone"));
                }
                if let Some(claim) = snapshot.claim_of(provider_id) {
                    return Err(format!(
                        "instance {provider_id} now belongs to NodeClaim {}",
                        claim.name
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
