//! From a pod's rules to groups (`scheduling §18.1`, `§18.4`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Topology;
use super::group::{Group, Identity, Kind, NodeFilter};
use crate::decide::scheduling::demand;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::selector::{SelectorExpression, SelectorOperator};
use crate::model::{LabelSelector, Labels, Name, PodSpec, Toleration};

/// A pod's part in the groups.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    pub namespace: Name,
    pub labels: Arc<Labels>,
    /// Groups whose rule the pod has, and whether the group selects it.
    pub owned: Vec<(usize, bool)>,
    /// Inverse groups that select it: pods with the rule do not want it near.
    pub avoided: Vec<usize>,
    /// Inverse groups made of its own required anti-affinity.
    pub inverse_owned: Vec<usize>,
    /// Groups that count it.
    pub records: Vec<usize>,
    pub(super) seen: usize,
}

impl Membership {
    /// Nothing about topology keeps it from anywhere.
    pub fn is_free(&self) -> bool {
        self.owned.is_empty() && self.avoided.is_empty()
    }

    /// Every group that it must obey, and whether the group selects it.
    pub fn groups(&self) -> impl Iterator<Item = (usize, bool)> + '_ {
        self.owned
            .iter()
            .copied()
            .chain(self.avoided.iter().map(|g| (*g, false)))
    }

    fn own(&mut self, id: usize, group: &Group) {
        let itself = group.rule.selects(&self.namespace, &self.labels);
        if !self.owned.iter().any(|(g, _)| *g == id) {
            self.owned.push((id, itself));
        }
    }
}

fn tidy(mut selector: LabelSelector) -> LabelSelector {
    for expression in &mut selector.expressions {
        expression.values.sort();
        expression.values.dedup();
    }
    selector.expressions.sort();
    selector.expressions.dedup();
    selector
}

impl Topology<'_> {
    /// Registers a pod's rules. `whole`: the pod before it gave anything up; Kubernetes asks it which nodes a spread
    /// constraint counts.
    pub fn join(
        &mut self,
        spec: &PodSpec,
        whole: &PodSpec,
        namespace: &Name,
        labels: &Arc<Labels>,
    ) -> Membership {
        let parity = self.prepared.settings.parity;
        let mut member = Membership {
            namespace: namespace.clone(),
            labels: labels.clone(),
            ..Membership::default()
        };
        for constraint in &spec.spread {
            if self.ignore_preferences && !constraint.hard {
                continue;
            }
            let identity = spread_identity(whole, constraint, (namespace, labels), parity);
            let id = self.add(&identity, &spec.tolerations);
            member.own(id, &self.groups[id]);
        }
        for (kind, terms) in [
            (Kind::Affinity, &spec.affinity),
            (Kind::AntiAffinity, &spec.anti_affinity),
        ] {
            for term in terms {
                if self.ignore_preferences && term.weight.is_some() {
                    continue;
                }
                let identity = term_identity(self.prepared, kind, false, term, namespace);
                let id = self.add(&identity, &spec.tolerations);
                member.own(id, &self.groups[id]);
                if kind == Kind::AntiAffinity && term.weight.is_none() {
                    let identity = term_identity(self.prepared, kind, true, term, namespace);
                    let id = self.add(&identity, &spec.tolerations);
                    member.inverse_owned.push(id);
                }
            }
        }
        self.refresh(&mut member);
        member
    }

    /// Looks at the groups that were added since.
    pub fn refresh(&self, member: &mut Membership) {
        if member.seen == self.groups.len() {
            return;
        }
        for id in self.by_label.candidates(&member.labels, member.seen) {
            let rule = &self.groups[id].rule;
            if rule.selects(&member.namespace, &member.labels) {
                if rule.inverse {
                    member.avoided.push(id);
                } else {
                    member.records.push(id);
                }
            }
        }
        member.seen = self.groups.len();
    }

    /// `tolerations`: of the pod that brings the rule.
    fn add(&mut self, identity: &Identity, tolerations: &[Toleration]) -> usize {
        let parity = self.prepared.settings.parity;
        let mut key = identity.clone();
        if parity {
            // Upstream, the first pod decides for equal rules that differ in it (Q5).
            key.min_domains = None;
        }
        if let Some(id) = self.by_identity.get(&key) {
            return *id;
        }
        // Upstream, the first pod's taints decide where others may look as well (Q22).
        let of_first = (parity && identity.kind != Kind::Spread).then_some(tolerations);
        let base = self.prepared.bases.group(self.prepared, identity, of_first);
        self.adopt(&base, key)
    }
}

pub(super) fn term_identity(
    prepared: &Prepared,
    kind: Kind,
    inverse: bool,
    term: &AffinityTerm,
    namespace: &Name,
) -> Identity {
    Identity {
        kind,
        inverse,
        key: term.topology_key.clone(),
        namespaces: namespaces(prepared, term, namespace),
        selector: term.selector.clone().map(tidy),
        max_skew: i32::MAX,
        filter: None,
        min_domains: None,
        tolerations: None,
    }
}

fn namespaces(prepared: &Prepared, term: &AffinityTerm, own: &Name) -> Option<BTreeSet<Name>> {
    let listed: BTreeSet<Name> = term.namespaces.iter().cloned().collect();
    match &term.namespace_selector {
        None if listed.is_empty() => Some([own.clone()].into()),
        None => Some(listed),
        Some(selector) if *selector == LabelSelector::default() => None,
        Some(selector) => Some(
            prepared
                .snapshot
                .namespaces
                .values()
                .filter(|n| selector.matches(&n.labels))
                .map(|n| n.name.clone())
                .chain(listed)
                .collect(),
        ),
    }
}

fn spread_identity(
    spec: &PodSpec,
    constraint: &SpreadConstraint,
    (namespace, labels): (&Name, &Labels),
    parity: bool,
) -> Identity {
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
    Identity {
        kind: Kind::Spread,
        inverse: false,
        key: constraint.topology_key.clone(),
        namespaces: Some([namespace.clone()].into()),
        selector: selector.map(tidy),
        max_skew: constraint.max_skew,
        filter: Some(NodeFilter {
            terms: if constraint.honor_affinity {
                demand::strict_requirements(spec)
                    .into_iter()
                    .filter(|t| !t.is_empty())
                    .collect()
            } else {
                Vec::new()
            },
            tolerations: constraint.honor_taints.then(|| spec.tolerations.clone()),
            any_effect: parity,
        }),
        min_domains: constraint.min_domains,
        tolerations: constraint.honor_taints.then(|| spec.tolerations.clone()),
    }
}
