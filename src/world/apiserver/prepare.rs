//! What the server itself fills in for single kinds, beyond defaults: first phases, a namespace's finalizer, a
//! Job's selector, a definition's acceptance.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{meta, meta_str, set_meta};

/// Before the object has a name and a uid.
pub fn create(kind: &Kind, object: &mut Value) {
    match kind.key.as_str() {
        "namespaces" => {
            object["status"] = json!({"phase": "Active"});
            object["spec"] = json!({"finalizers": ["kubernetes"]});
        }
        "pods" | "persistentvolumeclaims" | "persistentvolumes" => phase(object, "Pending"),
        _ => {}
    }
}

/// A given phase stays.
fn phase(object: &mut Value, phase: &str) {
    if !object.get("status").is_some_and(Value::is_object) {
        object["status"] = json!({});
    }
    if object["status"].get("phase").is_none() {
        object["status"]["phase"] = json!(phase);
    }
}

/// Once name and uid are known.
pub fn identify(kind: &Kind, object: &mut Value) {
    match kind.key.as_str() {
        "namespaces" => {
            let name = meta_str(object, "name").to_owned();
            let mut labels = meta(object, "labels").cloned().unwrap_or_else(|| json!({}));
            labels["kubernetes.io/metadata.name"] = json!(name);
            set_meta(object, "labels", labels);
        }
        "jobs.batch" => job_selector(object),
        super::DEFINITIONS => accept(object),
        _ => {}
    }
}

/// What follows from an update.
pub fn update(kind: &Kind, before: &Value, next: &mut Value) {
    match kind.key.as_str() {
        "namespaces" if meta(before, "deletionTimestamp").is_some() => {
            // Not checked yet: a client may have sent anything as status.
            if !next.get("status").is_some_and(Value::is_object) {
                next["status"] = json!({});
            }
            next["status"]["phase"] = json!("Terminating");
        }
        super::DEFINITIONS => accept(next),
        _ => {}
    }
}

/// A Job without a selector of its own selects the pods that carry its uid.
fn job_selector(job: &mut Value) {
    if job.pointer("/spec/manualSelector") == Some(&json!(true)) || job.pointer("/spec/selector").is_some() {
        return;
    }
    let (name, uid) = (meta_str(job, "name").to_owned(), meta_str(job, "uid").to_owned());
    if !job.get("spec").is_some_and(Value::is_object) {
        return;
    }
    let template = &mut job["spec"]["template"];
    if template.is_null() {
        *template = json!({});
    }
    let mut labels = meta(template, "labels").cloned().unwrap_or_else(|| json!({}));
    for prefix in ["", "batch.kubernetes.io/"] {
        labels[format!("{prefix}controller-uid")] = json!(uid);
        labels[format!("{prefix}job-name")] = json!(name);
    }
    set_meta(template, "labels", labels);
    job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
}

/// Definitions are served at once, so they are established at once.
fn accept(definition: &mut Value) {
    let Some(spec) = definition.get("spec").filter(|spec| spec.is_object()) else {
        return;
    };
    let names = spec.get("names").cloned().unwrap_or_else(|| json!({}));
    let versions: Vec<Value> = spec
        .get("versions")
        .and_then(Value::as_array)
        .map(|all| {
            all.iter()
                .filter(|version| version.get("storage") == Some(&json!(true)))
                .filter_map(|version| version.get("name").cloned())
                .collect()
        })
        .unwrap_or_default();
    let at = meta(definition, "creationTimestamp")
        .cloned()
        .unwrap_or(Value::Null);
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "lastTransitionTime": at, "reason": reason, "message": message});
    definition["status"] = json!({
        "acceptedNames": names,
        "storedVersions": versions,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
    });
}
