//! Where the store meets the pure rules (defaults, validation, patches, selectors, tables).

use jiff::Timestamp;
use serde_json::Value;

use super::kinds::Kind;
use super::status::{Cause, StatusError};
use super::{apply, patch};
use crate::api::crds;

pub use super::admission::{decode_error, defaults, prune, unknown_fields, validate};
pub use super::apply::track;
pub use super::openapi::{document as openapi_document, index as openapi_index};
pub use super::patch::{merge as merge_patch, strategic as strategic_patch};
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

/// JSON patch, all operations or none. As upstream has it, a test for `null` holds where there is nothing: kube-rs'
/// finalizer helper begins with one.
pub fn json_patch(target: &mut Value, ops: &Value) -> Result<(), String> {
    let ops = ops.as_array().ok_or("a JSON patch is a list of operations")?;
    let mut changed = target.clone();
    for op in ops {
        let absent = |path: &str| changed.pointer(path).is_none();
        let tests_null = op.get("op").is_some_and(|kind| kind == "test")
            && op.get("value").is_none_or(Value::is_null)
            && op.get("path").and_then(Value::as_str).is_some_and(absent);
        if !tests_null {
            patch::json(&mut changed, &Value::Array(vec![op.clone()]))?;
        }
    }
    *target = changed;
    Ok(())
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
