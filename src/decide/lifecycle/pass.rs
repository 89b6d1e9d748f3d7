//! One pass: from what changed and what is due to the keys that are visited.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::{claim, classes, drain, garbage, interruption, overlays, pools, reservations, static_pools};
use crate::api::names;
use crate::clock::after;
use crate::decide::{Dirty, Outcome, Reserved, Settings};
use crate::model::{Name, Snapshot};

/// How often a pool's nodes are counted while they change (`lifecycle §16`).
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// A node event within this time of the last stamp stamps nothing (`disruption §6`).
const STAMP_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

/// Visits what is dirty or due and says what is missing.
///
/// Pure: the same snapshot, memory, dirt and time give the same outcome. Steps are given again until the snapshot
/// shows that they happened, except while their key is in `reserved` or rests after a refusal that the engine told
/// [`Memory::effect_result`].
pub fn pass(
    snapshot: &Snapshot,
    memory: &mut Memory,
    dirty: &Dirty,
    reserved: &Reserved,
    now: Timestamp,
    settings: &Settings,
) -> Outcome {
    let context = Context {
        snapshot,
        reserved,
        now,
        settings,
    };
    let mut plan = Plan::default();
    memory.prune(now);
    let touched = memory.index.update(snapshot, dirty);
    for (uid, provider_id) in &touched.gone {
        memory.forget_claim(uid, provider_id);
    }
    let mut work = memory.due(now);
    stamp(memory, &touched.events, now, &mut work);
    work.extend(touched.claims.into_iter().map(Key::Claim));
    for node in &touched.nodes {
        if snapshot.nodes.get(node).is_some_and(|n| n.deleting.is_some()) {
            work.insert(Key::Node(node.clone()));
        }
    }
    if dirty.all {
        work.extend(snapshot.pools.keys().cloned().map(Key::Pool));
        work.extend(snapshot.classes.keys().cloned().map(Key::Class));
    }
    work.extend(dirty.classes.iter().cloned().map(Key::Class));
    work.extend(dirty.pools.iter().cloned().map(Key::Pool));
    for class in &dirty.classes {
        let users = snapshot
            .pools
            .values()
            .filter(|p| p.template.class.name == *class);
        work.extend(users.map(|p| Key::Pool(p.name.clone())));
        // What a class resolves to decides what has drifted.
        let claims = snapshot.claims.values().filter(|c| c.class.name == *class);
        work.extend(claims.map(|c| Key::Claim(c.name.clone())));
    }
    fan_out(&context, memory, &mut work);
    count_pools(&context, memory, &mut work);

    for key in &work {
        match key {
            Key::Claim(name) => {
                if let Some(claim) = snapshot.claims.get(name) {
                    claim::step(&context, memory, claim, &mut plan);
                }
            }
            Key::Node(name) => {
                if let Some(node) = snapshot.nodes.get(name) {
                    drain::step(&context, memory, node, &mut plan);
                }
            }
            Key::Pool(name) => {
                if let Some(pool) = snapshot.pools.get(name) {
                    pools::step(&context, memory, pool, &mut plan);
                }
            }
            Key::Class(name) => {
                if let Some(class) = snapshot.classes.get(name) {
                    classes::step(&context, memory, class, &mut plan);
                }
            }
            Key::Static(_) | Key::ClaimGarbage | Key::InstanceGarbage => {}
        }
    }
    // After the claims, so that what they were just asked to do counts.
    for key in &work {
        if let Key::Static(name) = key {
            static_pools::step(&context, memory, name, &mut plan);
        }
    }
    overlays::step(&context, &mut plan);
    interruption::step(&context, memory, &mut plan);
    reservations::step(&context, memory, &mut plan);
    garbage::step(&context, memory, &work, &mut plan);
    plan.finish(&context, memory)
}

/// Records pod events and has the claims of their nodes looked at.
fn stamp(memory: &mut Memory, nodes: &BTreeSet<Name>, now: Timestamp, work: &mut BTreeSet<Key>) {
    for node in nodes {
        let recent = memory
            .pod_events
            .get(node)
            .is_some_and(|at| now.duration_since(*at) < STAMP_EVERY);
        if !recent {
            memory.pod_events.insert(node.clone(), now);
        }
        work.extend(memory.index.claims_of_node(node).into_iter().map(Key::Claim));
    }
}

/// A pool whose spec changed changes what its claims are; a mere status change does not.
fn fan_out(context: &Context<'_>, memory: &mut Memory, work: &mut BTreeSet<Key>) {
    let mut changed = BTreeSet::new();
    for key in work.iter() {
        let Key::Pool(name) = key else { continue };
        let generation = context.snapshot.pools.get(name).map(|p| p.generation);
        let known = memory.pool_generations.get(name).copied();
        if generation == known {
            continue;
        }
        match generation {
            Some(g) => memory.pool_generations.insert(name.clone(), g),
            None => memory.pool_generations.remove(name),
        };
        changed.insert(name.clone());
    }
    if changed.is_empty() {
        return;
    }
    let claims = context.snapshot.claims.values();
    let of_changed = claims.filter(|c| c.pool().is_some_and(|p| changed.contains(p)));
    work.extend(of_changed.map(|c| Key::Claim(c.name.clone())));
}

/// Nodes and claims that changed have their pools counted, at most every five seconds.
fn count_pools(context: &Context<'_>, memory: &mut Memory, work: &mut BTreeSet<Key>) {
    let mut pools = BTreeSet::new();
    let mut looked_at = BTreeSet::new();
    for key in work.iter() {
        if let Key::Pool(name) = key {
            looked_at.insert(name.clone());
        }
        let pool = match key {
            Key::Claim(name) => context.snapshot.claims.get(name).and_then(|c| c.pool()),
            Key::Node(name) => context
                .snapshot
                .nodes
                .get(name)
                .and_then(|n| n.label(names::NODEPOOL)),
            _ => None,
        };
        match (pool, key) {
            (Some(pool), _) => {
                pools.insert(pool.clone());
            }
            // A claim that left leaves no label behind: count them all.
            (None, Key::Claim(name)) if !context.snapshot.claims.contains_key(name) => {
                pools.extend(context.snapshot.pools.keys().cloned());
            }
            _ => {}
        }
    }
    for pool in pools.iter().chain(&looked_at) {
        let fixed = context
            .snapshot
            .pools
            .get(pool)
            .is_some_and(|p| p.replicas.is_some());
        if fixed {
            work.insert(Key::Static(pool.clone()));
        }
    }
    for pool in pools {
        let key = Key::Pool(pool.clone());
        if work.contains(&key) || memory.is_scheduled(&key) {
            continue;
        }
        let next = memory
            .counted_pools
            .get(&pool)
            .map_or(context.now, |last| after(*last, COUNT_EVERY));
        if next <= context.now {
            work.insert(key);
        } else {
            memory.wake(key, next);
        }
    }
}
