//! What constraints cost, and what placed pods gave up.

use crate::api::names;
use crate::decide::Fuel;
use crate::decide::explain::{Effort, Study};
use crate::decide::scheduling::prepare;
use crate::decide::scheduling::tests::support::*;
use crate::model::decision::remedy::{Change, Preference};
use crate::model::pod::AffinityTerm;
use crate::model::{Requirement, UsdPerHour};
use crate::words;

fn apart(weight: Option<i32>) -> AffinityTerm {
    AffinityTerm {
        topology_key: names::HOSTNAME.into(),
        selector: Some(selector(&[("app", "p")])),
        namespaces: Vec::new(),
        namespace_selector: None,
        weight,
    }
}

#[test]
fn an_anti_affinity_and_a_selector_have_their_price() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.requirements = [Requirement::is_in(names::CAPACITY_TYPE, ["on-demand"])]
            .into_iter()
            .collect();
    });
    w.pods(4, "p", |s| {
        s.requests = resources(450, GI / 2);
        s.anti_affinity = vec![apart(None)];
        s.node_selector = labels(&[(names::ZONE, "z2")]);
    });
    let prepared = prepare(&w.snapshot, &w.settings, now());
    let study = Study::of_pending(&prepared, None, &mut Fuel::UNLIMITED.clone());
    let costs = study.costs(&"default/p-0".into(), &mut Effort::of_a_question());
    let texts: Vec<String> = costs.iter().map(words::cost).collect();
    assert_eq!(
        texts,
        [
            "the anti-affinity over hostname costs $0.3000/h (3 nodes more), 4 have it",
            "capacity-type In [on-demand] of NodePool default costs $0.2400/h",
            "the selector zone=z2 costs nothing",
        ]
    );
    assert_eq!(costs[0].usd_per_hour, UsdPerHour::from_f64(0.3));
    assert_eq!(costs[0].pods, 4);
    assert!(matches!(costs[0].change, Change::DropAntiAffinity { .. }));
}

#[test]
fn a_constraint_that_keeps_pods_out_says_so() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("nodes".into(), 1);
    });
    w.pods(2, "p", |s| s.anti_affinity = vec![apart(None)]);
    let prepared = prepare(&w.snapshot, &w.settings, now());
    let study = Study::of_pending(&prepared, None, &mut Fuel::UNLIMITED.clone());
    let costs = study.costs(&"default/p-0".into(), &mut Effort::of_a_question());
    assert_eq!(
        words::cost(&costs[0]),
        "the anti-affinity over hostname costs nothing, keeps 1 pod out"
    );
}

#[test]
fn what_was_given_up_is_kept_by_shape() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("nodes".into(), 1);
    });
    w.pods(3, "p", |s| {
        s.requests = resources(300, GI / 4);
        s.anti_affinity = vec![apart(Some(10))];
    });
    let plan = w.plan();
    all_placed(&plan);
    assert_eq!(plan.relaxed.len(), 1);
    let one = &plan.relaxed[0];
    assert_eq!(one.pods, ["default/p-1".into(), "default/p-2".into()]);
    assert_eq!(
        one.dropped,
        [Preference::AntiAffinity {
            key: names::HOSTNAME.into(),
            weight: 10
        }]
    );
}
