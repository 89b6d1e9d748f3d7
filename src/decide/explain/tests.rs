//! Why a pod is pending, place by place.

use crate::api::names;
use crate::decide::Fuel;
use crate::decide::explain::{Asked, Seat, Study, places_of};
use crate::decide::scheduling::prepare;
use crate::decide::scheduling::tests::support::*;
use crate::model::decision::Refusal;
use crate::model::{Name, Taint, TaintEffect};

fn places(w: &World, pod: &str) -> Asked {
    let prepared = prepare(&w.snapshot, &w.settings, now());
    let key: Name = format!("default/{pod}").into();
    let mut study = Study::of_pending(&prepared, Some(&key), &mut Fuel::UNLIMITED.clone());
    study.places(&key).expect("a pod of the plan")
}

fn codes(tried: &[(Name, Option<Refusal>)]) -> Vec<(&str, &str)> {
    tried
        .iter()
        .map(|(n, r)| (&**n, r.as_ref().map_or("fits", Refusal::code)))
        .collect()
}

fn pools(asked: &Asked) -> Vec<(&str, &str)> {
    asked
        .pools
        .iter()
        .map(|p| (&*p.pool, p.refusal.as_ref().map_or("fits", Refusal::code)))
        .collect()
}

#[test]
fn every_place_with_its_first_failing_check_closest_first() {
    let mut w = World::new();
    w.pool("other", |p| {
        p.weight = 1;
        p.template.taints = vec![Taint {
            key: "t".into(),
            value: "v".into(),
            effect: TaintEffect::NoSchedule,
        }];
    });
    w.node("far", "z2", 32_000, |_, _| {});
    w.node("tight", "z1", 19_000, |_, _| {});
    w.node("tiny", "z1", 1000, |_, _| {});
    w.pod("p", |s| {
        s.requests = resources(20_000, GI);
        s.node_selector = labels(&[(names::ZONE, "z1")]);
    });
    // It opens a claim, which is then a place that the other one is refused by.
    w.pod("q", |s| {
        s.requests = resources(15_000, GI);
        s.node_selector = labels(&[(names::ZONE, "z3")]);
    });
    let asked = places(&w, "p");
    assert_eq!(asked.seat, None);
    assert_eq!(
        pools(&asked),
        [("other", "untolerated_taints"), ("default", "instance_types")]
    );
    assert_eq!(
        codes(&asked.nodes),
        [
            ("tight", "resources"),
            ("tiny", "resources"),
            ("far", "requirement")
        ]
    );
    assert_eq!(asked.claims.len(), 1);
    assert_eq!(codes(&asked.claims)[0].1, "requirement");
    // A taint comes first, and still it is said how many types would be left.
    let left: Vec<Option<(u32, u32)>> = asked
        .pools
        .iter()
        .map(|p| p.funnel.as_ref().map(|f| (f.left(), f.considered)))
        .collect();
    assert_eq!(left, [Some((0, 3)), Some((0, 3))]);
    assert_eq!(asked.pools[1].ceilings, [("cpu".into(), 16_000)]);
}

#[test]
fn a_pod_that_fits_says_where() {
    let mut w = World::new();
    w.node("n1", "z1", 4000, |_, _| {});
    w.pod("p", |_| {});
    let asked = places(&w, "p");
    assert_eq!(pools(&asked), [("default", "fits")]);
    assert_eq!(asked.nodes, [("n1".into(), None)]);
    assert_eq!(asked.seat, Some(Seat::Node("n1".into())));
    w.without_node("n1");
    w.snapshot.claims = imbl::OrdMap::new();
    let asked = places(&w, "p");
    assert!(matches!(asked.seat, Some(Seat::Claim(_))), "{asked:?}");
}

#[test]
fn a_pod_that_is_never_considered_says_why() {
    let mut w = World::new();
    w.pod("p", |s| s.uses_resource_claims = true);
    assert_eq!(pools(&places(&w, "p")), [("", "resource_claims")]);
}

#[test]
fn its_own_requests_do_not_keep_a_pod_from_its_seat() {
    let mut w = World::new();
    w.node("n1", "z1", 1000, |_, _| {});
    w.pod("p", |_| {});
    let asked = places(&w, "p");
    assert_eq!(asked.seat, Some(Seat::Node("n1".into())));
    assert_eq!(asked.nodes, [("n1".into(), None)]);
    // A bound pod is asked as if it had to move.
    w.bound("b", "n1", |_| {});
    let pod = w.snapshot.pods.get("default/b").cloned().expect("there");
    let prepared = prepare(&w.snapshot, &w.settings, now());
    assert_eq!(places_of(&prepared, &pod).nodes, [("n1".into(), None)]);
}
