//! An EC2NodeClass as decisions and the cloud port see it (`api §7`).

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::condition::Conditions;
use super::{Name, NodePool, Requirements};
use crate::api::ec2nodeclass::Ec2NodeClassSpec;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeClass {
    pub name: Name,
    pub uid: Name,
    pub generation: i64,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<Name>,
    pub spec: Arc<Ec2NodeClassSpec>,
    /// Static hash (`api §12`).
    pub hash: Name,
    #[serde(default)]
    pub conditions: Conditions,
    /// What the cloud port resolved for it; `None` until it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Arc<ResolvedClass>>,
}

impl NodeClass {
    pub fn is_used_by(&self, pool: &NodePool) -> bool {
        pool.template.class.name == self.name
    }
}

/// What the selectors of a node class mean in the account now (`aws §2`, `§3`, `§12`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedClass {
    pub subnets: Vec<ResolvedSubnet>,
    pub security_groups: Vec<(Name, Name)>,
    pub images: Vec<ResolvedImage>,
    pub instance_profile: Name,
    /// By id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<ResolvedReservation>,
    /// Condition type → why it is not ready, in words for its message; empty = all ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<(Name, Name, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedSubnet {
    pub id: Name,
    pub zone: Name,
    pub zone_id: Name,
    /// Free addresses as last described; recorded, never compared.
    pub free: i64,
}

/// A capacity reservation that the class selects (`aws §13`). How many instances it has left is said by the offerings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedReservation {
    pub id: Name,
    pub instance_type: Name,
    pub zone: Name,
    pub owner: Name,
    /// `open` or `targeted`.
    pub criteria: Name,
    /// `default` or `capacity-block`.
    pub kind: Name,
    pub interruptible: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Its end is near: nothing is launched into it, and what runs in it goes.
    pub expiring: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedImage {
    pub id: Name,
    pub name: Name,
    /// `kubernetes.io/arch` it boots on.
    pub arch: Name,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// What a type must meet to boot it, the architecture included (`aws §3.1`).
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requirements: Requirements,
}
