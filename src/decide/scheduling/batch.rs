//! One provisioning pass: triggers, the batch window and what comes of it (`scheduling §2` to `§4`).

use jiff::Timestamp;

use crate::decide::{Dirty, Fuel, Outcome, Reserved, Settings};
use crate::model::Snapshot;

/// What provisioning remembers between passes.
#[derive(Clone, Debug, Default)]
pub struct Memory {}

/// One turn of provisioning.
pub fn pass(
    _snapshot: &Snapshot,
    _memory: &mut Memory,
    _dirty: &Dirty,
    _reserved: &Reserved,
    _now: Timestamp,
    _settings: &Settings,
    _fuel: &mut Fuel,
) -> Outcome {
    Outcome::default()
}
