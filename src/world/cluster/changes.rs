//! What a change of the store means: rows are replaced, and work is marked for every controller it concerns.

use std::sync::Arc;
use std::time::Duration;

use super::rows::{Key, NodeRow, PodRow};
use super::run::{Cluster, Work};
use crate::world::apiserver::{Change, ChangeKind, Stored};

impl Cluster {
    pub(super) fn apply(&mut self, change: &Change) {
        let object = &*change.object;
        let gone = change.event == ChangeKind::Deleted;
        if gone {
            self.index
                .drop_place(change.previous.as_deref().unwrap_or(object));
            self.owner_gone(object);
            if self.index.ending.contains(&object.namespace) {
                self.mark(Work::Namespace(object.namespace.clone()));
            }
        } else {
            self.index.put_place(object, change.previous.as_deref());
        }
        let key: Key = (object.namespace.clone(), object.name.clone());
        match object.kind.key.as_str() {
            "pods" => self.apply_pod(object, gone),
            "nodes" => self.apply_node(object, gone),
            "namespaces" if gone => {
                self.index.namespaces.remove(&key.1);
                self.index.ending.remove(&key.1);
            }
            "namespaces" => {
                self.index.namespaces.insert(key.1.clone(), object.labels.clone());
                if object.deleting {
                    self.index.ending.insert(key.1.clone());
                    self.mark(Work::Namespace(key.1));
                }
            }
            "deployments.apps" if !gone => {
                self.mark_budgets(&key.0);
                self.mark(Work::Deployment(key));
            }
            "replicasets.apps" => {
                self.mark_budgets(&key.0);
                self.mark_owners(object);
                if !gone {
                    self.mark(Work::ReplicaSet(key));
                }
            }
            "statefulsets.apps" if !gone => {
                self.mark_budgets(&key.0);
                self.mark(Work::StatefulSet(key));
            }
            "daemonsets.apps" if !gone => self.mark(Work::DaemonSet(key)),
            "jobs.batch" if !gone => self.mark(Work::Job(key)),
            "poddisruptionbudgets.policy" if gone => {
                self.index.budgets.remove(&key);
            }
            "poddisruptionbudgets.policy" => {
                self.index
                    .budgets
                    .insert(key.clone(), super::pdb::selector(&object.value()));
                self.mark(Work::Budget(key));
            }
            "persistentvolumeclaims" => {
                self.scheduler.volumes_changed();
                if gone {
                    self.reclaim(&key, &object.uid);
                } else {
                    self.mark(Work::Claim(key));
                }
            }
            "persistentvolumes" | "storageclasses.storage.k8s.io" | "csinodes.storage.k8s.io" => {
                self.scheduler.volumes_changed();
            }
            _ => {}
        }
        if object.deleting || !object.owners.is_empty() {
            self.consider(object, gone);
        }
    }

    fn apply_pod(&mut self, object: &Stored, gone: bool) {
        let key: Key = (object.namespace.clone(), object.name.clone());
        let (old, new) = if gone {
            (self.index.drop_pod(&key), None)
        } else {
            self.index.put_pod(object)
        };
        self.scheduler
            .pod_changed(old.as_ref(), new.as_ref(), &self.index);
        for row in [old.as_ref(), new.as_ref()].into_iter().flatten() {
            self.mark_controller(row);
        }
        self.mark_budgets_of(old.as_deref(), new.as_deref());
        self.mark_attachments(old.as_deref(), new.as_deref());
        if new.is_some() {
            self.mark(Work::Pod(key));
        }
    }

    fn mark_controller(&mut self, row: &PodRow) {
        let Some((_, uid)) = &row.controller else { return };
        let Some(place) = self.index.places.get(uid) else {
            return;
        };
        let (kind, key) = (place.kind.clone(), place.key.clone());
        match &*kind {
            "replicasets.apps" => self.mark(Work::ReplicaSet(key)),
            "statefulsets.apps" => self.mark(Work::StatefulSet(key)),
            // A daemon set looks at every node: once a second is enough.
            "daemonsets.apps" => self.mark_after(Work::DaemonSet(key), Duration::from_secs(1)),
            "jobs.batch" => self.mark(Work::Job(key)),
            _ => {}
        }
    }

    fn mark_owners(&mut self, object: &Stored) {
        for uid in &object.owners {
            if let Some(place) = self.index.places.get(uid)
                && &*place.kind == "deployments.apps"
            {
                let key = place.key.clone();
                self.mark(Work::Deployment(key));
            }
        }
    }

    fn apply_node(&mut self, object: &Stored, gone: bool) {
        let name = object.name.clone();
        let old = self.index.nodes.remove(&name);
        let new = if gone {
            None
        } else {
            NodeRow::decode(name.clone(), object.uid.clone(), &object.bytes).map(Arc::new)
        };
        if let Some(row) = &new {
            self.index.nodes.insert(name.clone(), row.clone());
        }
        if old == new && !gone {
            return;
        }
        self.scheduler.node_changed(&name, new.as_ref(), &self.index);
        for key in self
            .api
            .list("daemonsets.apps")
            .iter()
            .map(|d| (d.namespace.clone(), d.name.clone()))
        {
            self.mark(Work::DaemonSet(key));
        }
        self.mark(Work::Node(name));
    }
}
