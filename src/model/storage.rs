//! Claims, volumes, classes and attach limits, for volume topology (`scheduling §11`); and PodDisruptionBudgets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LabelSelector, Labels, Name, Requirement};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeClaim {
    pub namespace: Name,
    pub name: Name,
    /// `spec.volumeName`, empty while unbound.
    pub volume: Name,
    pub storage_class: Option<Name>,
    /// `Pending`, `Bound`, `Lost`.
    pub phase: Name,
    pub deleting: bool,
    /// Annotation `pv.kubernetes.io/bind-completed` present.
    pub bind_completed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    pub name: Name,
    /// Required node-affinity terms, ORed.
    pub terms: Vec<Vec<Requirement>>,
    /// `hostPath` or `local`: hostname expressions do not count.
    pub local: bool,
    /// CSI driver, also for in-tree EBS.
    pub driver: Option<Name>,
    pub deleting: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageClass {
    pub name: Name,
    pub provisioner: Name,
    /// WaitForFirstConsumer when true, Immediate otherwise.
    pub waits: bool,
    /// `allowedTopologies`, one alternative each.
    pub topologies: Vec<Vec<Requirement>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsiNode {
    pub name: Name,
    /// Driver → attach limit.
    pub limits: BTreeMap<Name, i64>,
}

/// A VolumeAttachment: which volume hangs on which node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: Name,
    pub node: Name,
    pub volume: Option<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub name: Name,
    pub labels: Labels,
}

/// A PodDisruptionBudget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pdb {
    pub namespace: Name,
    pub name: Name,
    /// `None` selects nothing.
    pub selector: Option<LabelSelector>,
    /// As written: a count or a percentage.
    pub min_available: Option<Name>,
    pub max_unavailable: Option<Name>,
    /// `unhealthyPodEvictionPolicy: AlwaysAllow`.
    pub always_allow_unhealthy: bool,
    /// `status.disruptionsAllowed`; `None` when no status was ever written.
    pub disruptions_allowed: Option<i64>,
}
