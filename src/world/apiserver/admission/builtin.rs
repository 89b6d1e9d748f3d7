//! Checks of built-in kinds: those that people run into.

use std::collections::BTreeSet;

use serde_json::Value;

use super::pod_defaults::spec_path;
use super::values::{at, duplicate, forbidden, invalid, list, required, text, unsupported};
use super::{meta, pod_checks, pod_update};
use crate::world::apiserver::kinds::Kind;
use crate::world::apiserver::status::Cause;

pub(super) fn check(kind: &Kind, object: &Value, old: Option<&Value>, out: &mut Vec<Cause>) {
    if kind.namespaced && text(object, "metadata.namespace").is_empty() {
        out.push(required("metadata.namespace", ""));
    }
    // A pod that exists is only held to what may change in it; its spec was checked when it came.
    match (kind.key.as_str(), old) {
        ("pods", Some(old)) => {
            pod_update::check(object, old, out);
            return;
        }
        _ => {
            if let Some(path) = spec_path(kind) {
                let spec = at(object, path).unwrap_or(&Value::Null);
                if old.is_none_or(|old| at(old, path) != Some(spec)) {
                    pod_checks::check(spec, path, out);
                }
            }
        }
    }
    match kind.key.as_str() {
        "deployments.apps" | "replicasets.apps" | "daemonsets.apps" | "statefulsets.apps" => {
            workload(object, old, out);
        }
        "jobs.batch" => job(object, old, out),
        "cronjobs.batch" if text(object, "spec.schedule").is_empty() => {
            out.push(required("spec.schedule", ""));
        }
        "nodes" => {
            pod_checks::taints(object, out);
            for field in ["capacity", "allocatable"] {
                let path = format!("status.{field}");
                pod_checks::amounts(at(object, &path), &path, out);
            }
            immutable(object, old, "spec.providerID", out);
        }
        "services" => service(object, out),
        "poddisruptionbudgets.policy" => budget(object, out),
        "persistentvolumeclaims" => claim(object, old, out),
        "priorityclasses.scheduling.k8s.io" => {
            immutable(object, old, "value", out);
            immutable(object, old, "preemptionPolicy", out);
            if at(object, "value")
                .and_then(Value::as_i64)
                .is_some_and(|v| v > 1_000_000_000)
                && !text(object, "metadata.name").starts_with("system-")
            {
                let why = "maximum allowed value of a user defined priority is 1000000000";
                out.push(forbidden("value", why));
            }
        }
        "storageclasses.storage.k8s.io" => {
            if text(object, "provisioner").is_empty() {
                out.push(required("provisioner", ""));
            }
            for field in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] {
                immutable(object, old, field, out);
            }
        }
        _ => {}
    }
}

/// Once set, a field keeps its value.
fn immutable(object: &Value, old: Option<&Value>, path: &str, out: &mut Vec<Cause>) {
    let Some(before) = old.and_then(|old| at(old, path)) else {
        return;
    };
    let now = at(object, path);
    if now != Some(before) {
        out.push(invalid(path, now.unwrap_or(&Value::Null), "field is immutable"));
    }
}

fn not_negative(object: &Value, path: &str, out: &mut Vec<Cause>) {
    if let Some(value) = at(object, path).filter(|v| v.as_i64() < Some(0)) {
        out.push(invalid(path, value, "must be greater than or equal to 0"));
    }
}

fn workload(object: &Value, old: Option<&Value>, out: &mut Vec<Cause>) {
    not_negative(object, "spec.replicas", out);
    not_negative(object, "spec.revisionHistoryLimit", out);
    not_negative(object, "spec.minReadySeconds", out);
    meta::labels(object, "spec.template.metadata.labels", out);
    match at(object, "spec.selector") {
        None => out.push(required("spec.selector", "")),
        Some(selector) => {
            let empty = |field: &str| {
                at(selector, field).is_none_or(|v| {
                    v.as_object().is_some_and(serde_json::Map::is_empty)
                        || v.as_array().is_some_and(Vec::is_empty)
                })
            };
            let labels = at(object, "spec.template.metadata.labels").unwrap_or(&Value::Null);
            if empty("matchLabels") && empty("matchExpressions") {
                let why = "empty selector is invalid for deployment";
                out.push(invalid("spec.selector", selector, why));
            } else if !selects(selector, labels) {
                let why = "`selector` does not match template `labels`";
                out.push(invalid("spec.template.metadata.labels", labels, why));
            }
        }
    }
    immutable(object, old, "spec.selector", out);
    let policy = text(object, "spec.template.spec.restartPolicy");
    if !matches!(policy, "" | "Always") {
        out.push(unsupported(
            "spec.template.spec.restartPolicy",
            &Value::from(policy),
            &["Always"],
        ));
    }
}

/// Whether a label selector matches a map of labels.
fn selects(selector: &Value, labels: &Value) -> bool {
    let equal = at(selector, "matchLabels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .all(|(key, value)| labels.get(key) == Some(value));
    equal
        && list(selector, "matchExpressions").iter().all(|expression| {
            let value = labels.get(text(expression, "key"));
            let named = value.is_some_and(|v| list(expression, "values").contains(v));
            match text(expression, "operator") {
                "In" => named,
                "NotIn" => !named,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

fn job(object: &Value, old: Option<&Value>, out: &mut Vec<Cause>) {
    for field in [
        "parallelism",
        "completions",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ] {
        not_negative(object, &format!("spec.{field}"), out);
    }
    let policy = text(object, "spec.template.spec.restartPolicy");
    if !matches!(policy, "OnFailure" | "Never") {
        out.push(required(
            "spec.template.spec.restartPolicy",
            "valid values: \"OnFailure\", \"Never\"",
        ));
    }
    if text(object, "spec.completionMode") == "Indexed" && at(object, "spec.completions").is_none() {
        out.push(required("spec.completions", "when completion mode is Indexed"));
    } else if text(object, "spec.completionMode") != "Indexed" {
        immutable(object, old, "spec.completions", out);
    }
    immutable(object, old, "spec.selector", out);
    let suspended = old.is_some_and(|old| at(old, "spec.suspend") == Some(&Value::Bool(true)));
    if !suspended {
        immutable(object, old, "spec.template", out);
    }
}

fn service(object: &Value, out: &mut Vec<Cause>) {
    const KINDS: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    let kind = text(object, "spec.type");
    if !KINDS.contains(&kind) {
        out.push(unsupported("spec.type", &Value::from(kind), &KINDS));
    }
    let ports = list(object, "spec.ports");
    let headless = text(object, "spec.clusterIP") == "None";
    if ports.is_empty() && kind != "ExternalName" && !headless {
        out.push(required("spec.ports", ""));
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let here = format!("spec.ports[{index}]");
        pod_checks::port_number(port, &here, "port", out);
        let name = text(port, "name");
        if ports.len() > 1 && name.is_empty() {
            out.push(required(&format!("{here}.name"), ""));
        }
        if !seen.insert((text(port, "protocol"), at(port, "port").and_then(Value::as_i64))) {
            out.push(duplicate(&here, port));
        }
    }
    if kind == "ExternalName" && text(object, "spec.externalName").is_empty() {
        out.push(required("spec.externalName", ""));
    }
}

fn budget(object: &Value, out: &mut Vec<Cause>) {
    let fields = ["minAvailable", "maxUnavailable"];
    if fields
        .iter()
        .all(|field| at(object, &format!("spec.{field}")).is_some())
    {
        let spec = at(object, "spec").cloned().unwrap_or_default();
        out.push(invalid(
            "spec",
            &spec,
            "minAvailable and maxUnavailable cannot be both set",
        ));
    }
    for field in fields {
        let path = format!("spec.{field}");
        let good = at(object, &path).is_none_or(|value| match value {
            Value::String(text) => text
                .strip_suffix('%')
                .is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n <= 100)),
            other => other.as_i64().is_some_and(|n| n >= 0),
        });
        if !good {
            let value = at(object, &path).unwrap_or(&Value::Null);
            let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%'), \
                       or a count that is greater than or equal to 0";
            out.push(invalid(&path, value, why));
        }
    }
}

fn claim(object: &Value, old: Option<&Value>, out: &mut Vec<Cause>) {
    if list(object, "spec.accessModes").is_empty() {
        out.push(required("spec.accessModes", "at least 1 access mode is required"));
    }
    if at(object, "spec.resources.requests")
        .and_then(|r| r.get("storage"))
        .is_none()
    {
        out.push(required("spec.resources[storage]", ""));
    }
    pod_checks::amounts(
        at(object, "spec.resources.requests"),
        "spec.resources.requests",
        out,
    );
    immutable(object, old, "spec.storageClassName", out);
    immutable(object, old, "spec.accessModes", out);
    immutable(object, old, "spec.volumeName", out);
}
