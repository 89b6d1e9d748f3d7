//! What controllers check at run time, beyond the schema (`lifecycle §10.1`, `scheduling §6.4`).

use std::collections::BTreeSet;

use super::names;
use super::nodepool::NodePoolSpec;
use super::schema::suggestion;
use super::shared::{Requirement, Taint};

/// The operators of requirements.
pub const OPERATORS: [&str; 8] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Gte", "Lte"];

/// Run-time validation of a NodePool; empty when it may be used for provisioning. Each failure says where and what.
pub fn nodepool(spec: &NodePoolSpec) -> Vec<String> {
    let mut out = Vec::new();
    let at = "spec.template";
    let metadata = spec.template.metadata.clone().unwrap_or_default();
    for (key, value) in &metadata.labels {
        let place = format!("{at}.metadata.labels[{key:?}]");
        if key == names::NODEPOOL {
            out.push(format!("{place}: is set by the controller and cannot be given"));
        }
        if let Some(why) = bad_key(key) {
            out.push(format!("{place}: {why}"));
        }
        if !is_label_value(value) {
            out.push(format!("{place}: {}", bad_value(value)));
        }
    }
    taints(
        &spec.template.spec.taints,
        &spec.template.spec.startup_taints,
        &mut out,
    );
    for (i, r) in spec.template.spec.requirements.iter().enumerate() {
        let place = format!("{at}.spec.requirements[{i}]");
        if r.key == names::NODEPOOL {
            out.push(format!(
                "{place}.key: {} is set by the controller",
                names::NODEPOOL
            ));
        }
        out.extend(requirement(r).into_iter().map(|why| format!("{place}: {why}")));
    }
    if spec.replicas.is_some() {
        if spec.limits.keys().any(|k| k != "nodes") {
            out.push("spec.limits: with replicas, only \"nodes\" may be limited".into());
        }
        if spec.weight.is_some() {
            out.push("spec.weight: cannot be combined with replicas".into());
        }
    }
    out
}

fn taints(taints: &[Taint], startup: &[Taint], out: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (list, name) in [(taints, "taints"), (startup, "startupTaints")] {
        for (i, taint) in list.iter().enumerate() {
            let place = format!("spec.template.spec.{name}[{i}]");
            if !is_qualified(&taint.key) {
                out.push(format!("{place}.key: {:?} is not a qualified name", taint.key));
            }
            if let Some(value) = taint
                .value
                .as_deref()
                .filter(|v| !v.is_empty() && !is_qualified(v))
            {
                out.push(format!("{place}.value: {value:?} is not a qualified name"));
            }
            if !["NoSchedule", "PreferNoSchedule", "NoExecute", ""].contains(&taint.effect.as_str()) {
                out.push(format!(
                    "{place}.effect: {:?} is not one of NoSchedule, PreferNoSchedule, NoExecute",
                    taint.effect
                ));
            }
            if !seen.insert((&taint.key, &taint.effect)) {
                out.push(format!(
                    "{place}: the same key and effect ({}:{}) are already there",
                    taint.key, taint.effect
                ));
            }
        }
    }
}

/// `scheduling §6.4` for one requirement; all failures.
pub fn requirement(r: &Requirement) -> Vec<String> {
    let mut out = Vec::new();
    let key = crate_key(&r.key);
    out.extend(arity(&r.operator, &r.values));
    out.extend(bad_key(key));
    out.extend(
        r.values
            .iter()
            .filter(|v| !is_label_value(v))
            .map(|v| bad_value(v)),
    );
    let least = usize::try_from(r.min_values.unwrap_or(0)).unwrap_or(0);
    if r.operator == "In" && !r.values.is_empty() && r.values.len() < least {
        out.push(format!(
            "minValues is {least}, but only {} values are listed",
            r.values.len()
        ));
    }
    if let Some(known) = known_values(key).filter(|_| r.operator == "In" && !r.values.is_empty()) {
        let count = r.values.iter().filter(|v| known.contains(&v.as_str())).count();
        if count == 0 {
            let hint = r
                .values
                .first()
                .map_or_else(String::new, |v| suggestion(v, known.iter().copied()));
            out.push(format!(
                "none of the values of {key} is one of {}{hint}",
                known.join(", ")
            ));
        } else if count < least {
            out.push(format!(
                "minValues is {least}, but only {count} of the values of {key} are known"
            ));
        }
    }
    out
}

/// What is wrong with an operator and the number and form of its values.
pub fn arity(operator: &str, values: &[String]) -> Option<String> {
    match operator {
        "In" if values.is_empty() => Some("the operator In needs at least one value".into()),
        "Gt" | "Lt" | "Gte" | "Lte" if !is_one_number(values) => Some(format!(
            "the operator {operator} needs exactly one value, a whole number that is not negative"
        )),
        known if OPERATORS.contains(&known) => None,
        unknown => {
            let hint = suggestion(unknown, OPERATORS.into_iter());
            Some(format!(
                "the operator {unknown:?} is not one of {}{hint}",
                OPERATORS.join(", ")
            ))
        }
    }
}

/// Keys whose values are a closed set.
pub fn known_values(key: &str) -> Option<&'static [&'static str]> {
    match key {
        names::CAPACITY_TYPE => Some(&["on-demand", "spot", "reserved"]),
        names::INSTANCE_TENANCY => Some(&["default", "dedicated"]),
        _ => None,
    }
}

/// Aliases of label keys, replaced before a key is judged (`scheduling §6.1`).
fn crate_key(key: &str) -> &str {
    match key {
        "failure-domain.beta.kubernetes.io/zone" | "topology.ebs.csi.aws.com/zone" => names::ZONE,
        "failure-domain.beta.kubernetes.io/region" => names::REGION,
        "beta.kubernetes.io/arch" => names::ARCH,
        "beta.kubernetes.io/os" => names::OS,
        "beta.kubernetes.io/instance-type" => names::INSTANCE_TYPE,
        other => other,
    }
}

fn is_one_number(values: &[String]) -> bool {
    matches!(values, [one] if one.parse::<i64>().is_ok_and(|n| n >= 0))
}

fn bad_key(key: &str) -> Option<String> {
    if names::is_restricted(key) {
        let hint = suggestion(key, names::WELL_KNOWN.into_iter());
        return Some(format!("the label {key} is restricted{hint}"));
    }
    (!is_qualified(key)).then(|| format!("{key:?} is not a qualified label name"))
}

fn bad_value(value: &str) -> String {
    format!(
        "{value:?} is not a label value: up to 63 letters, digits, '-', '_' or '.', letters or digits at both ends"
    )
}

fn is_name_part(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric();
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().copied().is_some_and(plain)
        && bytes.last().copied().is_some_and(plain)
        && bytes.iter().all(|b| plain(*b) || matches!(b, b'-' | b'_' | b'.'))
}

/// A label value: empty, or a name part.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

/// `[dns prefix/]name`, the syntax of label keys.
pub fn is_qualified(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(p, n)| (Some(p), n));
    is_name_part(name) && prefix.is_none_or(is_dns)
}

fn is_dns(prefix: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    prefix.len() <= 253
        && prefix.split('.').all(|label| {
            let bytes = label.as_bytes();
            bytes.first().copied().is_some_and(lower)
                && bytes.last().copied().is_some_and(lower)
                && bytes.iter().all(|b| lower(*b) || *b == b'-')
        })
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
