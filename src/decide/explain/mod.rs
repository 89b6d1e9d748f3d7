//! The searching behind explanations; the wording is in `words`.

use std::sync::Arc;

use jiff::Timestamp;

use super::Settings;
use super::packing::karpenter::places;
use super::scheduling::{Prepared, prepare};
use crate::model::decision::Refusal;
use crate::model::{Name, Pod, Snapshot};

/// Every place that a pod was tried at, with its first failing check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// In weight order; `None`: it fits there. One entry without a name when the pod is never considered.
    pub pools: Vec<(Name, Option<Refusal>)>,
    /// Existing nodes and claims that boot, closest first: those that fit, then by how many checks they passed and by
    /// how little was missing.
    pub nodes: Vec<(Name, Option<Refusal>)>,
}

/// Why a pod has no place.
pub fn why_pending(snapshot: &Snapshot, pod: &Pod, now: Timestamp, settings: &Settings) -> Places {
    why_pending_prepared(&prepare(snapshot, settings, now), pod)
}

/// As [`why_pending`], on a picture that was compiled before.
pub fn why_pending_prepared(prepared: &Prepared, pod: &Pod) -> Places {
    let (pools, mut nodes) = places(prepared, &Arc::new(pod.clone()));
    nodes.sort_by(|(a, x), (b, y)| distance(x.as_ref()).cmp(&distance(y.as_ref())).then(a.cmp(b)));
    Places { pools, nodes }
}

/// How far from fitting: checks left from the first failing one on (`scheduling §15.3`), then the share of the
/// resource that is missing, in thousandths.
fn distance(refusal: Option<&Refusal>) -> (u8, i64) {
    let missing = match refusal {
        Some(Refusal::Resources { wanted, free, .. }) => {
            let gap = wanted.saturating_sub(*free);
            gap.saturating_mul(1000) / wanted.max(&1)
        }
        _ => 0,
    };
    let checks = match refusal {
        None => 0,
        Some(Refusal::Topology { .. }) => 1,
        Some(Refusal::VolumeRequirement { .. }) => 2,
        Some(Refusal::Resources { .. }) => 3,
        Some(Refusal::HostPort { .. }) => 4,
        Some(Refusal::VolumeLimit { .. }) => 5,
        Some(Refusal::Requirement { .. }) => 6,
        Some(Refusal::UnknownLabel { .. }) => 7,
        Some(_) => 8,
    };
    (checks, missing)
}
