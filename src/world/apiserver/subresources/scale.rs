//! `/scale`: the replica count of anything that has one, as `autoscaling/v1`.

use http::{Method, Response};
use serde_json::{Value, json};

use crate::world::apiserver::accept::Form;
use crate::world::apiserver::glue;
use crate::world::apiserver::kinds::ScalePaths;
use crate::world::apiserver::object::{Stored, meta, meta_str};
use crate::world::apiserver::routes::{Call, Patch, parse};
use crate::world::apiserver::status::{Cause, StatusError};
use crate::world::apiserver::wire::{self, Body};
use crate::world::apiserver::write::Part;

pub fn answer(call: &Call<'_>) -> Result<Response<Body>, StatusError> {
    let Some(paths) = call.resource.kept.scale.clone() else {
        return Err(StatusError::no_resource());
    };
    match *call.method {
        Method::GET => show(call, &paths, &*call.stored()?),
        Method::PUT => {
            let wanted = parse(call.content_type(), call.body)?;
            change(call, &paths, &mut |_| Ok(wanted.clone()))
        }
        Method::PATCH => {
            let patch = call.read_patch_of_scale()?;
            change(call, &paths, &mut |scale| {
                let mut next = scale.clone();
                match &patch {
                    Patch::Json(ops) => glue::json_patch(&mut next, ops).map_err(StatusError::bad_request)?,
                    Patch::Merge(patch) | Patch::Strategic(patch) | Patch::Apply(patch) => {
                        glue::merge_patch(&mut next, patch);
                    }
                }
                Ok(next)
            })
        }
        _ => Err(StatusError::method_not_allowed()),
    }
}

/// Sets the count that `wanted` makes of the present scale.
fn change(
    call: &Call<'_>,
    paths: &ScalePaths,
    wanted: &mut dyn FnMut(&Value) -> Result<Value, StatusError>,
) -> Result<Response<Body>, StatusError> {
    let kind = &call.resource.kept;
    let writer = call.writer()?;
    let done = call
        .shared
        .update(kind, call.home(), call.name, Part::Main, &writer, &mut |live| {
            let scale = wanted(&of(live, paths))?;
            let replicas = scale
                .pointer("/spec/replicas")
                .and_then(Value::as_i64)
                .unwrap_or(0);
            if replicas < 0 {
                let message = format!("Invalid value: {replicas}: must be greater than or equal to 0");
                return Err(StatusError::invalid_as(
                    "Scale",
                    "autoscaling",
                    call.name,
                    &[Cause::new("FieldValueInvalid", "spec.replicas", message)],
                ));
            }
            let mut next = live.clone();
            let version = meta_str(&scale, "resourceVersion");
            if !version.is_empty() && version != meta_str(live, "resourceVersion") {
                return Err(StatusError::stale(kind, call.name));
            }
            set(&mut next, &paths.spec, json!(replicas));
            Ok(next)
        })?;
    show(call, paths, &done.object)
}

fn show(call: &Call<'_>, paths: &ScalePaths, object: &Stored) -> Result<Response<Body>, StatusError> {
    let scale = of(&object.value(), paths);
    match call.form()? {
        Form::Table(include) => {
            let mut table = glue::scale_table(&scale, include, call.shared.now());
            table["metadata"] = json!({"resourceVersion": object.version.to_string()});
            Ok(wire::json(200, &table))
        }
        _ => Ok(wire::json(200, &scale)),
    }
}

/// The object's scale.
fn of(object: &Value, paths: &ScalePaths) -> Value {
    let count = |path: &str| at(object, path).and_then(Value::as_i64).unwrap_or(0);
    let mut metadata = json!({});
    for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = meta(object, key) {
            metadata[key] = value.clone();
        }
    }
    let mut status = json!({"replicas": count(&paths.status)});
    let selector = paths
        .selector
        .as_deref()
        .and_then(|path| at(object, path))
        .map(text);
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        status["selector"] = json!(selector);
    }
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": {"replicas": count(&paths.spec)}, "status": status})
}

/// A selector as kubectl would type it.
fn text(selector: &Value) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    // A ReplicationController's selector is a bare map.
    let labels = match selector.get("matchLabels") {
        Some(labels) => labels.as_object(),
        None if selector.get("matchExpressions").is_some() => None,
        None => selector.as_object(),
    };
    let mut terms: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let values: Vec<&str> = expression["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        terms.push(match expression["operator"].as_str().unwrap_or_default() {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    terms.join(",")
}

/// Follows a path such as `.spec.replicas`.
fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .filter(|part| !part.is_empty())
        .try_fold(object, |value, part| value.get(part))
}

/// Sets what a path names, making the maps on the way.
fn set(object: &mut Value, path: &str, value: Value) {
    let mut here = object;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        if !here.is_object() {
            *here = json!({});
        }
        here = &mut here[part];
    }
    *here = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_become_text() {
        let selector = json!({"matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]});
        assert_eq!(text(&selector), "app=web,tier in (a,b)");
        assert_eq!(text(&json!({"app": "rc"})), "app=rc");
    }

    #[test]
    fn paths_are_followed_and_made() {
        let mut object = json!({});
        set(&mut object, ".spec.replicas", json!(3));
        assert_eq!(at(&object, ".spec.replicas"), Some(&json!(3)));
        assert_eq!(at(&object, ".status.nodes"), None);
    }
}
