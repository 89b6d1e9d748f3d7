//! Small helpers that the printers share.

use jiff::Timestamp;
use serde_json::Value;

use super::age;

pub(super) const NONE: &str = "<none>";

/// A column: name, type, format, description, priority.
pub(super) type Column = (&'static str, &'static str, &'static str, &'static str, i64);

pub(super) const NAME: Column = (
    "Name",
    "string",
    "name",
    "Name of the object, unique among its kind (in its namespace).",
    0,
);
pub(super) const AGE: Column = ("Age", "string", "", "Time since the object was created.", 0);

pub(super) const fn col(name: &'static str) -> Column {
    (name, "string", "", "", 0)
}
pub(super) const fn int(name: &'static str) -> Column {
    (name, "integer", "", "", 0)
}
pub(super) const fn wide(name: &'static str) -> Column {
    (name, "string", "", "", 1)
}

/// The value at a dotted path.
pub(super) fn at<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .try_fold(object, |value, key| value.get(key))
        .filter(|v| !v.is_null())
}

/// The text at a path, empty when there is none.
pub(super) fn text<'v>(object: &'v Value, path: &str) -> &'v str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number(object: &Value, path: &str) -> i64 {
    at(object, path).and_then(Value::as_i64).unwrap_or(0)
}

pub(super) fn truth(object: &Value, path: &str) -> bool {
    at(object, path).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn list<'v>(object: &'v Value, path: &str) -> &'v [Value] {
    at(object, path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn or_none(text: &str) -> Value {
    Value::from(if text.is_empty() { NONE } else { text })
}

/// A number or text as a cell text; `otherwise` when absent.
pub(super) fn shown(value: Option<&Value>, otherwise: &str) -> String {
    match value {
        None | Some(Value::Null) => otherwise.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

pub(super) fn name(object: &Value) -> Value {
    Value::from(text(object, "metadata.name"))
}

pub(super) fn age(object: &Value, now: Timestamp) -> Value {
    Value::from(age::since(at(object, "metadata.creationTimestamp"), now))
}

/// `a=1,b=2`, or `<none>`.
pub(super) fn pairs(map: Option<&Value>) -> String {
    let parts: Vec<String> = map
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", shown(Some(value), "")))
        .collect();
    if parts.is_empty() {
        NONE.to_owned()
    } else {
        parts.join(",")
    }
}

/// A label selector as text: `a=1,b in (x,y),!c`.
pub(super) fn selector(selector: Option<&Value>) -> String {
    let Some(selector) = selector else {
        return NONE.to_owned();
    };
    let mut parts: Vec<String> = at(selector, "matchLabels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", shown(Some(value), "")))
        .collect();
    for expression in list(selector, "matchExpressions") {
        let key = text(expression, "key");
        let mut values: Vec<&str> = list(expression, "values")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let values = values.join(",");
        parts.push(match text(expression, "operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    parts.sort();
    if parts.is_empty() {
        NONE.to_owned()
    } else {
        parts.join(",")
    }
}

/// Names and images of a template's containers, comma-joined.
pub(super) fn containers(object: &Value, path: &str) -> [Value; 2] {
    let containers = list(object, path);
    ["name", "image"].map(|field| {
        let parts: Vec<&str> = containers.iter().map(|c| text(c, field)).collect();
        Value::from(parts.join(","))
    })
}

/// The status of a condition, if it is there.
pub(super) fn condition<'v>(object: &'v Value, kind: &str) -> Option<&'v Value> {
    list(object, "status.conditions")
        .iter()
        .find(|c| text(c, "type") == kind)
}
