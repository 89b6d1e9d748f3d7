//! Fields that a kind does not know: found for strict field validation, dropped before storing.

use serde_json::Value;

use super::limits::join;
use super::typed;
use crate::world::apiserver::kinds::Kind;

/// Paths of unknown fields, such as `spec.template.spec.zzz` or `spec.requirements[0].x`, in document order.
pub fn unknown_fields(kind: &Kind, object: &Value) -> Vec<String> {
    let mut out = Vec::new();
    match &kind.crd {
        Some(crd) => {
            let mut copy = object.clone();
            walk(&crd.schema, &mut copy, "", &mut out);
        }
        None => {
            if let Some(Ok(known)) = typed::round_trip(&kind.key, object) {
                compare(&mut object.clone(), &known, "", &mut out);
            }
        }
    }
    out
}

/// Drops unknown fields, and nulls of built-in kinds.
pub fn prune(kind: &Kind, object: &mut Value) {
    let mut gone = Vec::new();
    match &kind.crd {
        Some(crd) => walk(&crd.schema, object, "", &mut gone),
        None => {
            if let Some(Ok(known)) = typed::round_trip(&kind.key, object) {
                compare(object, &known, "", &mut gone);
            }
        }
    }
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

/// Drops what the schema does not know and notes the paths.
fn walk(schema: &Value, value: &mut Value, path: &str, gone: &mut Vec<String>) {
    if flag(schema, "x-kubernetes-int-or-string") {
        return;
    }
    match value {
        Value::Object(map) => {
            let whole = path.is_empty() || flag(schema, "x-kubernetes-embedded-resource");
            let keep = flag(schema, "x-kubernetes-preserve-unknown-fields");
            let other = schema
                .get("additionalProperties")
                .filter(|a| **a != Value::Bool(false));
            map.retain(|name, value| {
                let here = join(path, name);
                if whole && name == "metadata" {
                    if let Some(known) = typed::metadata(value) {
                        compare(value, &known, &here, gone);
                    }
                    return true;
                }
                let known = schema.get("properties").and_then(|p| p.get(name)).or(other);
                match known {
                    Some(inner) => walk(inner, value, &here, gone),
                    None if keep || (whole && matches!(name.as_str(), "apiVersion" | "kind")) => {}
                    None => {
                        gone.push(here);
                        return false;
                    }
                }
                true
            });
        }
        Value::Array(items) => {
            // Without a schema for the items there is nothing to compare with.
            let Some(inner) = schema.get("items") else { return };
            for (index, item) in items.iter_mut().enumerate() {
                walk(inner, item, &format!("{path}[{index}]"), gone);
            }
        }
        _ => {}
    }
}

/// Drops what `known`, the same object as its type writes it, does not have.
fn compare(value: &mut Value, known: &Value, path: &str, gone: &mut Vec<String>) {
    match (value, known) {
        (Value::Object(map), Value::Object(known)) => map.retain(|name, value| {
            let here = join(path, name);
            if let Some(inner) = known.get(name) {
                compare(value, inner, &here, gone);
                !value.is_null()
            } else {
                if !value.is_null() {
                    gone.push(here);
                }
                false
            }
        }),
        (Value::Array(items), Value::Array(known)) => {
            for (index, (item, known)) in items.iter_mut().zip(known).enumerate() {
                compare(item, known, &format!("{path}[{index}]"), gone);
            }
        }
        _ => {}
    }
}
