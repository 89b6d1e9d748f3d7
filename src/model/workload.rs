//! Objects that say how many pods there shall be and which: read only for CapacityBuffers and for default spread
//! constraints (`scheduling §18.7`, `§24`).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::condition::Conditions;
use super::{LabelSelector, Labels, Name, PodSpec};

/// A Deployment, ReplicaSet, StatefulSet or ReplicationController.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    pub namespace: Name,
    pub name: Name,
    /// Absent = 1.
    pub replicas: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    #[serde(default)]
    pub template: PodTemplate,
}

/// What every pod of a workload looks like; also a `PodTemplate` object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodTemplate {
    #[serde(default)]
    pub namespace: Name,
    #[serde(default)]
    pub name: Name,
    #[serde(default)]
    pub generation: i64,
    #[serde(default)]
    pub labels: Arc<Labels>,
    #[serde(default)]
    pub spec: Arc<PodSpec>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub namespace: Name,
    pub name: Name,
    /// `None` selects nothing; an empty one selects everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Labels>,
}

/// Room that is kept free for pods to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    pub namespace: Name,
    pub name: Name,
    pub uid: Name,
    pub generation: i64,
    pub created: Timestamp,
    /// Empty = the default one.
    #[serde(default)]
    pub strategy: Name,
    /// Name of a `PodTemplate` of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scalable: Option<Scalable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<Name, i64>,
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
    /// `status.replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_replicas: Option<i64>,
}

/// A workload by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scalable {
    /// Empty = `apps`.
    #[serde(default)]
    pub group: Name,
    pub kind: Name,
    pub name: Name,
}
