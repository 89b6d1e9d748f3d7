//! What a claim owes its NodePool: requirements, variety and limits.

use std::collections::{BTreeMap, BTreeSet};

use kerf::model::Requirements;
use serde_json::Value;

use super::amount::quantity;
use super::list;
use crate::cluster::{Cluster, Plan};

/// A claim's demand on one label, read plainly.
pub fn allows(requirements: &Requirements, key: &str, value: Option<&str>) -> bool {
    let Some(rule) = requirements.0.get(key) else {
        return true;
    };
    let Some(value) = value else {
        return rule.complement || rule.values.is_empty();
    };
    let listed = rule.values.iter().any(|v| **v == *value);
    let number = value.parse::<i64>().ok();
    let above = rule.gte.is_none_or(|least| number.is_some_and(|n| n >= least));
    let below = rule.lte.is_none_or(|most| number.is_some_and(|n| n <= most));
    listed != rule.complement && above && below
}

pub fn check(cluster: &Cluster, plan: &Plan<'_>) -> Result<(), String> {
    let mut used: BTreeMap<(String, String), i128> = BTreeMap::new();
    for object in cluster.objects.iter().filter(|o| o["kind"] == "NodeClaim") {
        let node = object["status"]["nodeName"].as_str().unwrap_or_default();
        if plan.without.contains(node) || !object["metadata"]["deletionTimestamp"].is_null() {
            continue;
        }
        let pool = object["metadata"]["labels"]["karpenter.sh/nodepool"]
            .as_str()
            .unwrap_or_default();
        add(&mut used, pool, &object["status"]["capacity"]);
    }
    for claim in &plan.solution.claims {
        let draft = &claim.draft;
        let pool = cluster
            .objects
            .iter()
            .find(|o| o["kind"] == "NodePool" && o["metadata"]["name"] == *draft.pool)
            .ok_or_else(|| format!("there is no NodePool {}", draft.pool))?;
        let kinds: Vec<&Value> = cluster
            .types
            .iter()
            .filter(|t| draft.instance_types.iter().any(|n| t["name"] == **n))
            .collect();
        for wish in list(&pool["spec"]["template"]["spec"]["requirements"]) {
            enough_values(wish, &kinds, cluster).map_err(|why| format!("claim {}: {why}", draft.name))?;
        }
        // Any of its types may come, so the largest counts.
        let most = kinds
            .iter()
            .max_by_key(|t| quantity(&t["resources"]["cpu"]))
            .ok_or("a claim without types")?;
        add(&mut used, &draft.pool, &most["resources"]);
        let limits = &pool["spec"]["limits"];
        for (resource, limit) in limits
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(k, _)| *k == "cpu" || *k == "nodes")
        {
            let sum = used
                .get(&(draft.pool.to_string(), resource.clone()))
                .copied()
                .unwrap_or(0);
            if sum > quantity(limit) && !(cluster.settings.parity && resource == "nodes") {
                return Err(format!("{resource} of pool {}: {sum} of {limit}", draft.pool));
            }
        }
    }
    Ok(())
}

fn add(used: &mut BTreeMap<(String, String), i128>, pool: &str, capacity: &Value) {
    for resource in ["cpu", "nodes"] {
        let amount = if resource == "nodes" {
            quantity(&1.into())
        } else {
            quantity(&capacity[resource])
        };
        *used.entry((pool.to_owned(), resource.to_owned())).or_default() += amount;
    }
}

/// `minValues`, over the types' own labels.
fn enough_values(wish: &Value, kinds: &[&Value], cluster: &Cluster) -> Result<(), String> {
    let Some(wanted) = wish["minValues"].as_u64() else {
        return Ok(());
    };
    let mut found: BTreeSet<String> = BTreeSet::new();
    for kind in kinds {
        match wish["key"].as_str().unwrap_or_default() {
            "node.kubernetes.io/instance-type" => drop(found.insert(kind["name"].to_string())),
            key => {
                let own = list(&kind["requirements"]).filter(|r| r["key"] == key);
                found.extend(own.flat_map(|r| list(&r["values"])).map(ToString::to_string));
            }
        }
    }
    if (found.len() as u64) < wanted && !cluster.settings.min_values_best_effort {
        return Err(format!("{} of {wanted} values of {}", found.len(), wish["key"]));
    }
    Ok(())
}
