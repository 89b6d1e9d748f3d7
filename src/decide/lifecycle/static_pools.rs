//! Pools with a fixed number of nodes (`lifecycle §11`, gate StaticCapacity): claims are made and deleted until as
//! many are there as `spec.replicas` says. What is active, on its way out or being made is read off the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::expiration::may_propose;
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::{is_leaving, is_managed};
use crate::api::names;
use crate::clock::after;
use crate::decide::packing::karpenter::claim_name;
use crate::decide::pods;
use crate::decide::scheduling::templates::{not_taking_part, template_labels};
use crate::model::decision::effect::{ClaimDraft, ExpectedLaunch};
use crate::model::decision::{Effect, Evidence, Impact, Kind, Proposal};
use crate::model::{Claim, Labels, Name, NodePool, Pod, Requirements, Resources, Snapshot, UsdPerHour};

/// How often the number is looked at without an event.
const AGAIN: Duration = Duration::from_secs(60);
/// The same while the pool's limit holds claims up.
const LIMITED_AGAIN: Duration = Duration::from_secs(30);

/// The claims of one pool, by what becomes of them.
#[derive(Debug, Default)]
struct Count<'a> {
    active: Vec<&'a Claim>,
    /// Candidates of a disruption that has not deleted them yet.
    pending: i64,
    deleting: i64,
    /// Creations under way.
    reserved: i64,
}

/// Proposes the claims that are missing, or the deletion of those that are too many.
pub fn step(context: &Context<'_>, memory: &mut Memory, name: &Name, plan: &mut Plan) {
    let pool = context.snapshot.pools.get(name);
    let Some(pool) = pool.filter(|p| context.settings.static_capacity && is_managed(&p.template.class))
    else {
        return;
    };
    let Some(replicas) = pool.replicas else { return };
    let key = Key::Static(name.clone());
    memory.wake(key.clone(), after(context.now, AGAIN));
    let count = count(context, pool);
    let active = length(count.active.len());
    // Q13: what is on its way out is being replaced by whoever takes it away.
    let missing = replicas - active - count.pending - count.reserved;
    if missing > 0 && may_grow(context, pool) {
        let granted = granted(pool, &count, missing);
        if granted > 0 {
            grow(context, memory, pool, granted, plan);
        } else {
            memory.wake(key, after(context.now, LIMITED_AGAIN));
        }
    } else if active > replicas {
        let surplus = usize::try_from(active - replicas).unwrap_or(0);
        shrink(context, memory, pool, &count.active, surplus, plan);
    }
}

fn length(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn count<'a>(context: &Context<'a>, pool: &NodePool) -> Count<'a> {
    let mut out = Count::default();
    let claims = context.snapshot.claims.values().map(AsRef::as_ref);
    for claim in claims.filter(|c| c.pool() == Some(&pool.name) && is_managed(&c.class)) {
        let node = node_name(claim);
        if is_leaving(claim) {
            out.deleting += 1;
        } else if claim.is(names::DISRUPTION_REASON)
            || context.reserved.nodes.contains_key(node)
            || context
                .snapshot
                .nodes
                .get(node)
                .is_some_and(|n| n.annotations.contains_key(names::KERF_REPLACED_BY))
        {
            out.pending += 1;
        } else {
            out.active.push(claim);
        }
    }
    // A claim's name is its pool's and five letters.
    let mine = |key: &&String| {
        key.strip_prefix("create/")
            .and_then(|n| n.rsplit_once('-'))
            .is_some_and(|(base, _)| *base == *pool.name)
    };
    let made = |key: &&String| {
        !context
            .snapshot
            .claims
            .contains_key(key.trim_start_matches("create/"))
    };
    out.reserved = length(context.reserved.effects.iter().filter(mine).filter(made).count());
    out
}

/// The node's name, or the claim's while it has none: how a removal names its subject.
fn node_name(claim: &Claim) -> &Name {
    if claim.node_name.is_empty() {
        &claim.name
    } else {
        &claim.node_name
    }
}

/// Ready, not on its way out, not paused: for pods such a pool is closed anyway.
fn may_grow(context: &Context<'_>, pool: &NodePool) -> bool {
    let open = NodePool {
        replicas: None,
        ..pool.clone()
    };
    not_taking_part(context.snapshot, &open, &context.reserved.paused_pools).is_none()
        && context
            .snapshot
            .claims
            .values()
            .all(|c| !c.provider_id.is_empty() || c.deleting.is_some() || c.pool() == Some(&pool.name))
}

/// How many of the wanted claims the pool's limit of nodes still has room for.
fn granted(pool: &NodePool, count: &Count<'_>, wanted: i64) -> i64 {
    let limit = pool.limits.get("nodes").copied().unwrap_or(i64::MAX);
    let taken = length(count.active.len()) + count.deleting + count.pending + count.reserved;
    wanted.min(limit.saturating_sub(taken)).max(0)
}

fn grow(context: &Context<'_>, memory: &mut Memory, pool: &NodePool, wanted: i64, plan: &mut Plan) {
    let drafts: Vec<ClaimDraft> = (0..usize::try_from(wanted).unwrap_or(0))
        .map(|ordinal| templated(context.snapshot, pool, context.now, ordinal))
        .collect();
    let Some(first) = drafts.first() else { return };
    let price = first
        .expected
        .as_ref()
        .map_or(UsdPerHour::ZERO, |e| e.price_per_hour);
    let usd_per_hour = drafts.iter().map(|_| price).sum();
    // One proposal at a time, whatever the names of its claims.
    let marker = Effect::CreateClaim(Box::new(ClaimDraft {
        name: pool.name.clone(),
        ..first.clone()
    }));
    if !may_propose(
        context,
        memory,
        Kind::Static,
        &pool.name,
        &marker,
        Key::Static(pool.name.clone()),
    ) {
        return;
    }
    plan.propose(Proposal {
        kind: Kind::Static,
        subjects: vec![pool.name.clone()],
        impact: Impact {
            usd_per_hour,
            nodes_added: u32::try_from(drafts.len()).unwrap_or(u32::MAX),
            ..Impact::default()
        },
        effects: drafts
            .into_iter()
            .map(|d| Effect::CreateClaim(Box::new(d)))
            .collect(),
        evidence: Evidence::Reason {
            code: "static_scale_up".into(),
            facts: facts(pool, wanted),
        },
    });
}

fn facts(pool: &NodePool, nodes: i64) -> BTreeMap<Name, Name> {
    let replicas = pool.replicas.unwrap_or(0);
    BTreeMap::from([
        ("replicas".into(), Name::from(replicas.to_string())),
        ("nodes".into(), Name::from(nodes.to_string())),
    ])
}

/// The pool's template as a claim: no pods, so no instance types of its own (`lifecycle §11`).
pub fn templated(snapshot: &Snapshot, pool: &NodePool, now: Timestamp, ordinal: usize) -> ClaimDraft {
    let template = &pool.template;
    let labels = template_labels(pool);
    let mut requirements = template.requirements.clone();
    requirements.add_all(&Requirements::from_labels(&labels));
    let mut annotations: Labels = template.annotations.clone();
    annotations.insert(names::NODEPOOL_HASH.into(), pool.hash.clone());
    annotations.insert(
        names::NODEPOOL_HASH_VERSION.into(),
        names::NODEPOOL_HASH_V3.into(),
    );
    let name = claim_name(&pool.name, &[&*pool.uid].into(), now, ordinal);
    ClaimDraft {
        name,
        pool: pool.name.clone(),
        pool_uid: pool.uid.clone(),
        labels,
        annotations,
        class: template.class.clone(),
        expected: expected(snapshot, pool, &requirements),
        requirements,
        instance_types: Vec::new(),
        requests: Resources::default(),
        taints: template.taints.clone(),
        startup_taints: template.startup_taints.clone(),
        expire_after: template.expire_after,
        termination_grace: template.termination_grace,
        pods: Vec::new(),
    }
}

/// The cheapest offering that the template admits.
fn expected(snapshot: &Snapshot, pool: &NodePool, requirements: &Requirements) -> Option<ExpectedLaunch> {
    let catalogue = snapshot.types_of(&pool.name, &pool.template.class.name)?;
    let mut best: Option<ExpectedLaunch> = None;
    for kind in catalogue.types() {
        if requirements.intersects(&kind.requirements).is_err() {
            continue;
        }
        for offering in kind.offerings.iter().filter(|o| o.available) {
            let cheaper = best
                .as_ref()
                .is_none_or(|b| (offering.price, &kind.name) < (b.price_per_hour, &b.instance_type));
            if cheaper && requirements.intersects(&offering.requirements).is_ok() {
                best = Some(ExpectedLaunch {
                    instance_type: kind.name.clone(),
                    zone: offering.zone.clone(),
                    capacity_type: offering.capacity_type,
                    price_per_hour: offering.price,
                    reservation: offering.reservation().cloned(),
                });
            }
        }
    }
    best
}

/// How willingly a machine is given up: unlaunched, then empty, then by what its pods cost to move.
#[derive(Debug, PartialEq, PartialOrd)]
struct Rank(u8, bool, f64);

fn rank(context: &Context<'_>, memory: &Memory, claim: &Claim) -> Rank {
    if claim.provider_id.is_empty() {
        return Rank(0, false, 0.0);
    }
    let pods: Vec<&Pod> = memory
        .index
        .nodes_with(&claim.provider_id)
        .iter()
        .flat_map(|n| memory.index.pods_on(n))
        .filter_map(|key| context.snapshot.pods.get(key))
        .map(AsRef::as_ref)
        .filter(|p| p.is_active())
        .collect();
    let protected = pods.iter().any(|p| pods::blocks_by_annotation(p, context.now));
    if !protected && pods.iter().all(|p| pods::is_daemon(p) || pods::is_mirror(p)) {
        return Rank(1, false, 0.0);
    }
    let cost: f64 = pods.iter().map(|p| pods::eviction_cost(p)).sum();
    Rank(2, protected, cost * lifetime_left(claim, context.now))
}

/// Share of its life that a machine has still before it (`disruption §11`).
fn lifetime_left(claim: &Claim, now: Timestamp) -> f64 {
    let Some(life) = claim.expire_after.filter(|l| !l.is_zero()) else {
        return 1.0;
    };
    let age = now.duration_since(claim.created).as_secs_f64();
    ((life.as_secs_f64() - age) / life.as_secs_f64()).clamp(0.0, 1.0)
}

fn shrink(
    context: &Context<'_>,
    memory: &mut Memory,
    pool: &NodePool,
    active: &[&Claim],
    surplus: usize,
    plan: &mut Plan,
) {
    let mut ranked: Vec<(Rank, &Claim)> = active.iter().map(|c| (rank(context, memory, c), *c)).collect();
    ranked.sort_by(|a, b| {
        a.0.partial_cmp(&b.0)
            .unwrap_or(std::cmp::Ordering::Equal)
            .then_with(|| a.1.name.cmp(&b.1.name))
    });
    let chosen: Vec<Arc<Claim>> = ranked
        .into_iter()
        .take(surplus)
        .filter_map(|(_, c)| context.snapshot.claims.get(&c.name).cloned())
        .collect();
    let mut proposal = Proposal {
        kind: Kind::Static,
        subjects: Vec::new(),
        effects: Vec::new(),
        impact: Impact::default(),
        evidence: Evidence::Reason {
            code: "static_scale_down".into(),
            facts: facts(pool, length(surplus)),
        },
    };
    for claim in &chosen {
        let effect = Effect::DeleteClaim {
            claim: claim.name.clone(),
            uid: claim.uid.clone(),
            reason: "static_scale_down".into(),
        };
        let subject = node_name(claim).clone();
        let timer = Key::Static(pool.name.clone());
        if !may_propose(context, memory, Kind::Static, &subject, &effect, timer) {
            continue;
        }
        let pods = memory
            .index
            .pods_on(&subject)
            .filter_map(|k| context.snapshot.pods.get(k));
        let evictions = pods.filter(|p| p.is_reschedulable()).count();
        proposal.impact.evictions += u32::try_from(evictions).unwrap_or(u32::MAX);
        proposal.impact.nodes_removed += 1;
        proposal.impact.usd_per_hour -= context.snapshot.price_of(&claim.labels);
        proposal.subjects.push(subject);
        proposal.effects.push(effect);
    }
    if !proposal.effects.is_empty() {
        plan.propose(proposal);
    }
}
