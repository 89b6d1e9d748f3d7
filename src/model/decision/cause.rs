//! Why no instance type is left for a pod: one fact, where the funnel has all the numbers (`scheduling §27.1`).

use serde::{Deserialize, Serialize};

use crate::model::{Name, Requirement};

/// What emptied the funnel. "Does not exist", "too small", "out of stock" and "over the limit" are different reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// No instance type has any of the wanted values; the values nearest to the first one.
    DoesNotExist {
        key: Name,
        values: Vec<Name>,
        hints: Vec<Name>,
    },
    /// Types with the values exist; together with the other requirements none is left.
    Excluded { requirement: Requirement },
    /// The largest type that meets the requirements has `most` of the resource for pods.
    TooSmall {
        resource: Name,
        wanted: i64,
        most: i64,
        instance_type: Name,
    },
    /// Types large enough exist, and none is offered in the wanted zones and capacity types.
    NotOffered { types: u32, example: Name },
    /// They are offered there, and none is to be had now.
    OutOfStock { types: u32, example: Name },
    /// They are to be had, and the smallest takes more than the NodePool's limit leaves.
    OverLimit {
        resource: Name,
        remaining: i64,
        smallest: i64,
        instance_type: Name,
    },
}

impl Cause {
    /// The stable code of JSON outputs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DoesNotExist { key, .. } if &**key == crate::api::names::ZONE => "no_such_zone",
            Self::DoesNotExist { .. } => "does_not_exist",
            Self::Excluded { .. } => "excluded",
            Self::TooSmall { .. } => "too_small",
            Self::NotOffered { .. } => "not_offered",
            Self::OutOfStock { .. } => "out_of_stock",
            Self::OverLimit { .. } => "over_limit",
        }
    }
}

/// A label key or value that a pod demands and that nothing in the cluster or the catalogue has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unknown {
    pub key: Name,
    /// Absent when the key itself is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Name>,
    /// Known keys or values that are nearest to it; empty when nothing resembles it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Name>,
}
