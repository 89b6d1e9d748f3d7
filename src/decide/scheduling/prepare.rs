//! What many problems over one snapshot share, compiled once.

use jiff::Timestamp;

use crate::decide::Settings;
use crate::model::Snapshot;

/// Nodes with their free room, pods by node, pool templates with their types, limits. Owned: keep it as long as the
/// snapshot's revision stays.
#[derive(Debug)]
pub struct Prepared {
    pub(super) snapshot: Snapshot,
}

impl Prepared {
    /// Revision of the snapshot it was made from.
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }
}

/// Compiles a snapshot.
pub fn prepare(snapshot: &Snapshot, _settings: &Settings, _now: Timestamp) -> Prepared {
    Prepared {
        snapshot: snapshot.clone(),
    }
}
