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

/// `aws §26` case 52.
#[test]
fn case_52_reservations_are_offerings_of_their_own() {
    use crate::cloud::aws::testing::{reservation, reserved_catalogue};
    let all = reserved_catalogue(
        &["m5.large"],
        &[
            (reservation("cr-a", "m5.large", "a"), 0),
            (reservation("cr-b", "m5.large", "b"), 3),
        ],
    );
    let row = all.get("m5.large").expect("row");
    let reserved: Vec<_> = row
        .offerings
        .iter()
        .filter(|o| o.capacity_type == CapacityType::Reserved)
        .collect();
    let shown: Vec<_> = reserved
        .iter()
        .map(|o| (o.reservation().map(|r| &**r), o.available, o.reservation_capacity))
        .collect();
    assert_eq!(shown, [(Some("cr-a"), false, 0), (Some("cr-b"), true, 3)]);
    let on_demand = row.offering("us-east-1b", "on-demand").expect("offering").price;
    assert_eq!(reserved[1].price, UsdPerHour(on_demand.0 / 10_000_000));
    let values = |key: &str| row.requirements.get(key).expect("label").values.len();
    assert_eq!(values(names::RESERVATION_ID), 2);
    assert_eq!(values(names::CAPACITY_TYPE), 3);
    assert!(on_demand > UsdPerHour::ZERO);
    let zone_id = reserved[1].requirements.get(names::ZONE_ID).expect("zone id");
    assert!(zone_id.has("use1-az1"));
}

/// `aws §26` case 53, the offering's part.
#[test]
fn case_53_an_expiring_block_takes_nobody_in() {
    use crate::cloud::aws::testing::{reservation, reserved_catalogue};
    let mut block = reservation("cr-a", "m5.large", "a");
    block.kind = "capacity-block".into();
    block.expiring = true;
    let all = reserved_catalogue(&["m5.large"], &[(block, 3)]);
    let row = all.get("m5.large").expect("row");
    assert!(
        !row.offering("us-east-1a", "reserved")
            .expect("offering")
            .available
    );
    assert!(
        row.offering("us-east-1a", "on-demand")
            .expect("offering")
            .available
    );
}
