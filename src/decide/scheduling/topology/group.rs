//! One topology group and its rule (`scheduling §18.1`, `§18.5`).

use std::collections::BTreeSet;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::hosts::Hosts;
use super::values::{Table, Values};
use crate::api::names;
use crate::model::taints::{Toleration, untolerated};
use crate::model::{LabelSelector, Labels, Name, Requirements, Taint, TaintEffect};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Spread,
    Affinity,
    AntiAffinity,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::Affinity => "affinity",
            Self::AntiAffinity => "anti-affinity",
        }
    }
}

/// Which nodes a spread constraint counts (`scheduling §18.3`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeFilter {
    /// nodeSelector ∧ each required term; one must hold. Empty when affinity is ignored.
    pub terms: Vec<Requirements>,
    /// Present when taints are honoured.
    pub tolerations: Option<Vec<Toleration>>,
    /// `PreferNoSchedule` taints count as well, as upstream has it; they keep no pod away in Kubernetes.
    pub any_effect: bool,
}

impl NodeFilter {
    /// Whether the taints that count are tolerated, where taints are honoured.
    pub fn bears(&self, taints: &[Taint]) -> bool {
        let counts = |t: &&Taint| self.any_effect || t.effect != TaintEffect::PreferNoSchedule;
        self.tolerations
            .as_ref()
            .is_none_or(|mine| !untolerated(taints, mine).any(|t| counts(&t)))
    }

    /// The domains over which the least count is looked for: those that some alternative allows; `None` = all.
    pub fn looked_at(&self, table: &Table) -> Option<FixedBitSet> {
        let mut out: Option<FixedBitSet> = None;
        for term in &self.terms {
            let allowed = table.allowed(term.get(&table.key)?);
            match &mut out {
                Some(all) => all.union_with(&allowed),
                None => out = Some(allowed),
            }
        }
        out
    }

    /// Whether pods count on a place that demands or is that.
    pub fn accepts(&self, requirements: &Requirements, taints: &[Taint]) -> bool {
        let suits = self.terms.is_empty()
            || self
                .terms
                .iter()
                .any(|t| requirements.compatible(t, |k| k == names::HOSTNAME).is_ok());
        suits && self.bears(taints)
    }

    /// It takes every node.
    pub fn is_open(&self) -> bool {
        self.terms.is_empty() && self.tolerations.is_none()
    }
}

/// What makes two rules one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub kind: Kind,
    pub inverse: bool,
    pub key: Name,
    /// `None` = all.
    pub namespaces: Option<BTreeSet<Name>>,
    /// `None` selects nothing.
    pub selector: Option<LabelSelector>,
    pub max_skew: i32,
    pub filter: Option<NodeFilter>,
    pub min_domains: Option<i32>,
    /// Tolerations that its domains were filtered with, where they were.
    pub tolerations: Option<Vec<Toleration>>,
}

impl Identity {
    pub fn selects(&self, namespace: &Name, labels: &Labels) -> bool {
        self.namespaces.as_ref().is_none_or(|n| n.contains(namespace))
            && self.selector.as_ref().is_some_and(|s| s.matches(labels))
    }

    /// Whether a pod that is there is counted. Upstream lists all pods of the namespace for a rule without a selector,
    /// which selects none of those being placed (Q6).
    pub fn counts(&self, namespace: &Name, labels: &Labels, parity: bool) -> bool {
        if parity && self.selector.is_none() {
            return self.namespaces.as_ref().is_none_or(|n| n.contains(namespace));
        }
        self.selects(namespace, labels)
    }

    pub fn is_per_host(&self) -> bool {
        &*self.key == names::HOSTNAME
    }
}

/// A shared rule with its counts. Domains are numbers of the key's [`Table`].
#[derive(Clone, Debug)]
pub struct Group {
    pub rule: Arc<Identity>,
    pub per_host: bool,
    /// By domain: pods there.
    counts: Vec<u32>,
    /// Domains that a place can have; hostnames are not listed.
    known: FixedBitSet,
    occupied: usize,
    hosts: Hosts,
    /// Every quirk of upstream is kept.
    parity: bool,
}

impl Group {
    pub fn new(rule: Arc<Identity>, known: FixedBitSet, parity: bool) -> Self {
        Self {
            per_host: rule.is_per_host(),
            counts: Vec::new(),
            known,
            occupied: 0,
            hosts: Hosts::default(),
            parity,
            rule,
        }
    }

    /// How many pods are in a domain.
    pub fn at(&self, domain: usize) -> u32 {
        self.counts.get(domain).copied().unwrap_or(0)
    }

    pub fn knows(&self, domain: usize) -> bool {
        self.known.contains(domain)
    }

    /// Adds pods.
    pub fn count(&mut self, domain: usize, pods: u32) {
        if self.counts.len() <= domain {
            self.counts.resize(domain + 1, 0);
        }
        if self.counts[domain] == 0 && pods > 0 {
            self.occupied += 1;
            if !self.per_host {
                self.known.grow(domain + 1);
                self.known.insert(domain);
            }
        }
        self.counts[domain] += pods;
    }

    /// Takes one pod away; the domain stays known when `listed`.
    pub fn uncount(&mut self, domain: usize, listed: bool) {
        let Some(count) = self.counts.get_mut(domain).filter(|n| **n > 0) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.occupied -= 1;
            if !listed && !self.per_host {
                self.known.set(domain, false);
            }
        }
    }

    /// Notes on which nodes and claims it is full, after the count of a host changed.
    pub fn mark(&mut self, host: usize, values: &Values) {
        let pods = self.at(host);
        for itself in [false, true] {
            let full = self.is_full(pods, itself);
            self.hosts.set(host, itself, full, values);
        }
    }

    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Marks every host that has pods.
    pub fn mark_all(&mut self, values: &Values) {
        let filled: Vec<usize> = self.filled().collect();
        for host in filled {
            self.mark(host, values);
        }
    }

    /// Forgets a domain that nobody is in.
    pub fn forget(&mut self, domain: usize) {
        if self.at(domain) == 0 && self.known.contains(domain) {
            self.known.set(domain, false);
        }
    }

    /// Domains with the number of pods there, in name order.
    pub fn shown(&self, table: &Table) -> Vec<(Name, u32)> {
        let mut out: Vec<(Name, u32)> = if self.per_host {
            let counted = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
            counted
                .filter_map(|(d, n)| Some((table.name(d)?.clone(), *n)))
                .collect()
        } else {
            let known = self.known.ones();
            known
                .filter_map(|d| Some((table.name(d)?.clone(), self.at(d))))
                .collect()
        };
        out.sort_unstable();
        out
    }

    /// A place that it refused once it refuses for good: hostname counts only grow, and their minimum stays zero.
    pub fn refuses_for_good(&self) -> bool {
        self.per_host && self.rule.kind != Kind::Affinity
    }

    /// One more pod, of which the group selects itself or not, on a host with so many.
    pub fn is_full(&self, pods: u32, selects_itself: bool) -> bool {
        match self.rule.kind {
            Kind::Spread => i64::from(pods) + i64::from(selects_itself) > i64::from(self.rule.max_skew),
            Kind::Affinity | Kind::AntiAffinity => pods > 0,
        }
    }

    pub fn is_occupied(&self) -> bool {
        self.occupied > 0
    }

    /// Domains with a pod.
    fn filled(&self) -> impl Iterator<Item = usize> + '_ {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .map(|(d, _)| d)
    }

    /// The least count over the pod's domains (`None` = all of them).
    fn least(&self, pod: Option<&FixedBitSet>) -> i64 {
        let mut domains = 0_i64;
        let mut least = i64::from(i32::MAX);
        for domain in self.known.ones().filter(|d| within(pod, *d)) {
            domains += 1;
            least = least.min(i64::from(self.at(domain)));
        }
        if self
            .rule
            .min_domains
            .is_some_and(|wanted| domains < i64::from(wanted))
        {
            return 0;
        }
        least
    }

    /// What it allows of single domains, whichever place has them.
    pub fn verdict(&self, pod: Option<FixedBitSet>, selects_itself: bool) -> Verdict<'_> {
        let rule = match self.rule.kind {
            Kind::Spread => {
                let most = i64::from(self.rule.max_skew) + self.least(pod.as_ref());
                Rule::AtMost(most - i64::from(selects_itself))
            }
            Kind::Affinity if self.filled().any(|d| within(pod.as_ref(), d)) => Rule::Occupied,
            Kind::Affinity if selects_itself => Rule::Start,
            Kind::Affinity => Rule::Nowhere,
            Kind::AntiAffinity => Rule::Empty,
        };
        Verdict {
            group: self,
            pod,
            rule,
        }
    }
}

fn within(set: Option<&FixedBitSet>, domain: usize) -> bool {
    set.is_none_or(|s| s.contains(domain))
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Domains with at most so many pods.
    AtMost(i64),
    Occupied,
    /// Nobody is there yet: any domain starts it.
    Start,
    Nowhere,
    Empty,
}

/// A group's answer at one moment for one pod.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    group: &'a Group,
    pod: Option<FixedBitSet>,
    rule: Rule,
}

impl Verdict<'_> {
    /// Whether a place may have that domain alone.
    pub fn takes(&self, domain: usize) -> bool {
        let pods = self.group.at(domain);
        match self.rule {
            Rule::AtMost(most) => self.group.knows(domain) && i64::from(pods) <= most,
            Rule::Occupied => pods > 0 && within(self.pod.as_ref(), domain),
            Rule::Start => self.group.knows(domain) && within(self.pod.as_ref(), domain),
            Rule::Nowhere => false,
            Rule::Empty => self.group.knows(domain) && pods == 0 && within(self.pod.as_ref(), domain),
        }
    }

    /// Every domain that it takes.
    pub fn domains(&self) -> impl Iterator<Item = usize> + '_ {
        // Occupied domains are known as well.
        self.group.known.ones().filter(|d| self.takes(*d))
    }

    /// What a place with a choice of domains (`None` = any) is narrowed to; empty = refused.
    pub fn narrow(&self, place: Option<&FixedBitSet>, table: &Table) -> FixedBitSet {
        let mut out = FixedBitSet::with_capacity(self.group.known.len());
        let taken = self.domains().filter(|d| within(place, *d));
        match self.rule {
            Rule::AtMost(_) => out.extend(taken.min_by_key(|d| (self.group.at(*d), table.name(*d)))),
            Rule::Start => {
                let mine = taken.min_by_key(|d| table.name(*d));
                out.extend(mine);
                if self.group.parity && mine.is_some() {
                    // Upstream adds any further domain of the pod (Q7), so that the place may stay open between the two.
                    // Any is the last here: a first one would be the same again.
                    out.extend(self.domains().max_by_key(|d| table.name(*d)));
                }
            }
            Rule::Occupied | Rule::Nowhere | Rule::Empty => out.extend(taken),
        }
        out
    }
}
