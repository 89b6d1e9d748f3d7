//! An old object whose fields are taken out one by one.

use serde_json::{Map, Value, json};

use super::{Conversion, Fate, Note};

/// What is left of an object, or of a part of it.
pub(super) struct Fields {
    /// `Provisioner/web spec`.
    path: String,
    left: Map<String, Value>,
}

impl Fields {
    /// The object's `spec`; its metadata is taken over by [`metadata`]. Anything else at the top but a status is
    /// left over.
    pub(super) fn spec(object: &Value, notes: &mut Vec<Note>) -> Self {
        let path = path_of(object);
        let known = ["apiVersion", "kind", "metadata", "spec", "status"];
        for name in object.as_object().into_iter().flat_map(Map::keys) {
            if !known.contains(&name.as_str()) {
                notes.push(Note {
                    path: format!("{path} {name}"),
                    fate: Fate::Impossible,
                    text: "is not a field of the old version".into(),
                });
            }
        }
        if object.get("status").is_some() {
            notes.push(Note {
                path: format!("{path} status"),
                fate: Fate::Dropped,
                text: "the autoscaler writes it anew".into(),
            });
        }
        Self::part(object.get("spec"), format!("{path} spec"))
    }

    fn part(value: Option<&Value>, path: String) -> Self {
        Self {
            path,
            left: value.and_then(Value::as_object).cloned().unwrap_or_default(),
        }
    }

    /// Takes an object out, to be taken apart itself.
    pub(super) fn inner(&mut self, name: &str) -> Self {
        let value = self.left.remove(name);
        Self::part(value.as_ref(), format!("{}.{name}", self.path))
    }

    /// `null` counts as absent, as it does for the API server.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|v| !v.is_null())
    }

    /// Takes fields that are the same in v1.
    pub(super) fn keep(&mut self, names: &[&str], into: &mut Value) {
        for name in names {
            if let Some(value) = self.take(name) {
                into[*name] = value;
            }
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|v| !v.is_null())
    }

    pub(super) fn note(&self, field: &str, fate: Fate, text: impl Into<String>) -> Note {
        Note {
            path: format!("{}.{field}", self.path),
            fate,
            text: text.into(),
        }
    }

    /// Names what nobody took.
    pub(super) fn close(self, notes: &mut Vec<Note>) {
        for (name, value) in &self.left {
            if !value.is_null() {
                notes.push(self.note(name, Fate::Impossible, "v1 has no such field: it is left out"));
            }
        }
    }
}

/// `Provisioner/web`.
pub(super) fn path_of(object: &Value) -> String {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    format!("{}/{}", super::text(object, "kind"), name.unwrap_or("unnamed"))
}

/// A new object with the old one's name, labels and annotations; what the API server keeps in metadata stays behind.
pub(super) fn object(old: &Value, api_version: &str, kind: &str, out: &mut Conversion) -> Value {
    const BOOKKEEPING: [&str; 4] = [
        "kubectl.kubernetes.io/last-applied-configuration",
        "karpenter.sh/provisioner-hash",
        "karpenter.sh/nodepool-hash",
        "karpenter.sh/nodepool-hash-version",
    ];
    let mut metadata = Map::new();
    for field in ["name", "generateName", "labels", "annotations"] {
        let Some(mut value) = old.pointer(&format!("/metadata/{field}")).cloned() else {
            continue;
        };
        if let (Value::Object(map), "annotations") = (&mut value, field) {
            map.retain(|key, _| {
                !BOOKKEEPING.contains(&key.as_str())
                    && !key.starts_with("karpenter.k8s.aws/ec2nodeclass-hash")
            });
            if map.is_empty() {
                continue;
            }
        }
        metadata.insert(field.to_owned(), value);
    }
    let mut metadata = Value::Object(metadata);
    super::renames::everywhere(
        &mut metadata,
        &format!("{} metadata", path_of(old)),
        &mut out.notes,
    );
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {}})
}
