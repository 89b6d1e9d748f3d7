//! A NodePool as decisions see it (`api §3`).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::condition::Conditions;
use super::{Labels, Name, Requirements, Resources, Taint};

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClassRef {
    #[serde(default)]
    pub group: Name,
    #[serde(default)]
    pub kind: Name,
    #[serde(default)]
    pub name: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePool {
    pub name: Name,
    pub uid: Name,
    pub generation: i64,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// Absent = 0; heavier first.
    pub weight: i32,
    /// Static pools only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i64>,
    /// Limit by resource, in the units of [`Resources`]; `nodes` counts nodes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<Name, i64>,
    pub template: Template,
    pub disruption: Disruption,
    /// Static hash of the template (`api §12`).
    pub hash: Name,
    #[serde(default)]
    pub conditions: Conditions,
    /// What `status` says now: nodes and summed capacity.
    #[serde(default)]
    pub status_nodes: i64,
    #[serde(default)]
    pub status_resources: Resources,
    /// `status.nodeClassObservedGeneration`: what registration health was last worked out against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_generation: Option<i64>,
    /// Runtime validation failures (`lifecycle §10.1`); non-empty keeps the pool out of provisioning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<Name>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub labels: Labels,
    pub annotations: Labels,
    pub requirements: Requirements,
    pub taints: Vec<Taint>,
    pub startup_taints: Vec<Taint>,
    pub class: ClassRef,
    /// `None` = Never.
    pub expire_after: Option<Duration>,
    pub termination_grace: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsolidationPolicy {
    WhenEmpty,
    #[default]
    WhenEmptyOrUnderutilized,
    Balanced,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disruption {
    pub policy: ConsolidationPolicy,
    /// `None` = Never.
    pub consolidate_after: Option<Duration>,
    pub budgets: Vec<Budget>,
}

/// One `disruption.budgets` entry, as written; `decide::disruption` evaluates it (`disruption §5`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// `10%` or a count.
    pub nodes: Name,
    /// Absent = all of `Underutilized`, `Empty`, `Drifted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Duration>,
}
