//! Why a pod cannot go somewhere: the first failing check with wanted and found values (`scheduling §27.1`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use crate::model::requirements::Incompatible;
use crate::model::{Name, Requirement, Resources, Taint};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    UntoleratedTaints {
        taints: Vec<Taint>,
    },
    Requirement {
        mismatch: Incompatible,
    },
    UnknownLabel {
        key: Name,
        wanted: Requirement,
        hint: Option<Name>,
    },
    VolumeRequirement {
        mismatch: Incompatible,
    },
    /// Spread, affinity or anti-affinity leaves no domain.
    Topology {
        rule: Name,
        key: Name,
        counts: BTreeMap<Name, u32>,
    },
    /// No instance type passes; the funnel says at which check they fell, the cause which of them matters.
    InstanceTypes {
        funnel: Funnel,
        requests: Resources,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
    },
    MinValues {
        keys: BTreeMap<Name, (u32, u32)>,
    },
    /// Every remaining type would exceed the pool's limit.
    PoolLimit {
        resource: Name,
        limit: i64,
        used: i64,
    },
    NodeLimit {
        limit: i64,
        used: i64,
    },
    Reserved,
    HostPort {
        wanted: Name,
        taken: Name,
    },
    Resources {
        resource: Name,
        wanted: i64,
        free: i64,
    },
    VolumeLimit {
        driver: Name,
        wanted: u32,
        limit: u32,
    },
    ResourceClaims,
    /// The pod is never considered (`scheduling §4.1`).
    Ignored {
        cause: Name,
        message: String,
    },
    PoolNotReady {
        reason: Name,
        message: String,
    },
    NoInstanceTypes,
    NoPools,
    /// The decision's fuel ran out before this pod's turn.
    OutOfFuel,
}

impl Refusal {
    /// The stable code of JSON outputs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UntoleratedTaints { .. } => "untolerated_taints",
            Self::Requirement { .. } => "requirement",
            Self::UnknownLabel { .. } => "unknown_label",
            Self::VolumeRequirement { .. } => "volume_requirement",
            Self::Topology { .. } => "topology",
            Self::InstanceTypes { .. } => "instance_types",
            Self::MinValues { .. } => "min_values",
            Self::PoolLimit { .. } => "pool_limit",
            Self::NodeLimit { .. } => "node_limit",
            Self::Reserved => "reserved",
            Self::HostPort { .. } => "host_port",
            Self::Resources { .. } => "resources",
            Self::VolumeLimit { .. } => "volume_limit",
            Self::ResourceClaims => "resource_claims",
            Self::Ignored { .. } => "ignored",
            Self::PoolNotReady { .. } => "pool_not_ready",
            Self::NoInstanceTypes => "no_instance_types",
            Self::NoPools => "no_pools",
            Self::OutOfFuel => "out_of_fuel",
        }
    }
}

impl Refusal {
    /// What emptied the funnel, where that is the reason.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::InstanceTypes { cause, .. } => cause.as_ref(),
            _ => None,
        }
    }
}

/// How many instance types each filter took away, in the order they were asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Funnel {
    pub considered: u32,
    pub steps: Vec<FunnelStep>,
}

impl Funnel {
    pub fn left(&self) -> u32 {
        self.considered
            .saturating_sub(self.steps.iter().map(|s| s.removed).sum())
    }
}

/// A type is counted at its first failing check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelStep {
    pub check: Check,
    pub removed: u32,
    /// A few of the removed, cheapest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "camelCase")]
pub enum Check {
    Requirement {
        requirement: Requirement,
    },
    Resource {
        resource: Name,
        wanted: i64,
    },
    /// No offering of the wanted zone and capacity type exists.
    NoOffering,
    /// It exists and has no capacity now.
    OutOfStock,
    Limit {
        resource: Name,
        remaining: i64,
    },
    /// Past the cut to 600 (or 60 at launch).
    Truncated,
}
