//! Where the store meets the pure rules (defaults, validation, patches, selectors, tables).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::meta_str;
use super::status::{Cause, StatusError};
use crate::model::Labels;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncludeObject {
    None,
    Metadata,
    Object,
}

#[derive(Debug)]
pub struct LabelQuery(Vec<(String, String)>);

impl LabelQuery {
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0
            .iter()
            .all(|(k, v)| labels.get(k.as_str()).is_some_and(|have| **have == **v))
    }
}

pub fn parse_labels(text: &str) -> Result<LabelQuery, String> {
    pairs(text).map(LabelQuery)
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split(',')
        .map(|term| {
            let (key, value) = term.split_once('=').ok_or_else(|| term.to_owned())?;
            Ok((key.to_owned(), value.trim_start_matches('=').to_owned()))
        })
        .collect()
}

#[derive(Debug)]
pub struct FieldQuery(Vec<(String, String)>);

impl FieldQuery {
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(key, value)| {
            object
                .pointer(&format!("/{}", key.replace('.', "/")))
                .and_then(Value::as_str)
                .unwrap_or_default()
                == value
        })
    }
}

pub fn parse_fields(_kind: &Kind, text: &str) -> Result<FieldQuery, String> {
    pairs(text).map(FieldQuery)
}

/// The custom resources that every world starts with.
pub fn definitions() -> Vec<Value> {
    Vec::new()
}

pub fn defaults(_kind: &Kind, _object: &mut Value) {}

pub fn prune(_kind: &Kind, _object: &mut Value) {}

pub fn unknown_fields(_kind: &Kind, _object: &Value) -> Vec<String> {
    Vec::new()
}

pub fn validate(_kind: &Kind, _object: &Value, _old: Option<&Value>) -> Vec<Cause> {
    Vec::new()
}

pub fn track(
    _before: Option<&Value>,
    _after: &mut Value,
    _manager: &str,
    _subresource: &str,
    _kind: &Kind,
    _now: Timestamp,
) {
}

pub fn merge_patch(target: &mut Value, patch: &Value) {
    json_patch::merge(target, patch);
}

pub fn json_patch(target: &mut Value, patch: &Value) -> Result<(), String> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).map_err(|e| e.to_string())?;
    json_patch::patch(target, &patch).map_err(|e| e.to_string())
}

pub fn strategic_patch(_kind: &Kind, target: &mut Value, patch: &Value) -> Result<(), String> {
    json_patch::merge(target, patch);
    Ok(())
}

pub fn apply(
    _kind: &Kind,
    live: Option<&Value>,
    applied: &Value,
    _manager: &str,
    _force: bool,
    _now: Timestamp,
) -> Result<Value, StatusError> {
    let mut next = live.cloned().unwrap_or_else(|| json!({}));
    json_patch::merge(&mut next, applied);
    Ok(next)
}

pub fn table(
    _kind: &Kind,
    objects: &[Value],
    _include: IncludeObject,
    _now: Timestamp,
    _columns: bool,
) -> Value {
    let rows: Vec<Value> = objects
        .iter()
        .map(|o| json!({"cells": [meta_str(o, "name")], "object": super::resource::partial(o.clone())}))
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": rows,
        "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}]})
}

pub fn openapi_index(_kinds: &[std::sync::Arc<Kind>]) -> Value {
    json!({"paths": {}})
}

pub fn openapi_document(_kinds: &[std::sync::Arc<Kind>], _group: &str, _version: &str) -> Value {
    json!({})
}

pub fn scale_table(scales: &[Value], _include: IncludeObject, _now: Timestamp, _columns: bool) -> Value {
    let rows: Vec<Value> = scales
        .iter()
        .map(|s| json!({"cells": [meta_str(s, "name")], "object": s}))
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": rows,
        "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}]})
}
