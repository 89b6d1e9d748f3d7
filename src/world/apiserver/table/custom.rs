//! Printer columns of custom resources.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;
use super::cells::{NAME, age as age_cell, name};
use super::jsonpath;
use super::render::definition;
use crate::world::apiserver::kinds::{Column, CrdInfo};

/// Name, then the columns of the definition, or the age when it has none.
pub(super) fn columns(crd: &CrdInfo) -> Vec<Value> {
    let mut out = vec![definition(&NAME)];
    if crd.columns.is_empty() {
        out.push(json!({"name": "Age", "type": "date", "format": "", "description": "", "priority": 0}));
    }
    out.extend(crd.columns.iter().map(|column| {
        json!({"name": column.name, "type": column.kind, "format": column.format,
            "description": column.description, "priority": column.priority})
    }));
    out
}

pub(super) fn cells(crd: &CrdInfo, object: &Value, now: Timestamp) -> Vec<Value> {
    let mut out = vec![name(object)];
    if crd.columns.is_empty() {
        out.push(age_cell(object, now));
    }
    out.extend(crd.columns.iter().map(|column| cell(column, object, now)));
    out
}

/// The first result of the column's path; `null` when there is none or it does not fit the column's type.
fn cell(column: &Column, object: &Value, now: Timestamp) -> Value {
    let found = jsonpath::find(object, &column.json_path);
    let Some(value) = found.first().filter(|v| !v.is_null()) else {
        return Value::Null;
    };
    match column.kind.as_str() {
        "integer" | "number" => match value {
            Value::Number(_) => (*value).clone(),
            _ => Value::Null,
        },
        "boolean" => match value {
            Value::Bool(_) => (*value).clone(),
            _ => Value::Null,
        },
        "date" => Value::from(age::since(Some(value), now)),
        _ => match value {
            Value::String(_) => (*value).clone(),
            other => Value::from(other.to_string()),
        },
    }
}
