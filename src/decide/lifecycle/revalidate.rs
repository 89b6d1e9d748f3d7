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
            Effect::CreateClaim(draft) => {
                let pool = snapshot
                    .pools
                    .get(&draft.pool)
                    .filter(|p| p.uid == draft.pool_uid);
                let Some(pool) = pool.filter(|p| p.deleting.is_none()) else {
                    return Err(format!("NodePool {} is gone", draft.pool));
                };
                let claims = snapshot.claims.values().filter(|c| c.pool() == Some(&pool.name));
                let there = claims.filter(|c| c.deleting.is_none()).count();
                if pool
                    .replicas
                    .is_none_or(|n| i64::try_from(there).is_ok_and(|there| there >= n))
                {
                    return Err(format!("NodePool {} has as many nodes as it asks for", pool.name));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
