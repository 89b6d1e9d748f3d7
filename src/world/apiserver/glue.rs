//! Where the store meets the pure rules (defaults, validation, patches, selectors, tables).

use jiff::Timestamp;
use serde_json::Value;

use super::apply;
use super::kinds::Kind;
use super::status::{Cause, StatusError};
use crate::api::crds;

pub use super::apply::track;
pub use super::patch::{json as json_patch, merge as merge_patch, strategic as strategic_patch};
pub use super::selectors::{FieldQuery, LabelQuery, parse_fields, parse_labels};
pub use super::table::{IncludeObject, render as table, scale as scale_table};

/// The custom resources that every world starts with.
pub fn definitions() -> Vec<Value> {
    crds::ALL
        .iter()
        .filter_map(|(name, yaml)| match serde_saphyr::from_str(yaml) {
            Ok(definition) => Some(definition),
            Err(error) => {
                // They are part of the program and tested; a broken one is left out, not fatal.
                tracing::error!(name, %error, "a built-in definition cannot be read");
                None
            }
        })
        .collect()
}

pub fn defaults(_kind: &Kind, _object: &mut Value) {}

pub fn prune(_kind: &Kind, _object: &mut Value) {}

pub fn unknown_fields(_kind: &Kind, _object: &Value) -> Vec<String> {
    Vec::new()
}

pub fn validate(_kind: &Kind, _object: &Value, _old: Option<&Value>) -> Vec<Cause> {
    Vec::new()
}

/// Server-side apply of an object or of its status.
pub fn apply(
    kind: &Kind,
    subresource: &str,
    live: Option<&Value>,
    applied: &Value,
    writer: (&str, bool),
    now: Timestamp,
) -> Result<Value, StatusError> {
    let (manager, force) = writer;
    apply::apply_to(kind, subresource, live, applied, manager, force, now).map_err(|error| match &error {
        apply::Error::Conflicts(conflicts) => {
            let causes: Vec<Cause> = conflicts.iter().map(apply::Conflict::cause).collect();
            StatusError::new(409, "Conflict", error.to_string()).with_causes(&causes)
        }
        apply::Error::Bad(why) => StatusError::bad_request(why.clone()),
    })
}

pub fn openapi_index(_kinds: &[std::sync::Arc<Kind>]) -> Value {
    serde_json::json!({"paths": {}})
}

pub fn openapi_document(_kinds: &[std::sync::Arc<Kind>], _group: &str, _version: &str) -> Value {
    serde_json::json!({})
}
