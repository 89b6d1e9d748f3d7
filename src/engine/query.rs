//! Questions that the screen may ask; answered off its thread from the newest snapshot.

use serde::{Deserialize, Serialize};

use crate::model::Name;
use crate::model::decision::DecisionId;

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

/// One row a place that was tried (screens §2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyPending {
    pub pod: Name,
    /// In weight order.
    pub pools: Vec<PlaceTried>,
    /// Closest first: existing nodes and in-flight claims.
    pub nodes: Vec<PlaceTried>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceTried {
    pub name: Name,
    /// `None`: it fits there.
    pub refusal: Option<crate::model::decision::Refusal>,
}
