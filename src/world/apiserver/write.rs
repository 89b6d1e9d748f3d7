//! Create and update: what the server adds, what it does not take from a client, and when a write is none
//! (`kube-wire §8`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{Stored, meta, meta_str, set_meta, tidy_meta, unset_meta};
use super::server::Shared;
use super::settle::{dress, ends_now};
use super::status::StatusError;
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
    pub fn is_status(self) -> bool {
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
        dress(kind, namespace, &mut object)?;
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
        tidy_meta(&mut object);
        let now = self.now();
        set_meta(&mut object, "creationTimestamp", json!(names::seconds(now)));
        if kind.generation {
            set_meta(&mut object, "generation", json!(1));
        }
        // The world's pods come from templates that were checked, and there are many of them.
        let known = writer.trusted && kind.key == "pods";
        if !known {
            glue::prune(kind, &mut object);
        }
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
        let name = names::choose(self.seed, &mut store, kind, namespace, &object, writer.dry_run)?;
        set_meta(&mut object, "name", json!(name));
        let causes = if known {
            Vec::new()
        } else {
            glue::validate(kind, &object, None)
        };
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
        self.age_events(&stored);
        Ok(stored)
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
            if ends {
                self.after_delete(&object, true);
            }
            return Ok(Done {
                object,
                changed: !ends,
            });
        }
        Err(StatusError::stale(kind, name))
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
