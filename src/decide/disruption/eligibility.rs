//! What each method takes of the candidates (`disruption §7.1`, `§7.2`).

use jiff::Timestamp;

use super::candidates::Candidate;
use super::verdicts::Why;
use super::window::{Window, window};
use crate::model::nodepool::ConsolidationPolicy;

/// Waiting rules that a person may set aside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waive {
    pub consolidate_after: bool,
    /// The consolidation policy with its score.
    pub policy: bool,
}

fn quiet(candidate: &Candidate<'_>, now: Timestamp, waive: Waive) -> Result<(), Why> {
    match window(candidate, now) {
        _ if waive.consolidate_after => Ok(()),
        Window::Open => Ok(()),
        Window::Never => Err(Why::new("consolidation_never").fact("pool", &candidate.pool.name)),
        Window::ClosedUntil(until) => Err(match until {
            Some(until) => Why::new("not_consolidatable").fact("until", until),
            None => Why::new("not_consolidatable"),
        }),
    }
}

/// For emptiness.
pub fn empty(candidate: &Candidate<'_>, now: Timestamp, waive: Waive) -> Result<(), Why> {
    if candidate.pool.replicas.is_some() {
        return Err(Why::new("static_pool"));
    }
    if !waive.consolidate_after && window(candidate, now) == Window::Never {
        return quiet(candidate, now, waive);
    }
    if !candidate.is_empty() {
        return Err(Why::new("not_empty").fact("pods", candidate.pods.len()));
    }
    quiet(candidate, now, waive)
}

/// For multi-node and single-node consolidation.
pub fn underutilized(
    candidate: &Candidate<'_>,
    type_known: bool,
    now: Timestamp,
    waive: Waive,
) -> Result<(), Why> {
    if candidate.pool.replicas.is_some() {
        return Err(Why::new("static_pool"));
    }
    if !type_known {
        return Err(Why::new("no_instance_type").fact("type", &candidate.instance_type));
    }
    if candidate.capacity_type.is_empty() {
        return Err(Why::new("no_capacity_type"));
    }
    if candidate.zone.is_empty() {
        return Err(Why::new("no_zone"));
    }
    if !waive.consolidate_after && window(candidate, now) == Window::Never {
        return quiet(candidate, now, waive);
    }
    if candidate.is_empty() {
        return Err(Why::new("is_empty"));
    }
    if !waive.policy && candidate.pool.disruption.policy == ConsolidationPolicy::WhenEmpty {
        return Err(Why::new("policy_when_empty").fact("pool", &candidate.pool.name));
    }
    quiet(candidate, now, waive)
}
