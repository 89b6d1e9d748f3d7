//! Questions that the screen may ask; answered off its thread from the newest snapshot.

use serde::{Deserialize, Serialize};

use crate::model::Name;
use crate::model::decision::cause::Unknown;
use crate::model::decision::remedy::Remedy;
use crate::model::decision::{DecisionId, Refusal};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Why a pod has no place: every pool, node and in-flight claim with its first failing check.
    WhyPending { pod: Name },
    /// Why a node stays.
    WhyNotRemoved { node: Name },
    /// Every option of a decision's claims, not only the head kept in its evidence.
    Ranking { id: DecisionId },
    /// An object as YAML: kind, namespace (empty if none), name.
    Yaml { kind: Name, namespace: Name, name: Name },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "camelCase")]
pub enum Answer {
    WhyPending(Box<WhyPending>),
    /// Prepared text, one line an element.
    Text(Vec<String>),
    /// The thing asked about is gone, or the question cannot be answered now.
    Unknown {
        reason: String,
    },
}

/// Why a pod waits (screens §2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WhyPending {
    pub pod: Name,
    /// Node or claim that has room for it.
    pub seat: Option<Name>,
    /// In weight order.
    pub pools: Vec<PoolTried>,
    /// Closest first: existing nodes, claims that boot and claims of the same plan.
    pub nodes: Vec<PlaceTried>,
    /// Label keys and values that it demands and nothing has.
    pub unknown: Vec<Unknown>,
    /// What would give it a place, smallest change first; each was planned.
    pub remedies: Vec<Remedy>,
}

/// One pool that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolTried {
    pub name: Name,
    /// `None`: it would take the pod.
    pub refusal: Option<Refusal>,
    /// Instance types that pass every filter, of how many; `None` where the requirements clash.
    pub types: Option<(u32, u32)>,
}

/// One node or claim that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceTried {
    pub name: Name,
    /// `None`: it fits there.
    pub refusal: Option<Refusal>,
}
