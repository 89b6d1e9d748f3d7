//! Cases 21 to 28: preferences and their relaxation.

use super::support::*;
use crate::api::names;
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::{Operator, PodSpec, Requirement, Taint, TaintEffect};

fn zone(z: &str) -> Vec<Requirement> {
    vec![Requirement::is_in(names::ZONE, [z])]
}

fn prefer_no_schedule() -> Taint {
    Taint {
        key: "soft".into(),
        value: "".into(),
        effect: TaintEffect::PreferNoSchedule,
    }
}

#[test]
fn case_21_the_heaviest_possible_preference_wins() {
    let mut w = World::new();
    w.pod("p", |s| {
        s.preferred_terms = vec![(1, zone("z1")), (100, zone("nowhere")), (50, zone("z2"))];
    });
    assert_eq!(by_domain(&w.plan(), names::ZONE), [("z2".to_owned(), 1)]);
}

#[test]
fn case_22_and_23_preferences_never_beat_requirements() {
    let mut w = World::new();
    w.pod("p", |s| {
        s.required_terms = vec![zone("z3")];
        s.preferred_terms = vec![(1, vec![Requirement::new(names::ZONE, Operator::NotIn, ["z3"])])];
    });
    assert_eq!(by_domain(&w.plan(), names::ZONE), [("z3".to_owned(), 1)]);
    let mut w = World::new();
    w.pod("p", |s| {
        s.preferred_terms = vec![(1, [zone("z1"), zone("z2")].concat())];
    });
    all_placed(&w.plan());
}

#[test]
fn case_24_the_toleration_comes_last() {
    let mut w = World::new();
    w.pool("default", |p| p.template.taints = vec![prefer_no_schedule()]);
    w.pod("p", |s| s.preferred_terms = vec![(1, zone("a")), (2, zone("b"))]);
    all_placed(&w.plan());
}

#[test]
fn case_25_a_clean_pool_is_better_whatever_its_name() {
    for (clean, tainted) in [("a", "b"), ("b", "a")] {
        let mut w = World::new();
        w.snapshot.pools.remove("default");
        w.pool(clean, |_| {});
        w.pool(tainted, |p| p.template.taints = vec![prefer_no_schedule()]);
        w.pod("p", |_| {});
        assert_eq!(&*w.plan().claims[0].draft.pool, clean);
    }
}

fn wishes(s: &mut PodSpec) {
    s.preferred_terms = vec![(1, zone("z1"))];
    s.anti_affinity = vec![AffinityTerm {
        topology_key: names::HOSTNAME.into(),
        selector: Some(selector(&[("app", "p")])),
        namespaces: vec![],
        namespace_selector: None,
        weight: Some(1),
    }];
    s.spread = vec![SpreadConstraint {
        topology_key: names::HOSTNAME.into(),
        max_skew: 1,
        hard: false,
        selector: Some(selector(&[("app", "p")])),
        min_domains: None,
        match_label_keys: vec![],
        honor_affinity: true,
        honor_taints: false,
    }];
}

#[test]
fn case_26_preferences_can_be_ignored() {
    let mut w = World::new();
    w.pods(3, "p", wishes);
    assert_eq!(sizes(&w.plan()), [1, 1, 1]);
    w.settings.ignore_preferences = true;
    let plan = w.plan();
    assert_eq!(sizes(&plan), [3]);
    assert!(plan.claims[0].draft.requirements.get(names::ZONE).is_none());
}

#[test]
fn case_27_preferences_do_not_shrink_spread_domains() {
    let mut w = World::new();
    w.pods(6, "p", |s| {
        s.preferred_terms = vec![(1, vec![Requirement::is_in(names::ZONE, ["z1", "z2"])])];
        s.spread = vec![SpreadConstraint {
            topology_key: names::ZONE.into(),
            max_skew: 1,
            hard: true,
            selector: Some(selector(&[("app", "p")])),
            min_domains: None,
            match_label_keys: vec![],
            honor_affinity: true,
            honor_taints: false,
        }];
    });
    let plan = w.plan();
    let counts: Vec<usize> = by_domain(&plan, names::ZONE)
        .into_iter()
        .map(|(_, n)| n)
        .collect();
    assert_eq!(counts, [2, 2, 2]);
}
