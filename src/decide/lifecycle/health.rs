//! Registration health of a pool (`lifecycle §10.2`): a ring of its last four launches and registrations.

use std::collections::VecDeque;

use super::conditions::{self, Draft};
use super::memory::Memory;
use super::plan::{Context, Plan};
use crate::api::names;
use crate::model::decision::WriteClass;
use crate::model::decision::effect::ObjectKind;
use crate::model::{Claim, NodePool, Status};

pub const HEALTHY: &str = "NodeRegistrationHealthy";
const RING: usize = 4;

/// Two failures of four.
fn is_unhealthy(ring: &VecDeque<bool>) -> bool {
    ring.iter().filter(|ok| !**ok).count() * 2 >= RING
}

/// Records one outcome of a claim, once, and sets the pool's condition where it follows.
pub fn record(context: &Context<'_>, memory: &mut Memory, claim: &Claim, ok: bool, plan: &mut Plan) {
    let Some(pool) = claim.pool().and_then(|p| context.snapshot.pools.get(p)) else {
        return;
    };
    if !memory.counted.insert(claim.uid.clone()) {
        return;
    }
    let status = pool.conditions.get(HEALTHY).map(|c| c.status);
    let ring = memory.rings.entry(pool.uid.clone()).or_default();
    if ring.is_empty() {
        // After a restart the condition is all that is left of the history.
        match status {
            Some(Status::True) => ring.push_back(true),
            Some(Status::False) => ring.extend([false, false]),
            _ => {}
        }
    }
    ring.push_back(ok);
    while ring.len() > RING {
        ring.pop_front();
    }
    let unhealthy = is_unhealthy(ring);
    if ok && !unhealthy {
        memory
            .health
            .insert(pool.uid.clone(), (Status::True, HEALTHY.into(), String::new()));
        if status != Some(Status::True) {
            set(context, pool, Status::True, HEALTHY, "", plan);
        }
    } else if !ok && unhealthy && status != Some(Status::False) {
        let launched = claim.is(names::LAUNCHED);
        let (reason, message) = match claim.conditions.get(names::LAUNCHED) {
            Some(c) if !launched => (&*c.reason, &*c.message),
            _ => ("RegistrationFailed", "Failed to register node"),
        };
        memory.health.insert(
            pool.uid.clone(),
            (Status::False, reason.into(), message.to_owned()),
        );
        set(context, pool, Status::False, reason, message, plan);
    }
}

/// A changed pool, or one whose class changed, starts anew: the ring is emptied and the condition says Unknown. What
/// was decided and is not shown yet is put in again: the first patch may have rested behind another one of the pool.
pub fn follow(memory: &mut Memory, pool: &NodePool, class_generation: Option<i64>, draft: &mut Draft) {
    let other_class = matches!((pool.class_generation, class_generation), (Some(a), Some(b)) if a != b);
    let current = !other_class
        && pool.conditions.get(HEALTHY).is_some_and(|c| {
            c.observed_generation
                .is_none_or(|generation| generation == pool.generation)
        });
    if !current {
        memory.rings.remove(&pool.uid);
        memory.health.remove(&pool.uid);
        draft.set(
            HEALTHY,
            Status::Unknown,
            "AwaitingReconciliation",
            "object is awaiting reconciliation",
        );
        return;
    }
    if let Some((status, reason, message)) = memory.health.get(&pool.uid) {
        if pool.conditions.get(HEALTHY).is_some_and(|c| c.status == *status) {
            memory.health.remove(&pool.uid);
        } else {
            draft.set(HEALTHY, *status, reason, message);
        }
    }
}

fn set(context: &Context<'_>, pool: &NodePool, status: Status, reason: &str, message: &str, plan: &mut Plan) {
    let mut draft = Draft::new(
        &pool.conditions,
        &conditions::POOL,
        pool.created,
        pool.generation,
        context.now,
    );
    draft.set(HEALTHY, status, reason, message);
    draft.write(plan.patch(ObjectKind::NodePool, &pool.name, &pool.uid, WriteClass::Mirror));
}
