//! Pods as decisions see them: an identity plus a shared [`PodSpec`].

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::selector::LabelSelector;
use super::{Labels, Name, Requirement, Resources, Toleration};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    #[default]
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

/// An owner reference, reduced to what rules look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    pub kind: Name,
    pub name: Name,
    pub uid: Name,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub controller: bool,
}

/// What makes equal pods equal for a scheduler. Shared: a Deployment's pods all point to one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct PodSpec {
    /// `scheduling §8.1`, with `pods: 1` included.
    pub requests: Resources,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: Labels,
    /// Required node-affinity terms, ORed; each the `matchExpressions` of one term.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_terms: Vec<Vec<Requirement>>,
    /// A required term used `matchFields`, which makes the pod ignored (`scheduling §4.1`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_match_fields: bool,
    /// What is wrong with its selectors beyond what a [`Requirement`] can say: operators with too few or too many values
    /// (`scheduling §6.4`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<Name>,
    /// Preferred node-affinity terms with weight, in spec order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferred_terms: Vec<(i32, Vec<Requirement>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affinity: Vec<AffinityTerm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anti_affinity: Vec<AffinityTerm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<SpreadConstraint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_ports: Vec<HostPort>,
    /// Names of the claims it mounts: `persistentVolumeClaim` and `ephemeral` ones (`scheduling §11.1`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volume_claims: Vec<Name>,
    /// References resource claims (DRA), `scheduling §26`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uses_resource_claims: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i32,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub priority_class: Name,
    pub grace_seconds: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(n: &i32) -> bool {
    *n == 0
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AffinityTerm {
    pub topology_key: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// `None` = required; otherwise the preference's weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SpreadConstraint {
    pub topology_key: Name,
    pub max_skew: i32,
    /// `ScheduleAnyway` when false.
    pub hard: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_domains: Option<i32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_label_keys: Vec<Name>,
    /// nodeAffinityPolicy, default Honor.
    pub honor_affinity: bool,
    /// nodeTaintsPolicy, default Ignore.
    pub honor_taints: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostPort {
    /// `0.0.0.0` when unset.
    pub ip: Name,
    pub port: u16,
    pub protocol: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    pub namespace: Name,
    pub name: Name,
    pub uid: Name,
    pub spec: Arc<PodSpec>,
    pub labels: Arc<Labels>,
    pub created: Timestamp,
    #[serde(default)]
    pub phase: Phase,
    /// `spec.nodeName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    /// `status.nominatedNodeName`: it is preempting there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominated: Option<Name>,
    /// PodScheduled has reason Unschedulable.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unschedulable: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ready: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// `deletionTimestamp`: when its grace ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Owner>,
    /// Raw annotation `karpenter.sh/do-not-disrupt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub do_not_disrupt: Option<Name>,
    /// Annotation `controller.kubernetes.io/pod-deletion-cost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_cost: Option<i32>,
}

impl Pod {
    /// `namespace/name`, the key of [`crate::model::Snapshot::pods`].
    pub fn key(&self) -> Name {
        pod_key(&self.namespace, &self.name)
    }

    pub fn is_terminal(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Neither terminal nor terminating (`scheduling §2.2`).
    pub fn is_active(&self) -> bool {
        !self.is_terminal() && self.deleting.is_none()
    }

    pub fn owned_by(&self, kind: &str) -> bool {
        self.owners.iter().any(|o| &*o.kind == kind)
    }

    /// `scheduling §2.1`.
    pub fn is_provisionable(&self) -> bool {
        self.unschedulable
            && self.node.is_none()
            && self.nominated.is_none()
            && !self.owned_by("DaemonSet")
            && !self.owned_by("Node")
    }

    /// `scheduling §2.2`: must find a new home when its node goes.
    pub fn is_reschedulable(&self) -> bool {
        (self.is_active() || (self.owned_by("StatefulSet") && self.deleting.is_some()))
            && !self.owned_by("DaemonSet")
            && !self.owned_by("Node")
    }
}

pub fn pod_key(namespace: &str, name: &str) -> Name {
    format!("{namespace}/{name}").into()
}
