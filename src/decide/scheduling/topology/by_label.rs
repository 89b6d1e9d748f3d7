//! Groups by a label that their selector asks for, so that a pod meets only the groups that can select it.

use std::collections::BTreeMap;

use super::group::Identity;
use crate::model::{Labels, Name};

/// Group numbers, ascending everywhere.
#[derive(Clone, Debug, Default)]
pub struct ByLabel {
    /// The first label that a selector asks for → value → groups.
    asked: BTreeMap<Name, BTreeMap<Name, Vec<usize>>>,
    /// Selectors that ask for no single label.
    others: Vec<usize>,
}

impl ByLabel {
    /// Adds a group with a higher number than those before.
    pub fn add(&mut self, id: usize, rule: &Identity) {
        let Some(selector) = &rule.selector else {
            return;
        };
        match selector.match_labels.first_key_value() {
            Some((key, value)) => {
                let values = self.asked.entry(key.clone()).or_default();
                values.entry(value.clone()).or_default().push(id);
            }
            None => self.others.push(id),
        }
    }

    /// Groups from number `from` on that may select a pod with these labels, ascending.
    pub fn candidates(&self, labels: &Labels, from: usize) -> Vec<usize> {
        let lists = self
            .asked
            .iter()
            .filter_map(|(key, values)| values.get(labels.get(key)?));
        let mut out: Vec<usize> = lists
            .chain([&self.others])
            .flat_map(|list| &list[list.partition_point(|id| *id < from)..])
            .copied()
            .collect();
        out.sort_unstable();
        out
    }
}
