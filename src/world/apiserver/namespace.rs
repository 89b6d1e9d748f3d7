//! The end of a namespace: its contents are deleted, and with the last of them its own finalizer goes
//! (`kube-wire §10`). A controller's work upstream; here it is part of the write that makes it possible.

use serde_json::{Value, json};

use super::delete::DeleteOptions;
use super::object::Stored;
use super::server::Shared;
use super::write::{Part, Writer};

impl Shared {
    /// Follows up on a delete: `object` is marked or gone.
    pub fn after_delete(&self, object: &Stored, gone: bool) {
        if object.kind.key == "namespaces" {
            if !gone {
                self.clear(&object.name);
            }
        } else if gone && !object.namespace.is_empty() {
            self.finish(&object.namespace);
        }
    }

    /// Deletes what is in a namespace, gracefully where that applies.
    fn clear(&self, namespace: &str) {
        for kind in self.kinds().iter().filter(|kind| kind.namespaced) {
            let objects = self.store().objects(&kind.key);
            for object in objects.values().filter(|object| &*object.namespace == namespace) {
                // What is gone or held is as well as deleted; a full disk leaves the namespace terminating.
                let _ = self.delete(kind, namespace, &object.name, &DeleteOptions::default(), false);
            }
        }
        self.finish(namespace);
    }

    /// Takes the finalizer off a terminating namespace that is empty.
    fn finish(&self, namespace: &str) {
        let terminating = self
            .store()
            .get("namespaces", "", namespace)
            .is_some_and(|namespace| namespace.deleting);
        if !terminating || self.has_content(namespace) {
            return;
        }
        let Ok(kind) = self.kind("namespaces") else {
            return;
        };
        // Somebody else may have finished it: that is what was wanted.
        let _ = self.update(&kind, "", namespace, Part::Whole, &Writer::world(), &mut |live| {
            let mut next = live.clone();
            if let Some(finalizers) = next.pointer_mut("/spec/finalizers").and_then(Value::as_array_mut) {
                finalizers.retain(|finalizer| *finalizer != json!("kubernetes"));
            }
            Ok(next)
        });
    }

    fn has_content(&self, namespace: &str) -> bool {
        let kinds = self.kinds();
        let store = self.store();
        kinds
            .iter()
            .filter(|kind| kind.namespaced)
            .any(|kind| store.inhabited(&kind.key, namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::apiserver::testing::server;

    #[tokio::test(start_paused = true)]
    async fn a_namespace_goes_with_the_last_of_its_contents() {
        let server = server();
        server
            .create("namespaces", "", json!({"metadata": {"name": "x"}}))
            .unwrap();
        server
            .create("configmaps", "x", json!({"metadata": {"name": "a"}}))
            .unwrap();
        let pod = json!({"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}});
        server.create("pods", "x", pod).unwrap();
        server
            .delete("namespaces", "", "x", &DeleteOptions::default())
            .unwrap();
        assert!(server.get("configmaps", "x", "a").is_none());
        assert!(server.get("pods", "x", "p").unwrap().deleting);
        let namespace = server.get("namespaces", "", "x").unwrap().value();
        assert_eq!(namespace["status"]["phase"], "Terminating");
        let now = DeleteOptions {
            grace_seconds: Some(0),
            ..DeleteOptions::default()
        };
        server.delete("pods", "x", "p", &now).unwrap();
        assert!(server.get("namespaces", "", "x").is_none());
    }
}
