//! What edited NodePools and NodeClasses would make drift, before anything is applied.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::cluster::Cluster;
use super::drifted::{self, Drift};
use crate::api::names;
use crate::model::{Claim, Name, NodeClass, NodePool, Snapshot, UsdPerHour};

/// A node that stays as it is today and would drift then.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WouldDrift {
    /// The claim's name while it has no node.
    pub node: Name,
    pub node_pool: Name,
    /// As the condition would say: `NodePoolDrifted`, `RequirementsDrifted` …
    pub reason: Name,
    /// Path of the field that differs, or the requirement's key.
    pub field: Name,
    /// False where only the account can tell what the edited selector finds.
    pub certain: bool,
    /// Pods that would move.
    pub pods: usize,
    /// What the node costs now.
    pub price_per_hour: UsdPerHour,
    /// Whether its pool allows drift to take any node at all now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_now: Option<u32>,
}

/// Compares the cluster with itself under the edited manifests.
pub fn preview(
    before: &Snapshot,
    pools: &[Arc<NodePool>],
    classes: &[Arc<NodeClass>],
    now: Timestamp,
) -> Vec<WouldDrift> {
    let after = edited(before, pools, classes);
    let cluster = Cluster::new(before, now);
    let mut out = Vec::new();
    for machine in cluster.machines.values() {
        let Some(claim) = machine.claim.filter(|c| c.deleting.is_none()) else {
            continue;
        };
        let Some(then) = after.claims.get(&claim.name) else {
            continue;
        };
        if drifted::drift(before, claim, now).is_some() {
            continue;
        }
        let found = drifted::drift(&after, then, now).map(|drift| (drift, true));
        let Some((drift, certain)) = found.or_else(|| perhaps(before, classes, claim)) else {
            continue;
        };
        let field = fields(before, pools, classes, claim, &drift);
        let pool = claim.pool().cloned().unwrap_or_else(|| "".into());
        out.push(WouldDrift {
            node: machine.name.clone(),
            allowed_now: after.pools.get(&pool).map(|p| {
                let of_pool = |c: &&Arc<Claim>| c.pool() == Some(&p.name);
                let nodes = after.claims.values().filter(of_pool).count();
                let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
                super::budgets::allowed(p, "Drifted", nodes, now)
            }),
            node_pool: pool,
            reason: drift.reason.into(),
            field,
            certain,
            pods: machine.reschedulable().count(),
            price_per_hour: cluster.price(machine),
        });
    }
    out
}

/// The picture once the manifests are applied and their hashes written. Claims without a hash count as made from what
/// their pool says today.
fn edited(before: &Snapshot, pools: &[Arc<NodePool>], classes: &[Arc<NodeClass>]) -> Snapshot {
    let mut after = before.clone();
    for pool in pools {
        let mut row = (**pool).clone();
        row.annotations
            .insert(names::NODEPOOL_HASH.into(), row.hash.clone());
        row.annotations
            .insert(names::NODEPOOL_HASH_VERSION.into(), "v3".into());
        after.pools.insert(row.name.clone(), Arc::new(row));
    }
    for class in classes {
        let mut row = (**class).clone();
        // What its selectors found is looked up only once it is applied.
        row.resolved = before.classes.get(&row.name).and_then(|c| c.resolved.clone());
        after.classes.insert(row.name.clone(), Arc::new(row));
    }
    for claim in before.claims.values() {
        let mut row = (**claim).clone();
        let mut own = |hash: &str, version: &str, value: Option<&Name>, current: &str| {
            let known = row.annotations.contains_key(hash) && row.annotations.contains_key(version);
            if let Some(value) = value.filter(|v| !known && !v.is_empty()) {
                row.annotations.insert(hash.into(), value.clone());
                row.annotations.insert(version.into(), current.into());
            }
        };
        let pool = claim.pool().and_then(|p| before.pools.get(p)).map(|p| &p.hash);
        own(names::NODEPOOL_HASH, names::NODEPOOL_HASH_VERSION, pool, "v3");
        let class = before.classes.get(&claim.class.name).map(|c| &c.hash);
        own(
            names::EC2_HASH,
            names::EC2_HASH_VERSION,
            class,
            names::EC2_HASH_V6,
        );
        after.claims.insert(row.name.clone(), Arc::new(row));
    }
    after
}

/// Selectors that were edited may find other things.
fn perhaps(before: &Snapshot, classes: &[Arc<NodeClass>], claim: &Claim) -> Option<(Drift, bool)> {
    let new = classes.iter().find(|c| c.name == claim.class.name)?;
    let old = before.classes.get(&claim.class.name)?;
    let changed = changed_keys(&as_json(&old.spec), &as_json(&new.spec));
    let selectors = [
        ("amiSelectorTerms", "AMIDrift"),
        ("securityGroupSelectorTerms", "SecurityGroupDrift"),
        ("subnetSelectorTerms", "SubnetDrift"),
    ];
    let (field, reason) = selectors
        .into_iter()
        .find(|(field, _)| changed.iter().any(|c| c == field))?;
    let drift = Drift {
        reason,
        field: format!("spec.{field}").into(),
    };
    Some((drift, false))
}

fn as_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn changed_keys(old: &Value, new: &Value) -> Vec<String> {
    let empty = serde_json::Map::new();
    let (old, new) = (
        old.as_object().unwrap_or(&empty),
        new.as_object().unwrap_or(&empty),
    );
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .filter(|k| old.get(*k) != new.get(*k))
        .cloned()
        .collect()
}

/// The edited fields behind a drift, from the manifests where the claim alone does not tell.
fn fields(
    before: &Snapshot,
    pools: &[Arc<NodePool>],
    classes: &[Arc<NodeClass>],
    claim: &Claim,
    drift: &Drift,
) -> Name {
    match drift.reason {
        "NodePoolDrifted" => {
            let new = claim
                .pool()
                .and_then(|p| pools.iter().find(|edited| edited.name == *p));
            let old = claim.pool().and_then(|p| before.pools.get(p));
            let changed = old
                .zip(new)
                .map(|(old, new)| template_fields(old, new))
                .filter(|f| !f.is_empty());
            changed.map_or_else(|| drift.field.clone(), |f| f.join(", ").into())
        }
        "NodeClassDrift" => {
            let new = classes.iter().find(|c| c.name == claim.class.name);
            let old = before.classes.get(&claim.class.name);
            let changed = old
                .zip(new)
                .map(|(old, new)| changed_keys(&as_json(&old.spec), &as_json(&new.spec)));
            changed.map_or_else(
                || drift.field.clone(),
                |f| {
                    let paths: Vec<String> = f.into_iter().map(|k| format!("spec.{k}")).collect();
                    paths.join(", ").into()
                },
            )
        }
        _ => drift.field.clone(),
    }
}

/// Paths below `spec.template` on which two pools differ, of those that the static hash covers.
fn template_fields(old: &NodePool, new: &NodePool) -> Vec<String> {
    let (old, new) = (&old.template, &new.template);
    let mut out = Vec::new();
    let maps = [
        ("metadata.labels", &old.labels, &new.labels),
        ("metadata.annotations", &old.annotations, &new.annotations),
    ];
    for (path, a, b) in maps {
        let keys: BTreeSet<&Name> = a.keys().chain(b.keys()).collect();
        out.extend(
            keys.into_iter()
                .filter(|k| a.get(*k) != b.get(*k))
                .map(|k| format!("spec.template.{path}[{k}]")),
        );
    }
    let set = |taints: &[crate::model::Taint]| -> Vec<String> {
        let mut out: Vec<String> = taints.iter().map(ToString::to_string).collect();
        out.sort();
        out
    };
    for (path, differs) in [
        ("taints", set(&old.taints) != set(&new.taints)),
        (
            "startupTaints",
            set(&old.startup_taints) != set(&new.startup_taints),
        ),
        ("nodeClassRef", old.class != new.class),
        ("expireAfter", old.expire_after != new.expire_after),
        (
            "terminationGracePeriod",
            old.termination_grace != new.termination_grace,
        ),
    ] {
        if differs {
            out.push(format!("spec.template.spec.{path}"));
        }
    }
    out
}
