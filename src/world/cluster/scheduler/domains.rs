//! Counts by domain for one class, and the verdict on one node (`scheduling §18.5` for existing nodes).

use std::collections::BTreeMap;

use super::nodes::NodeSlot;
use crate::model::pod::SpreadConstraint;
use crate::model::taints::untolerated;
use crate::model::{Name, PodSpec, TaintEffect};
use crate::world::cluster::rows::node_matches;

#[derive(Debug)]
pub(super) struct Spread {
    pub(super) constraint: SpreadConstraint,
    /// 1 when the pod counts itself.
    pub(super) itself: i64,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) group: usize,
    pub(super) key: Name,
    pub(super) spread: Option<Spread>,
    pub(super) domains: BTreeMap<Name, i64>,
}

impl Rule {
    /// The node's domain, if the node takes part.
    pub(super) fn domain<'a>(&self, node: &'a NodeSlot, spec: &PodSpec) -> Option<&'a Name> {
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
    pub(super) spread: Vec<Rule>,
    pub(super) affinity: Vec<Rule>,
    pub(super) befriends_itself: bool,
    pub(super) anti: Vec<Rule>,
    pub(super) inverse: Vec<Rule>,
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
