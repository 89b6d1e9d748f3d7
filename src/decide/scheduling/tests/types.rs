//! Cases 29 to 51 in scope: types, prices, minValues.

use super::support::*;
use crate::api::names;
use crate::model::decision::Refusal;
use crate::model::{CapacityType, Requirement, Resources, UsdPerHour};

fn options(world: &World) -> Vec<String> {
    world.plan().claims[0]
        .draft
        .instance_types
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn case_29_cheapest_first_and_all_offered() {
    let mut w = World::new();
    w.types([
        kind("small", 2000, 4 * GI, 2.0, &["z1"]),
        kind("medium", 4000, 8 * GI, 3.0, &["z1"]),
        kind("large", 16_000, 32 * GI, 1.0, &["z1"]),
    ]);
    w.pod("p", |s| s.requests = resources(10, 10));
    assert_eq!(options(&w), ["large", "small", "medium"]);
    let expected = w.plan().claims[0].draft.expected.clone().expect("an offering");
    assert_eq!(&*expected.instance_type, "large");
    assert_eq!(expected.capacity_type, CapacityType::Spot);
    assert_eq!(expected.price_per_hour, UsdPerHour::from_f64(0.4));
}

#[test]
fn case_30_no_single_type_has_it_all() {
    let mut w = World::new();
    w.types([
        kind("wide", 16_000, GI, 1.0, &["z1"]),
        kind("deep", 1000, 64 * GI, 1.0, &["z1"]),
    ]);
    w.pod("p", |s| s.requests = resources(8000, 32 * GI));
    let plan = w.plan();
    let Refusal::InstanceTypes { funnel, .. } = &plan.unschedulable[0].pools[0].1 else {
        panic!("{:?}", plan.unschedulable);
    };
    assert_eq!(funnel.left(), 0);
    assert_eq!(funnel.considered, 2);
    assert_eq!(funnel.steps.len(), 2);
}

#[test]
fn case_32_order_follows_the_capacity_type_of_the_pod() {
    let mut w = World::new();
    let mut big = kind("big", 4000, 8 * GI, 3.0, &["z1"]);
    big.offerings[1].price = UsdPerHour::from_f64(0.01);
    w.types([kind("tiny", 2000, 4 * GI, 1.0, &["z1"]), big]);
    w.pod("p", |s| {
        s.node_selector = labels(&[(names::CAPACITY_TYPE, "on-demand")]);
    });
    assert_eq!(options(&w), ["tiny", "big"]);
    let mut w2 = World::new();
    w2.snapshot.catalogues = w.snapshot.catalogues.clone();
    w2.pod("p", |_| {});
    assert_eq!(options(&w2), ["big", "tiny"]);
}

#[test]
fn case_33_one_offering_must_meet_all() {
    let mut w = World::new();
    let mut split = kind("split", 4000, 8 * GI, 1.0, &["z1", "z2"]);
    // On-demand only in z1, spot only in z2.
    split
        .offerings
        .retain(|o| (&*o.zone == "z1") == (o.capacity_type == CapacityType::OnDemand));
    w.types([split, kind("whole", 4000, 8 * GI, 9.0, &["z1", "z2"])]);
    w.pool("default", |p| {
        p.template
            .requirements
            .add(Requirement::is_in(names::CAPACITY_TYPE, ["on-demand"]));
    });
    w.pod("p", |s| s.node_selector = labels(&[(names::ZONE, "z2")]));
    assert_eq!(options(&w), ["whole"]);
}

#[test]
fn sold_out_offerings_are_named_q29() {
    let mut w = World::new();
    let mut only = kind("only", 4000, 8 * GI, 1.0, &["z1"]);
    only.offerings[1].available = false;
    w.types([only, kind("far", 4000, 8 * GI, 1.0, &["z2"])]);
    w.pod("p", |s| {
        s.node_selector = labels(&[(names::ZONE, "z1"), (names::CAPACITY_TYPE, "spot")]);
    });
    let plan = w.plan();
    let Refusal::InstanceTypes { funnel, .. } = &plan.unschedulable[0].pools[0].1 else {
        panic!("{:?}", plan.unschedulable);
    };
    let last = funnel.steps.last().expect("steps");
    assert_eq!(last.check, crate::model::decision::refusal::Check::OutOfStock);
    assert_eq!(last.examples.len(), 1);
}

#[test]
fn case_36_a_zero_request_fits_types_without_it() {
    let mut w = World::new();
    w.pod("p", |s| s.requests.set("nvidia.com/gpu", 0));
    all_placed(&w.plan());
}

#[test]
fn case_37_the_pods_resource_splits() {
    let mut w = World::new();
    let mut five = kind("five", 16_000, 32 * GI, 1.0, &["z1"]);
    five.capacity.pods = 5;
    w.types([five]);
    w.pods(10, "p", |s| s.requests = resources(100, 1));
    assert_eq!(sizes(&w.plan()), [5, 5]);
}

#[test]
fn case_39_equal_prices_fall_to_the_name() {
    let mut w = World::new();
    w.types([
        kind("b", 4000, 8 * GI, 1.0, &["z1"]),
        kind("a", 4000, 8 * GI, 1.0, &["z1"]),
    ]);
    w.pod("p", |_| {});
    assert_eq!(options(&w), ["a", "b"]);
}

fn varied(w: &mut World, wanted: u32) {
    w.pool("default", |p| {
        let mut r = Requirement::exists(names::INSTANCE_TYPE);
        r.min_values = Some(wanted);
        p.template.requirements.add(r);
    });
}

#[test]
fn case_40_variety_keeps_pods_apart() {
    let mut w = World::new();
    w.types([
        kind("small", 2000, 4 * GI, 0.1, &["z1"]),
        kind("medium", 4000, 8 * GI, 0.2, &["z1"]),
    ]);
    varied(&mut w, 2);
    w.pods(2, "p", |s| s.requests = resources(1500, GI));
    assert_eq!(sizes(&w.plan()), [1, 1]);
}

#[test]
fn case_41_best_effort_lowers_what_cannot_be_had() {
    let mut w = World::new();
    w.types([
        kind("small", 2000, 4 * GI, 0.1, &["z1"]),
        kind("medium", 4000, 8 * GI, 0.2, &["z1"]),
    ]);
    varied(&mut w, 3);
    w.pod("p", |_| {});
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "min_values")]);
    w.settings.min_values_best_effort = true;
    let plan = w.plan();
    let draft = &plan.claims[0].draft;
    assert_eq!(
        draft
            .requirements
            .get(names::INSTANCE_TYPE)
            .and_then(|r| r.min_values),
        Some(2)
    );
    assert_eq!(
        draft.annotations.get(names::MIN_VALUES_RELAXED).map(|v| &**v),
        Some("true")
    );
}

#[test]
fn case_42_a_heavier_pool_may_relax() {
    let mut w = World::new();
    w.settings.min_values_best_effort = true;
    varied(&mut w, 9);
    w.pool("heavy", |p| {
        p.weight = 10;
        let mut r = Requirement::exists(names::INSTANCE_TYPE);
        r.min_values = Some(9);
        p.template.requirements.add(r);
    });
    w.pool("light", |_| {});
    w.pod("p", |_| {});
    assert_eq!(&*w.plan().claims[0].draft.pool, "heavy");
}

#[test]
fn item_41_at_most_600_and_the_cut_is_told() {
    let mut w = World::new();
    w.types((0..700).map(|i| kind(&format!("t{i:03}"), 4000, 8 * GI, 1.0 + f64::from(i), &["z1"])));
    w.pod("p", |_| {});
    let plan = w.plan();
    let planned = &plan.claims[0];
    assert_eq!(planned.draft.instance_types.len(), 600);
    assert_eq!(&*planned.draft.instance_types[0], "t000");
    let cut = planned.evidence.funnel.steps.last().expect("a step");
    assert_eq!(cut.removed, 100);
    assert_eq!(planned.evidence.funnel.left(), 600);
    assert_eq!(planned.evidence.ranking.len(), 20);
}

#[test]
fn item_76_what_a_claim_carries() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.annotations = labels(&[("note", "x")]);
        p.template.labels = labels(&[("team", "a")]);
    });
    w.pod("p", |_| {});
    let plan = w.plan();
    let draft = &plan.claims[0].draft;
    for (key, value) in [
        ("team", "a"),
        (names::NODEPOOL, "default"),
        (names::EC2_NODECLASS, "default"),
    ] {
        assert_eq!(draft.labels.get(key).map(|v| &**v), Some(value), "{key}");
    }
    for (key, value) in [
        ("note", "x"),
        (names::NODEPOOL_HASH, "hash"),
        (names::NODEPOOL_HASH_VERSION, "v3"),
        (names::MIN_VALUES_RELAXED, "false"),
    ] {
        assert_eq!(draft.annotations.get(key).map(|v| &**v), Some(value), "{key}");
    }
    assert!(draft.requirements.get(names::REGISTERED).is_none());
    assert!(draft.requirements.get(names::HOSTNAME).is_none());
    assert_eq!(
        draft.requirements.get(names::CAPACITY_TYPE),
        Some(&Requirement::is_in(names::CAPACITY_TYPE, ["on-demand", "spot"]))
    );
    assert_eq!(
        draft.requests,
        Resources {
            cpu: 1000,
            memory: GI,
            pods: 1,
            ..Resources::default()
        }
    );
    let (base, suffix) = draft.name.rsplit_once('-').expect("a suffix");
    assert_eq!((base, suffix.len()), ("default", 5));
    assert_eq!(w.plan().claims[0].draft, *draft, "item 81: the same plan twice");
}

#[test]
fn evidence_says_what_was_cheaper() {
    let mut w = World::new();
    w.pod("p", |s| s.requests = resources(3000, GI));
    let plan = w.plan();
    let evidence = &plan.claims[0].evidence;
    assert_eq!(&*evidence.ranking[0].instance_type, "medium");
    assert_eq!(evidence.ranking[0].zones.len(), 3);
    let cheaper: Vec<&str> = evidence
        .cheaper_refused
        .iter()
        .map(|c| &*c.instance_type)
        .collect();
    assert_eq!(cheaper, ["small"]);
}
