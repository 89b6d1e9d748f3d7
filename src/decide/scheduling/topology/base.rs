//! Groups as the cluster has them before a problem moves pods: counted once a snapshot, then copied and corrected for
//! what a problem takes away.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fixedbitset::FixedBitSet;

use super::build::term_identity;
use super::count::CountIndex;
use super::group::{Group, Identity, Kind};
use super::universe::{of_pools, taken};
use super::values::Values;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::taints::untolerated;
use crate::model::{Name, Taint, Toleration};

/// What the problems over one snapshot share; filled as they ask.
#[derive(Debug, Default)]
pub struct Bases {
    counts: OnceLock<CountIndex>,
    values: Mutex<BTreeMap<Name, Arc<Values>>>,
    groups: Mutex<BTreeMap<Seen, Arc<Base>>>,
    inverse: OnceLock<Vec<Inverse>>,
}

/// A rule, and the tolerations of the pod that brought it where they decide its domains.
type Seen = (Identity, Option<Vec<Toleration>>);

/// A group with every bound pod counted.
#[derive(Debug)]
pub struct Base {
    pub group: Group,
    /// Nodes that its filter takes; `None` = all.
    accepted: Option<FixedBitSet>,
    /// Domains that pools offer.
    of_pools: FixedBitSet,
    /// By domain: nodes that offer it.
    offered: Vec<u32>,
}

/// An inverse group and who made it: (position among the carriers, term of that pod).
#[derive(Debug)]
pub struct Inverse {
    pub base: Arc<Base>,
    pub carriers: Vec<(u32, u32)>,
}

impl Bases {
    pub fn counts(&self, prepared: &Prepared) -> &CountIndex {
        self.counts.get_or_init(|| CountIndex::new(&prepared.nodes))
    }

    pub fn values(&self, prepared: &Prepared, key: &Name) -> Arc<Values> {
        let mut known = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(values) = known.get(key) {
            values.clone()
        } else {
            let values = Arc::new(Values::new(prepared, key));
            known.insert(key.clone(), values.clone());
            values
        }
    }

    /// `of_first`: tolerations of the pod that brought the rule, where domains behind other taints do not count.
    pub fn group(&self, prepared: &Prepared, rule: &Identity, of_first: Option<&[Toleration]>) -> Arc<Base> {
        let seen = (rule.clone(), of_first.map(<[Toleration]>::to_vec));
        let found = |known: &BTreeMap<Seen, Arc<Base>>| known.get(&seen).cloned();
        if let Some(base) = found(&self.groups.lock().unwrap_or_else(PoisonError::into_inner)) {
            return base;
        }
        let mut base = Base::new(prepared, &Arc::new(rule.clone()), of_first);
        base.count(prepared, &self.values(prepared, &rule.key));
        let base = Arc::new(base);
        let mut known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(seen).or_insert(base).clone()
    }

    /// Inverse groups of all pods that are there, in order of their first carrier.
    pub fn inverse(&self, prepared: &Prepared) -> &[Inverse] {
        self.inverse.get_or_init(|| {
            let mut order: BTreeMap<Identity, usize> = BTreeMap::new();
            let mut out: Vec<(Identity, Vec<(u32, u32)>)> = Vec::new();
            let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
            for (i, (_, pod)) in self.counts(prepared).carriers.iter().enumerate() {
                let terms = pod.spec.anti_affinity.iter().enumerate();
                for (t, term) in terms.filter(|(_, t)| t.weight.is_none()) {
                    let rule = term_identity(prepared, Kind::AntiAffinity, true, term, &pod.namespace);
                    let next = out.len();
                    let at = *order.entry(rule.clone()).or_insert(next);
                    if at == next {
                        out.push((rule, Vec::new()));
                    }
                    out[at].1.push((number(i), number(t)));
                }
            }
            out.into_iter()
                .map(|(rule, carriers)| {
                    let first = carriers.first().map_or(0, |(c, _)| *c);
                    Inverse {
                        base: Base::of_carriers(prepared, &Arc::new(rule), &carriers, first),
                        carriers,
                    }
                })
                .collect()
        })
    }
}

impl Inverse {
    /// The group as it is when a certain carrier brings it.
    pub fn seen_by(&self, prepared: &Prepared, first: u32) -> Arc<Base> {
        Base::of_carriers(prepared, &self.base.group.rule, &self.carriers, first)
    }
}

impl Base {
    /// An inverse group with every carrier counted.
    fn of_carriers(
        prepared: &Prepared,
        rule: &Arc<Identity>,
        carriers: &[(u32, u32)],
        first: u32,
    ) -> Arc<Self> {
        let all = &prepared.counts().carriers;
        let first = all.get(first as usize).filter(|_| prepared.settings.parity);
        let of_first = first.map(|(_, pod)| pod.spec.tolerations.as_slice());
        let mut out = Self::new(prepared, rule, of_first);
        let values = prepared.bases.values(prepared, &rule.key);
        for (node, _) in carriers.iter().filter_map(|(c, _)| all.get(*c as usize)) {
            if let Some(domain) = values.of_node(*node) {
                out.group.count(domain as usize, 1);
            }
        }
        if out.group.per_host {
            out.group.mark_all(&values);
        }
        Arc::new(out)
    }

    fn new(prepared: &Prepared, rule: &Arc<Identity>, of_first: Option<&[Toleration]>) -> Self {
        let parity = prepared.settings.parity;
        let accepted = rule
            .filter
            .as_ref()
            .filter(|f| !f.is_open())
            .map(|f| taken(prepared, f));
        let mut out = Self {
            group: Group::new(rule.clone(), FixedBitSet::new(), parity),
            accepted,
            of_pools: FixedBitSet::new(),
            offered: Vec::new(),
        };
        if !out.group.per_host {
            let values = prepared.bases.values(prepared, &rule.key);
            let reach = |taints: &[Taint]| match &rule.filter {
                Some(filter) => filter.bears(taints),
                None => of_first.is_none_or(|mine| untolerated(taints, mine).next().is_none()),
            };
            out.of_pools = of_pools(prepared, &rule.key, reach, &values);
            out.offered = vec![0; values.len()];
            // Upstream, inverse rules know no domains but those of pools (Q23).
            let of_nodes = !(parity && rule.inverse);
            for i in (0..prepared.nodes.len()).filter(|_| of_nodes) {
                if let Some(domain) = out.offers(prepared, i, &values) {
                    out.offered[domain] += 1;
                }
            }
            let mut known = out.of_pools.clone();
            known.extend((0..values.len()).filter(|d| out.offered[*d] > 0));
            out.group = Group::new(rule.clone(), known, parity);
        }
        out
    }

    fn count(&mut self, prepared: &Prepared, values: &Values) {
        if self.group.rule.inverse {
            return;
        }
        let rule = self.group.rule.clone();
        for ((namespace, labels), pods) in &prepared.counts().classes {
            if !rule.counts(namespace, labels, prepared.settings.parity) {
                continue;
            }
            for (node, pods) in pods {
                if let Some(domain) = self.counted(*node as usize, values) {
                    self.group.count(domain, *pods);
                }
            }
        }
        if self.group.per_host {
            self.group.mark_all(values);
        }
    }

    /// The domain in which a pod on that node counts.
    pub fn counted(&self, node: usize, values: &Values) -> Option<usize> {
        let takes = self.accepted.as_ref().is_none_or(|a| a.contains(node));
        values.of_node(node).filter(|_| takes).map(|d| d as usize)
    }

    /// The domain that a node offers.
    pub fn offers(&self, prepared: &Prepared, node: usize, values: &Values) -> Option<usize> {
        let state = &prepared.nodes.get(node)?.state;
        // A claim whose node has not joined brings its domain all the same; upstream forgets it.
        let joins = state.node.is_some() || !prepared.settings.parity;
        if !joins || state.marked {
            return None;
        }
        self.counted(node, values)
    }

    /// Whether pools, or nodes other than so many, offer a domain.
    pub fn lists(&self, domain: usize, gone: u32) -> bool {
        self.of_pools.contains(domain) || self.offered.get(domain).is_some_and(|n| *n > gone)
    }
}
