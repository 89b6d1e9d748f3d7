//! The searching behind explanations; the wording is in `words`.

use jiff::Timestamp;

use super::Settings;
use crate::model::decision::Refusal;
use crate::model::{Name, Pod, Snapshot};

/// Every place that a pod was tried at, with its first failing check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// In weight order; `None`: it fits there.
    pub pools: Vec<(Name, Option<Refusal>)>,
    /// Existing nodes and claims that boot, closest first.
    pub nodes: Vec<(Name, Option<Refusal>)>,
}

/// Why a pod has no place.
pub fn why_pending(_snapshot: &Snapshot, _pod: &Pod, _now: Timestamp, _settings: &Settings) -> Places {
    Places::default()
}
