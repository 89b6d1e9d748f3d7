//! What the store keeps: JSON bytes and the few fields it looks at itself, never a tree (decisions §3).

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::kinds::Kind;
use crate::model::{Labels, Name};

/// One version of one object.
#[derive(Debug)]
pub struct Stored {
    pub kind: Arc<Kind>,
    /// Empty for cluster-scoped kinds.
    pub namespace: Name,
    pub name: Name,
    pub uid: Name,
    /// The store's counter at the write that made this version.
    pub version: u64,
    pub labels: Labels,
    /// Uids of the owners.
    pub owners: Vec<Name>,
    /// Has a deletion timestamp.
    pub deleting: bool,
    /// The whole object as JSON.
    pub bytes: Bytes,
}

impl Stored {
    /// The object as a tree.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// Stamps `version` into the object and keeps it as bytes.
    pub(super) fn seal(kind: &Arc<Kind>, mut object: Value, version: u64) -> Self {
        set_meta(&mut object, "resourceVersion", json!(version.to_string()));
        let bytes = Bytes::from(serde_json::to_vec(&object).unwrap_or_default());
        let owners = meta(&object, "ownerReferences")
            .and_then(Value::as_array)
            .map(|all| {
                all.iter()
                    .filter_map(|owner| owner.get("uid").and_then(Value::as_str))
                    .map(Name::from)
                    .collect()
            })
            .unwrap_or_default();
        Self {
            kind: kind.clone(),
            namespace: Name::from(meta_str(&object, "namespace")),
            name: Name::from(meta_str(&object, "name")),
            uid: Name::from(meta_str(&object, "uid")),
            version,
            labels: labels(&object),
            owners,
            deleting: meta(&object, "deletionTimestamp").is_some(),
            bytes,
        }
    }

    /// An object that was sealed earlier, from disk.
    pub(super) fn reopen(kind: &Arc<Kind>, bytes: Vec<u8>) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[derive(Default)]
        struct Meta {
            name: String,
            namespace: String,
            uid: String,
            resource_version: String,
            labels: Labels,
            owner_references: Vec<Owner>,
            deletion_timestamp: Option<String>,
        }
        #[derive(Deserialize)]
        struct Owner {
            uid: Name,
        }
        #[derive(Deserialize)]
        struct Object {
            metadata: Meta,
        }
        let Object { metadata } = serde_json::from_slice(&bytes).ok()?;
        Some(Self {
            kind: kind.clone(),
            namespace: metadata.namespace.into(),
            name: metadata.name.into(),
            uid: metadata.uid.into(),
            version: metadata.resource_version.parse().ok()?,
            labels: metadata.labels,
            owners: metadata
                .owner_references
                .into_iter()
                .map(|owner| owner.uid)
                .collect(),
            deleting: metadata.deletion_timestamp.is_some(),
            bytes: bytes.into(),
        })
    }
}

/// A field of `metadata`; `None` when it is absent or null.
pub fn meta<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get(key))
        .filter(|value| !value.is_null())
}

/// A text of `metadata`; empty when absent.
pub fn meta_str<'a>(object: &'a Value, key: &str) -> &'a str {
    meta(object, key).and_then(Value::as_str).unwrap_or_default()
}

/// Sets a field of `metadata`, making `metadata` when needed. Does nothing when the object is no map.
pub fn set_meta(object: &mut Value, key: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        let metadata = map.entry("metadata").or_insert_with(|| json!({}));
        if !metadata.is_object() {
            *metadata = json!({});
        }
        metadata[key] = value;
    }
}

/// Drops a field of `metadata`.
pub fn unset_meta(object: &mut Value, key: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove(key);
    }
}

/// Sets `metadata.KEY` of `object` to what `from` has there, or drops it.
pub fn copy_meta(object: &mut Value, from: &Value, key: &str) {
    match meta(from, key) {
        Some(value) => set_meta(object, key, value.clone()),
        None => unset_meta(object, key),
    }
}

/// Drops what is empty from the metadata, as upstream's types do: `annotations: {}` is no annotation.
pub fn tidy_meta(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|_, value| match value {
            Value::Null => false,
            Value::Object(map) => !map.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        });
    }
}

pub fn labels(object: &Value) -> Labels {
    meta(object, "labels")
        .and_then(Value::as_object)
        .map(|map| {
            map.iter()
                .filter_map(|(key, value)| Some((Name::from(key.as_str()), Name::from(value.as_str()?))))
                .collect()
        })
        .unwrap_or_default()
}

/// Finalizers that still hold the object; a namespace has one more list in its spec.
pub fn has_finalizers(kind: &Kind, object: &Value) -> bool {
    let full = |list: Option<&Value>| list.and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    full(meta(object, "finalizers")) || (kind.key == "namespaces" && full(object.pointer("/spec/finalizers")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::apiserver::kinds::Kinds;

    #[test]
    fn what_is_sealed_can_be_reopened() {
        let kinds = Kinds::builtin();
        let pods = kinds.get("pods").unwrap();
        let object = json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "n", "uid": "u",
            "labels": {"app": "web"}, "ownerReferences": [{"uid": "o"}], "deletionTimestamp": "x"}});
        let sealed = Stored::seal(pods, object, 7);
        let again = Stored::reopen(pods, sealed.bytes.to_vec()).unwrap();
        for one in [&sealed, &again] {
            assert_eq!(
                (&*one.namespace, &*one.name, &*one.uid, one.version),
                ("n", "a", "u", 7)
            );
            assert_eq!(one.labels.get("app").map(|v| &**v), Some("web"));
            assert_eq!(one.owners, ["o".into()]);
            assert!(one.deleting);
        }
        assert_eq!(sealed.value()["metadata"]["resourceVersion"], "7");
    }
}
