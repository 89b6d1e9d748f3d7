//! Whether a machine has been quiet for its pool's `consolidateAfter` (`disruption §6`), worked out from times
//! rather than read from the mirrored condition.

use jiff::Timestamp;

use super::candidates::Candidate;
use crate::api::names;
use crate::clock::after;
use crate::model::Status;

/// The answer for one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Open,
    /// `consolidateAfter: Never`.
    Never,
    /// Not before; `None` when something else keeps it closed.
    ClosedUntil(Option<Timestamp>),
}

pub fn window(candidate: &Candidate<'_>, now: Timestamp) -> Window {
    let Some(wait) = candidate.pool.disruption.consolidate_after else {
        return Window::Never;
    };
    let initialized = candidate.claim.conditions.get(names::INITIALIZED_CONDITION);
    let refused = candidate
        .claim
        .conditions
        .get(names::CONSOLIDATABLE)
        .is_some_and(|c| c.status == Status::False);
    if refused || initialized.is_some_and(|c| c.status != Status::True) {
        return Window::ClosedUntil(None);
    }
    // A file may carry no conditions at all: then the claim's age counts.
    let quiet_since = candidate
        .last_pod_event
        .unwrap_or_else(|| initialized.map_or(candidate.claim.created, |c| c.since));
    let ripe = after(quiet_since, wait);
    if !wait.is_zero() && now < ripe {
        Window::ClosedUntil(Some(ripe))
    } else {
        Window::Open
    }
}
