//! Why a pod cannot go somewhere.

use std::collections::BTreeMap;

use super::names::{key, list};
use super::{amount, doubt, resources};
use crate::model::Requirement;
use crate::model::decision::Refusal;
use crate::model::decision::cause::Cause;
use crate::model::decision::evidence::Unschedulable;
use crate::model::decision::refusal::{Check, Funnel};
use crate::model::requirements::{Incompatible, Operator};

/// The whole sentence: check, wanted, found.
pub fn refusal(r: &Refusal) -> String {
    match r {
        Refusal::UntoleratedTaints { taints } => {
            let all: Vec<String> = taints.iter().map(ToString::to_string).collect();
            format!("taint {}: not tolerated by the pod", list(&all, 3))
        }
        Refusal::Requirement { mismatch: m } => mismatch(m),
        Refusal::VolumeRequirement { mismatch: m } => format!("volume: {}", mismatch(m)),
        Refusal::UnknownLabel { key: k, wanted, hint } => {
            let hint = hint
                .as_ref()
                .map(|h| format!(" (did you mean {h}?)"))
                .unwrap_or_default();
            format!(
                "label {k}: pod wants {}, nothing defines it{hint}",
                values(wanted)
            )
        }
        Refusal::Topology { rule, key: k, counts } => {
            let found = if counts.is_empty() {
                "no domain is left".to_owned()
            } else {
                format!("found {}", counted(counts))
            };
            format!("{rule} on {}: no domain satisfies it, {found}", key(k))
        }
        Refusal::InstanceTypes {
            funnel,
            cause: Some(c),
            ..
        } => format!("{} ({})", super::cause(c), fallen(funnel)),
        Refusal::InstanceTypes { funnel, requests, .. } => instance_types(funnel, &resources(requests)),
        Refusal::MinValues { keys } => {
            let all: Vec<String> = keys
                .iter()
                .map(|(k, (found, wanted))| format!("{} wants {wanted} values, found {found}", key(k)))
                .collect();
            format!("minValues: {}", all.join("; "))
        }
        Refusal::PoolLimit {
            resource,
            limit,
            used,
        } => format!(
            "limit {resource}: {} of {} used, every type left would exceed it",
            amount(resource, *used),
            amount(resource, *limit)
        ),
        Refusal::NodeLimit { limit, used } => format!("limit nodes: {used} of {limit} used"),
        Refusal::Reserved => "reserved capacity: none could be set aside for it".to_owned(),
        Refusal::HostPort { wanted, taken } => format!("host port {wanted}: taken by {taken}"),
        Refusal::Resources {
            resource,
            wanted,
            free,
        } => {
            format!(
                "{resource}: {} needed, {} free",
                amount(resource, *wanted),
                amount(resource, (*free).max(0))
            )
        }
        Refusal::VolumeLimit {
            driver,
            wanted,
            limit,
        } => {
            format!("volumes of {driver}: {wanted} needed, {limit} can be attached")
        }
        Refusal::ResourceClaims => "resource claims (DRA): not supported, pod is left out".to_owned(),
        Refusal::Ignored { cause, message } if message.is_empty() => format!("left out: {cause}"),
        Refusal::Ignored { message, .. } => format!("left out: {message}"),
        Refusal::PoolNotReady { reason, message } if message.is_empty() => format!("not ready: {reason}"),
        Refusal::PoolNotReady { reason, message } => format!("not ready: {reason}, {message}"),
        Refusal::NoInstanceTypes => "no instance type: the NodePool's requirements leave none".to_owned(),
        Refusal::NoPools => "no NodePool exists".to_owned(),
        Refusal::OutOfFuel => "not reached: the pass ended before its turn, next pass goes on".to_owned(),
    }
}

/// Why a pod has no place, in one line: what it demands that nothing has, then the pools by reason.
pub fn unschedulable(one: &Unschedulable) -> String {
    let mut parts: Vec<String> = one.unknown.iter().map(super::unknown).collect();
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (pool, why) in one.pools.iter().filter(|(_, why)| !said(why, one)) {
        let text = refusal(why);
        match reasons.iter_mut().find(|(t, _)| *t == text) {
            Some((_, pools)) => pools.push(pool),
            None => reasons.push((text, vec![pool])),
        }
    }
    parts.extend(reasons.into_iter().map(|(text, pools)| {
        if pools == [""] {
            text
        } else {
            format!("{}: {text}", list(&pools, 3))
        }
    }));
    parts.join("; ")
}

/// Whether a pool's reason is what `unknown` says already.
fn said(why: &Refusal, one: &Unschedulable) -> bool {
    let of = match why {
        Refusal::UnknownLabel { key, .. } => key,
        Refusal::Requirement {
            mismatch: Incompatible::Conflict { key, .. },
        } => key,
        Refusal::InstanceTypes {
            cause: Some(Cause::DoesNotExist { key, .. }),
            ..
        } => key,
        _ => return false,
    };
    one.unknown.iter().any(|u| u.key == *of)
}

/// A few words for a column.
pub fn refusal_short(r: &Refusal) -> String {
    match r {
        Refusal::UntoleratedTaints { taints } => taints
            .first()
            .map_or_else(|| "taint".to_owned(), |t| format!("taint {}", t.key)),
        Refusal::Requirement { mismatch: m } => short_mismatch(m),
        Refusal::VolumeRequirement { mismatch: m } => format!("volume {}", short_mismatch(m)),
        Refusal::UnknownLabel { key: k, .. } => format!("unknown label {k}"),
        Refusal::Topology { rule, key: k, .. } => format!("{rule} {}", key(k)),
        Refusal::InstanceTypes { cause: Some(c), .. } => super::cause_short(c),
        Refusal::InstanceTypes { funnel, .. } => funnel.steps.iter().max_by_key(|s| s.removed).map_or_else(
            || "no type fits".to_owned(),
            |s| format!("no type: {}", check_short(&s.check)),
        ),
        Refusal::MinValues { .. } => "minValues".to_owned(),
        Refusal::PoolLimit { resource, .. } => format!("{resource} limit"),
        Refusal::NodeLimit { .. } => "node limit".to_owned(),
        Refusal::Reserved => "reserved capacity".to_owned(),
        Refusal::HostPort { wanted, .. } => format!("host port {wanted}"),
        Refusal::Resources { resource, .. } => resource.to_string(),
        Refusal::VolumeLimit { .. } => "volume limit".to_owned(),
        Refusal::ResourceClaims => "resource claims".to_owned(),
        Refusal::Ignored { cause, .. } => format!("left out: {cause}"),
        Refusal::PoolNotReady { .. } => "not ready".to_owned(),
        Refusal::NoInstanceTypes => "no instance type".to_owned(),
        Refusal::NoPools => "no NodePool".to_owned(),
        Refusal::OutOfFuel => "next pass".to_owned(),
    }
}

/// Wanted and found of two requirements that cannot both hold.
pub fn mismatch(m: &Incompatible) -> String {
    match m {
        Incompatible::UndefinedKey { key: k, incoming } => {
            format!(
                "label {}: pod wants {}, nothing there defines it",
                key(k),
                values(incoming)
            )
        }
        Incompatible::Conflict {
            key: k,
            existing,
            incoming,
        } => {
            format!(
                "{}: pod wants {}, here {}",
                key(k),
                values(incoming),
                values(existing)
            )
        }
    }
}

fn short_mismatch(m: &Incompatible) -> String {
    match m {
        Incompatible::UndefinedKey { key: k, .. } | Incompatible::Conflict { key: k, .. } => {
            key(k).to_owned()
        }
    }
}

/// `instance-category In [c m r]`
pub fn requirement(r: &Requirement) -> String {
    format!("{} {}", key(&r.key), values(r))
}

/// The operator and values without the key: `In [c m r]`, `Gt 2`, `Exists`.
fn values(r: &Requirement) -> String {
    let parts: Vec<String> = r
        .to_spec()
        .into_iter()
        .map(|(operator, values)| match operator {
            Operator::Exists | Operator::DoesNotExist => operator.as_str().to_owned(),
            Operator::In | Operator::NotIn => {
                let more = values.len().saturating_sub(6);
                let head: Vec<&str> = values.iter().take(6).map(|v| &**v).collect();
                let tail = if more == 0 {
                    String::new()
                } else {
                    format!(" +{more}")
                };
                format!("{} [{}{tail}]", operator.as_str(), head.join(" "))
            }
            _ => format!("{} {}", operator.as_str(), values.first().map_or("", |v| v)),
        })
        .collect();
    parts.join(" and ")
}

/// One filter of a funnel.
pub fn check(c: &Check) -> String {
    match c {
        Check::Requirement { requirement: r } => format!("requirement: {}", requirement(r)),
        Check::Resource { resource, wanted } => {
            format!(
                "{resource}: {} needed{}",
                amount(resource, *wanted),
                doubt(resource, *wanted)
            )
        }
        Check::NoOffering => "no offering in the wanted zones and capacity types".to_owned(),
        Check::OutOfStock => "insufficient capacity now".to_owned(),
        Check::Limit { resource, remaining } => {
            format!("limit {resource}: {} left", amount(resource, (*remaining).max(0)))
        }
        Check::Truncated => "past the cut by price".to_owned(),
    }
}

/// The check in a few words.
pub fn check_short(c: &Check) -> String {
    match c {
        Check::Requirement { requirement: r } => key(&r.key).to_owned(),
        Check::Resource { resource, .. } => resource.to_string(),
        Check::NoOffering => "no offering".to_owned(),
        Check::OutOfStock => "stock-out".to_owned(),
        Check::Limit { resource, .. } => format!("{resource} limit"),
        Check::Truncated => "price cut".to_owned(),
    }
}

/// `of 1395 types fell 1200 at instance-category, 195 at cpu`
fn fallen(funnel: &Funnel) -> String {
    let steps: Vec<String> = funnel
        .steps
        .iter()
        .filter(|s| s.removed > 0)
        .map(|s| format!("{} at {}", s.removed, check_short(&s.check)))
        .collect();
    format!(
        "of {} types fell {}",
        funnel.considered,
        if steps.is_empty() {
            "none".to_owned()
        } else {
            steps.join(", ")
        }
    )
}

fn instance_types(funnel: &Funnel, requests: &str) -> String {
    let steps: Vec<String> = funnel
        .steps
        .iter()
        .filter(|s| s.removed > 0)
        .map(|s| format!("{} by {}", s.removed, check(&s.check)))
        .collect();
    format!(
        "no instance type: {} considered, {} left for {requests}; removed {}",
        funnel.considered,
        funnel.left(),
        if steps.is_empty() {
            "none".to_owned()
        } else {
            steps.join(", ")
        }
    )
}

fn counted(counts: &BTreeMap<crate::model::Name, u32>) -> String {
    let all: Vec<String> = counts
        .iter()
        .map(|(k, n)| format!("{} {n}", super::zone(k)))
        .collect();
    list(&all, 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Taint, TaintEffect};

    #[test]
    fn a_reason_names_check_wanted_and_found() {
        let taint = Taint {
            key: "dedicated".into(),
            value: "web".into(),
            effect: TaintEffect::NoSchedule,
        };
        let r = Refusal::UntoleratedTaints { taints: vec![taint] };
        assert_eq!(
            refusal(&r),
            "taint dedicated=web:NoSchedule: not tolerated by the pod"
        );
        assert_eq!(refusal_short(&r), "taint dedicated");
        let r = Refusal::Resources {
            resource: "memory".into(),
            wanted: 12 << 30,
            free: 6003 << 20,
        };
        assert_eq!(refusal(&r), "memory: 12Gi needed, 6003Mi free");
        let r = Refusal::Requirement {
            mismatch: Incompatible::Conflict {
                key: "topology.kubernetes.io/zone".into(),
                existing: Requirement::is_in("topology.kubernetes.io/zone", ["us-east-1a"]),
                incoming: Requirement::is_in("topology.kubernetes.io/zone", ["us-east-1c"]),
            },
        };
        assert_eq!(
            refusal(&r),
            "zone: pod wants In [us-east-1c], here In [us-east-1a]"
        );
        let r = Refusal::PoolLimit {
            resource: "cpu".into(),
            limit: 32_000,
            used: 32_000,
        };
        assert_eq!(
            refusal(&r),
            "limit cpu: 32 of 32 used, every type left would exceed it"
        );
    }
}
