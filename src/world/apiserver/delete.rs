//! Deletion: finalizers, a pod's grace, preconditions (`kube-wire §10`). Collecting what the deleted object owned
//! is a controller's work.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::kinds::Kind;
use super::names;
use super::object::{Stored, has_finalizers, meta, set_meta};
use super::server::Shared;
use super::status::StatusError;

/// What becomes of the dependents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Propagation {
    #[default]
    Background,
    Foreground,
    Orphan,
}

#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// For pods; `None` is the pod's own.
    pub grace_seconds: Option<i64>,
    /// Precondition.
    pub uid: Option<String>,
    /// Precondition.
    pub resource_version: Option<String>,
    pub propagation: Propagation,
}

/// What a delete left.
#[derive(Debug)]
pub enum Deleted {
    /// Nothing; this was the last state.
    Gone(Arc<Stored>),
    /// An object that finalizers or its grace still hold.
    Marked(Arc<Stored>),
}

enum Step {
    Remove,
    Keep(Value),
    Unchanged,
}

impl Shared {
    pub fn delete(
        &self,
        kind: &Arc<Kind>,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
        dry_run: bool,
    ) -> Result<Deleted, StatusError> {
        let now = self.now();
        let mut store = self.store();
        let live = store
            .get(&kind.key, namespace, name)
            .ok_or_else(|| StatusError::not_found(kind, name))?;
        check(kind, &live, options)?;
        let before = live.value();
        let done = match step(kind, &before, options, now) {
            Step::Unchanged => return Ok(Deleted::Marked(live)),
            Step::Remove if dry_run => return Ok(Deleted::Gone(live)),
            Step::Keep(next) if dry_run => {
                return Ok(Deleted::Marked(Arc::new(Stored::seal(kind, next, live.version))));
            }
            Step::Remove => Deleted::Gone(store.remove(&live, before)?),
            Step::Keep(next) => Deleted::Marked(store.put(kind, next)?),
        };
        drop(store);
        match &done {
            Deleted::Gone(object) => {
                self.notice(object, true);
                self.after_delete(object, true);
            }
            Deleted::Marked(object) => self.after_delete(object, false),
        }
        Ok(done)
    }
}

fn check(kind: &Kind, live: &Stored, options: &DeleteOptions) -> Result<(), StatusError> {
    if let Some(uid) = &options.uid
        && uid.as_str() != &*live.uid
    {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            live.uid
        );
        return Err(StatusError::conflict(kind, &live.name, &why));
    }
    if let Some(version) = &options.resource_version
        && *version != live.version.to_string()
    {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {}",
            live.version
        );
        return Err(StatusError::conflict(kind, &live.name, &why));
    }
    Ok(())
}

fn step(kind: &Kind, before: &Value, options: &DeleteOptions, now: Timestamp) -> Step {
    let grace = grace(kind, before, options);
    let mut next = before.clone();
    if meta(before, "deletionTimestamp").is_some() {
        let old = meta(before, "deletionGracePeriodSeconds")
            .and_then(Value::as_i64)
            .unwrap_or(0);
        // Only shortening is allowed, and only an explicit wish shortens.
        if options.grace_seconds.is_none() || grace >= old {
            return Step::Unchanged;
        }
        if grace == 0 && !has_finalizers(kind, before) {
            return Step::Remove;
        }
        stamp(&mut next, grace, now);
        return Step::Keep(next);
    }
    let held = match options.propagation {
        Propagation::Background => None,
        Propagation::Foreground => Some("foregroundDeletion"),
        Propagation::Orphan => Some("orphan"),
    };
    if let Some(finalizer) = held {
        let mut all = meta(&next, "finalizers")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        if !all.iter().any(|one| one == finalizer) {
            all.push(json!(finalizer));
        }
        set_meta(&mut next, "finalizers", Value::Array(all));
    }
    if grace == 0 && !has_finalizers(kind, &next) {
        return Step::Remove;
    }
    stamp(&mut next, grace, now);
    if let Some(generation) = meta(&next, "generation").and_then(Value::as_i64) {
        set_meta(&mut next, "generation", json!(generation + 1));
    }
    if kind.key == "namespaces" {
        next["status"]["phase"] = json!("Terminating");
    }
    Step::Keep(next)
}

fn stamp(object: &mut Value, grace: i64, now: Timestamp) {
    let at = now
        .checked_add(SignedDuration::from_secs(grace))
        .unwrap_or(Timestamp::MAX);
    set_meta(object, "deletionTimestamp", json!(names::seconds(at)));
    set_meta(object, "deletionGracePeriodSeconds", json!(grace));
}

/// Seconds that the object may take to end. Only pods that run somewhere have any.
fn grace(kind: &Kind, object: &Value, options: &DeleteOptions) -> i64 {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if kind.key != "pods"
        || text("/spec/nodeName").is_empty()
        || matches!(text("/status/phase"), "Succeeded" | "Failed")
    {
        return 0;
    }
    options
        .grace_seconds
        .or_else(|| {
            object
                .pointer("/spec/terminationGracePeriodSeconds")
                .and_then(Value::as_i64)
        })
        .unwrap_or(30)
        .max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::apiserver::testing::server;

    fn now_grace(seconds: i64) -> DeleteOptions {
        DeleteOptions {
            grace_seconds: Some(seconds),
            ..DeleteOptions::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_pod_ends_in_two_steps() {
        let server = server();
        let pod = json!({"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}, "status": {"phase": "Running"}});
        server.create("pods", "default", pod).unwrap();
        server
            .delete("pods", "default", "p", &DeleteOptions::default())
            .unwrap();
        let marked = server.get("pods", "default", "p").unwrap();
        assert!(marked.deleting);
        assert_eq!(marked.value()["metadata"]["deletionGracePeriodSeconds"], 30);
        assert_eq!(marked.value()["metadata"]["generation"], 2);
        assert_eq!(
            marked.value()["metadata"]["deletionTimestamp"],
            "2026-01-05T09:00:30Z"
        );
        server
            .delete("pods", "default", "p", &DeleteOptions::default())
            .unwrap();
        assert_eq!(
            server.get("pods", "default", "p").unwrap().version,
            marked.version
        );
        server.delete("pods", "default", "p", &now_grace(60)).unwrap();
        assert_eq!(
            server.get("pods", "default", "p").unwrap().version,
            marked.version
        );
        server.delete("pods", "default", "p", &now_grace(0)).unwrap();
        assert!(server.get("pods", "default", "p").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn pods_without_a_node_go_at_once() {
        let server = server();
        server
            .create(
                "pods",
                "default",
                json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}),
            )
            .unwrap();
        server
            .delete("pods", "default", "p", &DeleteOptions::default())
            .unwrap();
        assert!(server.get("pods", "default", "p").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_finalizer_takes_the_object_along() {
        let server = server();
        let node = json!({"metadata": {"name": "n", "finalizers": ["a/b"]}});
        server.create("nodes", "", node).unwrap();
        server
            .delete("nodes", "", "n", &DeleteOptions::default())
            .unwrap();
        assert!(server.get("nodes", "", "n").unwrap().deleting);
        let refused = server.update("nodes", "", "n", &mut |node| {
            node["metadata"]["finalizers"] = json!(["a/b", "c/d"]);
        });
        assert_eq!(refused.unwrap_err().code, 422);
        let mut changes = server.subscribe(&["nodes"]);
        server
            .update("nodes", "", "n", &mut |node| {
                node["metadata"]["finalizers"] = json!([]);
            })
            .unwrap();
        assert!(server.get("nodes", "", "n").is_none());
        let only = changes.try_recv().unwrap();
        assert_eq!(only.event, super::super::ChangeKind::Deleted);
        assert!(changes.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn preconditions_guard() {
        let server = server();
        server
            .create("nodes", "", json!({"metadata": {"name": "n"}}))
            .unwrap();
        let other = DeleteOptions {
            uid: Some("other".to_owned()),
            ..DeleteOptions::default()
        };
        assert_eq!(server.delete("nodes", "", "n", &other).unwrap_err().code, 409);
    }
}
