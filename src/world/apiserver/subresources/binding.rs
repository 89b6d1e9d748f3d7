//! `pods/NAME/binding`: puts a pod on a node.

use http::Response;
use serde_json::{Value, json};

use crate::api::names;
use crate::world::apiserver::names::seconds;
use crate::world::apiserver::object::{meta, set_meta};
use crate::world::apiserver::routes::{Call, parse};
use crate::world::apiserver::status::{Cause, StatusError};
use crate::world::apiserver::wire::Body;
use crate::world::apiserver::write::{Part, Writer};

pub fn answer(call: &Call<'_>) -> Result<Response<Body>, StatusError> {
    let binding = parse(call.content_type(), call.body)?;
    let text = |path: &str| binding.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let node = text("/target/name").to_owned();
    let invalid = |field: &str, message: &str| {
        let cause = Cause::new("FieldValueInvalid", field, message);
        StatusError::invalid_as("Binding", "", call.name, &[cause])
    };
    if node.is_empty() {
        return Err(invalid("target.name", "Required value"));
    }
    if !matches!(text("/target/kind"), "" | "Node") {
        return Err(invalid(
            "target.kind",
            "Unsupported value: supported values: \"Node\", \"<empty>\"",
        ));
    }
    let annotations = meta(&binding, "annotations").cloned();
    let labels = call
        .shared
        .store()
        .get("nodes", "", &node)
        .map(|node| node.labels.clone());
    let at = seconds(call.shared.now());
    let writer = Writer {
        trusted: true,
        ..call.writer()?
    };
    call.shared.update(
        &call.resource.kept,
        call.home(),
        call.name,
        Part::Quiet,
        &writer,
        &mut |live| {
            refuse(call, live)?;
            let mut pod = live.clone();
            pod["spec"]["nodeName"] = json!(node);
            copy(&mut pod, "annotations", annotations.as_ref());
            if let Some(labels) = &labels {
                for key in [names::ZONE, names::REGION] {
                    if let Some(value) = labels.get(key) {
                        copy(&mut pod, "labels", Some(&json!({key: &**value})));
                    }
                }
            }
            condition(
                &mut pod,
                json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": at}),
            );
            Ok(pod)
        },
    )?;
    Ok(Call::done(201))
}

fn refuse(call: &Call<'_>, pod: &Value) -> Result<(), StatusError> {
    let name = call.name;
    let bound = pod
        .pointer("/spec/nodeName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let gated = pod
        .pointer("/spec/schedulingGates")
        .and_then(Value::as_array)
        .is_some_and(|gates| !gates.is_empty());
    let why = if meta(pod, "deletionTimestamp").is_some() {
        format!("pod {name} is being deleted, cannot be assigned to a host")
    } else if !bound.is_empty() {
        format!("pod {name} is already assigned to node \"{bound}\"")
    } else if gated {
        format!("pod {name} has non-empty .spec.schedulingGates")
    } else {
        return Ok(());
    };
    let mut error = StatusError::conflict(&call.resource.kept, name, &why);
    error.message = format!("Operation cannot be fulfilled on pods/binding \"{name}\": {why}");
    error.details = json!({"name": name, "kind": "pods/binding"});
    Err(error)
}

/// Adds entries to a map of the metadata; those that are there stay.
fn copy(pod: &mut Value, map: &str, entries: Option<&Value>) {
    let Some(entries) = entries.and_then(Value::as_object) else {
        return;
    };
    let mut all = meta(pod, map).cloned().unwrap_or_else(|| json!({}));
    for (key, value) in entries {
        if all.get(key).is_none() {
            all[key.as_str()] = value.clone();
        }
    }
    set_meta(pod, map, all);
}

/// Sets a condition of the pod's status, replacing the one of that type.
pub fn condition(pod: &mut Value, condition: Value) {
    if !pod.get("status").is_some_and(Value::is_object) {
        pod["status"] = json!({});
    }
    let all = &mut pod["status"]["conditions"];
    if !all.is_array() {
        *all = json!([]);
    }
    if let Some(all) = all.as_array_mut() {
        match all.iter_mut().find(|one| one["type"] == condition["type"]) {
            Some(old) => *old = condition,
            None => all.push(condition),
        }
    }
}
