//! A node as the scheduler and the controllers see it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::doc::effect;
use super::spec::amounts;
use crate::model::{Labels, Name, Resources, Taint};

/// Status of the Ready condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeReady {
    True,
    False,
    Unknown,
    /// No kubelet has reported yet.
    #[default]
    Absent,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    pub name: Name,
    pub uid: Name,
    pub labels: Labels,
    pub taints: Vec<Taint>,
    pub unschedulable: bool,
    pub ready: NodeReady,
    pub allocatable: Resources,
    pub internal_ip: Name,
    pub deleting: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeDoc {
    metadata: MetaDoc,
    spec: SpecDoc,
    status: StatusDoc,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MetaDoc {
    labels: Option<Labels>,
    deletion_timestamp: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SpecDoc {
    taints: Option<Vec<TaintDoc>>,
    unschedulable: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TaintDoc {
    key: Name,
    value: Option<Name>,
    effect: Name,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusDoc {
    allocatable: Option<BTreeMap<String, Value>>,
    capacity: Option<BTreeMap<String, Value>>,
    conditions: Option<Vec<Value>>,
    addresses: Option<Vec<Value>>,
}

impl NodeRow {
    pub fn decode(name: Name, uid: Name, bytes: &[u8]) -> Option<Self> {
        let doc: NodeDoc = match serde_json::from_slice(bytes) {
            Ok(doc) => doc,
            Err(error) => {
                tracing::warn!(node = &*name, %error, "node cannot be read");
                return None;
            }
        };
        let ready = doc
            .status
            .conditions
            .iter()
            .flatten()
            .find(|c| c["type"] == "Ready")
            .map_or(NodeReady::Absent, |c| match c["status"].as_str() {
                Some("True") => NodeReady::True,
                Some("False") => NodeReady::False,
                _ => NodeReady::Unknown,
            });
        Some(Self {
            labels: doc.metadata.labels.unwrap_or_default(),
            taints: doc
                .spec
                .taints
                .iter()
                .flatten()
                .filter_map(|t| {
                    Some(Taint {
                        key: t.key.clone(),
                        value: t.value.clone().unwrap_or_else(|| "".into()),
                        effect: effect(&t.effect)?,
                    })
                })
                .collect(),
            unschedulable: doc.spec.unschedulable == Some(true),
            ready,
            allocatable: amounts(doc.status.allocatable.as_ref().or(doc.status.capacity.as_ref())),
            internal_ip: doc
                .status
                .addresses
                .iter()
                .flatten()
                .find(|a| a["type"] == "InternalIP")
                .and_then(|a| a["address"].as_str())
                .unwrap_or("")
                .into(),
            deleting: doc.metadata.deletion_timestamp.is_some(),
            name,
            uid,
        })
    }

    /// `topology.kubernetes.io/zone`, empty when the node has none.
    pub fn label(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", |v| v)
    }
}
