//! Garbage (`lifecycle §7`): claims whose machine is gone, and machines that no claim knows. Fail-static: an empty
//! list of instances is taken for an answer that has not come yet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;

use super::expiration::{Removal, may_propose, propose_deletion, removal_impact};
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::{is_leaving, is_managed};
use crate::api::names;
use crate::clock::after;
use crate::model::decision::{Effect, Evidence, Kind, Proposal};
use crate::model::snapshot::Instance;
use crate::model::{Claim, Name, UsdPerHour};

const CLAIMS_EVERY: Duration = Duration::from_secs(2 * 60);
/// For the first twenty sweeps, then as for claims.
const INSTANCES_EVERY_AT_FIRST: Duration = Duration::from_secs(10);
const FIRST_SWEEPS: u32 = 20;
/// Younger instances may belong to a launch whose claim is not updated yet.
const LEAST_AGE: SignedDuration = SignedDuration::from_secs(30);

/// Runs the sweeps that are due.
pub fn step(context: &Context<'_>, memory: &mut Memory, due: &BTreeSet<Key>, plan: &mut Plan) {
    if due.contains(&Key::ClaimGarbage) {
        claims(context, memory, plan);
    }
    if due.contains(&Key::InstanceGarbage) {
        memory.sweeps = memory.sweeps.saturating_add(1);
        instances(context, memory, plan);
    }
    if !memory.is_scheduled(&Key::ClaimGarbage) {
        memory.wake(Key::ClaimGarbage, after(context.now, CLAIMS_EVERY));
    }
    if !memory.is_scheduled(&Key::InstanceGarbage) {
        let pause = if memory.sweeps < FIRST_SWEEPS {
            INSTANCES_EVERY_AT_FIRST
        } else {
            CLAIMS_EVERY
        };
        memory.wake(Key::InstanceGarbage, after(context.now, pause));
    }
}

/// Registered claims without a machine, unless their node is Ready.
fn claims(context: &Context<'_>, memory: &mut Memory, plan: &mut Plan) {
    let snapshot = context.snapshot;
    if snapshot.instances.is_empty() {
        return;
    }
    for claim in snapshot.claims.values() {
        let lost = is_managed(&claim.class)
            && !is_leaving(claim)
            && claim.is(names::REGISTERED_CONDITION)
            && !claim.provider_id.is_empty()
            && snapshot
                .instances
                .get(&claim.provider_id)
                .is_none_or(|i| !i.is_alive());
        let alive = memory
            .index
            .nodes_with(&claim.provider_id)
            .iter()
            .filter_map(|n| snapshot.nodes.get(n))
            .any(|n| n.ready);
        if lost && !alive {
            let facts = BTreeMap::from([("instance".into(), claim.provider_id.clone())]);
            let removal = Removal::plain(Kind::Garbage, "garbage_collected", facts);
            propose_deletion(context, memory, claim, removal, plan);
        }
    }
}

/// Live machines of ours without a claim.
fn instances(context: &Context<'_>, memory: &mut Memory, plan: &mut Plan) {
    let snapshot = context.snapshot;
    for instance in snapshot.instances.values() {
        let orphan = instance.is_alive()
            && context.now.duration_since(instance.launched) > LEAST_AGE
            && memory.index.claims_with(&instance.provider_id).is_empty()
            && !snapshot.claims.values().any(|c| awaits(c, instance));
        if !orphan {
            continue;
        }
        let effect = Effect::TerminateInstance {
            provider_id: instance.provider_id.clone(),
        };
        let node = memory.index.nodes_with(&instance.provider_id).into_iter().next();
        let subject = node.clone().unwrap_or_else(|| instance.provider_id.clone());
        if !may_propose(
            context,
            memory,
            Kind::Garbage,
            &subject,
            &effect,
            Key::InstanceGarbage,
        ) {
            continue;
        }
        let mut effects = vec![effect];
        if let Some(node) = node.as_ref().and_then(|n| snapshot.nodes.get(n)) {
            effects.push(Effect::DeleteNode {
                node: node.name.clone(),
                uid: node.uid.clone(),
            });
        }
        plan.propose(Proposal {
            kind: Kind::Garbage,
            subjects: vec![subject],
            effects,
            impact: removal_impact(-price(context, instance), 0),
            evidence: Evidence::Reason {
                code: "orphaned_instance".into(),
                facts: facts(instance),
            },
        });
    }
}

/// A claim whose launch used the instance's token and whose status is not written yet.
fn awaits(claim: &Claim, instance: &Instance) -> bool {
    claim.provider_id.is_empty()
        && (instance.claim.as_ref() == Some(&claim.name)
            || instance
                .token
                .as_ref()
                .is_some_and(|t| **t == *claim.launch_token()))
}

fn price(context: &Context<'_>, instance: &Instance) -> UsdPerHour {
    context
        .snapshot
        .catalogues
        .values()
        .filter_map(|c| c.get(&instance.instance_type))
        .find_map(|t| t.offering(&instance.zone, instance.capacity_type.as_str()))
        .map_or(UsdPerHour::ZERO, |o| o.price)
}

fn facts(instance: &Instance) -> BTreeMap<Name, Name> {
    BTreeMap::from([
        ("instance".into(), instance.provider_id.clone()),
        ("instanceType".into(), instance.instance_type.clone()),
        ("zone".into(), instance.zone.clone()),
        ("launched".into(), instance.launched.to_string().into()),
    ])
}
