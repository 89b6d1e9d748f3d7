//! Waiting pods that are equal to the scheduler.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::Stamp;
use super::domains::TopologyState;
use super::topology::Groups;
use super::volume::VolumeRules;
use crate::model::{Labels, Name, PodSpec};
use crate::world::cluster::rows::{Key, PodRow};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClassKey {
    pub namespace: Name,
    pub spec: Arc<PodSpec>,
    pub labels: Arc<Labels>,
    pub pinned: Option<Name>,
}

/// Order of the queue: highest priority, then oldest, then name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    priority: i64,
    created: Timestamp,
    pub pod: Key,
}

impl QueueKey {
    pub fn of(row: &PodRow) -> Self {
        Self {
            priority: -i64::from(row.spec.priority),
            created: row.created,
            pod: row.key.clone(),
        }
    }
}

#[derive(Debug)]
pub struct Class {
    pub key: ClassKey,
    pub waiting: BTreeSet<QueueKey>,
    /// Waiting pods without the condition that says so.
    pub unmarked: BTreeSet<Key>,
    /// What the last refusal depended on.
    pub failed: Option<Stamp>,
    /// Text of the last refusal.
    pub message: String,
    /// Verdict on the parts of a node that change rarely, by slot, with the node's epoch.
    pub fixed: Vec<(u64, bool)>,
    pub groups: Groups,
    /// Counts by domain, while they are up to date.
    pub topology: Option<TopologyState>,
    /// Rules of its volumes, with the version they were read at.
    pub volumes: Option<(u64, VolumeRules)>,
}

impl Class {
    pub fn new(key: ClassKey, groups: Groups) -> Self {
        Self {
            key,
            waiting: BTreeSet::new(),
            unmarked: BTreeSet::new(),
            failed: None,
            message: String::new(),
            fixed: Vec::new(),
            groups,
            topology: None,
            volumes: None,
        }
    }

    /// Whether other pods' places matter to it.
    pub fn has_topology(&self) -> bool {
        !self.groups.is_empty()
    }
}
