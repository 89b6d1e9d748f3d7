//! From a pod template to a pod.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::apiserver::Stored;
use crate::world::cluster::conditions::object_at;
use crate::world::cluster::rows::{Key, text};
use crate::world::cluster::run::Cluster;
use crate::world::random;

const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Ten characters for a template: equal templates give equal ones.
pub fn hash(template: &Value) -> String {
    let digest = Sha256::digest(template.to_string().as_bytes());
    digest
        .iter()
        .take(10)
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
        .map(|c| char::from(*c))
        .collect()
}

/// The owner reference of a controlled object.
pub fn owner(stored: &Stored) -> Value {
    let kind = &stored.kind;
    let version = if kind.group.is_empty() {
        kind.version.clone()
    } else {
        format!("{}/{}", kind.group, kind.version)
    };
    json!({"apiVersion": version, "kind": kind.kind, "name": &*stored.name, "uid": &*stored.uid,
        "controller": true, "blockOwnerDeletion": true})
}

/// A pod of a template. `labels` are added to the template's.
pub fn pod(template: &Value, name: &str, stored: &Stored, labels: &[(&str, &str)]) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": &*stored.namespace,
            "labels": template["metadata"]["labels"],
            "annotations": template["metadata"]["annotations"],
            "ownerReferences": [owner(stored)],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending"},
    });
    let metadata = object_at(&mut pod, &["metadata"]);
    if metadata.get("annotations").is_some_and(Value::is_null) {
        metadata.remove("annotations");
    }
    if let Some(finalizers) = template["metadata"]["finalizers"].as_array() {
        metadata.insert("finalizers".into(), json!(finalizers));
    }
    let all = object_at(&mut pod, &["metadata", "labels"]);
    for (key, value) in labels {
        all.insert((*key).into(), json!(value));
    }
    pod
}

impl Cluster {
    /// A name that the controller has not used yet: prefix, dash, five drawn characters.
    pub(super) fn fresh_name(&self, owner: &Key, uid: &str) -> String {
        let prefix = owner.1.get(..owner.1.len().min(57)).unwrap_or(&owner.1);
        let mut attempt: u64 = 0;
        loop {
            let stream = format!("{}/{uid}/{}/{attempt}", text(owner), self.api.version());
            let name = format!(
                "{prefix}-{}",
                random::suffix(self.config.seed, "pod-name", &stream)
            );
            if self.api.get("pods", &owner.0, &name).is_none() || attempt > 1000 {
                return name;
            }
            attempt += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_templates_have_equal_hashes() {
        let a = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"containers": []}});
        assert_eq!(hash(&a), hash(&a.clone()));
        assert_eq!(hash(&a).len(), 10);
        assert_ne!(hash(&a), hash(&json!({"spec": {}})));
    }
}
