//! Mistakes in core objects that would otherwise pass silently: quantities and operators.

use serde_json::Value;

use crate::api::names;
use crate::api::schema::{Problem, suggestion};
use crate::model::requirements::normalize_key;
use crate::model::resources::parse_quantity;

const NODE_OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Gte", "Lte"];
const LABEL_OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist"];
const TOLERATION_OPERATORS: &[&str] = &["Exists", "Equal", "Lt", "Gt"];
const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];
const SPREAD: &[&str] = &["DoNotSchedule", "ScheduleAnyway"];

/// Everything wrong below `spec`, `template` and `status`.
pub(super) fn core(object: &Value) -> Vec<Problem> {
    let mut out = Vec::new();
    for part in ["spec", "status"] {
        if let Some(value) = object.get(part) {
            walk(value, part, LABEL_OPERATORS, &mut out);
        }
    }
    out
}

/// Node selectors of pods to be placed on labels that no pod may select by (`scheduling §6.3`). Pods that run somewhere
/// are left alone: a cluster let them in.
pub(super) fn selectors(kind: &str, object: &Value) -> Vec<Problem> {
    let path = match kind {
        "Pod" if object["spec"]["nodeName"].is_null() => "spec",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "Job" => "spec.template.spec",
        _ => return Vec::new(),
    };
    let pointer = format!("/{}/nodeSelector", path.replace('.', "/"));
    let selector = object.pointer(&pointer).and_then(Value::as_object);
    selector
        .into_iter()
        .flat_map(|map| map.keys())
        .filter(|key| names::is_restricted(normalize_key(key)))
        .map(|key| {
            let hint = suggestion(key, names::WELL_KNOWN.into_iter());
            Problem {
                path: format!("{path}.nodeSelector[{key:?}]"),
                message: format!(
                    "the label {key} is restricted, no pod may select by it{hint}: remove it, or use a label of \
                     your own"
                ),
            }
        })
        .collect()
}

fn walk(value: &Value, path: &str, operators: &'static [&'static str], out: &mut Vec<Problem>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match name.as_str() {
                    "requests" | "limits" | "overhead" | "capacity" | "allocatable" => {
                        quantities(value, &path, out);
                    }
                    "nodeAffinity" => walk(value, &path, NODE_OPERATORS, out),
                    "podAffinity" | "podAntiAffinity" => walk(value, &path, LABEL_OPERATORS, out),
                    "matchExpressions" => each(value, &path, "operator", operators, out),
                    "tolerations" => {
                        each(value, &path, "operator", TOLERATION_OPERATORS, out);
                        each(value, &path, "effect", EFFECTS, out);
                    }
                    "taints" => each(value, &path, "effect", EFFECTS, out),
                    "topologySpreadConstraints" => {
                        each(value, &path, "whenUnsatisfiable", SPREAD, out);
                        walk(value, &path, operators, out);
                    }
                    _ => walk(value, &path, operators, out),
                }
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{i}]"), operators, out);
            }
        }
        _ => {}
    }
}

fn quantities(value: &Value, path: &str, out: &mut Vec<Problem>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(n) => n.to_string(),
            _ => continue,
        };
        let message = match parse_quantity(key, &text) {
            Ok(amount) if amount >= 0 => continue,
            Ok(_) => format!("{text} is negative: a quantity must be 0 or more"),
            Err(error) => error.to_string(),
        };
        let path = format!("{path}.{key}");
        out.push(Problem { path, message });
    }
}

fn each(list: &Value, path: &str, field: &str, allowed: &[&str], out: &mut Vec<Problem>) {
    for (i, item) in list.as_array().into_iter().flatten().enumerate() {
        if let Some(word) = item[field]
            .as_str()
            .filter(|w| !w.is_empty() && !allowed.contains(w))
        {
            let hint = suggestion(word, allowed.iter().copied());
            out.push(Problem {
                path: format!("{path}[{i}].{field}"),
                message: format!("{word:?} is not one of {}{hint}", allowed.join(", ")),
            });
        }
    }
}
