//! A NodeClaim as decisions see it (`api §4`).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::condition::{Conditions, is_true};
use super::nodepool::ClassRef;
use super::{Labels, Name, Requirements, Resources, Taint};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub name: Name,
    pub uid: Name,
    pub generation: i64,
    pub labels: Labels,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<Name>,
    pub class: ClassRef,
    pub requirements: Requirements,
    pub requests: Resources,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub startup_taints: Vec<Taint>,
    /// `None` = Never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_grace: Option<Duration>,
    /// `status.providerID`, empty until launched.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub provider_id: Name,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub node_name: Name,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub image_id: Name,
    #[serde(default, skip_serializing_if = "Resources::is_zero")]
    pub capacity: Resources,
    #[serde(default, skip_serializing_if = "Resources::is_zero")]
    pub allocatable: Resources,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_pod_event: Option<Timestamp>,
    #[serde(default)]
    pub conditions: Conditions,
}

/// The client token of a claim's launch (decisions §6): the same for the same attempt, whoever works it out.
pub fn launch_token(uid: &str, attempt: u32) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{uid}/{attempt}"));
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

impl Claim {
    /// The token of the launch that is or will be under way.
    pub fn launch_token(&self) -> String {
        let attempt = self.annotations.get(crate::api::names::KERF_ATTEMPT);
        launch_token(&self.uid, attempt.and_then(|n| n.parse().ok()).unwrap_or(1))
    }

    /// Owner pool by label; empty for a stand-alone claim.
    pub fn pool(&self) -> Option<&Name> {
        self.labels.get(crate::api::names::NODEPOOL)
    }

    pub fn is(&self, condition: &str) -> bool {
        is_true(&self.conditions, condition)
    }

    /// How far it has come, as one word.
    pub fn stage(&self) -> &'static str {
        use crate::api::names;
        if self.deleting.is_some() {
            return "Terminating";
        }
        [
            names::INITIALIZED_CONDITION,
            names::REGISTERED_CONDITION,
            names::LAUNCHED,
        ]
        .into_iter()
        .find(|c| self.is(c))
        .unwrap_or("Created")
    }

    fn text(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", |v| v)
    }

    /// Empty until launched, as the two below.
    pub fn instance_type(&self) -> &str {
        self.text(crate::api::names::INSTANCE_TYPE)
    }

    pub fn zone(&self) -> &str {
        self.text(crate::api::names::ZONE)
    }

    pub fn capacity_type(&self) -> &str {
        self.text(crate::api::names::CAPACITY_TYPE)
    }
}
