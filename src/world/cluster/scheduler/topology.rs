//! Topology spread and pod (anti-)affinity. A group counts, by node, the placed pods that a selector matches, or the
//! placed pods that themselves repel what the selector matches; classes add those counts up by domain.

use std::collections::{BTreeMap, BTreeSet};

use super::class::ClassKey;
use super::domains::{Rule, Spread, TopologyState};
use super::nodes::Nodes;
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::selector::{SelectorExpression, SelectorOperator};
use crate::model::{LabelSelector, Labels, Name};
use crate::world::cluster::index::Index;
use crate::world::cluster::rows::PodRow;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey {
    /// Namespaces by name.
    namespaces: BTreeSet<Name>,
    /// Namespaces by label.
    namespace_selector: Option<LabelSelector>,
    selector: Option<LabelSelector>,
    /// Spread does not count pods that are going.
    skip_ending: bool,
    /// Set on inverse groups: the topology key of the owners' anti-affinity term.
    repels_on: Option<Name>,
}

impl GroupKey {
    fn spread(namespace: &Name, constraint: &SpreadConstraint, labels: &Labels) -> Self {
        let mut selector = constraint.selector.clone();
        if let Some(selector) = &mut selector {
            for key in &constraint.match_label_keys {
                if let Some(value) = labels.get(key) {
                    selector.expressions.push(SelectorExpression {
                        key: key.clone(),
                        operator: SelectorOperator::In,
                        values: vec![value.clone()],
                    });
                }
            }
        }
        Self {
            namespaces: [namespace.clone()].into(),
            namespace_selector: None,
            selector,
            skip_ending: true,
            repels_on: None,
        }
    }

    fn term(namespace: &Name, term: &AffinityTerm) -> Self {
        let mut namespaces: BTreeSet<Name> = term.namespaces.iter().cloned().collect();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.insert(namespace.clone());
        }
        Self {
            namespaces,
            namespace_selector: term.namespace_selector.clone(),
            selector: term.selector.clone(),
            skip_ending: false,
            repels_on: None,
        }
    }

    fn inverse(namespace: &Name, term: &AffinityTerm) -> Self {
        Self {
            repels_on: Some(term.topology_key.clone()),
            ..Self::term(namespace, term)
        }
    }

    fn selects(&self, namespace: &Name, labels: &Labels, index: &Index) -> bool {
        let here = self.namespaces.contains(namespace)
            || self.namespace_selector.as_ref().is_some_and(|s| {
                index
                    .namespaces
                    .get(namespace)
                    .is_some_and(|labels| s.matches(labels))
            });
        here && self.selector.as_ref().is_some_and(|s| s.matches(labels))
    }
}

#[derive(Debug)]
struct Group {
    key: GroupKey,
    /// By node slot.
    counts: BTreeMap<usize, i64>,
}

#[derive(Debug, Default)]
pub struct Topology {
    groups: Vec<Group>,
    ids: BTreeMap<GroupKey, usize>,
}

/// The groups of a class, in the order of its spec.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    spread: Vec<(usize, SpreadConstraint, bool)>,
    affinity: Vec<(usize, Name)>,
    /// The pod matches all its own affinity terms.
    befriends_itself: bool,
    anti: Vec<(usize, Name)>,
    /// Inverse groups that select the class.
    inverse: Vec<(usize, Name)>,
}

impl Groups {
    pub fn is_empty(&self) -> bool {
        self.spread.is_empty() && self.affinity.is_empty() && self.anti.is_empty() && self.inverse.is_empty()
    }
}

/// What a placement changed.
#[derive(Debug, Default)]
pub struct Moved {
    /// Group and difference.
    pub counts: Vec<(usize, i64)>,
    /// A new inverse group may concern any class.
    pub forget_all: bool,
}

impl Topology {
    /// Counts a pod in (`by` 1) or out (-1) on a node.
    pub fn placed(&mut self, row: &PodRow, slot: usize, by: i64, index: &Index) -> Moved {
        let mut moved = Moved::default();
        for term in &row.spec.anti_affinity {
            let key = GroupKey::inverse(&row.key.0, term);
            if !self.ids.contains_key(&key) {
                self.add(key);
                moved.forget_all = true;
            }
        }
        for (id, group) in self.groups.iter_mut().enumerate() {
            let counts = if group.key.repels_on.is_some() {
                row.spec
                    .anti_affinity
                    .iter()
                    .any(|term| GroupKey::inverse(&row.key.0, term) == group.key)
            } else {
                !(group.key.skip_ending && row.deleting.is_some())
                    && group.key.selects(&row.key.0, &row.labels, index)
            };
            if counts {
                let count = group.counts.entry(slot).or_insert(0);
                *count += by;
                if *count <= 0 {
                    group.counts.remove(&slot);
                }
                moved.counts.push((id, by));
            }
        }
        moved
    }

    pub fn forget_node(&mut self, slot: usize) {
        for group in &mut self.groups {
            group.counts.remove(&slot);
        }
    }

    fn add(&mut self, key: GroupKey) -> usize {
        let id = self.groups.len();
        self.ids.insert(key.clone(), id);
        self.groups.push(Group {
            key,
            counts: BTreeMap::new(),
        });
        id
    }

    fn group(&mut self, key: &GroupKey, nodes: &Nodes, index: &Index) -> usize {
        if let Some(id) = self.ids.get(key) {
            return *id;
        }
        let id = self.add(key.clone());
        let mut counts = BTreeMap::new();
        for row in index.pods.values() {
            let Some(slot) = row.occupies().and_then(|node| nodes.slot_of(node)) else {
                continue;
            };
            if !(key.skip_ending && row.deleting.is_some()) && key.selects(&row.key.0, &row.labels, index) {
                *counts.entry(slot).or_insert(0) += 1;
            }
        }
        if let Some(group) = self.groups.get_mut(id) {
            group.counts = counts;
        }
        id
    }

    /// The groups that a class looks at.
    pub fn register(&mut self, class: &ClassKey, nodes: &Nodes, index: &Index) -> Groups {
        let (namespace, spec, labels) = (&class.namespace, &class.spec, &class.labels);
        let mut out = Groups::default();
        for constraint in &spec.spread {
            let key = GroupKey::spread(namespace, constraint, labels);
            let itself = key.selects(namespace, labels, index);
            out.spread
                .push((self.group(&key, nodes, index), constraint.clone(), itself));
        }
        out.befriends_itself = true;
        for term in &spec.affinity {
            let key = GroupKey::term(namespace, term);
            out.befriends_itself &= key.selects(namespace, labels, index);
            out.affinity
                .push((self.group(&key, nodes, index), term.topology_key.clone()));
        }
        for term in &spec.anti_affinity {
            let key = GroupKey::term(namespace, term);
            out.anti
                .push((self.group(&key, nodes, index), term.topology_key.clone()));
        }
        out.inverse = self.repelling(class, index);
        out
    }

    fn repelling(&self, class: &ClassKey, index: &Index) -> Vec<(usize, Name)> {
        self.groups
            .iter()
            .enumerate()
            .filter_map(|(id, group)| {
                let on = group.key.repels_on.as_ref()?;
                group
                    .key
                    .selects(&class.namespace, &class.labels, index)
                    .then(|| (id, on.clone()))
            })
            .collect()
    }

    /// Counts by domain for a class. Inverse groups are looked up anew, since placed pods bring new ones.
    pub fn state(
        &self,
        class: &ClassKey,
        groups: &mut Groups,
        nodes: &Nodes,
        index: &Index,
    ) -> TopologyState {
        groups.inverse = self.repelling(class, index);
        let rule = |id: usize, key: &Name, spread: Option<Spread>| {
            let mut rule = Rule {
                group: id,
                key: key.clone(),
                spread,
                domains: BTreeMap::new(),
            };
            let counts = self.groups.get(id).map(|g| &g.counts);
            for (slot, node) in nodes.ordered() {
                if let Some(domain) = rule.domain(node, &class.spec) {
                    let count = counts.and_then(|c| c.get(&slot)).copied().unwrap_or(0);
                    *rule.domains.entry(domain.clone()).or_insert(0) += count;
                }
            }
            rule
        };
        let plain = |list: &[(usize, Name)]| list.iter().map(|(id, key)| rule(*id, key, None)).collect();
        TopologyState {
            spread: groups
                .spread
                .iter()
                .map(|(id, constraint, itself)| {
                    let spread = Spread {
                        constraint: constraint.clone(),
                        itself: i64::from(*itself),
                    };
                    rule(*id, &constraint.topology_key, Some(spread))
                })
                .collect(),
            affinity: plain(&groups.affinity),
            befriends_itself: groups.befriends_itself,
            anti: plain(&groups.anti),
            inverse: plain(&groups.inverse),
        }
    }
}
