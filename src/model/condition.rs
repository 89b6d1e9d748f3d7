//! Status conditions of NodePools, NodeClaims and NodeClasses (`lifecycle §2`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Name;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    True,
    False,
    Unknown,
}

impl Status {
    pub fn parse(text: &str) -> Option<Self> {
        [Self::True, Self::False, Self::Unknown]
            .into_iter()
            .find(|s| s.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub status: Status,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub reason: Name,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub message: Name,
    /// When `status` last changed.
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Conditions by type.
pub type Conditions = BTreeMap<Name, Condition>;

/// Whether `kind` is there and True.
pub fn is_true(conditions: &Conditions, kind: &str) -> bool {
    conditions.get(kind).is_some_and(|c| c.status == Status::True)
}
