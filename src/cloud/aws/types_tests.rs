use jiff::Timestamp;
use serde_json::json;

use super::super::testing::{class, rows_of};
use super::*;
use crate::cloud::stock::Stock;

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn built(names: &[&str], family: &str, stock: &Stock) -> Catalogue {
    let rows = rows_of(names, &class(json!({"amiFamily": family})));
    rows.catalogue(
        &Prices::shipped("us-east-1"),
        &Unavailable::at(stock, now()),
        None,
    )
}

fn available(catalogue: &Catalogue, name: &str) -> usize {
    let row = catalogue.get(name).expect("listed");
    row.offerings.iter().filter(|o| o.available).count()
}

/// `aws §26` case 39.
#[test]
fn case_39_a1_does_not_run_al2023() {
    let stock = Stock::default();
    let al2023 = built(&["a1.large"], "AL2023", &stock);
    assert!(!al2023.get("a1.large").expect("listed").offerings.is_empty());
    assert_eq!(available(&al2023, "a1.large"), 0);
    assert!(available(&built(&["a1.large"], "Bottlerocket", &stock), "a1.large") > 0);
}

/// `aws §26` case 48.
#[test]
fn case_48_no_price_no_available_offering() {
    let catalogue = built(&["r9g.large", "m5.large"], "AL2023", &Stock::default());
    assert!(!catalogue.get("r9g.large").expect("listed").offerings.is_empty());
    assert_eq!(available(&catalogue, "r9g.large"), 0);
    // Three of its zones have a subnet; two markets each.
    assert_eq!(available(&catalogue, "m5.large"), 6);
}

#[test]
fn a_stock_out_changes_one_offering_and_shares_the_other_types() {
    let stock = Stock::default();
    let rows = rows_of(&["m5.large", "c5.large"], &class(json!({"amiFamily": "AL2023"})));
    let prices = Prices::shipped("us-east-1");
    let before = rows.catalogue(&prices, &Unavailable::at(&stock, now()), None);
    stock.mark_offering(
        &"m5.large".into(),
        &"us-east-1a".into(),
        CapacityType::Spot,
        now(),
    );
    let after = rows.catalogue(&prices, &Unavailable::at(&stock, now()), Some(&before));
    assert_eq!(available(&after, "m5.large"), 5);
    let offering = after
        .get("m5.large")
        .and_then(|t| t.offering("us-east-1a", "spot"));
    assert!(!offering.expect("listed").available);
    let same = |name: &str| match (before.get(name), after.get(name)) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    };
    assert!(same("c5.large") && !same("m5.large"));
}

/// `aws §26` case 47.
#[test]
fn case_47_one_bad_setting_fails_the_whole_list() {
    let spec = json!({"amiFamily": "AL2023", "kubelet": {"kubeReserved": {"memory": "lots"}}});
    let raw = Raw::new(vec![super::super::testing::info("m5.large")], Vec::new());
    let settings = super::super::testing::settings();
    let failed = rows(&raw, &class(spec), &ResolvedClass::default(), &settings);
    assert!(failed.is_err());
}
