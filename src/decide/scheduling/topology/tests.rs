//! One group against single domains and choices of them.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::group::{Group, Identity, Kind};
use super::values::{Table, Values};
use crate::api::names;
use crate::model::{Name, Requirement};

struct Case {
    group: Group,
    table: Table,
}

fn case(kind: Kind, key: &str, counts: &[(&str, u32)], min_domains: Option<i32>) -> Case {
    let rule = Identity {
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
    let mut table = Table::new(key.into(), Arc::new(Values::default()));
    let ids: Vec<usize> = counts
        .iter()
        .map(|(d, _)| table.intern(&Name::from(*d)))
        .collect();
    let mut known = FixedBitSet::new();
    known.extend(ids.iter().copied());
    let mut group = Group::new(Arc::new(rule), known, false);
    for (id, (_, pods)) in ids.iter().zip(counts) {
        group.count(*id, *pods);
    }
    Case { group, table }
}

impl Case {
    /// Names of the domains that a place with a choice is narrowed to.
    fn allowed(&self, pod: &Requirement, place: &Requirement, itself: bool) -> String {
        let pod = (!pod.complement).then(|| self.table.allowed(pod));
        let place = self.table.allowed(place);
        let left = self.group.verdict(pod, itself).narrow(Some(&place), &self.table);
        let names: Vec<&str> = left
            .ones()
            .filter_map(|d| self.table.name(d))
            .map(AsRef::as_ref)
            .collect();
        names.join(",")
    }
}

#[test]
fn item_56_skew_uses_the_minimum_over_the_pods_domains() {
    let any = Requirement::exists("zone");
    let c = case(Kind::Spread, "zone", &[("a", 3), ("b", 3), ("c", 0)], None);
    assert_eq!(c.allowed(&any, &any, true), "c");
    // Case 103: a pod that may only use a and b is measured against those.
    let some = Requirement::is_in("zone", ["a", "b"]);
    assert_eq!(c.allowed(&some, &some, true), "a");
    // The candidate is pinned to a full zone.
    let pinned = Requirement::is_in("zone", ["b"]);
    assert_eq!(c.allowed(&any, &pinned, true), "");
}

#[test]
fn item_58_too_few_domains_hold_the_minimum_at_zero() {
    let any = Requirement::exists("zone");
    let c = case(Kind::Spread, "zone", &[("a", 1), ("b", 1)], Some(3));
    assert_eq!(c.allowed(&any, &any, true), "");
    let c = case(Kind::Spread, "zone", &[("a", 1), ("b", 1)], Some(2));
    assert_eq!(c.allowed(&any, &any, true), "a");
}

#[test]
fn item_57_hostname_minimum_is_zero() {
    let c = case(Kind::Spread, names::HOSTNAME, &[("h1", 1), ("h2", 5)], None);
    assert!(c.group.is_full(c.group.at(0), true));
    assert!(!c.group.is_full(c.group.at(0), false));
    assert!(!c.group.is_full(c.group.at(7), true));
}

#[test]
fn items_64_65_affinity_and_anti_affinity() {
    let any = Requirement::exists("zone");
    let c = case(Kind::Affinity, "zone", &[("a", 0), ("b", 2)], None);
    assert_eq!(c.allowed(&any, &any, false), "b");
    let pinned = Requirement::is_in("zone", ["a"]);
    // Case 117: the occupied domain is out of reach, so a self-selecting pod starts its own.
    assert_eq!(c.allowed(&pinned, &pinned, true), "a");
    assert_eq!(c.allowed(&any, &pinned, true), "");
    let c = case(Kind::AntiAffinity, "zone", &[("a", 0), ("b", 2), ("c", 0)], None);
    assert_eq!(c.allowed(&any, &any, true), "a,c");
}

#[test]
fn equal_counts_go_by_name_whatever_the_number() {
    let any = Requirement::exists("zone");
    let c = case(Kind::Spread, "zone", &[("b", 0), ("a", 0)], None);
    assert_eq!(c.allowed(&any, &any, true), "a");
}

#[test]
fn taking_pods_away_frees_and_forgets() {
    let mut c = case(Kind::AntiAffinity, "zone", &[("a", 2), ("b", 1)], None);
    c.group.uncount(0, false);
    assert_eq!(c.group.at(0), 1);
    c.group.uncount(0, false);
    assert!(!c.group.knows(0), "nobody lists it");
    c.group.uncount(1, true);
    assert!(c.group.knows(1) && !c.group.is_occupied());
}
