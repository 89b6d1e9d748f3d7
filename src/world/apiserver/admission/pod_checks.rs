//! Checks of a pod spec.

use std::collections::BTreeSet;

use serde_json::Value;

use super::meta::is_label;
use super::values::{at, duplicate, invalid, list, required, text, unsupported};
use crate::model::resources::parse_quantity;
use crate::world::apiserver::selectors::{is_key, is_value};
use crate::world::apiserver::status::Cause;

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// `spec` is the pod spec, `path` where it stands in its object.
pub(super) fn check(spec: &Value, path: &str, out: &mut Vec<Cause>) {
    let containers = list(spec, "containers");
    if containers.is_empty() {
        out.push(required(&format!("{path}.containers"), ""));
    }
    let mut names = BTreeSet::new();
    for field in ["initContainers", "containers"] {
        for (index, one) in list(spec, field).iter().enumerate() {
            let here = format!("{path}.{field}[{index}]");
            container(one, &here, out);
            let name = text(one, "name");
            if !name.is_empty() && !names.insert(name) {
                out.push(duplicate(&format!("{here}.name"), &Value::from(name)));
            }
        }
    }
    let volumes: BTreeSet<&str> = list(spec, "volumes").iter().map(|v| text(v, "name")).collect();
    for field in ["initContainers", "containers"] {
        for (index, one) in list(spec, field).iter().enumerate() {
            for (number, mount) in list(one, "volumeMounts").iter().enumerate() {
                let name = text(mount, "name");
                if !volumes.contains(name) {
                    let here = format!("{path}.{field}[{index}].volumeMounts[{number}].name");
                    let message = format!("Not found: {name:?}");
                    out.push(super::values::cause("FieldValueNotFound", &here, message));
                }
            }
        }
    }
    choice(
        spec,
        path,
        "restartPolicy",
        &["Always", "OnFailure", "Never"],
        out,
    );
    choice(
        spec,
        path,
        "dnsPolicy",
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
        out,
    );
    if let Some(seconds) = at(spec, "terminationGracePeriodSeconds").filter(|s| s.as_i64() < Some(0)) {
        let here = format!("{path}.terminationGracePeriodSeconds");
        out.push(invalid(&here, seconds, "must be greater than or equal to 0"));
    }
    super::meta::labels(spec, "nodeSelector", out);
    for (index, toleration) in list(spec, "tolerations").iter().enumerate() {
        tolerate(toleration, &format!("{path}.tolerations[{index}]"), out);
    }
    for (index, spread) in list(spec, "topologySpreadConstraints").iter().enumerate() {
        let here = format!("{path}.topologySpreadConstraints[{index}]");
        if at(spread, "maxSkew").and_then(Value::as_i64).unwrap_or(0) <= 0 {
            let value = at(spread, "maxSkew").cloned().unwrap_or_else(|| Value::from(0));
            out.push(invalid(
                &format!("{here}.maxSkew"),
                &value,
                "must be greater than zero",
            ));
        }
        if text(spread, "topologyKey").is_empty() {
            out.push(required(&format!("{here}.topologyKey"), "can not be empty"));
        }
        choice(
            spread,
            &here,
            "whenUnsatisfiable",
            &["DoNotSchedule", "ScheduleAnyway"],
            out,
        );
    }
}

fn choice(object: &Value, path: &str, field: &str, known: &[&str], out: &mut Vec<Cause>) {
    if let Some(value) = at(object, field)
        && !value.as_str().is_some_and(|v| known.contains(&v))
    {
        out.push(unsupported(&format!("{path}.{field}"), value, known));
    }
}

fn container(one: &Value, path: &str, out: &mut Vec<Cause>) {
    let name = text(one, "name");
    if name.is_empty() {
        out.push(required(&format!("{path}.name"), ""));
    } else if !is_label(name) {
        let why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                   and end with an alphanumeric character";
        out.push(invalid(&format!("{path}.name"), &Value::from(name), why));
    }
    if text(one, "image").trim().is_empty() {
        out.push(required(&format!("{path}.image"), ""));
    }
    for (index, port) in list(one, "ports").iter().enumerate() {
        let here = format!("{path}.ports[{index}]");
        port_number(port, &here, "containerPort", out);
        choice(port, &here, "protocol", &["SCTP", "TCP", "UDP"], out);
    }
    for (index, variable) in list(one, "env").iter().enumerate() {
        if text(variable, "name").is_empty() {
            out.push(required(&format!("{path}.env[{index}].name"), ""));
        }
    }
    resources(one, path, out);
}

pub(super) fn port_number(port: &Value, path: &str, field: &str, out: &mut Vec<Cause>) {
    match at(port, field) {
        None => out.push(required(&format!("{path}.{field}"), "")),
        Some(number) if !number.as_i64().is_some_and(|n| (1..=65535).contains(&n)) => {
            let why = "must be between 1 and 65535, inclusive";
            out.push(invalid(&format!("{path}.{field}"), number, why));
        }
        Some(_) => {}
    }
}

fn resources(one: &Value, path: &str, out: &mut Vec<Cause>) {
    let limits = at(one, "resources.limits");
    for field in ["limits", "requests"] {
        let here = format!("{path}.resources.{field}");
        amounts(at(one, &format!("resources.{field}")), &here, out);
    }
    for (name, amount) in at(one, "resources.requests")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let limit = limits.and_then(|l| l.get(name));
        let most = limit.and_then(|limit| quantity(name, limit));
        if let (Some(request), Some(most), Some(limit)) = (quantity(name, amount), most, limit)
            && request > most
        {
            let limit = limit.as_str().map_or_else(|| limit.to_string(), str::to_owned);
            let why = format!("must be less than or equal to {name} limit of {limit}");
            out.push(invalid(&format!("{path}.resources.requests"), amount, &why));
        }
    }
}

fn quantity(name: &str, amount: &Value) -> Option<i64> {
    let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
    parse_quantity(name, &text).ok()
}

/// A map of quantities, none of them negative.
pub(super) fn amounts(map: Option<&Value>, path: &str, out: &mut Vec<Cause>) {
    for (name, amount) in map.and_then(Value::as_object).into_iter().flatten() {
        let here = format!("{path}[{name}]");
        match quantity(name, amount) {
            None => out.push(invalid(
                &here,
                amount,
                "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            )),
            Some(value) if value < 0 => {
                out.push(invalid(&here, amount, "must be greater than or equal to 0"));
            }
            Some(_) => {}
        }
    }
}

fn tolerate(toleration: &Value, path: &str, out: &mut Vec<Cause>) {
    let (key, operator) = (text(toleration, "key"), text(toleration, "operator"));
    choice(
        toleration,
        path,
        "operator",
        &["Equal", "Exists", "Lt", "Gt"],
        out,
    );
    if key.is_empty() && operator != "Exists" {
        let why =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        out.push(invalid(&format!("{path}.operator"), &Value::from(operator), why));
    }
    if operator == "Exists" && !text(toleration, "value").is_empty() {
        let value = Value::from(text(toleration, "value"));
        let why = "value must be empty when `operator` is 'Exists'";
        out.push(invalid(&format!("{path}.operator"), &value, why));
    }
    if !text(toleration, "effect").is_empty() {
        choice(toleration, path, "effect", &EFFECTS, out);
    }
}

/// Taints of a node.
pub(super) fn taints(node: &Value, out: &mut Vec<Cause>) {
    let mut known = BTreeSet::new();
    for (index, taint) in list(node, "spec.taints").iter().enumerate() {
        let here = format!("spec.taints[{index}]");
        let (key, effect) = (text(taint, "key"), text(taint, "effect"));
        if !is_key(key) {
            let why = "name part must be non-empty";
            out.push(invalid(&format!("{here}.key"), &Value::from(key), why));
        }
        if !is_value(text(taint, "value")) {
            let value = Value::from(text(taint, "value"));
            out.push(invalid(
                &format!("{here}.value"),
                &value,
                "a valid label value is needed",
            ));
        }
        if effect.is_empty() {
            out.push(required(&format!("{here}.effect"), ""));
        } else {
            choice(taint, &here, "effect", &EFFECTS, out);
        }
        if !known.insert((key, effect)) {
            out.push(duplicate(&here, taint));
        }
    }
}
