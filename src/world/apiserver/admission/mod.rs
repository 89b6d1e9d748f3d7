//! What happens to an object before it is stored (`kube-wire §8`): defaults, unknown fields, validation. Custom
//! resources follow the schema and the rules of their definition, built-in kinds a table of upstream's defaults and
//! the checks that people run into.

mod builtin;
mod compiled;
mod core_defaults;
mod limits;
mod meta;
mod pod_checks;
mod pod_defaults;
mod pod_update;
mod rules;
mod schema;
mod typed;
mod unknown;
mod values;
mod workload_defaults;

use serde_json::Value;

use super::kinds::Kind;
use super::status::Cause;

pub use unknown::{prune, unknown_fields};

/// Fills in what the writer left open.
pub fn defaults(kind: &Kind, object: &mut Value) {
    if let Some(crd) = &kind.crd {
        schema::defaults(&crd.schema, object);
    } else {
        core_defaults::fill_in(kind, object);
        workload_defaults::fill_in(kind, object);
        pod_defaults::fill_in(kind, object);
    }
}

/// Everything that is wrong with an object (defaults filled in), `old` being its state before an update.
pub fn validate(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = meta::check(kind, object);
    match &kind.crd {
        Some(crd) => rules::check(kind, crd, object, old, &mut causes),
        None => match typed::round_trip(&kind.key, object) {
            Some(Err(error)) => causes.push(values::cause("FieldValueTypeInvalid", "", error)),
            _ => builtin::check(kind, object, old, &mut causes),
        },
    }
    causes
}

/// Why a body cannot be read as its built-in kind at all, which is a 400 rather than a 422.
pub fn decode_error(kind: &Kind, object: &Value) -> Option<String> {
    if kind.crd.is_some() {
        return None;
    }
    let error = typed::round_trip(&kind.key, object)?.err()?;
    Some(format!(
        "{} in version \"{}\" cannot be handled as a {}: {error}",
        kind.kind, kind.version, kind.kind
    ))
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod builtin_tests;
#[cfg(test)]
#[path = "custom_tests.rs"]
mod custom_tests;
#[cfg(test)]
#[path = "defaults_tests.rs"]
mod defaults_tests;
