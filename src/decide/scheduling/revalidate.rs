//! Whether a provisioning decision still holds just before it is carried out (decisions §6).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::state::{NODES, state_nodes};
use super::templates;
use crate::decide::Settings;
use crate::decide::scheduling::labels::WellKnown;
use crate::model::decision::{ClaimDraft, Effect, Proposal};
use crate::model::{Name, Pod, Snapshot};

/// `Err` says in words what changed: no pod waits for a claim any more, its pool is gone, edited, not ready or full, or
/// none of its types is to be had.
pub fn revalidate(
    snapshot: &Snapshot,
    proposal: &Proposal,
    _now: Timestamp,
    settings: &Settings,
) -> Result<(), String> {
    let nodes = state_nodes(snapshot);
    let usage = templates::usage(nodes.iter());
    let leaving: BTreeSet<&Name> = nodes.iter().filter(|n| n.marked).map(|n| &n.name).collect();
    for effect in &proposal.effects {
        let Effect::CreateClaim(draft) = effect else {
            continue;
        };
        if snapshot.claims.contains_key(&draft.name) {
            continue;
        }
        needed(snapshot, draft, &leaving)?;
        pool(snapshot, draft, &usage, settings.parity)?;
        offered(snapshot, draft)?;
    }
    Ok(())
}

fn waits(pod: &Pod, leaving: &BTreeSet<&Name>) -> bool {
    match &pod.node {
        None => pod.is_provisionable(),
        Some(node) => leaving.contains(node) && pod.is_reschedulable(),
    }
}

fn needed(snapshot: &Snapshot, draft: &ClaimDraft, leaving: &BTreeSet<&Name>) -> Result<(), String> {
    let still = draft
        .pods
        .iter()
        .filter_map(|key| snapshot.pods.get(key))
        .any(|pod| waits(pod, leaving));
    if still || draft.pods.is_empty() {
        Ok(())
    } else {
        Err(format!("no pod waits for {} any more", draft.name))
    }
}

fn pool(
    snapshot: &Snapshot,
    draft: &ClaimDraft,
    usage: &std::collections::BTreeMap<Name, crate::model::Resources>,
    parity: bool,
) -> Result<(), String> {
    let name = &draft.pool;
    let Some(pool) = snapshot.pools.get(name).filter(|p| p.uid == draft.pool_uid) else {
        return Err(format!("NodePool {name} is gone"));
    };
    if draft
        .annotations
        .get(crate::api::names::NODEPOOL_HASH)
        .is_some_and(|hash| *hash != pool.hash)
    {
        return Err(format!("NodePool {name} was edited"));
    }
    if let Some(refusal) = templates::not_taking_part(snapshot, pool, &BTreeSet::new()) {
        let why = match refusal {
            crate::model::decision::Refusal::PoolNotReady { message, .. } => message,
            other => other.code().to_owned(),
        };
        return Err(format!("NodePool {name} is not ready: {why}"));
    }
    for (resource, limit) in &pool.limits {
        let used = usage.get(name).map_or(0, |u| u.get(resource));
        // Upstream lets the count overshoot by one (Q4).
        let full = if resource.as_ref() == NODES && !parity {
            used >= *limit
        } else {
            used > *limit
        };
        if full {
            return Err(format!("NodePool {name} reached its limit of {resource}"));
        }
    }
    Ok(())
}

fn offered(snapshot: &Snapshot, draft: &ClaimDraft) -> Result<(), String> {
    let Some(catalogue) = snapshot.types_of(&draft.pool, &draft.class.name) else {
        return Err(format!(
            "the instance types of {} are not known",
            draft.class.name
        ));
    };
    let index = catalogue.index();
    let well_known = WellKnown::new(index.label_keys().chain(index.offering_keys.iter()).cloned());
    let groups = index.compatible_groups(&draft.requirements, |k| well_known.has(k));
    let offered = index.offered(&groups);
    let any = draft
        .instance_types
        .iter()
        .flat_map(|name| catalogue.positions(name))
        .any(|i| offered.contains(i));
    if any {
        Ok(())
    } else {
        Err(format!(
            "none of the instance types of {} is to be had now",
            draft.name
        ))
    }
}
