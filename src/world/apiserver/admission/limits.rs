//! The plain limits of a definition's schema: types, required fields, enums, patterns, sizes, list types.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::values::{cause, duplicate, invalid, required};
use crate::world::apiserver::status::Cause;

pub(super) struct Limits<'a> {
    pub(super) patterns: &'a BTreeMap<String, Regex>,
}

impl Limits<'_> {
    /// Checks `value` at `path`. What did not change since `old` is not checked again, so that an object that
    /// was valid once can still be updated.
    pub(super) fn check(
        &self,
        schema: &Value,
        value: &Value,
        old: Option<&Value>,
        path: &str,
        out: &mut Vec<Cause>,
    ) {
        if old == Some(value) {
            return;
        }
        if !has_type(schema, value) {
            let found = type_of(value);
            let wanted = schema
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or("integer or string");
            let why = format!("{} in body must be of type {wanted}: \"{found}\"", at(path));
            out.push(cause(
                "FieldValueTypeInvalid",
                path,
                format!("Invalid value: \"{found}\": {why}"),
            ));
            return;
        }
        self.choice(schema, value, path, out);
        match value {
            Value::Object(map) => {
                size(schema, map.len(), "Properties", "properties", path, out);
                for name in schema
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    if let Some(name) = name.as_str().filter(|name| !map.contains_key(*name)) {
                        out.push(required(&join(path, name), ""));
                    }
                }
                for (name, inner) in map {
                    let inner_schema = schema
                        .get("properties")
                        .and_then(|p| p.get(name))
                        .or_else(|| schema.get("additionalProperties").filter(|a| a.is_object()));
                    // The metadata of the object itself has checks of its own.
                    if let Some(inner_schema) =
                        inner_schema.filter(|_| !(path.is_empty() && name == "metadata"))
                    {
                        let old = old.and_then(|o| o.get(name));
                        self.check(inner_schema, inner, old, &join(path, name), out);
                    }
                }
            }
            Value::Array(items) => {
                size(schema, items.len(), "Items", "items", path, out);
                doubles(schema, items, path, out);
                for (index, item) in items.iter().enumerate() {
                    if let Some(inner) = schema.get("items") {
                        let old = old.and_then(|o| same_item(schema, o, item, index));
                        self.check(inner, item, old, &format!("{path}[{index}]"), out);
                    }
                }
            }
            Value::String(text) => self.string(schema, text, path, out),
            Value::Number(_) => number(schema, value, path, out),
            _ => {}
        }
    }

    fn string(&self, schema: &Value, text: &str, path: &str, out: &mut Vec<Cause>) {
        let value = Value::from(text);
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if let Some(max) = schema
            .get("maxLength")
            .and_then(Value::as_u64)
            .filter(|max| length > *max)
        {
            let why = format!("Too long: may not be more than {max} bytes");
            out.push(cause("FieldValueTooLong", path, why));
        }
        if let Some(min) = schema
            .get("minLength")
            .and_then(Value::as_u64)
            .filter(|min| length < *min)
        {
            let why = format!("{} in body should be at least {min} chars long", at(path));
            out.push(invalid(path, &value, &why));
        }
        let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
        if self
            .patterns
            .get(pattern)
            .is_some_and(|regex| !regex.is_match(text))
        {
            out.push(invalid(
                path,
                &value,
                &format!("{} in body should match '{pattern}'", at(path)),
            ));
        }
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        if format == "date-time" && text.parse::<jiff::Timestamp>().is_err() {
            let why = format!("{} in body must be of type date-time: {value}", at(path));
            out.push(cause(
                "FieldValueTypeInvalid",
                path,
                format!("Invalid value: {value}: {why}"),
            ));
        }
    }

    /// Enums and the combinations of other schemas.
    fn choice(&self, schema: &Value, value: &Value, path: &str, out: &mut Vec<Cause>) {
        if let Some(Value::Array(known)) = schema.get("enum")
            && !known.contains(value)
        {
            let known: Vec<String> = known.iter().map(Value::to_string).collect();
            let why = format!(
                "Unsupported value: {value}: supported values: {}",
                known.join(", ")
            );
            out.push(cause("FieldValueNotSupported", path, why));
        }
        let passes = |inner: &Value| {
            let mut found = Vec::new();
            self.check(inner, value, None, path, &mut found);
            found.is_empty()
        };
        let each = |key: &str| schema.get(key).and_then(Value::as_array);
        let int_or_string = schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
        for inner in each("allOf").into_iter().flatten() {
            self.check(inner, value, None, path, out);
        }
        if each("anyOf").is_some_and(|all| !int_or_string && !all.iter().any(passes)) {
            out.push(invalid(
                path,
                &Value::Null,
                "must validate at least one schema (anyOf)",
            ));
        }
        if each("oneOf").is_some_and(|all| all.iter().filter(|s| passes(s)).count() != 1) {
            out.push(invalid(
                path,
                &Value::Null,
                "must validate one and only one schema (oneOf)",
            ));
        }
        if schema.get("not").is_some_and(passes) {
            out.push(invalid(path, &Value::Null, "must not validate the schema (not)"));
        }
    }
}

/// How messages name a place; the object itself has an empty path.
fn at(path: &str) -> &str {
    if path.is_empty() { "\"\"" } else { path }
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    if value.is_null() && schema.get("nullable") == Some(&Value::Bool(true)) {
        return true;
    }
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        return value.is_string() || value.is_i64() || value.is_u64();
    }
    let Some(wanted) = schema.get("type").and_then(Value::as_str) else {
        return true;
    };
    match (wanted, value) {
        ("integer", Value::Number(n)) => n.as_f64().is_some_and(|n| n.fract() == 0.0),
        ("number", Value::Number(_)) => true,
        _ => wanted == type_of(value),
    }
}

fn size(schema: &Value, length: usize, key: &str, what: &str, path: &str, out: &mut Vec<Cause>) {
    let limit = |prefix: &str| schema.get(format!("{prefix}{key}")).and_then(Value::as_u64);
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    if let Some(max) = limit("max").filter(|max| length > *max) {
        let why = format!("Too many: {length}: must have at most {max} items");
        out.push(cause("FieldValueTooMany", path, why));
    }
    if let Some(min) = limit("min").filter(|min| length < *min) {
        let why = format!("{} in body should have at least {min} {what}", at(path));
        out.push(invalid(path, &Value::from(length), &why));
    }
}

fn number(schema: &Value, value: &Value, path: &str, out: &mut Vec<Cause>) {
    let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
    let open = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    let Some(number) = value.as_f64() else { return };
    let mut refuse = |why: String| {
        out.push(invalid(
            path,
            value,
            &format!("{} in body should be {why}", at(path)),
        ));
    };
    if let Some(min) = limit("minimum") {
        if open("exclusiveMinimum") && number <= min {
            refuse(format!("greater than {min}"));
        } else if number < min {
            refuse(format!("greater than or equal to {min}"));
        }
    }
    if let Some(max) = limit("maximum") {
        if open("exclusiveMaximum") && number >= max {
            refuse(format!("less than {max}"));
        } else if number > max {
            refuse(format!("less than or equal to {max}"));
        }
    }
    let small = value.as_i64().is_some_and(|v| i32::try_from(v).is_ok());
    if schema.get("format").and_then(Value::as_str) == Some("int32") && !small {
        refuse("a 32 bit integer".to_owned());
    }
}

/// The keys that an item of a list with `x-kubernetes-list-type: map` is known by.
fn keys<'v>(schema: &'v Value, item: &'v Value) -> Option<Vec<&'v Value>> {
    let keys = schema.get("x-kubernetes-list-map-keys")?.as_array()?;
    keys.iter().map(|key| item.get(key.as_str()?)).collect()
}

fn same_item<'v>(schema: &Value, old: &'v Value, item: &Value, index: usize) -> Option<&'v Value> {
    let old = old.as_array()?;
    match keys(schema, item) {
        Some(mine) => old
            .iter()
            .find(|other| keys(schema, other).as_ref() == Some(&mine)),
        None => old.get(index).filter(|other| *other == item),
    }
}

fn doubles(schema: &Value, items: &[Value], path: &str, out: &mut Vec<Cause>) {
    let kind = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
    for (index, item) in items.iter().enumerate() {
        let before = items.iter().take(index);
        let double = match kind {
            Some("set") => before.into_iter().any(|other| other == item),
            Some("map") => {
                let mine = keys(schema, item);
                mine.is_some() && before.into_iter().any(|other| keys(schema, other) == mine)
            }
            _ => false,
        };
        if double {
            out.push(duplicate(&format!("{path}[{index}]"), item));
        }
    }
}
