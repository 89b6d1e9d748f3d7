//! Checks of the metadata that all objects share: names, labels, annotations, finalizers, owners.

use serde_json::Value;

use super::values::{at, invalid, list, required, text};
use crate::world::apiserver::kinds::Kind;
use crate::world::apiserver::selectors::{is_key, is_value};
use crate::world::apiserver::status::Cause;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
    and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character";
const LABEL_KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character";
const ANNOTATIONS: usize = 256 << 10;

pub(super) fn check(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut out = Vec::new();
    let name = text(object, "metadata.name");
    if name.is_empty() {
        if text(object, "metadata.generateName").is_empty() {
            out.push(required("metadata.name", "name or generateName is required"));
        }
    } else if let Some(why) = name_error(kind, name) {
        out.push(invalid("metadata.name", &Value::from(name), why));
    }
    labels(object, "metadata.labels", &mut out);
    let annotations = at(object, "metadata.annotations").and_then(Value::as_object);
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        if !is_key(&key.to_lowercase()) {
            out.push(invalid(
                "metadata.annotations",
                &Value::from(key.as_str()),
                LABEL_KEY,
            ));
        }
    }
    if size > ANNOTATIONS {
        out.push(super::values::cause(
            "FieldValueTooLong",
            "metadata.annotations",
            format!("Too long: may not be more than {ANNOTATIONS} bytes"),
        ));
    }
    for finalizer in list(object, "metadata.finalizers")
        .iter()
        .filter_map(Value::as_str)
    {
        if !is_key(finalizer) {
            out.push(invalid("metadata.finalizers", &Value::from(finalizer), LABEL_KEY));
        }
    }
    for (index, owner) in list(object, "metadata.ownerReferences").iter().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if text(owner, field).is_empty() {
                let path = format!("metadata.ownerReferences[{index}].{field}");
                out.push(invalid(
                    &path,
                    &Value::from(""),
                    &format!("{field} must not be empty"),
                ));
            }
        }
    }
    out
}

/// Label keys and values of a map somewhere in an object.
pub(super) fn labels(object: &Value, path: &str, out: &mut Vec<Cause>) {
    for (key, value) in at(object, path).and_then(Value::as_object).into_iter().flatten() {
        if !is_key(key) {
            out.push(invalid(path, &Value::from(key.as_str()), LABEL_KEY));
        }
        if !value.as_str().is_some_and(is_value) {
            out.push(invalid(path, value, LABEL_VALUE));
        }
    }
}

fn name_error(kind: &Kind, name: &str) -> Option<&'static str> {
    match kind.key.as_str() {
        "namespaces" | "services" => (!is_label(name)).then_some(LABEL),
        // Path segments: anything that can stand in a URL.
        key if key.ends_with("rbac.authorization.k8s.io") => {
            (name.contains(['/', '%']) || matches!(name, "." | "..")).then_some("may not contain '/' or '%'")
        }
        _ => (!is_subdomain(name)).then_some(SUBDOMAIN),
    }
}

pub(super) fn is_label(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 63
        && name.bytes().next().is_some_and(inner)
        && name.bytes().last().is_some_and(inner)
        && name.bytes().all(|b| inner(b) || b == b'-')
}

fn is_subdomain(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|part| {
            part.bytes().next().is_some_and(inner)
                && part.bytes().last().is_some_and(inner)
                && part.bytes().all(|b| inner(b) || b == b'-')
        })
}
