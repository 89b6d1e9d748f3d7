//! Create and update: what the server adds, what it does not take from a client, and when a write is none
//! (`kube-wire §8`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{Stored, copy_meta, has_finalizers, meta, meta_str, set_meta, unset_meta};
use super::server::Shared;
use super::status::{Cause, StatusError};
use super::{glue, names, prepare};

/// How often a write that found a newer version tries again.
const TRIES: usize = 5;

/// Who writes, and how seriously.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// Owner of the fields in `managedFields`; empty when nobody keeps track.
    pub manager: &'a str,
    pub dry_run: bool,
    /// The world itself: it may write status anywhere and is not validated on updates.
    pub trusted: bool,
}

impl Writer<'_> {
    pub fn world() -> Self {
        Self {
            manager: "",
            dry_run: false,
            trusted: true,
        }
    }
}

/// Which part of an object a write may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The world's own writes.
    Whole,
    /// Like [`Self::Whole`], but no new generation: binding and eviction.
    Quiet,
    /// All but status.
    Main,
    Status,
    /// Server-side apply made the object, `managedFields` included.
    Applied,
    AppliedStatus,
}

impl Part {
    fn is_status(self) -> bool {
        matches!(self, Self::Status | Self::AppliedStatus)
    }
}

/// What came of an update.
#[derive(Debug)]
pub struct Done {
    /// The newest version, or the last one when the update completed a deletion.
    pub object: Arc<Stored>,
    /// False when nothing changed or the object is gone.
    pub changed: bool,
}

impl Shared {
    /// Makes an object. With `dry_run` nothing is stored and the answer has no version.
    pub fn create(
        &self,
        kind: &Arc<Kind>,
        namespace: &str,
        mut object: Value,
        writer: &Writer<'_>,
    ) -> Result<Arc<Stored>, StatusError> {
        self.dress(kind, namespace, &mut object)?;
        let wanted = meta_str(&object, "name").to_owned();
        if !meta_str(&object, "resourceVersion").is_empty() {
            return Err(StatusError::bad_request(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        for key in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generation",
        ] {
            unset_meta(&mut object, key);
        }
        if kind.status
            && !writer.trusted
            && let Some(map) = object.as_object_mut()
        {
            map.remove("status");
        }
        let now = self.now();
        set_meta(&mut object, "creationTimestamp", json!(names::seconds(now)));
        if kind.generation {
            set_meta(&mut object, "generation", json!(1));
        }
        glue::prune(kind, &mut object);
        glue::defaults(kind, &mut object);
        prepare::create(kind, &mut object);
        let applied = meta(&object, "managedFields").is_some();
        if !writer.manager.is_empty() && !applied {
            glue::track(None, &mut object, writer.manager, "", kind, now);
        }

        let mut store = self.store();
        if kind.namespaced {
            let namespaces = self.kind("namespaces")?;
            let home = store
                .get("namespaces", "", namespace)
                .ok_or_else(|| StatusError::not_found(&namespaces, namespace))?;
            if home.deleting {
                let why = format!(
                    "unable to create new content in namespace {namespace} because it is being terminated"
                );
                return Err(StatusError::forbidden(kind, &wanted, &why));
            }
        }
        let name = names::choose(self.seed, &mut store, kind, namespace, &object)?;
        set_meta(&mut object, "name", json!(name));
        let causes = glue::validate(kind, &object, None);
        if !causes.is_empty() {
            return Err(StatusError::invalid(kind, &name, &causes));
        }
        if store.get(&kind.key, namespace, &name).is_some() {
            return Err(StatusError::already_exists(kind, &name));
        }
        if writer.dry_run {
            let uid = names::uid(self.seed, kind, namespace, &name, 0);
            set_meta(&mut object, "uid", json!(uid));
            prepare::identify(kind, &mut object);
            return Ok(Arc::new(rehearsed(kind, object, None)));
        }
        let count = store.count(&format!("uid/{}/{namespace}/{name}", kind.key))?;
        set_meta(
            &mut object,
            "uid",
            json!(names::uid(self.seed, kind, namespace, &name, count)),
        );
        prepare::identify(kind, &mut object);
        let stored = store.put(kind, object)?;
        drop(store);
        self.notice(&stored, false);
        Ok(stored)
    }

    /// Fills in what the path says about an object and refuses what contradicts it.
    pub fn dress(&self, kind: &Kind, namespace: &str, object: &mut Value) -> Result<(), StatusError> {
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
            set_meta(object, "uid", Value::Null);
            unset_meta(object, "namespace");
        }
        unset_meta(object, "uid");
        Ok(())
    }

    /// Replaces an object by what `change` makes of it. Without a version in the result, a write that came between
    /// is no conflict: `change` runs again on the newer object.
    pub fn update(
        &self,
        kind: &Arc<Kind>,
        namespace: &str,
        name: &str,
        part: Part,
        writer: &Writer<'_>,
        change: &mut dyn FnMut(&Value) -> Result<Value, StatusError>,
    ) -> Result<Done, StatusError> {
        for _ in 0..TRIES {
            let live = self
                .store()
                .get(&kind.key, namespace, name)
                .ok_or_else(|| StatusError::not_found(kind, name))?;
            let before = live.value();
            let wanted = change(&before)?;
            let Some(next) = self.settle(kind, &before, wanted, part, writer)? else {
                return Ok(Done {
                    object: live,
                    changed: false,
                });
            };
            let ends = ends_now(kind, &next);
            if writer.dry_run {
                return Ok(Done {
                    object: Arc::new(rehearsed(kind, next, Some(live.version))),
                    changed: !ends,
                });
            }
            let mut store = self.store();
            let unchanged = store
                .get(&kind.key, namespace, name)
                .is_some_and(|now| now.version == live.version);
            if !unchanged {
                continue;
            }
            let object = if ends {
                store.remove(&live, next)?
            } else {
                store.put(kind, next)?
            };
            drop(store);
            self.notice(&object, ends);
            return Ok(Done {
                object,
                changed: !ends,
            });
        }
        Err(StatusError::stale(kind, name))
    }

    /// Takes from `wanted` what this write may change. `None` when that is nothing.
    fn settle(
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

    /// Keeps the served kinds in step with the definitions.
    pub fn notice(&self, object: &Stored, gone: bool) {
        if object.kind.key != super::DEFINITIONS {
            return;
        }
        if gone {
            self.set_kinds(|kinds| kinds.remove(&object.name));
            let mut store = self.store();
            let orphans: Vec<_> = store.objects(&object.name).values().cloned().collect();
            for orphan in orphans {
                // A full disk leaves the rest in place, unserved; the definition itself is gone already.
                if store.remove(&orphan, orphan.value()).is_err() {
                    break;
                }
            }
        } else if let Some(kind) = super::kinds::from_definition(&object.value()) {
            let kind = Arc::new(kind);
            self.set_kinds(|kinds| kinds.insert(kind.clone()));
        }
    }
}

/// What a dry run answers: sealed, but under the version that it read, or none.
fn rehearsed(kind: &Arc<Kind>, object: Value, version: Option<u64>) -> Stored {
    let mut sealed = Stored::seal(kind, object, version.unwrap_or(0));
    if version.is_none() {
        let mut value = sealed.value();
        unset_meta(&mut value, "resourceVersion");
        sealed.bytes = serde_json::to_vec(&value).unwrap_or_default().into();
    }
    sealed
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
fn ends_now(kind: &Kind, object: &Value) -> bool {
    meta(object, "deletionTimestamp").is_some()
        && meta(object, "deletionGracePeriodSeconds")
            .and_then(Value::as_i64)
            .unwrap_or(0)
            == 0
        && !has_finalizers(kind, object)
}
