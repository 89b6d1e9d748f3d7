//! Validation of custom resources: the limits of the schema, then its CEL rules, transition rules included.

use std::sync::Arc;

use kube_cel::{RootContext, ValidationError};
use serde_json::{Map, Value};

use super::compiled;
use super::limits::{Limits, type_of};
use super::values::cause;
use crate::world::apiserver::kinds::{CrdInfo, Kind};
use crate::world::apiserver::status::Cause;

const SKIPPED: &str = "Invalid value: null: some validation rules were not checked because the object was invalid; \
                       correct the existing errors to complete validation";

pub(super) fn check(
    kind: &Kind,
    crd: &Arc<CrdInfo>,
    object: &Value,
    old: Option<&Value>,
    out: &mut Vec<Cause>,
) {
    let compiled = compiled::of(crd);
    let limits = Limits {
        patterns: &compiled.patterns,
    };
    let before = out.len();
    limits.check(&crd.schema, object, old, "", out);
    let blocked = out.iter().skip(before).any(|c| {
        matches!(
            c.reason.as_str(),
            "FieldValueNotSupported"
                | "FieldValueRequired"
                | "FieldValueTooLong"
                | "FieldValueTooMany"
                | "FieldValueTypeInvalid"
        )
    });
    if blocked {
        out.push(cause("FieldValueInvalid", "<nil>", SKIPPED));
        return;
    }
    let root = RootContext {
        api_version: kind.api_version(),
        api_group: kind.group.clone(),
        kind: kind.kind.clone(),
    };
    let trimmed = old.and_then(|old| changed(&crd.schema, object, old));
    let (object_now, object_before) = match &trimmed {
        Some((now, before)) => (now, Some(before)),
        None => (object, old),
    };
    let failed = compiled.validator.validate_compiled_with_context(
        &compiled.rules,
        object_now,
        object_before,
        Some(&root),
    );
    let Err(errors) = failed else { return };
    let mut causes: Vec<Cause> = errors
        .iter()
        .filter(|error| old.is_none_or(|old| !unchanged(error, object, old)))
        .map(|error| cause_of(error, object))
        .collect();
    // The rules are kept in maps without order.
    causes.sort_by(|a, b| (&a.field, &a.message).cmp(&(&b.field, &b.message)));
    causes.dedup();
    out.extend(causes);
}

/// The two states without the top-level fields that an update left as they were: a spec that was valid is not
/// evaluated again for each write to the status, which is most writes. `None` where a rule of the root could look
/// into such a field.
fn changed(schema: &Value, object: &Value, old: &Value) -> Option<(Value, Value)> {
    if schema.get("x-kubernetes-validations").is_some() {
        return None;
    }
    let (now, before) = (object.as_object()?, old.as_object()?);
    let same = |name: &String| now.get(name) == before.get(name);
    let keep = |from: &Map<String, Value>| {
        let fields = from.iter().filter(|(name, _)| !same(name));
        Value::Object(fields.map(|(n, v)| (n.clone(), v.clone())).collect())
    };
    Some((keep(now), keep(before)))
}

/// A rule about one state only is not held against a value that was there before.
fn unchanged(error: &ValidationError, object: &Value, old: &Value) -> bool {
    !error.rule.contains("oldSelf")
        && !error.field_path.is_empty()
        && find(object, &error.field_path).is_some_and(|value| find(old, &error.field_path) == Some(value))
}

fn cause_of(error: &ValidationError, object: &Value) -> Cause {
    let kind = find(object, &error.field_path).map_or("object", type_of);
    let (reason, message) = match error.reason.as_deref() {
        Some("FieldValueForbidden") => ("FieldValueForbidden", format!("Forbidden: {}", error.message)),
        Some("FieldValueRequired") => ("FieldValueRequired", format!("Required value: {}", error.message)),
        Some("FieldValueDuplicate") => ("FieldValueDuplicate", format!("Duplicate value: \"{kind}\"")),
        _ => (
            "FieldValueInvalid",
            format!("Invalid value: \"{kind}\": {}", error.message),
        ),
    };
    cause(reason, &error.field_path, message)
}

/// The value at a path like `spec.template.spec.requirements[0].key`; `None` also for paths through keys with dots.
fn find<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .filter(|part| !part.is_empty())
        .try_fold(object, |value, part| {
            let (name, rest) = part.split_once('[').unwrap_or((part, ""));
            let value = if name.is_empty() { value } else { value.get(name)? };
            rest.split('[')
                .filter(|i| !i.is_empty())
                .try_fold(value, |value, index| {
                    value.get(index.trim_end_matches(']').parse::<usize>().ok()?)
                })
        })
}
