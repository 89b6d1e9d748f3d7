//! What an update may change: the server's own metadata stays, status and the rest keep apart, a generation rises
//! with the spec, a write of nothing is none (`kube-wire §8`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{copy_meta, has_finalizers, meta, meta_str, set_meta, tidy_meta, unset_meta};
use super::server::Shared;
use super::status::{Cause, StatusError};
use super::write::{Part, Writer};
use super::{glue, prepare};

/// Fills in what the path says about an object and refuses what contradicts it.
pub fn dress(kind: &Kind, namespace: &str, object: &mut Value) -> Result<(), StatusError> {
    if !object.is_object()
        || object
            .get("metadata")
            .is_some_and(|m| !m.is_object() && !m.is_null())
    {
        return Err(StatusError::bad_request(
            "the body of the request is no Kubernetes object",
        ));
    }
    let given = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let (api_version, name) = (kind.api_version(), given("kind"));
    if (!name.is_empty() && name != kind.kind)
        || (!given("apiVersion").is_empty() && given("apiVersion") != api_version)
    {
        return Err(StatusError::bad_request(format!(
            "the API version in the data ({}, Kind={name}) does not match the expected API version ({api_version}, Kind={})",
            given("apiVersion"),
            kind.kind
        )));
    }
    let inside = meta_str(object, "namespace");
    if kind.namespaced && !inside.is_empty() && inside != namespace {
        return Err(StatusError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    object["kind"] = json!(kind.kind);
    object["apiVersion"] = json!(api_version);
    if kind.namespaced {
        set_meta(object, "namespace", json!(namespace));
    } else {
        unset_meta(object, "namespace");
    }
    unset_meta(object, "uid");
    Ok(())
}

impl Shared {
    /// Takes from `wanted` what this write may change. `None` when that is nothing.
    pub fn settle(
        &self,
        kind: &Arc<Kind>,
        before: &Value,
        wanted: Value,
        part: Part,
        writer: &Writer<'_>,
    ) -> Result<Option<Value>, StatusError> {
        let name = meta_str(before, "name");
        preconditions(kind, before, &wanted)?;
        let mut next = if part.is_status() {
            status_of(kind, before, wanted)
        } else {
            wanted
        };
        if !next.is_object() {
            return Err(StatusError::bad_request("the result is no Kubernetes object"));
        }
        for key in [
            "name",
            "namespace",
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "resourceVersion",
        ] {
            copy_meta(&mut next, before, key);
        }
        unset_meta(&mut next, "selfLink");
        next["kind"] = json!(kind.kind);
        next["apiVersion"] = json!(kind.api_version());
        if meta(&next, "managedFields").is_none() {
            copy_meta(&mut next, before, "managedFields");
        } else if meta(&next, "managedFields")
            .and_then(Value::as_array)
            .is_some_and(|all| all.is_empty() || all.iter().all(|one| *one == json!({})))
        {
            unset_meta(&mut next, "managedFields");
        }
        tidy_meta(&mut next);
        if kind.status && matches!(part, Part::Main | Part::Applied) {
            match before.get("status") {
                Some(status) => next["status"] = status.clone(),
                None => {
                    next.as_object_mut().map(|map| map.remove("status"));
                }
            }
        }
        if !matches!(part, Part::Whole | Part::Quiet) {
            glue::prune(kind, &mut next);
            if !part.is_status() {
                glue::defaults(kind, &mut next);
            }
        }
        prepare::update(kind, before, &mut next);
        if meta(before, "deletionTimestamp").is_some() && adds_finalizer(before, &next) {
            return Err(StatusError::invalid(
                kind,
                name,
                &[Cause::new(
                    "FieldValueForbidden",
                    "metadata.finalizers",
                    "Forbidden: no new finalizers can be added if the object is being deleted",
                )],
            ));
        }
        if next == *before {
            return Ok(None);
        }
        if kind.generation && !part.is_status() && part != Part::Quiet && differs(before, &next) {
            let generation = meta(before, "generation").and_then(Value::as_i64).unwrap_or(0);
            set_meta(&mut next, "generation", json!(generation + 1));
        }
        if !writer.trusted {
            let causes = glue::validate(kind, &next, Some(before));
            if !causes.is_empty() {
                return Err(StatusError::invalid(kind, name, &causes));
            }
        }
        if !writer.manager.is_empty() && matches!(part, Part::Main | Part::Status) {
            let subresource = if part == Part::Status { "status" } else { "" };
            glue::track(
                Some(before),
                &mut next,
                writer.manager,
                subresource,
                kind,
                self.now(),
            );
        }
        Ok(Some(next))
    }
}

fn preconditions(kind: &Kind, before: &Value, wanted: &Value) -> Result<(), StatusError> {
    let name = meta_str(before, "name");
    let version = meta_str(wanted, "resourceVersion");
    if !version.is_empty() && version != meta_str(before, "resourceVersion") {
        return Err(StatusError::stale(kind, name));
    }
    let uid = meta_str(wanted, "uid");
    if !uid.is_empty() && uid != meta_str(before, "uid") {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            meta_str(before, "uid")
        );
        return Err(StatusError::conflict(kind, name, &why));
    }
    Ok(())
}

/// The old object with the new status. Built-ins also take metadata that clients may set; custom resources do not.
fn status_of(kind: &Kind, before: &Value, mut wanted: Value) -> Value {
    let mut next = before.clone();
    match wanted.get_mut("status").map(Value::take) {
        Some(status) => next["status"] = status,
        None => {
            next.as_object_mut().map(|map| map.remove("status"));
        }
    }
    if kind.crd.is_none() {
        for key in ["labels", "annotations", "finalizers", "ownerReferences"] {
            copy_meta(&mut next, &wanted, key);
        }
    }
    copy_meta(&mut next, &wanted, "managedFields");
    next
}

/// Whether anything outside metadata and status differs.
fn differs(before: &Value, next: &Value) -> bool {
    let (Some(before), Some(next)) = (before.as_object(), next.as_object()) else {
        return true;
    };
    let relevant = |key: &&String| !matches!(key.as_str(), "metadata" | "status" | "kind" | "apiVersion");
    before.keys().filter(relevant).count() != next.keys().filter(relevant).count()
        || next
            .iter()
            .filter(|(key, _)| relevant(key))
            .any(|(key, value)| before.get(key) != Some(value))
}

fn adds_finalizer(before: &Value, next: &Value) -> bool {
    let all = |object: &Value| -> Vec<Value> {
        meta(object, "finalizers")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let old = all(before);
    all(next).iter().any(|finalizer| !old.contains(finalizer))
}

/// A deleting object that nothing holds any more goes with this write.
pub fn ends_now(kind: &Kind, object: &Value) -> bool {
    meta(object, "deletionTimestamp").is_some()
        && meta(object, "deletionGracePeriodSeconds")
            .and_then(Value::as_i64)
            .unwrap_or(0)
            == 0
        && !has_finalizers(kind, object)
}
