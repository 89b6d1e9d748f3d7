//! The document of commands.md.

use serde_json::{Value, json};

use super::{Facts, cost, placed, price};
use crate::decide::scheduling::{Planned, Solution};
use crate::model::decision::effect::ExpectedLaunch;
use crate::model::decision::evidence::Unschedulable;
use crate::model::decision::refusal::{Check, Refusal};
use crate::model::resources::format_quantity;
use crate::words;

/// `kerf/plan/v1`.
pub fn to_json(solution: &Solution, facts: &Facts) -> Value {
    let mut totals = json!({
        "nodes": solution.claims.len(),
        "pods": placed(solution),
        "pricePerHour": price(solution),
    });
    cost::add_totals(&mut totals, solution, facts);
    let mut out = json!({
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
        "boundMicros": facts.bound_micros,
    });
    if !solution.deferred.is_empty() {
        out["deferred"] = solution.deferred.iter().map(unschedulable).collect();
    }
    if !facts.rooms.is_empty() {
        out["buffers"] = facts
            .rooms
            .iter()
            .map(|(buffer, room)| {
                json!({
                    "buffer": buffer,
                    "onExisting": room.existing,
                    "onNew": room.new,
                    "unschedulable": room.failed,
                })
            })
            .collect();
    }
    if let Some(greedy) = &facts.greedy {
        out["karpenter"] = cost::greedy(greedy);
    }
    out
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
        "launch": draft.expected.as_ref().map(launch),
    })
}

fn launch(e: &ExpectedLaunch) -> Value {
    let mut out = json!({
        "instanceType": e.instance_type,
        "zone": e.zone,
        "capacityType": e.capacity_type,
        "pricePerHour": e.price_per_hour,
    });
    if let Some(id) = &e.reservation {
        out["reservationId"] = json!(id);
    }
    out
}

fn unschedulable(one: &Unschedulable) -> Value {
    let reasons: Vec<Value> = one
        .pools
        .iter()
        .map(|(pool, refusal)| json!({"nodePool": pool, "code": refusal.code(), "detail": detail(refusal)}))
        .collect();
    let mut out = json!({"pod": one.pod, "summary": words::unschedulable(one), "reasons": reasons});
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
