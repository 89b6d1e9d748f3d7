//! The end of a namespace: its contents go, then the finalizer of its spec.

use serde_json::json;

use super::conditions::object_at;
use super::index::Place;
use super::run::Cluster;
use crate::world::apiserver::Propagation;

impl Cluster {
    pub(super) fn sync_namespace(&mut self, name: &str) {
        let key = ("".into(), name.into());
        let Some((stored, _)) = self.read("namespaces", &key) else {
            return;
        };
        if !stored.deleting {
            return;
        }
        let mut contents: Vec<Place> = self
            .index
            .contents
            .get(name)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let events = self.api.list("events");
        contents.extend(events.iter().filter(|e| &*e.namespace == name).map(|e| Place {
            kind: "events".into(),
            key: (e.namespace.clone(), e.name.clone()),
        }));
        for place in contents {
            if let Some(object) = self.api.get(&place.kind, &place.key.0, &place.key.1)
                && !object.deleting
            {
                self.remove(&place, &object, Propagation::Background);
            }
        }
        self.drain();
        if !self.index.contents.contains_key(name) {
            self.change("namespaces", &key, |object| {
                object_at(object, &["spec"]).insert("finalizers".into(), json!([]));
            });
        }
    }
}
