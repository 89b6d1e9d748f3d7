//! Whether a provisioning decision still holds just before it is carried out (decisions §6).

use jiff::Timestamp;

use crate::decide::Settings;
use crate::model::Snapshot;
use crate::model::decision::Proposal;

/// `Err` says in words what changed.
pub fn revalidate(
    _snapshot: &Snapshot,
    _proposal: &Proposal,
    _now: Timestamp,
    _settings: &Settings,
) -> Result<(), String> {
    Ok(())
}
