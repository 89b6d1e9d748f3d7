//! Cases 134 to 137 and item 71: NodeOverlays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::support::*;
use crate::api::names;
use crate::model::overlaid::OverlayVerdict;
use crate::model::overlay::{Overlay, PriceChange};
use crate::model::{Name, Operator, Requirement, UsdPerHour};

fn overlay(w: &mut World, name: &str, change: impl FnOnce(&mut Overlay)) {
    let mut row = Overlay {
        name: name.into(),
        uid: format!("uid-{name}").into(),
        generation: 1,
        created: now(),
        requirements: [Requirement::is_in(names::INSTANCE_TYPE, ["medium"])]
            .into_iter()
            .collect(),
        price: None,
        capacity: BTreeMap::new(),
        weight: 0,
        conditions: crate::model::Conditions::new(),
        invalid: Vec::new(),
    };
    change(&mut row);
    w.snapshot.apply(&[crate::model::Delta::Overlay(Arc::new(row))]);
}

fn percent(text: &str) -> Option<PriceChange> {
    PriceChange::adjustment(text)
}

fn verdict(w: &World, name: &str) -> OverlayVerdict {
    w.snapshot.overlaid(false).verdicts[name].clone()
}

/// Price of a type's on-demand offering in z1 as a pool sees it.
fn price(w: &World, pool: &str, kind: &str) -> UsdPerHour {
    let types = w.snapshot.types_of(pool, "default").expect("types");
    let kind = types.get(kind).expect("a type");
    kind.offering("z1", "on-demand").expect("an offering").price
}

fn usd(x: f64) -> UsdPerHour {
    UsdPerHour::from_f64(x)
}

#[test]
fn case_134_equal_weights_collide_and_the_heavier_holds() {
    let mut w = World::new();
    overlay(&mut w, "a", |o| o.price = percent("-50%"));
    overlay(&mut w, "b", |o| o.price = percent("+50%"));
    // The later name comes first.
    assert_eq!(verdict(&w, "b"), OverlayVerdict::Succeeded);
    assert_eq!(verdict(&w, "a"), OverlayVerdict::Conflict("b".into()));
    assert_eq!(price(&w, "default", "medium"), usd(0.3));
    overlay(&mut w, "a", |o| {
        o.price = percent("-50%");
        o.weight = 1;
    });
    assert_eq!(verdict(&w, "b"), OverlayVerdict::Succeeded);
    assert_eq!(verdict(&w, "a"), OverlayVerdict::Succeeded);
    assert_eq!(price(&w, "default", "medium"), usd(0.1));
    // Disjoint offerings of one type.
    for (name, market) in [("a", "on-demand"), ("b", "spot")] {
        overlay(&mut w, name, |o| {
            o.price = percent("-50%");
            o.requirements
                .add(Requirement::is_in(names::CAPACITY_TYPE, [market]));
        });
    }
    assert_eq!(verdict(&w, "a"), OverlayVerdict::Succeeded);
    assert_eq!(verdict(&w, "b"), OverlayVerdict::Succeeded);
}

#[test]
fn case_135_a_conflict_in_one_pool_rejects_the_overlay_in_all() {
    let mut w = World::new();
    w.pool("other", |_| {});
    overlay(&mut w, "b", |o| {
        o.price = percent("+50%");
        o.requirements.add(Requirement::is_in(names::NODEPOOL, ["other"]));
    });
    overlay(&mut w, "a", |o| o.price = percent("-50%"));
    assert_eq!(verdict(&w, "a"), OverlayVerdict::Conflict("b".into()));
    assert_eq!(price(&w, "default", "medium"), usd(0.2));
    assert_eq!(price(&w, "other", "medium"), usd(0.3));
    // What validation refuses is applied to none either.
    overlay(&mut w, "b", |o| {
        o.price = percent("+50%");
        o.invalid = vec!["spec: wrong".into()];
    });
    assert_eq!(
        verdict(&w, "b"),
        OverlayVerdict::Invalid(vec!["spec: wrong".into()])
    );
    assert_eq!(price(&w, "other", "medium"), usd(0.1));
}

#[test]
fn case_137_a_pool_without_types_is_skipped_alone() {
    let mut w = World::new();
    w.snapshot.catalogues.insert(
        "default".into(),
        w.snapshot.catalogues[crate::model::snapshot::ANY_CLASS].clone(),
    );
    w.snapshot.catalogues.remove(crate::model::snapshot::ANY_CLASS);
    w.pool("blind", |p| {
        p.weight = 10;
        p.template.class.name = "unknown".into();
    });
    overlay(&mut w, "a", |o| o.price = percent("-90%"));
    w.pod("p", |_| {});
    let plan = w.plan();
    assert_eq!(plan.claims.len(), 1);
    let draft = &plan.claims[0].draft;
    assert_eq!(&*draft.pool, "default");
    assert_eq!(&*draft.instance_types[0], "medium");
    assert_eq!(
        draft.annotations.get(names::PRICE_OVERLAY_APPLIED).map(|v| &**v),
        Some("true")
    );
    assert_eq!(draft.annotations.get(names::CAPACITY_OVERLAY_APPLIED), None);
}

#[test]
fn item_71_capacity_is_the_types_whatever_offering_matched() {
    let mut w = World::new();
    let fuse: Name = "smarter-devices.example/fuse".into();
    overlay(&mut w, "a", |o| {
        o.requirements
            .add(Requirement::is_in(names::CAPACITY_TYPE, ["spot"]));
        o.capacity.insert(fuse.clone(), 20);
    });
    w.pod("p", |s| s.requests.set(&fuse, 5));
    let plan = w.plan();
    let draft = &plan.claims[0].draft;
    assert_eq!(draft.instance_types, ["medium".into()]);
    assert!(draft.annotations.contains_key(names::CAPACITY_OVERLAY_APPLIED));
    assert!(!draft.annotations.contains_key(names::PRICE_OVERLAY_APPLIED));
    // On-demand has it, too.
    w.pod("q", |s| {
        s.requests.set(&fuse, 20);
        s.node_selector = labels(&[(names::CAPACITY_TYPE, "on-demand")]);
    });
    all_placed(&w.plan());
    w.snapshot.overlays.clear();
    w.snapshot.apply(&[crate::model::Delta::OverlayGone("a".into())]);
    assert_eq!(w.plan().unschedulable.len(), 2);
}

#[test]
fn item_71_resources_merge_and_the_same_one_collides() {
    let mut w = World::new();
    overlay(&mut w, "c", |o| {
        o.capacity.insert("x/one".into(), 1);
    });
    overlay(&mut w, "b", |o| {
        o.capacity.insert("x/two".into(), 2);
    });
    overlay(&mut w, "a", |o| {
        o.capacity.insert("x/two".into(), 3);
    });
    assert_eq!(verdict(&w, "a"), OverlayVerdict::Conflict("b".into()));
    let types = w.snapshot.types_of("default", "default").expect("types");
    let medium = types.get("medium").expect("there");
    assert_eq!(
        (medium.capacity.get("x/one"), medium.capacity.get("x/two")),
        (1, 2)
    );
}

#[test]
fn item_71_labels_that_a_type_lacks_match_nothing() {
    let mut w = World::new();
    overlay(&mut w, "a", |o| {
        o.price = percent("-50%");
        o.requirements = [Requirement::exists("team")].into_iter().collect();
    });
    assert_eq!(price(&w, "default", "medium"), usd(0.2));
    w.pool("red", |p| p.template.labels = labels(&[("team", "red")]));
    // Pools of a world are rows set directly: evaluate again.
    overlay(&mut w, "b", |o| {
        o.requirements = [Requirement::new::<Name>("team", Operator::DoesNotExist, [])]
            .into_iter()
            .collect();
        o.price = percent("+100%");
    });
    assert_eq!(price(&w, "red", "medium"), usd(0.1));
    assert_eq!(price(&w, "default", "medium"), usd(0.4));
}

#[test]
fn q13_what_an_offering_overrides_is_kept() {
    use crate::model::instance_type::Overrides;
    let mut w = World::new();
    let mut medium = kind("medium", 4000, 8 * GI, 0.2, &["z1"]);
    for offering in &mut medium.offerings {
        offering.overrides = Some(Arc::new(Overrides {
            capacity: [("memory".into(), 64 * GI)].into(),
            ..Overrides::default()
        }));
    }
    w.types([medium]);
    w.pod("p", |s| s.requests = resources(1000, 32 * GI));
    overlay(&mut w, "a", |o| o.price = percent("-50%"));
    all_placed(&w.plan());
    w.settings.parity = true;
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "instance_types")]);
}
