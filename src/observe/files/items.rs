//! Documents into named objects, each given once.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::FileError;
use super::read::Document;
use crate::api::names;
use crate::api::schema::{Checker, suggestion};

/// An object with its place, for messages.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub document: Document,
    pub kind: String,
    /// `NodePool/web`, `Pod/shop/web-0`.
    pub label: String,
}

impl Item {
    pub fn error(&self, path: &str, message: impl Into<String>) -> FileError {
        let path = if path.is_empty() {
            self.label.clone()
        } else {
            format!("{} {path}", self.label)
        };
        FileError {
            file: self.document.file.clone(),
            document: self.document.number,
            path,
            message: message.into(),
        }
    }

    pub fn read<T: DeserializeOwned>(&self, errors: &mut Vec<FileError>) -> Option<T> {
        match serde_json::from_value(self.document.value.clone()) {
            Ok(object) => Some(object),
            Err(error) => {
                errors.push(self.error("", format!("does not read as a {}: {error}", self.kind)));
                None
            }
        }
    }
}

const NAMESPACED: &[&str] = &[
    "Pod",
    "DaemonSet",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "Job",
    "PodDisruptionBudget",
    "PersistentVolumeClaim",
    "CapacityBuffer",
    "PodTemplate",
    "Service",
    "ReplicationController",
];
/// Unpacks lists, names objects, sorts by kind and name, and refuses doubles.
pub(super) fn items(documents: Vec<Document>, checker: &Checker, errors: &mut Vec<FileError>) -> Vec<Item> {
    let mut flat = Vec::new();
    for document in documents {
        unpack(document, &mut flat, errors);
    }
    let mut out: BTreeMap<(String, String), Item> = BTreeMap::new();
    let mut generated: BTreeMap<String, usize> = BTreeMap::new();
    for mut document in flat {
        let Some(kind) = document.value["kind"].as_str().map(str::to_owned) else {
            errors.push(FileError {
                file: document.file,
                document: document.number,
                path: "kind".into(),
                message: "is missing: every object needs apiVersion and kind".into(),
            });
            continue;
        };
        let name = name(&mut document.value, &mut generated);
        let namespace = document.value["metadata"]["namespace"]
            .as_str()
            .unwrap_or("default");
        let label = match &name {
            Some(name) if NAMESPACED.contains(&kind.as_str()) => format!("{kind}/{namespace}/{name}"),
            Some(name) => format!("{kind}/{name}"),
            None => kind.clone(),
        };
        let item = Item {
            document,
            kind,
            label,
        };
        if let Some(wrong) = wrong_version(&item, checker) {
            errors.push(wrong);
            continue;
        }
        if name.is_none() {
            errors.push(item.error("metadata.name", "is required"));
            continue;
        }
        let version = item.document.value["apiVersion"].as_str().unwrap_or_default();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let key = (group.to_owned(), item.label.clone());
        if let Some(first) = out.get(&key) {
            let place = (&first.document.file, first.document.number);
            errors.push(item.error(
                "",
                format!(
                    "is given twice, first in {}, document {}: remove one",
                    place.0, place.1
                ),
            ));
            continue;
        }
        out.insert(key, item);
    }
    out.into_values().collect()
}

fn unpack(document: Document, out: &mut Vec<Document>, errors: &mut Vec<FileError>) {
    let kind = document.value["kind"].as_str().unwrap_or_default().to_owned();
    let list = kind
        .strip_suffix("List")
        .filter(|_| document.value["items"].is_array());
    if let Some(single) = list {
        let version = document.value["apiVersion"].clone();
        for item in document.value["items"].as_array().into_iter().flatten() {
            let mut value = item.clone();
            if let (Some(fields), false) = (value.as_object_mut(), single.is_empty()) {
                // Items of a typed list need not say what they are.
                fields.entry("kind").or_insert_with(|| single.into());
                fields.entry("apiVersion").or_insert_with(|| version.clone());
            }
            let inner = Document {
                value,
                ..document.clone_place()
            };
            unpack(inner, out, errors);
        }
    } else if document.value.is_object() {
        out.push(document);
    } else if let Value::Array(items) = &document.value {
        for value in items {
            let inner = Document {
                value: value.clone(),
                ..document.clone_place()
            };
            unpack(inner, out, errors);
        }
    } else {
        errors.push(FileError {
            file: document.file,
            document: document.number,
            path: String::new(),
            message: "is no Kubernetes object: it needs apiVersion, kind and metadata".into(),
        });
    }
}

impl Document {
    fn clone_place(&self) -> Self {
        Self {
            file: self.file.clone(),
            number: self.number,
            value: Value::Null,
        }
    }
}

/// `metadata.name`, made up from `generateName` and the content where needed: the same whatever the order.
fn name(object: &mut Value, generated: &mut BTreeMap<String, usize>) -> Option<String> {
    if let Some(name) = object["metadata"]["name"].as_str().filter(|n| !n.is_empty()) {
        return Some(name.to_owned());
    }
    let prefix = object["metadata"]["generateName"].as_str()?.to_owned();
    let digest = Sha256::digest(object.to_string().as_bytes());
    let hex = digest
        .iter()
        .take(3)
        .fold(0u32, |all, b| all << 8 | u32::from(*b));
    let name = format!("{prefix}{hex:06x}");
    let count = generated.entry(name.clone()).or_default();
    *count += 1;
    let name = if *count == 1 {
        name
    } else {
        format!("{name}-{count}")
    };
    object["metadata"]["name"] = name.as_str().into();
    Some(name)
}

/// Our groups in other versions, and kinds of our groups that do not exist.
fn wrong_version(item: &Item, checker: &Checker) -> Option<FileError> {
    let version = item.document.value["apiVersion"].as_str().unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    if let Some(known) = checker.api_version(&item.kind) {
        let ours = known.split_once('/').map_or("", |(group, _)| group);
        let old = matches!(item.kind.as_str(), "NodePool" | "NodeClaim" | "EC2NodeClass") && version != known;
        let message = if old && group == ours {
            format!("{version} is an old version: turn it into {known} with `kerf convert`")
        } else if old {
            format!("{version:?} has no {}: write {known}", item.kind)
        } else {
            return None;
        };
        return Some(item.error("apiVersion", message));
    }
    let ours = group == names::GROUP || group == names::AWS_GROUP;
    if ours && matches!(item.kind.as_str(), "Provisioner" | "AWSNodeTemplate" | "Machine") {
        let message = format!("{version} is an old version: turn it into v1 with `kerf convert`");
        return Some(item.error("apiVersion", message));
    }
    let hint = suggestion(&item.kind, checker.kinds());
    (ours && !hint.is_empty())
        .then(|| item.error("kind", format!("{group} has no kind {:?}{hint}", item.kind)))
}
