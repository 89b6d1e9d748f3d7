//! Why a pod is pending, place by place.

use super::support::*;
use crate::api::names;
use crate::decide::explain::why_pending;
use crate::model::decision::Refusal;

#[test]
fn every_place_with_its_first_failing_check_closest_first() {
    let mut w = World::new();
    w.pool("other", |p| {
        p.weight = 1;
        p.template.taints = vec![crate::model::Taint {
            key: "t".into(),
            value: "v".into(),
            effect: crate::model::TaintEffect::NoSchedule,
        }];
    });
    w.node("far", "z2", 32_000, |_, _| {});
    w.node("tight", "z1", 19_000, |_, _| {});
    w.node("tiny", "z1", 1000, |_, _| {});
    w.pod("p", |s| {
        s.requests = resources(20_000, GI);
        s.node_selector = labels(&[(names::ZONE, "z1")]);
    });
    let pod = w.snapshot.pods.get("default/p").cloned().expect("there");
    let places = why_pending(&w.snapshot, &pod, now(), &w.settings);
    let pools: Vec<(&str, &str)> = places
        .pools
        .iter()
        .map(|(n, r)| (&**n, r.as_ref().map_or("fits", Refusal::code)))
        .collect();
    assert_eq!(
        pools,
        [("other", "untolerated_taints"), ("default", "instance_types")]
    );
    let nodes: Vec<(&str, &str)> = places
        .nodes
        .iter()
        .map(|(n, r)| (&**n, r.as_ref().map_or("fits", Refusal::code)))
        .collect();
    assert_eq!(
        nodes,
        [
            ("tight", "resources"),
            ("tiny", "resources"),
            ("far", "requirement")
        ]
    );
}

#[test]
fn a_pod_that_fits_says_so() {
    let mut w = World::new();
    w.node("n1", "z1", 4000, |_, _| {});
    w.pod("p", |_| {});
    let pod = w.snapshot.pods.get("default/p").cloned().expect("there");
    let places = why_pending(&w.snapshot, &pod, now(), &w.settings);
    assert_eq!(places.pools, [("default".into(), None)]);
    assert_eq!(places.nodes, [("n1".into(), None)]);
}
