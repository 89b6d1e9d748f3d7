//! Topology: spread, affinity and anti-affinity as groups with counts by domain (`scheduling §18`).
//!
//! [`Bases`] counts what runs, once a snapshot; [`Topology`] is one solve's copy. Where a hostname group is full is kept
//! as bits over nodes and claims; other groups are asked once a set of requirements.

mod base;
mod build;
mod by_label;
mod count;
mod group;
mod hosts;
mod moved;
mod place;
#[cfg(test)]
mod tests;
mod universe;
mod values;

pub use base::Bases;
pub use build::Membership;
pub use count::CountIndex;
pub use group::{Group, Identity, Kind, NodeFilter};
pub use place::Place;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::Base;
use by_label::ByLabel;
use moved::Moved;
use values::Table;

use super::prepare::Prepared;
use crate::model::{Name, Pod};

/// All groups of one solve.
#[derive(Debug)]
pub struct Topology<'a> {
    prepared: &'a Prepared,
    groups: Vec<Group>,
    by_identity: BTreeMap<Identity, usize>,
    by_label: ByLabel,
    /// By group: its table.
    table_of: Vec<usize>,
    tables: Vec<Table>,
    moved: Moved,
    /// Whether preferences count at all.
    ignore_preferences: bool,
}

impl<'a> Topology<'a> {
    /// `pods`: those to place, which never count where they run. `without`: nodes that are no source of domains.
    pub fn new(prepared: &'a Prepared, pods: &[(Name, Arc<Pod>)], without: &BTreeSet<Name>) -> Self {
        let moved = Moved::new(prepared, pods, without);
        let mut out = Self {
            prepared,
            groups: Vec::new(),
            by_identity: BTreeMap::new(),
            by_label: ByLabel::default(),
            table_of: Vec::new(),
            tables: Vec::new(),
            moved,
            ignore_preferences: prepared.settings.ignore_preferences,
        };
        for base in out.moved.inverse(prepared, pods) {
            let key = (*base.group.rule).clone();
            out.adopt(&base, key);
        }
        out
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub fn group(&self, id: usize) -> &Group {
        &self.groups[id]
    }

    /// Domains of a group with the number of pods there, in name order.
    pub fn shown(&self, id: usize) -> Vec<(Name, u32)> {
        self.groups[id].shown(self.table(id))
    }

    fn table(&self, group: usize) -> &Table {
        &self.tables[self.table_of[group]]
    }

    /// Makes a group of this solve: the cluster's, less what moves. `key`: what rules must equal to share it.
    fn adopt(&mut self, base: &Base, key: Identity) -> usize {
        let rule = &base.group.rule;
        let known = self.tables.iter().position(|t| t.key == rule.key);
        let table = known.unwrap_or_else(|| {
            let values = self.prepared.bases.values(self.prepared, &rule.key);
            self.tables.push(Table::new(rule.key.clone(), values));
            self.tables.len() - 1
        });
        let group = self.moved.correct(self.prepared, base, &self.tables[table].base);
        let id = self.groups.len();
        self.by_identity.insert(key, id);
        self.by_label.add(id, &group.rule);
        self.table_of.push(table);
        self.groups.push(group);
        id
    }
}
