//! The document of commands.md.

use serde_json::{Value, json};

use super::explained::{Explained, Group};
use super::{Facts, cost};
use crate::decide::explain::{Asked, Seat};
use crate::decide::scheduling::{Planned, Solution};
use crate::model::Name;
use crate::model::decision::cause::Cause;
use crate::model::decision::effect::ExpectedLaunch;
use crate::model::decision::evidence::{ClaimEvidence, Unschedulable};
use crate::model::decision::refusal::{Funnel, Refusal};
use crate::model::decision::remedy::{ConstraintCost, Landing, Remedy};
use crate::words;

/// `kerf/plan/v1`.
pub fn to_json(solution: &Solution, explained: &Explained, facts: &Facts) -> Value {
    let mut totals = json!({
        "nodes": solution.claims.len(),
        "pods": solution.placed(),
        "pricePerHour": solution.price(),
    });
    cost::add_totals(&mut totals, solution, facts);
    let claims = solution.claims.iter().map(|planned| {
        let mut out = claim(planned);
        if explained.whole {
            out["why"] = why(&planned.evidence);
        }
        out
    });
    let mut out = json!({
        "schema": "kerf/plan/v1",
        "packing": facts.packing,
        "nodeClaims": claims.collect::<Vec<_>>(),
        "existing": solution.existing.iter()
            .map(|(node, pods)| json!({"node": node, "pods": pods}))
            .collect::<Vec<_>>(),
        "unschedulable": solution.unschedulable.iter()
            .map(|one| unschedulable(one, explained.of(&one.pod)))
            .collect::<Vec<_>>(),
        "relaxed": solution.relaxed.iter().map(|r| json!({
            "pods": r.pods,
            "dropped": r.dropped.iter().map(words::preference).collect::<Vec<_>>(),
            "detail": r.dropped,
        })).collect::<Vec<_>>(),
        "totals": totals,
        "elapsedMicros": facts.elapsed_micros,
        "indexMicros": facts.index_micros,
    });
    if !solution.deferred.is_empty() {
        out["deferred"] = solution
            .deferred
            .iter()
            .map(|one| unschedulable(one, None))
            .collect();
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
    if explained.whole {
        out["constraintCosts"] = explained
            .costs
            .iter()
            .map(|(pod, c)| constraint(pod, c))
            .collect();
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

pub fn launch(e: &ExpectedLaunch) -> Value {
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

/// Why this pool and this type: what was refused before, what is cheaper and why it was not taken.
pub fn why(e: &ClaimEvidence) -> Value {
    json!({
        "podRequests": e.requests.to_quantities(),
        "daemonOverhead": e.daemon_overhead.to_quantities(),
        "daemonSets": e.daemons,
        "poolsRefused": e.pools_refused.iter().map(|(pool, r)| reason("nodePool", pool, r)).collect::<Vec<_>>(),
        "targetsRefused": e.targets_refused,
        "options": e.options,
        "funnel": funnel(&e.funnel),
        "ranking": e.ranking.iter().enumerate().map(|(i, r)| json!({
            "rank": i + 1, "instanceType": r.instance_type, "pricePerHour": r.price, "capacityType": r.capacity_type,
            "zones": r.zones, "arch": r.arch, "allocatable": r.allocatable.to_quantities(),
        })).collect::<Vec<_>>(),
        "cheaper": e.cheaper_refused.iter().map(|c| json!({
            "instanceType": c.instance_type, "pricePerHour": c.price, "why": words::check(&c.why), "detail": c.why,
        })).collect::<Vec<_>>(),
    })
}

pub fn funnel(f: &Funnel) -> Value {
    json!({
        "considered": f.considered,
        "steps": f.steps.iter().map(|s| json!({
            "removed": s.removed, "check": words::check(&s.check), "detail": s.check, "examples": s.examples,
        })).collect::<Vec<_>>(),
        "left": f.left(),
    })
}

/// A place with the reason for which it was refused: code, cause where the types are the reason, facts, sentence.
pub fn reason(kind: &str, place: &str, refusal: &Refusal) -> Value {
    let mut out = json!({
        kind: place,
        "code": refusal.code(),
        "detail": detail(refusal),
        "message": words::refusal(refusal),
    });
    if let Some(cause) = refusal.cause() {
        out["cause"] = json!(cause.code());
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

fn unschedulable(one: &Unschedulable, group: Option<&Group>) -> Value {
    let remedies = group.map_or(&[][..], |g| &g.remedies);
    left_over(one, remedies, group.and_then(|g| g.asked.as_ref()))
}

/// A pod without a place: reasons, the nearest miss, what would help, and where it was tried.
pub fn left_over(one: &Unschedulable, remedies: &[Remedy], asked: Option<&Asked>) -> Value {
    let reasons: Vec<Value> = one
        .pools
        .iter()
        .map(|(pool, refusal)| {
            let mut out = reason("nodePool", pool, refusal);
            let tried = asked.and_then(|a| a.pools.iter().find(|p| p.pool == *pool));
            if let Some(f) = tried.and_then(|p| p.funnel.as_ref()) {
                out["funnel"] = funnel(f);
            }
            out
        })
        .collect();
    let mut out = json!({
        "pod": one.pod,
        "summary": words::unschedulable(one),
        "reasons": reasons,
        "nearestMiss": nearest_miss(one, remedies.first()),
        "remedies": remedies.iter().map(remedy).collect::<Vec<_>>(),
    });
    if !one.unknown.is_empty() {
        out["unknown"] = json!(one.unknown);
    }
    if let Some(asked) = asked {
        let tried = |kind: &str, list: &[(Name, Option<Refusal>)]| -> Vec<Value> {
            list.iter()
                .filter_map(|(name, r)| r.as_ref().map(|r| reason(kind, name, r)))
                .collect()
        };
        out["nodes"] = json!(tried("node", &asked.nodes));
        out["claims"] = json!(tried("nodeClaim", &asked.claims));
    }
    out
}

/// A remedy with its place and price.
pub fn remedy(r: &Remedy) -> Value {
    let mut out = json!({
        "instanceType": "",
        "change": words::changes(r),
        "changes": r.changes,
        "addedPerHour": r.added,
        "checked": true,
    });
    match &r.landing {
        Landing::Node { node } => {
            out["node"] = json!(node);
            out["pricePerHour"] = json!(0.0);
        }
        Landing::Claim { pool, launch, pods } => {
            out["nodePool"] = json!(pool);
            out["podsOnNode"] = json!(pods);
            if let Some(l) = launch {
                out["instanceType"] = json!(l.instance_type);
                out["zone"] = json!(l.zone);
                out["capacityType"] = json!(l.capacity_type);
                out["pricePerHour"] = json!(l.price_per_hour);
            }
        }
    }
    out
}

/// The smallest change that was seen to help; without one the type that came nearest, and no change.
fn nearest_miss(one: &Unschedulable, first: Option<&Remedy>) -> Value {
    if let Some(first) = first {
        return remedy(first);
    }
    let nearest = one.pools.iter().find_map(|(_, refusal)| match refusal {
        Refusal::InstanceTypes { funnel, cause, .. } => match cause {
            Some(Cause::TooSmall { instance_type, .. }) if !instance_type.is_empty() => Some(instance_type),
            Some(Cause::NotOffered { example, .. } | Cause::OutOfStock { example, .. }) => Some(example),
            _ => funnel.steps.last()?.examples.first(),
        },
        _ => None,
    });
    json!({
        "instanceType": nearest.map_or("", |n| &**n),
        "change": "",
        "changes": [],
        "checked": false,
    })
}

pub fn constraint(pod: &Name, c: &ConstraintCost) -> Value {
    json!({
        "pod": pod,
        "constraint": words::cost(c),
        "change": c.change,
        "pods": c.pods,
        "costsPerHour": c.usd_per_hour,
        "nodes": c.nodes,
        "keepsOut": c.more_placed,
    })
}

/// Where a pod sits.
pub fn seat(s: &Seat) -> Value {
    match s {
        Seat::Node(node) => json!({"node": node}),
        Seat::Claim(claim) => json!({"nodeClaim": claim}),
    }
}
