//! One topology group and its rule (`scheduling §18.1`, `§18.5`).

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::api::names;
use crate::model::taints::{Toleration, untolerated};
use crate::model::{LabelSelector, Labels, Name, Requirement, Requirements};

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
}

impl NodeFilter {
    pub fn accepts(&self, place: &Place<'_>) -> bool {
        let suits = self.terms.is_empty()
            || self
                .terms
                .iter()
                .any(|t| place.requirements.compatible(t, |k| k == names::HOSTNAME).is_ok());
        suits
            && self
                .tolerations
                .as_ref()
                .is_none_or(|t| untolerated(place.taints, t).next().is_none())
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

/// A shared rule with its counts.
#[derive(Clone, Debug)]
pub struct Group {
    pub kind: Kind,
    pub inverse: bool,
    pub key: Name,
    pub namespaces: Option<BTreeSet<Name>>,
    pub selector: Option<LabelSelector>,
    pub max_skew: i64,
    pub min_domains: Option<i32>,
    pub filter: Option<NodeFilter>,
    /// Known domains with the number of pods there.
    pub counts: BTreeMap<Name, u32>,
    /// Domains with a pod.
    occupied: BTreeSet<Name>,
    /// Every quirk of upstream is kept.
    parity: bool,
}

impl Group {
    pub fn new(identity: &Identity, domains: BTreeSet<Name>, parity: bool) -> Self {
        Self {
            kind: identity.kind,
            inverse: identity.inverse,
            key: identity.key.clone(),
            namespaces: identity.namespaces.clone(),
            selector: identity.selector.clone(),
            max_skew: i64::from(identity.max_skew),
            min_domains: identity.min_domains,
            filter: identity.filter.clone(),
            counts: domains.into_iter().map(|d| (d, 0)).collect(),
            occupied: BTreeSet::new(),
            parity,
        }
    }

    pub fn selects(&self, namespace: &Name, labels: &Labels) -> bool {
        self.namespaces.as_ref().is_none_or(|n| n.contains(namespace))
            && self.selector.as_ref().is_some_and(|s| s.matches(labels))
    }

    /// Whether a pod that is there is counted. Upstream lists all pods of the namespace for a rule without a selector,
    /// which selects none of those being placed (Q6).
    pub fn counted(&self, namespace: &Name, labels: &Labels) -> bool {
        if self.parity && self.selector.is_none() {
            return self.namespaces.as_ref().is_none_or(|n| n.contains(namespace));
        }
        self.selects(namespace, labels)
    }

    pub fn count(&mut self, domain: &Name) {
        match self.counts.get_mut(domain) {
            Some(n) => *n += 1,
            None => {
                self.counts.insert(domain.clone(), 1);
            }
        }
        if !self.occupied.contains(domain) {
            self.occupied.insert(domain.clone());
        }
    }

    /// A place that it refused once it refuses for good: hostname counts only grow, and their minimum stays zero.
    pub fn refuses_for_good(&self) -> bool {
        &*self.key == names::HOSTNAME && self.kind != Kind::Affinity
    }

    fn at(&self, domain: &str) -> i64 {
        i64::from(self.counts.get(domain).copied().unwrap_or(0))
    }

    /// The one hostname of a place.
    fn single<'b>(&self, node: &'b Requirement) -> Option<&'b Name> {
        if &*self.key == names::HOSTNAME && !node.complement {
            node.values.first().filter(|_| node.values.len() == 1)
        } else {
            None
        }
    }

    /// Domains that a place may have; empty = refused.
    pub fn allowed(&self, pod: &Requirement, node: &Requirement, selects_itself: bool) -> BTreeSet<Name> {
        match self.kind {
            Kind::Spread => self.spread(pod, node, selects_itself),
            Kind::Affinity => self.affinity(pod, node, selects_itself),
            Kind::AntiAffinity => self.anti_affinity(pod, node),
        }
    }

    fn least(&self, pod: &Requirement) -> i64 {
        if &*self.key == names::HOSTNAME {
            return 0;
        }
        let mut domains = 0_i64;
        let mut least = i64::from(i32::MAX);
        for (_, count) in self.counts.iter().filter(|(d, _)| pod.has(d)) {
            domains += 1;
            least = least.min(i64::from(*count));
        }
        if self.min_domains.is_some_and(|wanted| domains < i64::from(wanted)) {
            return 0;
        }
        least
    }

    fn spread(&self, pod: &Requirement, node: &Requirement, selects_itself: bool) -> BTreeSet<Name> {
        let itself = i64::from(selects_itself);
        if let Some(host) = self.single(node) {
            let fits = self.at(host) + itself <= self.max_skew;
            return fits.then(|| host.clone()).into_iter().collect();
        }
        let least = self.least(pod);
        let valid = |count: u32| i64::from(count) + itself - least <= self.max_skew;
        let best = if node.complement {
            self.counts
                .iter()
                .filter(|(d, n)| valid(**n) && node.has(d))
                .min_by_key(|(d, n)| (**n, *d))
                .map(|(d, _)| d)
        } else {
            node.values
                .iter()
                .filter_map(|d| self.counts.get_key_value(d))
                .filter(|(_, n)| valid(**n))
                .min_by_key(|(d, n)| (**n, *d))
                .map(|(d, _)| d)
        };
        best.cloned().into_iter().collect()
    }

    fn affinity(&self, pod: &Requirement, node: &Requirement, selects_itself: bool) -> BTreeSet<Name> {
        let there: BTreeSet<Name> = match self.single(node) {
            Some(host) => Some(host)
                .filter(|h| self.occupied.contains(*h) && pod.has(h))
                .cloned()
                .into_iter()
                .collect(),
            None => self
                .occupied
                .iter()
                .filter(|d| pod.has(d) && node.has(d))
                .cloned()
                .collect(),
        };
        if !there.is_empty() || !selects_itself || self.occupied.iter().any(|d| pod.has(d)) {
            return there;
        }
        if let Some(host) = self.single(node) {
            return Some(host).filter(|h| pod.has(h)).cloned().into_iter().collect();
        }
        let Some(mine) = self.counts.keys().find(|d| pod.has(d) && node.has(d)) else {
            return BTreeSet::new();
        };
        // Upstream adds any further domain of the pod (Q7), so that the place may stay open between the two. Any is the
        // last here: a first one would be the same again.
        let further = self.counts.keys().rfind(|d| self.parity && pod.has(d));
        std::iter::once(mine).chain(further).cloned().collect()
    }

    fn anti_affinity(&self, pod: &Requirement, node: &Requirement) -> BTreeSet<Name> {
        if let Some(host) = self.single(node) {
            let free = !self.occupied.contains(host);
            return free.then(|| host.clone()).into_iter().collect();
        }
        self.counts
            .iter()
            .filter(|(d, n)| **n == 0 && pod.has(d) && node.has(d))
            .map(|(d, _)| d.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(kind: Kind, key: &str, counts: &[(&str, u32)], min_domains: Option<i32>) -> Group {
        let identity = Identity {
            kind,
            inverse: false,
            key: key.into(),
            namespaces: None,
            selector: None,
            max_skew: 1,
            filter: None,
            min_domains,
            tolerations: None,
        };
        let domains = counts.iter().map(|(d, _)| (*d).into()).collect();
        let mut out = Group::new(&identity, domains, false);
        for (domain, n) in counts {
            (0..*n).for_each(|_| out.count(&(*domain).into()));
        }
        out
    }

    fn names(set: &BTreeSet<Name>) -> String {
        set.iter().map(|n| &**n).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn item_56_skew_uses_the_minimum_over_the_pods_domains() {
        let any = Requirement::exists("zone");
        let g = group(Kind::Spread, "zone", &[("a", 3), ("b", 3), ("c", 0)], None);
        assert_eq!(names(&g.allowed(&any, &any, true)), "c");
        // Case 103: a pod that may only use a and b is measured against those.
        let some = Requirement::is_in("zone", ["a", "b"]);
        assert_eq!(names(&g.allowed(&some, &some, true)), "a");
        // The candidate is pinned to a full zone.
        let pinned = Requirement::is_in("zone", ["b"]);
        assert!(g.allowed(&any, &pinned, true).is_empty());
    }

    #[test]
    fn item_58_too_few_domains_hold_the_minimum_at_zero() {
        let any = Requirement::exists("zone");
        let g = group(Kind::Spread, "zone", &[("a", 1), ("b", 1)], Some(3));
        assert!(g.allowed(&any, &any, true).is_empty());
        let g = group(Kind::Spread, "zone", &[("a", 1), ("b", 1)], Some(2));
        assert_eq!(names(&g.allowed(&any, &any, true)), "a");
    }

    #[test]
    fn item_57_hostname_minimum_is_zero() {
        let any = Requirement::exists(names::HOSTNAME);
        let g = group(Kind::Spread, names::HOSTNAME, &[("h1", 1), ("h2", 5)], None);
        let on = |h: &str| Requirement::is_in(names::HOSTNAME, [h]);
        assert!(g.allowed(&any, &on("h1"), true).is_empty());
        assert_eq!(names(&g.allowed(&any, &on("new"), true)), "new");
    }

    #[test]
    fn items_64_65_affinity_and_anti_affinity() {
        let any = Requirement::exists("zone");
        let g = group(Kind::Affinity, "zone", &[("a", 0), ("b", 2)], None);
        assert_eq!(names(&g.allowed(&any, &any, false)), "b");
        let pinned = Requirement::is_in("zone", ["a"]);
        // Case 117: the occupied domain is out of reach, so a self-selecting pod starts its own.
        assert_eq!(names(&g.allowed(&pinned, &pinned, true)), "a");
        assert!(g.allowed(&any, &pinned, true).is_empty());
        let g = group(Kind::AntiAffinity, "zone", &[("a", 0), ("b", 2), ("c", 0)], None);
        assert_eq!(names(&g.allowed(&any, &any, true)), "a,c");
    }
}
