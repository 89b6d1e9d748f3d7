//! A kind as it is served and as it is kept: the same for all but the second form of events.

use std::sync::Arc;

use serde_json::{Value, json};

use super::accept::Form;
use super::kinds::{Kind, Kinds};
use super::object::{Stored, meta_str};
use super::{events, glue};
use bytes::Bytes;
use jiff::Timestamp;

#[derive(Clone, Debug)]
pub struct Resource {
    pub shown: Arc<Kind>,
    pub kept: Arc<Kind>,
}

impl Resource {
    pub fn find(kinds: &Kinds, group: &str, version: &str, plural: &str) -> Option<Self> {
        let shown = kinds.find(group, version, plural)?.clone();
        let kept = if shown.key == "events.events.k8s.io" {
            kinds.get("events")?.clone()
        } else {
            shown.clone()
        };
        Some(Self { shown, kept })
    }

    fn converts(&self) -> bool {
        !Arc::ptr_eq(&self.shown, &self.kept)
    }

    /// From the kept form to the served one.
    pub fn show(&self, object: &mut Value) {
        if self.converts() {
            events::to_new(object);
        }
    }

    /// From the served form to the kept one.
    pub fn keep(&self, object: &mut Value) {
        if self.converts() {
            events::to_core(object);
        }
    }

    /// The object in its served form.
    pub fn value(&self, object: &Stored) -> Value {
        let mut value = object.value();
        self.show(&mut value);
        value
    }

    /// The object's JSON in its served form; no copy when nothing has to change.
    pub fn bytes(&self, object: &Stored) -> Bytes {
        if self.converts() {
            serde_json::to_vec(&self.value(object)).unwrap_or_default().into()
        } else {
            object.bytes.clone()
        }
    }

    /// One object in the form that was asked for.
    pub fn one(&self, object: &Stored, form: Form, now: Timestamp, columns: bool) -> Bytes {
        let value = match form {
            Form::Json => return self.bytes(object),
            Form::Meta => partial(object.value()),
            Form::Table(include) => {
                let value = self.value(object);
                let version = meta_str(&value, "resourceVersion").to_owned();
                let mut table = glue::table(&self.shown, &[value], include, now, columns);
                table["metadata"] = json!({"resourceVersion": version});
                table
            }
        };
        serde_json::to_vec(&value).unwrap_or_default().into()
    }
}

/// The metadata alone, as an object of its own kind.
pub fn partial(mut object: Value) -> Value {
    let metadata = object.get_mut("metadata").map_or_else(|| json!({}), Value::take);
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}
