//! Why a decision is what it is, as data (house, "Data that flows"); `words` makes sentences of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cause::Unknown;
use super::refusal::{Funnel, Refusal};
use super::remedy::Relaxed;
use crate::model::{CapacityType, Name, Resources, UsdPerHour};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "evidence", rename_all = "camelCase")]
pub enum Evidence {
    Provisioning(Box<Provisioning>),
    Disruption(Box<Disruption>),
    /// Expiration, interruption, repair, garbage collection, static pools: one reason with its facts.
    Reason {
        code: Name,
        facts: BTreeMap<Name, Name>,
    },
}

impl Evidence {
    /// Every claim that was planned.
    pub fn claims(&self) -> &[ClaimEvidence] {
        match self {
            Self::Provisioning(e) => &e.claims,
            Self::Disruption(e) => &e.replacements,
            Self::Reason { .. } => &[],
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provisioning {
    pub batch: Batch,
    /// Pods that found room on nodes that are there or booting: target → pods.
    pub existing: BTreeMap<Name, Vec<Name>>,
    pub claims: Vec<ClaimEvidence>,
    pub unschedulable: Vec<Unschedulable>,
    /// Pods that wait for reserved capacity to settle: planned again, told to nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deferred: Vec<Unschedulable>,
    /// What placed pods had to give up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relaxed: Vec<Relaxed>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    pub pods: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimEvidence {
    pub claim: Name,
    pub pool: Name,
    pub pods: Vec<Name>,
    /// Pods without daemons.
    pub requests: Resources,
    /// What DaemonSets will take on it, and which.
    pub daemon_overhead: Resources,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub daemons: Vec<Name>,
    /// Pools tried before this one and why they were refused, in weight order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools_refused: Vec<(Name, Refusal)>,
    /// Existing nodes and in-flight claims tried for its first pod: refusal code → count.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets_refused: BTreeMap<Name, u32>,
    pub funnel: Funnel,
    /// Cheapest first: the head of the options that were kept.
    pub ranking: Vec<Arc<RankRow>>,
    /// How many options the claim carries in all.
    pub options: u32,
    /// Cheaper types of the pool that could not be taken, dearest last, with the first failing check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cheaper_refused: Vec<CheaperRefused>,
}

/// One option of a ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RankRow {
    pub instance_type: Name,
    pub arch: Name,
    pub vcpu: u32,
    pub memory_mib: u64,
    pub allocatable: Resources,
    /// Its cheapest compatible offering.
    pub price: UsdPerHour,
    pub capacity_type: CapacityType,
    /// Zones with an available compatible offering.
    pub zones: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheaperRefused {
    pub instance_type: Name,
    pub price: UsdPerHour,
    pub why: super::refusal::Check,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unschedulable {
    pub pod: Name,
    /// One a NodePool in weight order; a single entry with an empty pool for pods refused before any pool.
    pub pools: Vec<(Name, Refusal)>,
    /// Label keys and values of its demands that nothing has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<Unknown>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disruption {
    /// `empty`, `drift`, `static`, `multi`, `single`.
    pub method: Name,
    /// `Empty`, `Drifted`, `Underutilized`.
    pub reason: Name,
    pub forced: bool,
    pub candidates: Vec<CandidateEvidence>,
    /// Evidence of each replacement.
    pub replacements: Vec<ClaimEvidence>,
    pub price_before: UsdPerHour,
    pub price_after: UsdPerHour,
    /// Where each moving pod is expected: pod → node or replacement name.
    pub moves: BTreeMap<Name, Name>,
    /// Binding budget per pool: (allowed, in use).
    pub budgets: BTreeMap<Name, (u32, u32)>,
    /// What a force overrode (`consolidateAfter`, budgets, …); empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<Name>,
    /// Milli-CPUs of the largest type that a replacement may be, where several replace the candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_cpu: Option<i64>,
    /// Score by pool whose policy is Balanced (`disruption §10`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<Name, f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateEvidence {
    pub node: Name,
    pub claim: Name,
    pub pool: Name,
    pub instance_type: Name,
    pub zone: Name,
    pub capacity_type: Name,
    pub price: UsdPerHour,
    /// Pods that must move.
    pub pods: Vec<Name>,
    /// `1 + Σ eviction costs` (`disruption §3`).
    pub disruption_cost: f64,
}
