//! What the loop knows of the store without asking it: pods and nodes as rows, and who owns whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rows::{Interner, Key, NodeRow, PodRow};
use crate::model::{LabelSelector, Labels, Name};
use crate::world::apiserver::Stored;

/// Where an object is: kind key, namespace, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub kind: Name,
    pub key: Key,
}

#[derive(Debug, Default)]
pub struct Index {
    pub pods: BTreeMap<Key, Arc<PodRow>>,
    pub nodes: BTreeMap<Name, Arc<NodeRow>>,
    pub by_node: BTreeMap<Name, BTreeSet<Key>>,
    /// By uid of the controlling owner.
    pub by_controller: BTreeMap<Name, BTreeSet<Key>>,
    pub namespaces: BTreeMap<Name, Labels>,
    /// Namespaces that are being deleted.
    pub ending: BTreeSet<Name>,
    /// Selectors of `PodDisruptionBudgets`; `None` selects nothing.
    pub budgets: BTreeMap<Key, Option<LabelSelector>>,
    /// Every object by uid.
    pub places: BTreeMap<Name, Place>,
    /// By uid of an owner, whether that owner exists or not.
    pub dependents: BTreeMap<Name, BTreeSet<Place>>,
    /// Names by kind and namespace, for the end of a namespace.
    pub contents: BTreeMap<Name, BTreeSet<Place>>,
    specs: Interner,
}

impl Index {
    /// Replaces a pod's row; gives the old and the new one.
    pub fn put_pod(&mut self, stored: &Stored) -> (Option<Arc<PodRow>>, Option<Arc<PodRow>>) {
        let key = (stored.namespace.clone(), stored.name.clone());
        let old = self.drop_pod(&key);
        let Some(row) = PodRow::decode(key.clone(), stored.uid.clone(), &stored.bytes, &mut self.specs)
        else {
            return (old, None);
        };
        let row = Arc::new(row);
        if let Some(node) = &row.node {
            self.by_node.entry(node.clone()).or_default().insert(key.clone());
        }
        if let Some((_, uid)) = &row.controller {
            self.by_controller
                .entry(uid.clone())
                .or_default()
                .insert(key.clone());
        }
        self.pods.insert(key, row.clone());
        (old, Some(row))
    }

    pub fn drop_pod(&mut self, key: &Key) -> Option<Arc<PodRow>> {
        let old = self.pods.remove(key)?;
        if let Some(node) = &old.node {
            forget(&mut self.by_node, node, key);
        }
        if let Some((_, uid)) = &old.controller {
            forget(&mut self.by_controller, uid, key);
        }
        Some(old)
    }

    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &Arc<PodRow>> {
        self.by_node
            .get(node)
            .into_iter()
            .flatten()
            .filter_map(|key| self.pods.get(key))
    }

    pub fn pods_of(&self, controller: &str) -> impl Iterator<Item = &Arc<PodRow>> {
        self.by_controller
            .get(controller)
            .into_iter()
            .flatten()
            .filter_map(|key| self.pods.get(key))
    }

    /// Objects of one kind that name `owner` in their owner references, in name order.
    pub fn owned(&self, owner: &str, kind: &str) -> Vec<Key> {
        self.dependents
            .get(owner)
            .into_iter()
            .flatten()
            .filter(|place| &*place.kind == kind)
            .map(|place| place.key.clone())
            .collect()
    }

    /// Notes where an object is and who owns it.
    pub fn put_place(&mut self, stored: &Stored, previous: Option<&Stored>) {
        if let Some(previous) = previous {
            self.drop_place(previous);
        }
        let place = place(stored);
        for owner in &stored.owners {
            self.dependents
                .entry(owner.clone())
                .or_default()
                .insert(place.clone());
        }
        if stored.kind.namespaced {
            self.contents
                .entry(stored.namespace.clone())
                .or_default()
                .insert(place.clone());
        }
        self.places.insert(stored.uid.clone(), place);
    }

    pub fn drop_place(&mut self, stored: &Stored) {
        let place = place(stored);
        for owner in &stored.owners {
            forget(&mut self.dependents, owner, &place);
        }
        if stored.kind.namespaced {
            forget(&mut self.contents, &stored.namespace, &place);
        }
        self.places.remove(&stored.uid);
    }
}

fn place(stored: &Stored) -> Place {
    Place {
        kind: stored.kind.key.as_str().into(),
        key: (stored.namespace.clone(), stored.name.clone()),
    }
}

fn forget<T: Ord>(map: &mut BTreeMap<Name, BTreeSet<T>>, at: &Name, what: &T) {
    if let Some(set) = map.get_mut(at) {
        set.remove(what);
        if set.is_empty() {
            map.remove(at);
        }
    }
}
