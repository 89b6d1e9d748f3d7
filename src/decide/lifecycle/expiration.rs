//! Expiration (`lifecycle §6`), and what all involuntary proposals share.

use std::collections::BTreeMap;
use std::time::Duration;

use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use crate::clock::after;
use crate::model::decision::{Effect, Evidence, Impact, Kind, Proposal};
use crate::model::{Claim, Name, UsdPerHour};

/// A proposal that nobody took up (its kind is off, or its review was answered no) is made again after this time.
const PROPOSE_AGAIN: Duration = Duration::from_secs(5 * 60);

/// Proposes the deletion exactly at creation + expireAfter of the claim.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, plan: &mut Plan) {
    let Some(life) = claim.expire_after else { return };
    let end = after(claim.created, life);
    if context.now < end {
        memory.wake(Key::Claim(claim.name.clone()), end);
        return;
    }
    let facts = BTreeMap::from([
        ("expireAfter".into(), Name::from(format!("{}s", life.as_secs()))),
        ("created".into(), Name::from(claim.created.to_string())),
    ]);
    let removal = Removal::plain(Kind::Expiration, "expired", facts);
    propose_deletion(context, memory, claim, removal, plan);
}

/// Why a claim is to go outside budgets.
pub struct Removal<'a> {
    pub kind: Kind,
    /// The reason that is counted, such as `expired`.
    pub code: &'a str,
    pub facts: BTreeMap<Name, Name>,
    /// What is done before the deletion.
    pub first: Option<Effect>,
}

impl<'a> Removal<'a> {
    pub fn plain(kind: Kind, code: &'a str, facts: BTreeMap<Name, Name>) -> Self {
        Self {
            kind,
            code,
            facts,
            first: None,
        }
    }
}

/// Proposes to delete one claim outside budgets, unless it is held, under way, rejected or was proposed lately.
pub fn propose_deletion(
    context: &Context<'_>,
    memory: &mut Memory,
    claim: &Claim,
    removal: Removal<'_>,
    plan: &mut Plan,
) {
    let Removal {
        kind,
        code,
        facts,
        first,
    } = removal;
    let node = memory.index.nodes_with(&claim.provider_id).into_iter().next();
    let subject = node.clone().unwrap_or_else(|| claim.name.clone());
    let effect = Effect::DeleteClaim {
        claim: claim.name.clone(),
        uid: claim.uid.clone(),
        reason: code.into(),
    };
    if !may_propose(
        context,
        memory,
        kind,
        &subject,
        &effect,
        Key::Claim(claim.name.clone()),
    ) {
        return;
    }
    let labels = node
        .as_ref()
        .and_then(|n| context.snapshot.nodes.get(n))
        .map_or(&claim.labels, |n| &n.labels);
    let evictions = node
        .iter()
        .flat_map(|n| memory.index.pods_on(n))
        .filter_map(|key| context.snapshot.pods.get(key))
        .filter(|p| p.is_reschedulable())
        .count();
    plan.propose(Proposal {
        kind,
        subjects: vec![subject],
        effects: first.into_iter().chain([effect]).collect(),
        impact: removal_impact(
            -context.snapshot.price_of(labels),
            u32::try_from(evictions).unwrap_or(u32::MAX),
        ),
        evidence: Evidence::Reason {
            code: code.into(),
            facts,
        },
    });
}

/// Whether a proposal is neither held nor acting nor rejected nor made within the last minutes; notes that it is
/// made and sets a timer for the next time.
pub fn may_propose(
    context: &Context<'_>,
    memory: &mut Memory,
    kind: Kind,
    subject: &Name,
    effect: &Effect,
    timer: Key,
) -> bool {
    let reserved = context.reserved;
    if reserved.nodes.contains_key(subject) || reserved.effects.contains(&effect.key()) {
        return false;
    }
    if let Some(until) = reserved.rejected.get(subject).filter(|u| **u > context.now) {
        memory.wake(timer, *until);
        return false;
    }
    let key = format!("{}/{subject}/{}", kind.as_str(), effect.key());
    if let Some(at) = memory.proposed.get(&key) {
        let again = after(*at, PROPOSE_AGAIN);
        if context.now < again {
            memory.wake(timer, again);
            return false;
        }
    }
    memory.proposed.insert(key, context.now);
    memory.wake(timer, after(context.now, PROPOSE_AGAIN));
    true
}

/// One node less, at that change of the bill.
pub fn removal_impact(usd_per_hour: UsdPerHour, evictions: u32) -> Impact {
    Impact {
        usd_per_hour,
        nodes_removed: 1,
        evictions,
        ..Impact::default()
    }
}
