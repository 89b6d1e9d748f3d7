//! A change carried out on copies.

use std::sync::Arc;

use crate::decide::scheduling::ports;
use crate::model::decision::remedy::Change;
use crate::model::taints::{Toleration, TolerationOperator};
use crate::model::{Catalogue, InstanceType, Name, NodePool, PodSpec, Requirement, Snapshot};

/// The pod after a change of pods; other changes leave it as it is.
pub fn to_pod(change: &Change, spec: &mut PodSpec) {
    match change {
        Change::Spell { key, value, known } => spell(spec, key, value.as_ref(), known),
        Change::Tolerate { taint } => spec.tolerations.push(Toleration {
            key: taint.key.clone(),
            operator: if taint.value.is_empty() {
                TolerationOperator::Exists
            } else {
                TolerationOperator::Equal
            },
            value: taint.value.clone(),
            effect: Some(taint.effect),
        }),
        Change::LowerRequest { resource, to, .. } => spec.requests.set(resource, *to),
        Change::DropSelector { key, .. } => drop(spec.node_selector.remove(key)),
        Change::DropRequirement { requirement } => {
            for term in &mut spec.required_terms {
                term.retain(|r| r != requirement);
            }
            spec.required_terms.retain(|term| !term.is_empty());
        }
        Change::SoftenSpread { key, max_skew } => {
            for s in &mut spec.spread {
                s.hard &= s.topology_key != *key || s.max_skew != *max_skew;
            }
        }
        Change::DropSpread { key } => spec.spread.retain(|s| s.topology_key != *key),
        Change::DropAffinity { key } => spec.affinity.retain(|t| t.topology_key != *key),
        Change::DropAntiAffinity { key } => spec.anti_affinity.retain(|t| t.topology_key != *key),
        Change::DropHostPort { port } => spec.host_ports.retain(|p| ports::text(p) != **port),
        Change::DropVolume { claim } => spec.volume_claims.retain(|c| c != claim),
        Change::DropResourceClaims => spec.uses_resource_claims = false,
        Change::RaiseLimit { .. }
        | Change::LowerMinValues { .. }
        | Change::WidenPool { .. }
        | Change::LabelPool { .. }
        | Change::ReadyPool { .. }
        | Change::Restock => {}
    }
}

fn spell(spec: &mut PodSpec, key: &Name, value: Option<&Name>, known: &Name) {
    if let Some(value) = value {
        if spec.node_selector.get(key) == Some(value) {
            spec.node_selector.insert(key.clone(), known.clone());
        }
    } else if let Some(value) = spec.node_selector.remove(key) {
        spec.node_selector.insert(known.clone(), value);
    }
    for requirement in spec.required_terms.iter_mut().flatten().filter(|r| r.key == *key) {
        match value {
            Some(value) => {
                if requirement.values.remove(value) {
                    requirement.values.insert(known.clone());
                }
            }
            None => requirement.key = known.clone(),
        }
    }
}

/// The cluster after a change of the cluster; other changes leave it as it is.
pub fn to_cluster(change: &Change, snapshot: &mut Snapshot) {
    match change {
        Change::RaiseLimit {
            pool, resource, to, ..
        } => edit(snapshot, pool, |p| {
            p.limits.insert(resource.clone(), *to);
        }),
        Change::LowerMinValues { pool, key, to, .. } => edit(snapshot, pool, |p| {
            if let Some(requirement) = p.template.requirements.0.get_mut(key) {
                requirement.min_values = Some(*to);
            }
        }),
        Change::WidenPool { pool, existing, to } => edit(snapshot, pool, |p| {
            let all = &mut p.template.requirements.0;
            match to {
                Some(to) => drop(all.insert(existing.key.clone(), to.clone())),
                // What the variety asks for stays.
                None => match existing.min_values {
                    Some(n) => {
                        let mut open = Requirement::exists(&existing.key);
                        open.min_values = Some(n);
                        all.insert(existing.key.clone(), open);
                    }
                    None => drop(all.remove(&existing.key)),
                },
            }
        }),
        Change::LabelPool { pool, key, value } => edit(snapshot, pool, |p| {
            p.template.labels.insert(key.clone(), value.clone());
        }),
        Change::ReadyPool { pool } => {
            edit(snapshot, pool, |p| {
                p.conditions.clear();
                p.invalid.clear();
            });
            ready_class(snapshot, pool);
        }
        Change::Restock => restock(snapshot),
        _ => {}
    }
}

fn edit(snapshot: &mut Snapshot, pool: &Name, change: impl FnOnce(&mut NodePool)) {
    if let Some(row) = snapshot.pools.get(pool) {
        let mut row = (**row).clone();
        change(&mut row);
        snapshot.pools.insert(pool.clone(), Arc::new(row));
    }
}

fn ready_class(snapshot: &mut Snapshot, pool: &Name) {
    let class = snapshot.pools.get(pool).map(|p| p.template.class.name.clone());
    if let Some(row) = class.and_then(|c| snapshot.classes.get(&c)) {
        let mut row = (**row).clone();
        row.conditions.clear();
        row.resolved = None;
        snapshot.classes.insert(row.name.clone(), Arc::new(row));
    }
}

/// Every offering has capacity.
fn restock(snapshot: &mut Snapshot) {
    let stocked = |kind: &Arc<InstanceType>| {
        if kind.offerings.iter().all(|o| o.available) {
            return kind.clone();
        }
        let mut kind = (**kind).clone();
        kind.offerings.iter_mut().for_each(|o| o.available = true);
        Arc::new(kind)
    };
    let all: Vec<(Name, Arc<Catalogue>)> = snapshot
        .catalogues
        .iter()
        .map(|(class, types)| {
            let types = Catalogue::new(types.distinct().map(stocked));
            (class.clone(), Arc::new(types))
        })
        .collect();
    snapshot.catalogues.extend(all);
}
