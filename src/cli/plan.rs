//! `kerf plan`: a solution as JSON (`kerf/plan/v1`) and as text.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::decide::scheduling::{Planned, Solution};
use crate::model::decision::evidence::Unschedulable;
use crate::model::decision::refusal::{Check, Funnel, Refusal};
use crate::model::requirements::Incompatible;
use crate::model::resources::format_quantity;
use crate::model::{Name, UsdPerHour};

/// What the command measured and knows beside the solution.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `karpenter` or `cheapest`.
    pub packing: Name,
    /// Time of the decision alone.
    pub elapsed_micros: u64,
    /// Time to compile the catalogue index.
    pub index_micros: u64,
    /// Proven floor of the new nodes' price, where known.
    pub lower_bound: Option<UsdPerHour>,
}

/// Σ expected price of the new claims.
pub fn price(solution: &Solution) -> UsdPerHour {
    solution
        .claims
        .iter()
        .filter_map(|c| c.draft.expected.as_ref())
        .map(|e| e.price_per_hour)
        .sum()
}

/// `namespace/name` of every pod that got a place.
pub fn placed(solution: &Solution) -> usize {
    let new: usize = solution.claims.iter().map(|c| c.draft.pods.len()).sum();
    new + solution.existing.values().map(Vec::len).sum::<usize>()
}

/// The document of commands.md.
pub fn to_json(solution: &Solution, facts: &Facts) -> Value {
    let mut totals = json!({
        "nodes": solution.claims.len(),
        "pods": placed(solution),
        "pricePerHour": price(solution),
    });
    if let Some(bound) = facts.lower_bound {
        totals["lowerBoundPerHour"] = json!(bound);
    }
    json!({
        "schema": "kerf/plan/v1",
        "packing": facts.packing,
        "nodeClaims": solution.claims.iter().map(claim).collect::<Vec<_>>(),
        "existing": solution.existing.iter()
            .map(|(node, pods)| json!({"node": node, "pods": pods}))
            .collect::<Vec<_>>(),
        "unschedulable": solution.unschedulable.iter().map(unschedulable).collect::<Vec<_>>(),
        "totals": totals,
        "elapsedMicros": facts.elapsed_micros,
        "indexMicros": facts.index_micros,
    })
}

/// One planned claim as `kerf plan` and `kerf consolidate` print it.
pub fn claim(planned: &Planned) -> Value {
    let draft = &planned.draft;
    let mut requirements = Vec::new();
    for requirement in draft.requirements.iter() {
        for (operator, values) in requirement.to_spec() {
            let mut entry = json!({
                "key": requirement.key, "operator": operator.as_str(), "values": values,
            });
            if let Some(min) = requirement.min_values {
                entry["minValues"] = json!(min);
            }
            requirements.push(entry);
        }
    }
    json!({
        "name": draft.name,
        "nodePool": draft.pool,
        "pods": draft.pods,
        "requests": draft.requests.to_quantities(),
        "instanceTypes": draft.instance_types,
        "requirements": requirements,
        "launch": draft.expected.as_ref().map(|e| json!({
            "instanceType": e.instance_type,
            "zone": e.zone,
            "capacityType": e.capacity_type,
            "pricePerHour": e.price_per_hour,
        })),
    })
}

fn unschedulable(one: &Unschedulable) -> Value {
    let reasons: Vec<Value> = one
        .pools
        .iter()
        .map(|(pool, refusal)| json!({"nodePool": pool, "code": refusal.code(), "detail": detail(refusal)}))
        .collect();
    let mut out = json!({"pod": one.pod, "summary": summary(one), "reasons": reasons});
    if let Some(miss) = nearest_miss(one) {
        out["nearestMiss"] = miss;
    }
    out
}

fn detail(refusal: &Refusal) -> Value {
    let mut value = serde_json::to_value(refusal).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.remove("code");
    }
    value
}

/// The type that failed last in the shortest funnel, with what it lacks.
fn nearest_miss(one: &Unschedulable) -> Option<Value> {
    one.pools.iter().find_map(|(_, refusal)| match refusal {
        Refusal::InstanceTypes { funnel, .. } => {
            let step = funnel.steps.last()?;
            Some(json!({"instanceType": step.examples.first()?, "change": change(&step.check)}))
        }
        Refusal::UnknownLabel {
            key,
            hint: Some(hint),
            ..
        } => Some(json!({"instanceType": "", "change": format!("write {hint} for {key}")})),
        _ => None,
    })
}

fn change(check: &Check) -> String {
    match check {
        Check::Requirement { requirement } => format!("drop {requirement}"),
        Check::Resource { resource, wanted } => {
            format!(
                "ask for less {resource} than {}",
                format_quantity(resource, *wanted)
            )
        }
        Check::NoOffering => "allow another zone or capacity type".to_owned(),
        Check::OutOfStock => "wait until it is in stock, or allow another zone or capacity type".to_owned(),
        Check::Limit { resource, .. } => format!("raise the pool's limit of {resource}"),
        Check::Truncated => "ask for fewer values".to_owned(),
    }
}

/// One line on why a pod has no place: each pool with its reason.
pub fn summary(one: &Unschedulable) -> String {
    let parts: Vec<String> = one
        .pools
        .iter()
        .map(|(pool, refusal)| {
            if pool.is_empty() {
                reason(refusal)
            } else {
                format!("{pool}: {}", reason(refusal))
            }
        })
        .collect();
    parts.join("; ")
}

fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UntoleratedTaints { taints } => {
            let list: Vec<String> = taints.iter().map(ToString::to_string).collect();
            format!("does not tolerate {}", list.join(", "))
        }
        Refusal::Requirement {
            mismatch: Incompatible::Conflict {
                existing, incoming, ..
            },
        } => format!("wants {incoming}, the pool has {existing}"),
        Refusal::VolumeRequirement { .. } => "its volumes are elsewhere".to_owned(),
        Refusal::UnknownLabel { key, hint, .. } => match hint {
            Some(hint) => format!("no node has the label {key}; did you mean {hint}?"),
            None => format!("no node has the label {key}"),
        },
        Refusal::Topology { rule, key, .. } => format!("{rule} over {key} leaves no domain"),
        Refusal::InstanceTypes { funnel, .. } => fell(funnel),
        Refusal::MinValues { keys } => {
            let list: Vec<String> = keys
                .iter()
                .map(|(k, (have, want))| format!("{k} {have} of {want}"))
                .collect();
            format!("too little variety: {}", list.join(", "))
        }
        Refusal::PoolLimit {
            resource,
            limit,
            used,
        } => format!(
            "every type exceeds the limit of {resource}: {} of {} used",
            format_quantity(resource, *used),
            format_quantity(resource, *limit)
        ),
        Refusal::NodeLimit { limit, used } => format!("{used} of {limit} nodes used"),
        Refusal::Ignored { message, .. } | Refusal::PoolNotReady { message, .. } => message.clone(),
        Refusal::HostPort { wanted, taken } => format!("port {wanted} clashes with {taken}"),
        Refusal::ResourceClaims => "resource claims are not supported".to_owned(),
        Refusal::NoPools => "there is no NodePool".to_owned(),
        Refusal::OutOfFuel => "not reached within the limit".to_owned(),
        other => other.code().replace('_', " "),
    }
}

fn fell(funnel: &Funnel) -> String {
    let steps: Vec<String> = funnel
        .steps
        .iter()
        .map(|step| {
            let by = match &step.check {
                Check::Requirement { requirement } => requirement.to_string(),
                Check::Resource { resource, wanted } => {
                    format!("{resource} {}", format_quantity(resource, *wanted))
                }
                Check::NoOffering => "no offering".to_owned(),
                Check::OutOfStock => "out of stock".to_owned(),
                Check::Limit { resource, .. } => format!("limit of {resource}"),
                Check::Truncated => "cut".to_owned(),
            };
            format!("{} by {by}", step.removed)
        })
        .collect();
    format!(
        "none of {} instance types: {}",
        funnel.considered,
        steps.join(", ")
    )
}

/// A short account for a terminal.
pub fn to_text(solution: &Solution, facts: &Facts) -> String {
    let mut out = String::new();
    let dollars = |usd: UsdPerHour| format!("${:.4}/h", usd.as_f64());
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{} new nodes for {} pods, {}",
        solution.claims.len(),
        solution.claims.iter().map(|c| c.draft.pods.len()).sum::<usize>(),
        dollars(price(solution))
    );
    for planned in &solution.claims {
        let draft = &planned.draft;
        let launch = draft.expected.as_ref().map_or_else(String::new, |e| {
            format!(
                "{} {} {} {}",
                e.instance_type,
                e.zone,
                e.capacity_type.as_str(),
                dollars(e.price_per_hour)
            )
        });
        let _ = writeln!(
            out,
            "  {:<24} {launch}  pods {}, {}; {} types",
            draft.name,
            draft.pods.len(),
            draft.requests,
            draft.instance_types.len()
        );
    }
    let on_existing: usize = solution.existing.values().map(Vec::len).sum();
    if on_existing > 0 {
        let _ = writeln!(
            out,
            "{on_existing} pods fit {} nodes that are there",
            solution.existing.len()
        );
    }
    if !solution.unschedulable.is_empty() {
        let _ = writeln!(out, "{} pods have no place", solution.unschedulable.len());
        for one in &solution.unschedulable {
            let _ = writeln!(out, "  {}  {}", one.pod, summary(one));
        }
    }
    if let Some(bound) = facts.lower_bound {
        let _ = writeln!(
            out,
            "no placement on new nodes costs less than {}",
            dollars(bound)
        );
    }
    out
}
