//! Where the store meets the pure rules (defaults, validation, patches, selectors, tables).

use jiff::Timestamp;
use serde_json::Value;

use super::kinds::Kind;
use super::status::Cause;

/// The custom resources that every world starts with.
pub fn definitions() -> Vec<Value> {
    Vec::new()
}

pub fn defaults(_kind: &Kind, _object: &mut Value) {}

pub fn prune(_kind: &Kind, _object: &mut Value) {}

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
