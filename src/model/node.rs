//! A Kubernetes node as decisions see it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Labels, Name, Resources, Status, Taint};
use crate::api::names;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: Name,
    pub uid: Name,
    /// Empty until the cloud controller or kubelet sets it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub provider_id: Name,
    pub labels: Labels,
    /// Only the annotations that rules read.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    pub capacity: Resources,
    pub allocatable: Resources,
    pub ready: bool,
    /// When `ready` last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_since: Option<Timestamp>,
    /// Conditions that repair policies know and that are not True (`lifecycle §9`), in the node's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ailments: Vec<Ailment>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unschedulable: bool,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<Name>,
}

/// One condition of a node that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ailment {
    /// `Ready`, `StorageReady`, …
    pub condition: Name,
    /// False or Unknown.
    pub status: Status,
    pub since: Timestamp,
}

impl Node {
    pub fn label(&self, key: &str) -> Option<&Name> {
        self.labels.get(key)
    }

    /// Its NodePool, empty for nodes that belong to none.
    pub fn pool(&self) -> &str {
        self.text(names::NODEPOOL)
    }

    /// Empty when the label is missing, as for the two below.
    pub fn instance_type(&self) -> &str {
        self.text(names::INSTANCE_TYPE)
    }

    pub fn zone(&self) -> &str {
        self.text(names::ZONE)
    }

    pub fn capacity_type(&self) -> &str {
        self.text(names::CAPACITY_TYPE)
    }

    fn text(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", |v| v)
    }
}
