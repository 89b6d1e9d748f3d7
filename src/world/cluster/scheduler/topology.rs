//! Topology spread and pod (anti-)affinity. A group counts, by node, the placed pods that a selector matches, or the
//! placed pods that themselves repel what the selector matches; classes add those counts up by domain.

use std::collections::{BTreeMap, BTreeSet};

use super::class::ClassKey;
use super::nodes::{NodeSlot, Nodes};
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::selector::{SelectorExpression, SelectorOperator};
use crate::model::taints::untolerated;
use crate::model::{LabelSelector, Labels, Name, PodSpec, TaintEffect};
use crate::world::cluster::index::Index;
use crate::world::cluster::rows::{PodRow, node_matches};

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

    fn group(&mut self, key: GroupKey, nodes: &Nodes, index: &Index) -> usize {
        if let Some(id) = self.ids.get(&key) {
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
                .push((self.group(key, nodes, index), constraint.clone(), itself));
        }
        out.befriends_itself = true;
        for term in &spec.affinity {
            let key = GroupKey::term(namespace, term);
            out.befriends_itself &= key.selects(namespace, labels, index);
            out.affinity
                .push((self.group(key, nodes, index), term.topology_key.clone()));
        }
        for term in &spec.anti_affinity {
            let key = GroupKey::term(namespace, term);
            out.anti
                .push((self.group(key, nodes, index), term.topology_key.clone()));
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

#[derive(Debug)]
struct Spread {
    constraint: SpreadConstraint,
    /// 1 when the pod counts itself.
    itself: i64,
}

#[derive(Debug)]
struct Rule {
    group: usize,
    key: Name,
    spread: Option<Spread>,
    domains: BTreeMap<Name, i64>,
}

impl Rule {
    /// The node's domain, if the node takes part.
    fn domain<'a>(&self, node: &'a NodeSlot, spec: &PodSpec) -> Option<&'a Name> {
        if let Some(spread) = &self.spread {
            let takes_part = spec
                .spread
                .iter()
                .all(|c| node.row.labels.contains_key(&c.topology_key))
                && (!spread.constraint.honor_affinity || node_matches(spec, &node.row.labels))
                && (!spread.constraint.honor_taints
                    || untolerated(&node.row.taints, &spec.tolerations)
                        .all(|t| t.effect == TaintEffect::PreferNoSchedule));
            if !takes_part {
                return None;
            }
        }
        node.row.labels.get(&self.key)
    }

    fn count(&self, domain: &Name) -> i64 {
        self.domains.get(domain).copied().unwrap_or(0)
    }

    /// `scheduling §18.5` for an existing node.
    fn spread_allows(&self, spread: &Spread, domain: &Name) -> bool {
        let few = spread
            .constraint
            .min_domains
            .is_some_and(|min| self.domains.len() < usize::try_from(min).unwrap_or(0));
        let least = if few {
            0
        } else {
            self.domains.values().copied().min().unwrap_or(0)
        };
        self.count(domain) + spread.itself - least <= i64::from(spread.constraint.max_skew)
    }
}

/// Counts by domain of one class's rules.
#[derive(Debug)]
pub struct TopologyState {
    spread: Vec<Rule>,
    affinity: Vec<Rule>,
    befriends_itself: bool,
    anti: Vec<Rule>,
    inverse: Vec<Rule>,
}

impl TopologyState {
    /// Carries a placement on `node` into the sums.
    pub fn count(&mut self, moved: &[(usize, i64)], node: &NodeSlot, spec: &PodSpec) {
        let rules = self
            .spread
            .iter_mut()
            .chain(&mut self.affinity)
            .chain(&mut self.anti)
            .chain(&mut self.inverse);
        for rule in rules {
            for (group, by) in moved {
                if *group == rule.group
                    && let Some(domain) = rule.domain(node, spec)
                {
                    *rule.domains.entry(domain.clone()).or_insert(0) += by;
                }
            }
        }
    }

    /// Why this node is no place, in kube-scheduler's words.
    pub fn refusal(&self, node: &NodeSlot, spec: &PodSpec) -> Option<&'static str> {
        for rule in &self.spread {
            let Some(domain) = node.row.labels.get(&rule.key) else {
                return Some("node(s) didn't match pod topology spread constraints (missing required label)");
            };
            if let Some(spread) = &rule.spread
                && !rule.spread_allows(spread, domain)
            {
                return Some("node(s) didn't match pod topology spread constraints");
            }
        }
        let taken = |rules: &[Rule]| {
            rules
                .iter()
                .any(|r| r.domain(node, spec).is_some_and(|domain| r.count(domain) > 0))
        };
        if taken(&self.inverse) {
            return Some("node(s) didn't satisfy existing pods anti-affinity rules");
        }
        let near_all = self
            .affinity
            .iter()
            .all(|r| r.domain(node, spec).is_some_and(|domain| r.count(domain) > 0));
        if !near_all && !self.may_be_first(node, spec) {
            return Some("node(s) didn't match pod affinity rules");
        }
        taken(&self.anti).then_some("node(s) didn't match pod anti-affinity rules")
    }

    /// A pod that matches its own affinity may go anywhere with the labels while no such pod is placed.
    fn may_be_first(&self, node: &NodeSlot, spec: &PodSpec) -> bool {
        self.befriends_itself
            && self
                .affinity
                .iter()
                .all(|r| r.domain(node, spec).is_some() && r.domains.values().all(|c| *c == 0))
    }
}
