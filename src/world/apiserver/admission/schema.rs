//! Defaults of a definition's schema.

use serde_json::{Map, Value};

/// Fills in defaults from the outside in, so that a value that itself came from a default gets the defaults of
/// its fields as well. A null where none is allowed counts as absent when there is a default.
pub(super) fn defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, inner) in properties.into_iter().flatten() {
                fill(map, name, inner);
            }
            let other = schema.get("additionalProperties").filter(|a| a.is_object());
            for (name, value) in map.iter_mut() {
                let known = properties.is_some_and(|p| p.contains_key(name));
                if let Some(inner) = other.filter(|_| !known) {
                    defaults(inner, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(inner) = schema.get("items") {
                for item in items {
                    defaults(inner, item);
                }
            }
        }
        _ => {}
    }
}

fn fill(map: &mut Map<String, Value>, name: &str, schema: &Value) {
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    let absent = map.get(name).is_none_or(|v| v.is_null() && !nullable);
    if let Some(default) = schema.get("default").filter(|_| absent) {
        map.insert(name.to_owned(), default.clone());
    }
    if let Some(value) = map.get_mut(name) {
        defaults(schema, value);
    }
}
