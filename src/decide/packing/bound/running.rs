//! The floor of a cluster's own workload, for the pane Cost.

use std::sync::Arc;

use jiff::Timestamp;

use super::floor;
use super::market::Care;
use crate::api::names;
use crate::decide::Settings;
use crate::decide::scheduling::prepare;
use crate::model::{Name, Pod, Snapshot, UsdPerHour};

/// Pods that our nodes are there for: those that wait for one, and those that run on one, daemons left out.
pub fn workload(snapshot: &Snapshot) -> Vec<(Name, Arc<Pod>)> {
    let ours = |node: &Name| {
        snapshot
            .nodes
            .get(node)
            .is_some_and(|n| n.labels.contains_key(names::NODEPOOL))
    };
    snapshot
        .pods
        .iter()
        .filter(|(_, pod)| match &pod.node {
            None => pod.is_provisionable() && pod.is_active(),
            Some(node) => pod.is_reschedulable() && ours(node),
        })
        .map(|(key, pod)| (key.clone(), pod.clone()))
        .collect()
}

/// What these pods cost at least if all of them were placed on new nodes, found with little work.
pub fn of_workload(
    snapshot: &Snapshot,
    pods: &[(Name, Arc<Pod>)],
    settings: &Settings,
    now: Timestamp,
) -> UsdPerHour {
    let prepared = prepare(snapshot, settings, now);
    floor::with(&prepared, pods.iter().map(|(key, _)| key), Care::Quick)
}
