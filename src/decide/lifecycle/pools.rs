//! NodePool status (`lifecycle §10`): readiness, validation, counter, hash. Written only where it differs.

use super::conditions::{self, Draft};
use super::events::About;
use super::memory::Memory;
use super::plan::{Context, Plan};
use super::{classes, health, is_leaving};
use crate::api::names;
use crate::model::decision::WriteClass;
use crate::model::decision::effect::ObjectKind;
use crate::model::{Labels, NodePool, Resources, Status};

/// Version of our static hash of a NodePool (`api §12`).
const HASH_VERSION: &str = names::NODEPOOL_HASH_V3;

/// Looks at one pool.
pub fn step(context: &Context<'_>, memory: &mut Memory, pool: &NodePool, plan: &mut Plan) {
    if !super::is_managed(&pool.template.class) {
        return;
    }
    let about = About::of_pool(pool);
    memory.announce(&about, &pool.conditions, context.now);
    let mut draft = Draft::new(
        &pool.conditions,
        &conditions::POOL,
        pool.created,
        pool.generation,
        context.now,
    );
    if pool.invalid.is_empty() {
        draft.set_true(names::VALIDATION_SUCCEEDED);
    } else {
        let why: Vec<&str> = pool.invalid.iter().map(|m| &**m).collect();
        draft.set(
            names::VALIDATION_SUCCEEDED,
            Status::False,
            "NodePoolValidationFailed",
            &why.join("; "),
        );
    }
    class_ready(context, pool, &mut draft);
    draft.root(&conditions::POOL);
    let class = context.snapshot.classes.get(&pool.template.class.name);
    let class_generation = class.map(|c| c.generation);
    health::follow(memory, pool, class_generation, &mut draft);

    let patch = plan.patch(ObjectKind::NodePool, &pool.name, &pool.uid, WriteClass::Mirror);
    // A healthy pool that was decided in this pass keeps that: it was put in before.
    let decided = patch.conditions.get(health::HEALTHY).cloned();
    draft.write(patch);
    if let Some(decided) = decided {
        patch.conditions.insert(health::HEALTHY.into(), decided);
    }
    if let Some(generation) = class_generation.filter(|g| pool.class_generation != Some(*g)) {
        patch
            .status
            .insert("nodeClassObservedGeneration".into(), generation.into());
    }
    for (key, value) in [
        (names::NODEPOOL_HASH, &*pool.hash),
        (names::NODEPOOL_HASH_VERSION, HASH_VERSION),
    ] {
        if !pool.hash.is_empty() && pool.annotations.get(key).is_none_or(|v| &**v != value) {
            patch.annotations.insert(key.into(), Some(value.into()));
        }
    }
    if pool
        .annotations
        .get(names::NODEPOOL_HASH_VERSION)
        .is_none_or(|v| &**v != HASH_VERSION)
    {
        migrate(context, pool, plan);
    }
    memory.counted_pools.insert(pool.name.clone(), context.now);
    let (nodes, resources) = usage(context, memory, pool);
    if nodes != pool.status_nodes || resources != pool.status_resources {
        let patch = plan.patch(ObjectKind::NodePool, &pool.name, &pool.uid, WriteClass::Mirror);
        patch.status.insert("nodes".into(), nodes.into());
        let mut shown: std::collections::BTreeMap<String, String> =
            ["cpu", "memory", "pods", "ephemeral-storage", "nodes"]
                .into_iter()
                .map(|k| (k.to_owned(), "0".to_owned()))
                .collect();
        shown.extend(resources.to_quantities());
        patch.status.insert(
            "resources".into(),
            shown
                .into_iter()
                .map(|(k, v)| (k, serde_json::Value::from(v)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        );
    }
}

/// `disruption §15.2`: claims hashed by an older version get the new hash, unless they have drifted: those keep the
/// old one and with it their drift.
fn migrate(context: &Context<'_>, pool: &NodePool, plan: &mut Plan) {
    for claim in context.snapshot.claims.values() {
        let current = claim
            .annotations
            .get(names::NODEPOOL_HASH_VERSION)
            .is_some_and(|v| &**v == HASH_VERSION);
        if claim.pool() != Some(&pool.name) || current || pool.hash.is_empty() {
            continue;
        }
        let patch = plan.patch_claim(claim, WriteClass::Mirror);
        patch
            .annotations
            .insert(names::NODEPOOL_HASH_VERSION.into(), Some(HASH_VERSION.into()));
        if !claim.is(names::DRIFTED) {
            patch
                .annotations
                .insert(names::NODEPOOL_HASH.into(), Some(pool.hash.clone()));
        }
    }
}

fn class_ready(context: &Context<'_>, pool: &NodePool, draft: &mut Draft) {
    let name = &pool.template.class.name;
    let (reason, message) = match context.snapshot.classes.get(name) {
        None => (
            "NodeClassNotFound".into(),
            "NodeClass not found on cluster".to_owned(),
        ),
        Some(class) if class.deleting.is_some() => (
            "NodeClassTerminating".into(),
            "NodeClass is Terminating".to_owned(),
        ),
        Some(class) => {
            let conditions = classes::derived(context, class);
            match conditions.get(names::READY) {
                Some(ready) if ready.status == Status::True => {
                    draft.set_true(names::NODE_CLASS_READY);
                    return;
                }
                Some(ready) if ready.status == Status::False => {
                    (ready.reason.clone(), ready.message.to_string())
                }
                _ => (
                    "NodeClassReadinessUnknown".into(),
                    "Node Class Readiness Unknown".to_owned(),
                ),
            }
        }
    };
    draft.set(names::NODE_CLASS_READY, Status::False, &reason, &message);
}

/// Nodes and capacity of the pool's machines that are not on their way out. Until a node is initialized, what it
/// does not report yet is taken from its claim (`lifecycle §13`).
fn usage(context: &Context<'_>, memory: &Memory, pool: &NodePool) -> (i64, Resources) {
    let snapshot = context.snapshot;
    let mut total = Resources::default();
    let mut nodes = 0;
    for claim in snapshot.claims.values() {
        if claim.pool() != Some(&pool.name) || is_leaving(claim) || claim.provider_id.is_empty() {
            continue;
        }
        let node = memory
            .index
            .nodes_with(&claim.provider_id)
            .first()
            .and_then(|n| snapshot.nodes.get(n));
        let capacity = match node {
            Some(node) if is_initialized(&node.labels) => node.capacity.clone(),
            Some(node) => {
                let mut capacity = claim.capacity.clone();
                for (resource, amount) in node.capacity.iter() {
                    capacity.set(resource, amount);
                }
                capacity
            }
            None => claim.capacity.clone(),
        };
        total.add(&capacity);
        nodes += 1;
    }
    total.set("nodes", nodes);
    (nodes, total)
}

fn is_initialized(labels: &Labels) -> bool {
    labels.get(names::INITIALIZED).is_some_and(|v| &**v == "true")
}
