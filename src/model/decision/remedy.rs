//! What would give a pod a place, and what was given up for one.

use serde::{Deserialize, Serialize};

use super::effect::ExpectedLaunch;
use crate::model::{Name, Requirement, Taint, UsdPerHour};

/// One change of a pod or of the cluster. Amounts are in the units of `Resources`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Change {
    /// A label key, or a value of `key`, written as it is known.
    Spell {
        key: Name,
        /// Absent: the key itself is misspelt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Name>,
        known: Name,
    },
    Tolerate {
        taint: Taint,
    },
    /// Ask for less; `to` 0: do not ask for it.
    LowerRequest {
        resource: Name,
        from: i64,
        to: i64,
    },
    DropSelector {
        key: Name,
        value: Name,
    },
    /// A requirement of the required node affinity.
    DropRequirement {
        requirement: Requirement,
    },
    /// `DoNotSchedule` becomes `ScheduleAnyway`.
    SoftenSpread {
        key: Name,
        max_skew: i32,
    },
    DropSpread {
        key: Name,
    },
    DropAffinity {
        key: Name,
    },
    DropAntiAffinity {
        key: Name,
    },
    DropHostPort {
        port: Name,
    },
    DropVolume {
        claim: Name,
    },
    DropResourceClaims,
    RaiseLimit {
        pool: Name,
        resource: Name,
        from: i64,
        to: i64,
    },
    LowerMinValues {
        pool: Name,
        key: Name,
        from: u32,
        to: u32,
    },
    /// The pool's requirement `existing` becomes `to`, or goes.
    WidenPool {
        pool: Name,
        existing: Requirement,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Requirement>,
    },
    /// The pool's nodes get the label.
    LabelPool {
        pool: Name,
        key: Name,
        value: Name,
    },
    /// What keeps the pool or its node class from being ready is mended.
    ReadyPool {
        pool: Name,
    },
    /// Capacity that is out of stock comes back.
    Restock,
}

impl Change {
    /// Whether the pod's manifest is edited; otherwise the cluster's.
    pub fn is_of_pod(&self) -> bool {
        match self {
            Self::Spell { .. }
            | Self::Tolerate { .. }
            | Self::LowerRequest { .. }
            | Self::DropSelector { .. }
            | Self::DropRequirement { .. }
            | Self::SoftenSpread { .. }
            | Self::DropSpread { .. }
            | Self::DropAffinity { .. }
            | Self::DropAntiAffinity { .. }
            | Self::DropHostPort { .. }
            | Self::DropVolume { .. }
            | Self::DropResourceClaims => true,
            Self::RaiseLimit { .. }
            | Self::LowerMinValues { .. }
            | Self::WidenPool { .. }
            | Self::LabelPool { .. }
            | Self::ReadyPool { .. }
            | Self::Restock => false,
        }
    }

    /// How much is given up, least first; ties are broken by price.
    pub fn size(&self) -> u32 {
        match self {
            Self::Spell { .. } => 0,
            // No more values than before: one was misspelt.
            Self::WidenPool {
                existing,
                to: Some(to),
                ..
            } if to.values.len() <= existing.values.len() => 1,
            Self::Tolerate { .. } => 10,
            // A trim is less than a pool's limit, half of the pod's needs is more than a selector.
            Self::LowerRequest { from, to, .. } => {
                let given_up = from.saturating_sub(*to).saturating_mul(100) / (*from).max(1);
                match given_up {
                    ..=10 => 11,
                    11..=50 => 30,
                    _ => 60,
                }
            }
            Self::RaiseLimit { .. } => 20,
            Self::LowerMinValues { .. } => 21,
            Self::DropSelector { .. } => 25,
            Self::DropRequirement { .. } => 26,
            Self::SoftenSpread { .. } => 35,
            Self::DropSpread { .. } => 36,
            Self::DropAntiAffinity { .. } => 40,
            Self::DropAffinity { .. } => 41,
            Self::LabelPool { .. } => 45,
            Self::WidenPool { .. } => 46,
            Self::DropHostPort { .. } => 50,
            Self::DropVolume { .. } => 70,
            Self::ReadyPool { .. } => 75,
            Self::DropResourceClaims => 80,
            Self::Restock => 90,
        }
    }
}

/// Changes that give a pod a place, found by planning again with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remedy {
    /// One; two only where no single one is enough.
    pub changes: Vec<Change>,
    pub landing: Landing,
    /// What the whole plan costs more than the one that leaves the pod out.
    pub added: UsdPerHour,
}

/// Where the pod goes then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "camelCase")]
pub enum Landing {
    /// A node that is there, or a claim that boots.
    Node { node: Name },
    /// A new machine, which it may share.
    Claim {
        pool: Name,
        launch: Option<ExpectedLaunch>,
        pods: u32,
    },
}

/// What a pod liked and did not get (`scheduling §19`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Preference {
    /// One of several required terms: the next was taken.
    RequiredTerm {
        requirements: Vec<Requirement>,
    },
    Affinity {
        key: Name,
        weight: i32,
    },
    AntiAffinity {
        key: Name,
        weight: i32,
    },
    NodeTerm {
        weight: i32,
        requirements: Vec<Requirement>,
    },
    Spread {
        key: Name,
        max_skew: i32,
    },
    /// It goes to a node with a `PreferNoSchedule` taint.
    AvoidTaint,
}

/// Pods of one shape that were placed only after giving up the same preferences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relaxed {
    pub pods: Vec<Name>,
    /// In the order in which they were given up.
    pub dropped: Vec<Preference>,
}

/// What one constraint costs: the plan with it against the plan without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConstraintCost {
    pub change: Change,
    /// Pods that have it and were planned without it.
    pub pods: u32,
    /// Price with it less price without; negative where more pods find a place without it.
    pub usd_per_hour: UsdPerHour,
    /// Nodes with it less nodes without.
    pub nodes: i64,
    /// Pods that have a place only without it.
    pub more_placed: u32,
}
