//! Effects: everything that `act` can do to a cluster or a cloud.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::nodepool::ClassRef;
use crate::model::{CapacityType, Condition, Labels, Name, Requirements, Resources, Taint, UsdPerHour};

/// What a pause stops (decisions §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteClass {
    /// New capacity: claims and launches.
    Provision,
    /// Starting to take a node away.
    Disrupt,
    /// Steps of what was begun: registration, drain, terminate, roll-back, garbage.
    Complete,
    /// Status, conditions, hashes, events, tags.
    Mirror,
    /// Lease, pause, rulings.
    Supervise,
}

/// A NodeClaim to be created (`scheduling §21`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimDraft {
    /// Final name, derived from the decision's content so that creating it twice is one creation.
    pub name: Name,
    pub pool: Name,
    pub pool_uid: Name,
    pub labels: Labels,
    pub annotations: Labels,
    pub class: ClassRef,
    pub requirements: Requirements,
    /// Cheapest first, at most 600; the `node.kubernetes.io/instance-type` requirement of the claim.
    pub instance_types: Vec<Name>,
    /// Pods plus the least daemon overhead.
    pub requests: Resources,
    pub taints: Vec<Taint>,
    pub startup_taints: Vec<Taint>,
    pub expire_after: Option<Duration>,
    pub termination_grace: Option<Duration>,
    /// Pods (`namespace/name`) it was planned for; not written to the object.
    pub pods: Vec<Name>,
    /// The cheapest compatible available offering when it was planned.
    pub expected: Option<ExpectedLaunch>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedLaunch {
    pub instance_type: Name,
    pub zone: Name,
    pub capacity_type: CapacityType,
    pub price_per_hour: UsdPerHour,
    /// The reservation, for reserved capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<Name>,
}

/// One write to the outside. Every effect is idempotent: doing it twice is doing it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
pub enum Effect {
    CreateClaim(Box<ClaimDraft>),
    /// Cloud launch for an existing claim, then its labels, status and `Launched` condition (`lifecycle §3.1`).
    Launch {
        claim: Name,
        uid: Name,
    },
    DeleteClaim {
        claim: Name,
        uid: Name,
        reason: Name,
    },
    DeleteNode {
        node: Name,
        uid: Name,
    },
    /// Through the Eviction API (`lifecycle §5.2`).
    Evict {
        namespace: Name,
        pod: Name,
        uid: Name,
        node: Name,
        reason: Name,
    },
    /// Past the grace deadline: a plain delete with at least 1 s of grace.
    DeletePod {
        namespace: Name,
        pod: Name,
        uid: Name,
        grace_seconds: i64,
    },
    TerminateInstance {
        provider_id: Name,
    },
    TagInstance {
        provider_id: Name,
        tags: BTreeMap<Name, Name>,
    },
    Patch(Box<ObjectPatch>),
    /// A Kubernetes Event about an object.
    Event {
        kind: ObjectKind,
        namespace: Name,
        name: Name,
        uid: Name,
        warning: bool,
        reason: Name,
        message: String,
    },
}

impl Effect {
    /// The class when nothing else says so; the steps of a decision that was begun run as `Complete`.
    pub fn class(&self) -> WriteClass {
        match self {
            Self::CreateClaim(_) | Self::Launch { .. } => WriteClass::Provision,
            Self::DeleteClaim { .. } => WriteClass::Disrupt,
            Self::DeleteNode { .. }
            | Self::Evict { .. }
            | Self::DeletePod { .. }
            | Self::TerminateInstance { .. } => WriteClass::Complete,
            Self::TagInstance { .. } | Self::Event { .. } => WriteClass::Mirror,
            Self::Patch(patch) => patch.class,
        }
    }

    /// Two effects with one key are the same work: the engine never has both under way.
    pub fn key(&self) -> String {
        match self {
            Self::CreateClaim(d) => format!("create/{}", d.name),
            Self::Launch { claim, .. } => format!("launch/{claim}"),
            Self::DeleteClaim { claim, .. } => format!("delete-claim/{claim}"),
            Self::DeleteNode { node, .. } => format!("delete-node/{node}"),
            Self::Evict {
                namespace, pod, uid, ..
            } => format!("evict/{namespace}/{pod}/{uid}"),
            Self::DeletePod {
                namespace, pod, uid, ..
            } => format!("delete-pod/{namespace}/{pod}/{uid}"),
            Self::TerminateInstance { provider_id } => format!("terminate/{provider_id}"),
            Self::TagInstance { provider_id, .. } => format!("tag/{provider_id}"),
            Self::Patch(p) if p.namespace.is_empty() => format!("patch/{}/{}", p.kind.as_str(), p.name),
            Self::Patch(p) => format!("patch/{}/{}/{}", p.kind.as_str(), p.namespace, p.name),
            Self::Event {
                kind,
                namespace,
                name,
                reason,
                message,
                ..
            } => {
                format!("event/{}/{namespace}/{name}/{reason}/{message}", kind.as_str())
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ObjectKind {
    NodeClaim,
    Node,
    NodePool,
    #[serde(rename = "EC2NodeClass")]
    NodeClass,
    NodeOverlay,
    CapacityBuffer,
    Pod,
}

impl ObjectKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NodeClaim => "NodeClaim",
            Self::Node => "Node",
            Self::NodePool => "NodePool",
            Self::NodeClass => "EC2NodeClass",
            Self::NodeOverlay => "NodeOverlay",
            Self::CapacityBuffer => "CapacityBuffer",
            Self::Pod => "Pod",
        }
    }
}

/// A desired change of one object. `act` reads the object, applies this and writes with its resourceVersion; what
/// is already so is not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectPatch {
    pub kind: ObjectKind,
    /// Empty for kinds of the cluster.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub namespace: Name,
    pub name: Name,
    pub uid: Name,
    pub class: WriteClass,
    /// `None` removes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<Name, Option<Name>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<Name, Option<Name>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_finalizers: Vec<Name>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_finalizers: Vec<Name>,
    /// Node taints to add (one of the same key is replaced).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_taints: Vec<Taint>,
    /// Node taints to remove, by key and effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_taints: Vec<Taint>,
    /// Whether a Node takes new pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unschedulable: Option<bool>,
    /// NodeClaim (name, uid) to become the owner of a Node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_claim: Option<(Name, Name)>,
    /// Conditions to set; transition times are kept where the status does not change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<Name, Condition>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_conditions: Vec<Name>,
    /// Further top-level fields of `status`, as JSON.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub status: BTreeMap<Name, serde_json::Value>,
}

impl ObjectPatch {
    pub fn new(kind: ObjectKind, name: &Name, uid: &Name, class: WriteClass) -> Self {
        Self {
            kind,
            namespace: Name::default(),
            name: name.clone(),
            uid: uid.clone(),
            class,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            add_finalizers: Vec::new(),
            remove_finalizers: Vec::new(),
            add_taints: Vec::new(),
            remove_taints: Vec::new(),
            unschedulable: None,
            owner_claim: None,
            conditions: BTreeMap::new(),
            remove_conditions: Vec::new(),
            status: BTreeMap::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        let mut empty = Self::new(self.kind, &self.name, &self.uid, self.class);
        empty.namespace.clone_from(&self.namespace);
        *self == empty
    }
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "camelCase")]
pub enum Result {
    Done,
    /// It was so already.
    Unchanged,
    Launched(Box<Launched>),
    /// No offering could serve the claim; it was deleted and its pods are planned again (`aws §11`).
    InsufficientCapacity {
        message: String,
    },
    /// A precondition failed: gone, replaced, or changed by somebody else. The warrant was not used.
    Stale {
        message: String,
    },
    /// Refused for now: a PDB, a rate limit, a conflict. Tried again at or after `retry_at`.
    Retry {
        message: String,
        reason: Name,
        retry_at: Timestamp,
    },
    Failed {
        message: String,
        reason: Name,
    },
}

/// What the cloud gave for a claim (`aws §9.6`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Launched {
    pub claim: Name,
    pub provider_id: Name,
    pub instance_type: Name,
    pub zone: Name,
    pub capacity_type: CapacityType,
    pub price_per_hour: UsdPerHour,
    pub image_id: Name,
    /// Place of the type by price among those sent, from 1.
    pub rank: u32,
    pub types_sent: u32,
    /// `type/zone/capacity type: code` of each pool that failed in the same call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}
