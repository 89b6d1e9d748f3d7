//! The garbage collector (`kube-wire §10`): dependents of gone owners go, foreground deletion waits for dependents,
//! orphaning frees them.

use serde_json::Value;

use super::index::Place;
use super::run::{Cluster, Work};
use crate::world::apiserver::{DeleteOptions, Propagation, Stored};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Kinds of owners whose coming and going is followed. An owner of another kind counts as alive.
const OWNERS: &[&str] = &[
    "Namespace",
    "Node",
    "Pod",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "ControllerRevision",
    "Job",
    "CronJob",
    "PersistentVolumeClaim",
    "ConfigMap",
    "Secret",
    "Service",
    "NodePool",
    "NodeClaim",
    "EC2NodeClass",
];

impl Cluster {
    /// Marks an object whose owners or own deletion may ask for action.
    pub(super) fn consider(&mut self, object: &Stored, gone: bool) {
        if gone {
            // An owner may be waiting for the last of its dependents.
            for uid in &object.owners {
                if let Some(place) = self.index.places.get(uid) {
                    let place = place.clone();
                    self.mark(Work::Collect(place));
                }
            }
            return;
        }
        let orphaned = object
            .owners
            .iter()
            .any(|uid| !self.index.places.contains_key(uid));
        if object.deleting || orphaned {
            self.mark(Work::Collect(Place {
                kind: object.kind.key.as_str().into(),
                key: (object.namespace.clone(), object.name.clone()),
            }));
        }
    }

    /// Marks what a gone object owned.
    pub(super) fn owner_gone(&mut self, object: &Stored) {
        let dependents: Vec<Place> = self
            .index
            .dependents
            .get(&object.uid)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        for place in dependents {
            self.mark(Work::Collect(place));
        }
    }

    pub(super) fn collect(&mut self, place: &Place) {
        let Some((stored, object)) = self.read(&place.kind, &place.key) else {
            return;
        };
        if stored.deleting {
            if has_finalizer(&object, FOREGROUND) {
                self.finish_foreground(place, &stored);
            } else if has_finalizer(&object, ORPHAN) {
                self.orphan(place, &stored);
            }
            return;
        }
        let owners = object["metadata"]["ownerReferences"].as_array();
        let mut owners = owners.into_iter().flatten().peekable();
        let gone = |owner: &Value| {
            owner["kind"].as_str().is_some_and(|k| OWNERS.contains(&k))
                && owner["uid"]
                    .as_str()
                    .is_some_and(|uid| !self.index.places.contains_key(uid))
        };
        if owners.peek().is_some() && owners.all(gone) {
            self.remove(place, &stored, Propagation::Background);
        }
    }

    fn finish_foreground(&mut self, place: &Place, stored: &Stored) {
        let dependents = self
            .index
            .dependents
            .get(&stored.uid)
            .cloned()
            .unwrap_or_default();
        let mut left = false;
        for dependent in &dependents {
            let Some(object) = self.api.get(&dependent.kind, &dependent.key.0, &dependent.key.1) else {
                continue;
            };
            left = true;
            if !object.deleting {
                let owns = self.index.dependents.contains_key(&object.uid);
                let way = if owns {
                    Propagation::Foreground
                } else {
                    Propagation::Background
                };
                self.remove(dependent, &object, way);
            }
        }
        self.drain();
        left &= self.index.dependents.contains_key(&stored.uid);
        if !left {
            self.drop_finalizer(place, FOREGROUND);
        }
    }

    fn orphan(&mut self, place: &Place, stored: &Stored) {
        for dependent in self
            .index
            .dependents
            .get(&stored.uid)
            .cloned()
            .unwrap_or_default()
        {
            self.change(&dependent.kind, &dependent.key, |object| {
                if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
                    owners.retain(|owner| owner["uid"] != *stored.uid);
                }
            });
        }
        self.drop_finalizer(place, ORPHAN);
    }

    fn drop_finalizer(&self, place: &Place, name: &str) {
        self.change(&place.kind, &place.key, |object| {
            if let Some(list) = object["metadata"]["finalizers"].as_array_mut() {
                list.retain(|f| f != name);
            }
        });
    }

    /// Deletes one object, if it is still the one meant.
    pub(super) fn remove(&self, place: &Place, stored: &Stored, propagation: Propagation) {
        let options = DeleteOptions {
            uid: Some(stored.uid.to_string()),
            propagation,
            ..DeleteOptions::default()
        };
        if let Err(error) = self.api.delete(&place.kind, &place.key.0, &place.key.1, &options) {
            tracing::debug!(kind = &*place.kind, name = &*place.key.1, %error.message, "not deleted");
        }
    }
}

fn has_finalizer(object: &Value, name: &str) -> bool {
    object["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|list| list.iter().any(|f| f == name))
}
