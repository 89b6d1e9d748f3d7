//! Changes that are worth a try for a pod without a place, read off the reasons that it was given.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::packing::karpenter::{Asked, PoolAsked};
use crate::decide::scheduling::{Prepared, ports};
use crate::model::decision::Refusal;
use crate::model::decision::cause::{Cause, Unknown};
use crate::model::decision::refusal::Check;
use crate::model::decision::remedy::Change;
use crate::model::requirements::Incompatible;
use crate::model::{Name, NodePool, Pod, Requirement, Taint};

/// Existing nodes whose reasons are looked at.
const NODES: usize = 5;
/// Ceilings of one resource that are tried: the highest may belong to a pool with other obstacles.
const CEILINGS: usize = 2;

/// Every candidate, smallest first.
pub fn candidates(prepared: &Prepared, pod: &Pod, asked: &Asked) -> Vec<Change> {
    let mut out = BTreeSet::new();
    of_pod(prepared, pod, &mut out);
    for pool in &asked.pools {
        of_reason(pool.refusal.as_ref(), &mut out);
        if let Some(row) = prepared.snapshot.pools.get(&pool.pool) {
            of_pool(prepared, row, pool, &mut out);
        }
    }
    for (_, refusal) in asked.nodes.iter().take(NODES) {
        of_reason(refusal.as_ref(), &mut out);
    }
    lower_requests(pod, asked, &mut out);
    let mut out: Vec<Change> = out.into_iter().collect();
    out.sort_by(|a, b| a.size().cmp(&b.size()).then_with(|| a.cmp(b)));
    out
}

/// Everything that a pod may let go of or may have misspelt.
fn of_pod(prepared: &Prepared, pod: &Pod, out: &mut BTreeSet<Change>) {
    let spec = &*pod.spec;
    for unknown in prepared.vocabulary().unknown(spec, &prepared.well_known) {
        let Unknown { key, value, hints } = unknown;
        out.extend(hints.into_iter().map(|known| Change::Spell {
            key: key.clone(),
            value: value.clone(),
            known,
        }));
    }
    out.extend(
        spec.node_selector
            .iter()
            .map(|(key, value)| Change::DropSelector {
                key: key.clone(),
                value: value.clone(),
            }),
    );
    out.extend(
        spec.required_terms
            .iter()
            .flatten()
            .map(|r| Change::DropRequirement {
                requirement: r.clone(),
            }),
    );
    out.extend(
        spec.spread
            .iter()
            .filter(|s| s.hard)
            .map(|s| Change::SoftenSpread {
                key: s.topology_key.clone(),
                max_skew: s.max_skew,
            }),
    );
    out.extend(
        spec.affinity
            .iter()
            .filter(|t| t.weight.is_none())
            .map(|t| Change::DropAffinity {
                key: t.topology_key.clone(),
            }),
    );
    out.extend(
        spec.anti_affinity
            .iter()
            .filter(|t| t.weight.is_none())
            .map(|t| Change::DropAntiAffinity {
                key: t.topology_key.clone(),
            }),
    );
    out.extend(spec.host_ports.iter().map(|p| Change::DropHostPort {
        port: ports::text(p).into(),
    }));
    out.extend(
        spec.volume_claims
            .iter()
            .map(|claim| Change::DropVolume { claim: claim.clone() }),
    );
    if spec.uses_resource_claims {
        out.insert(Change::DropResourceClaims);
    }
}

/// Taints that say in which state a machine is; nobody tolerates them to get a place.
fn is_state(taint: &Taint) -> bool {
    [
        "node.kubernetes.io/",
        "karpenter.sh/",
        "node.cloudprovider.kubernetes.io/",
    ]
    .iter()
    .any(|prefix| taint.key.starts_with(prefix))
}

fn of_reason(refusal: Option<&Refusal>, out: &mut BTreeSet<Change>) {
    if let Some(Refusal::UntoleratedTaints { taints }) = refusal {
        out.extend(
            taints
                .iter()
                .filter(|t| !is_state(t))
                .map(|taint| Change::Tolerate { taint: taint.clone() }),
        );
    }
}

fn of_pool(prepared: &Prepared, pool: &NodePool, asked: &PoolAsked, out: &mut BTreeSet<Change>) {
    let name = &pool.name;
    let mut limit = |resource: &Name| {
        if let Some(from) = pool.limits.get(resource) {
            out.insert(Change::RaiseLimit {
                pool: name.clone(),
                resource: resource.clone(),
                from: *from,
                to: i64::MAX,
            });
        }
    };
    match &asked.refusal {
        Some(Refusal::PoolLimit { resource, .. }) => limit(resource),
        Some(Refusal::NodeLimit { .. }) => limit(&"nodes".into()),
        _ => {}
    }
    let steps = asked.funnel.iter().flat_map(|f| &f.steps);
    for step in steps.clone() {
        if let Check::Limit { resource, .. } = &step.check {
            limit(resource);
        }
    }
    let no_type = matches!(
        asked.refusal,
        Some(Refusal::InstanceTypes { .. } | Refusal::Topology { .. })
    );
    if no_type {
        for step in steps {
            match &step.check {
                Check::Requirement { requirement } => {
                    out.extend(widened(pool, &requirement.key, None));
                }
                Check::OutOfStock => drop(out.insert(Change::Restock)),
                _ => {}
            }
        }
    }
    match &asked.refusal {
        Some(Refusal::InstanceTypes {
            cause: Some(Cause::OutOfStock { .. }),
            ..
        }) => drop(out.insert(Change::Restock)),
        Some(Refusal::MinValues { keys }) => {
            out.extend(keys.iter().map(|(key, (found, wanted))| Change::LowerMinValues {
                pool: name.clone(),
                key: key.clone(),
                from: *wanted,
                to: *found,
            }));
        }
        Some(Refusal::Requirement {
            mismatch: Incompatible::Conflict { key, incoming, .. },
        }) => {
            if pool.template.labels.contains_key(key) {
                out.extend(labelled(name, incoming));
            } else {
                out.extend(widened(pool, key, Some(incoming)));
            }
        }
        Some(Refusal::UnknownLabel { wanted, .. }) => out.extend(labelled(name, wanted)),
        Some(Refusal::PoolNotReady { reason, .. })
            if !matches!(&**reason, "Static" | "Deleting" | "Paused" | "NodeClassNotFound") =>
        {
            out.insert(Change::ReadyPool { pool: name.clone() });
        }
        Some(Refusal::NoInstanceTypes) => {
            let own = || pool.template.requirements.iter();
            let unknown = prepared.vocabulary().unknown_among(own(), &prepared.well_known);
            for one in unknown {
                out.extend(respelt(pool, &one));
            }
            out.extend(own().map(|r| Change::WidenPool {
                pool: name.clone(),
                existing: r.clone(),
                to: None,
            }));
        }
        _ => {}
    }
}

/// The pool takes what the pod wants besides what it takes now; without a wish, its own requirement goes.
fn widened(pool: &NodePool, key: &str, wanted: Option<&Requirement>) -> Option<Change> {
    let existing = pool.template.requirements.get(key)?.clone();
    let both = wanted.filter(|w| !w.complement && !existing.complement && !w.values.is_empty());
    let to = both.map(|w| {
        let mut to = existing.clone();
        to.values.extend(w.values.iter().cloned());
        to
    });
    Some(Change::WidenPool {
        pool: pool.name.clone(),
        existing,
        to,
    })
}

fn respelt(pool: &NodePool, unknown: &Unknown) -> Option<Change> {
    let (value, known) = (unknown.value.as_ref()?, unknown.hints.first()?);
    let existing = pool.template.requirements.get(&unknown.key)?.clone();
    let mut to = existing.clone();
    to.values.remove(value);
    to.values.insert(known.clone());
    Some(Change::WidenPool {
        pool: pool.name.clone(),
        existing,
        to: Some(to),
    })
}

fn labelled(pool: &Name, wanted: &Requirement) -> Option<Change> {
    let value = wanted.values.first().filter(|_| !wanted.complement)?;
    Some(Change::LabelPool {
        pool: pool.clone(),
        key: wanted.key.clone(),
        value: value.clone(),
    })
}

/// Down to the largest instance type, or to what a node that is there has left.
fn lower_requests(pod: &Pod, asked: &Asked, out: &mut BTreeSet<Change>) {
    let mut ceilings: BTreeMap<&Name, BTreeSet<i64>> = BTreeMap::new();
    for (resource, most) in asked.pools.iter().flat_map(|p| &p.ceilings) {
        ceilings.entry(resource).or_default().insert(*most);
    }
    for (_, refusal) in asked.nodes.iter().take(NODES) {
        if let Some(Refusal::Resources { resource, free, .. }) = refusal
            && *free > 0
        {
            ceilings.entry(resource).or_default().insert(*free);
        }
    }
    for (resource, most) in ceilings {
        let from = pod.spec.requests.get(resource);
        let is_basic = matches!(&**resource, "cpu" | "memory" | "pods");
        for to in most.into_iter().rev().take(CEILINGS) {
            let to = readable(resource, to);
            // A pod that asks for no CPU is another pod; one that asks for no GPU may be meant so.
            if to < from && (to > 0 || !is_basic) && &**resource != "pods" {
                out.insert(Change::LowerRequest {
                    resource: resource.clone(),
                    from,
                    to,
                });
            }
        }
    }
}

/// Rounded down to what a person would write.
fn readable(resource: &str, amount: i64) -> i64 {
    const MI: i64 = 1 << 20;
    match resource {
        "memory" | "ephemeral-storage" if amount > MI => amount / MI * MI,
        "cpu" if amount > 10 => amount / 10 * 10,
        _ => amount,
    }
}
