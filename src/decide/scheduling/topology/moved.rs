//! What a problem takes away from the cluster's counts: the pods that it places anew and the nodes that count as gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::base::Base;
use super::build::term_identity;
use super::group::{Group, Identity, Kind};
use super::values::Values;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::{Name, Pod};

/// Above so many pods to place, groups are not asked whether they matter.
const FEW: usize = 200;

#[derive(Debug, Default)]
pub struct Moved {
    /// Pods to place that count where they run, with their node.
    pods: Vec<(usize, Arc<Pod>)>,
    /// Those of them that carry required anti-affinity, a rule each.
    carried: Vec<(usize, Identity)>,
    /// Their positions among the carriers.
    carriers: BTreeSet<u32>,
    nodes: Vec<usize>,
}

impl Moved {
    pub fn new(prepared: &Prepared, pods: &[(Name, Arc<Pod>)], without: &BTreeSet<Name>) -> Self {
        let mut out = Self::default();
        let find = |name: &Name| {
            let i = *prepared.node_ids.get(name)?;
            (prepared.nodes[i].state.name == *name).then_some(i)
        };
        out.nodes = without.iter().filter_map(find).collect();
        for (_, pod) in pods {
            let Some(node) = pod.node.as_ref().and_then(find) else {
                continue;
            };
            if !pod.is_active() || prepared.nodes[node].state.node.is_none() {
                continue;
            }
            out.pods.push((node, pod.clone()));
            let terms: Vec<_> = pod
                .spec
                .anti_affinity
                .iter()
                .filter(|t| t.weight.is_none())
                .collect();
            if terms.is_empty() {
                continue;
            }
            for term in terms {
                let rule = term_identity(prepared, Kind::AntiAffinity, true, term, &pod.namespace);
                out.carried.push((node, rule));
            }
            let index = prepared.counts();
            let mut on_node = index.carriers_on(node);
            let me = |i: &usize| {
                let other = &index.carriers[*i].1;
                other.name == pod.name && other.namespace == pod.namespace
            };
            out.carriers
                .extend(on_node.find(me).and_then(|i| u32::try_from(i).ok()));
        }
        out
    }

    /// Inverse groups of the pods that stay, in order of their first carrier; of few pods to place only the groups that
    /// select one of them.
    pub fn inverse(&self, prepared: &Prepared, pods: &[(Name, Arc<Pod>)]) -> Vec<Arc<Base>> {
        let mut found: Vec<((u32, u32), Arc<Base>)> = Vec::new();
        for inverse in prepared.bases.inverse(prepared) {
            let rule = &inverse.base.group.rule;
            let matters = pods.len() > FEW || pods.iter().any(|(_, p)| rule.selects(&p.namespace, &p.labels));
            if !matters {
                continue;
            }
            let mut stay = inverse
                .carriers
                .iter()
                .filter(|(c, _)| !self.carriers.contains(c));
            let Some(first) = stay.next() else {
                continue;
            };
            let base = if prepared.settings.parity && inverse.carriers.first() != Some(first) {
                // The first carrier's taints decide (Q22).
                inverse.seen_by(prepared, first.0)
            } else {
                inverse.base.clone()
            };
            found.push((*first, base));
        }
        found.sort_unstable_by_key(|(first, _)| *first);
        found.into_iter().map(|(_, base)| base).collect()
    }

    /// The cluster's group without the pods and nodes that are taken away.
    pub fn correct(&self, prepared: &Prepared, base: &Base, values: &Values) -> Group {
        let parity = prepared.settings.parity;
        let mut group = base.group.clone();
        let rule = group.rule.clone();
        let mut gone: BTreeMap<usize, u32> = BTreeMap::new();
        if !group.per_host {
            for node in &self.nodes {
                if let Some(domain) = base.offers(prepared, *node, values) {
                    *gone.entry(domain).or_default() += 1;
                }
            }
        }
        let listed = |domain: usize| base.lists(domain, gone.get(&domain).copied().unwrap_or(0));
        for domain in gone.keys().filter(|d| !listed(**d)) {
            group.forget(*domain);
        }
        let carried = self.carried.iter().filter(|(_, r)| rule.inverse && *r == *rule);
        let counted = self
            .pods
            .iter()
            .filter(|(_, p)| !rule.inverse && rule.counts(&p.namespace, &p.labels, parity))
            .map(|(node, _)| node);
        for node in carried.map(|(node, _)| node).chain(counted) {
            let domain = if rule.inverse {
                values.of_node(*node).map(|d| d as usize)
            } else {
                base.counted(*node, values)
            };
            if let Some(domain) = domain {
                group.uncount(domain, listed(domain));
                if group.per_host {
                    group.mark(domain, values);
                }
            }
        }
        group
    }
}
