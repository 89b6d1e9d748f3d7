use super::super::filters;
use super::*;
use crate::cloud::aws::testing::{catalogue, claim};
use jiff::Timestamp;

fn subnet(id: &str, letter: &str, free: i64) -> ResolvedSubnet {
    ResolvedSubnet {
        id: id.into(),
        zone: format!("us-east-1{letter}").into(),
        zone_id: "".into(),
        free,
    }
}

/// Two subnets in zone a; `(chosen, everything that was set aside)`.
fn chosen(stock: &Stock, one: i64, other: i64) -> (Name, Chosen) {
    let subnets = [subnet("s-1", "a", one), subnet("s-2", "a", other)];
    let kept = filters::run(
        &catalogue(&["m5.large", "m5.xlarge"]),
        &claim([], 100, 100),
        &Unavailable::default(),
        false,
    )
    .expect("left")
    .kept;
    let unavailable = Unavailable::at(stock, Timestamp::UNIX_EPOCH);
    let out = choose(&subnets, &kept, CapacityType::OnDemand, stock, &unavailable);
    assert_eq!(out.len(), 1, "zones without a subnet are left out");
    let zone: Name = "us-east-1a".into();
    (out[&zone].subnet.clone(), out)
}

/// `aws §26` case 68.
#[test]
fn case_68_the_emptier_subnet_of_a_zone() {
    assert_eq!(&*chosen(&Stock::default(), 10, 100).0, "s-2");
    assert_eq!(
        &*chosen(&Stock::default(), 100, 100).0,
        "s-1",
        "the first of equals"
    );
}

/// `aws §26` case 69.
#[test]
fn case_69_predicted_addresses_count_until_the_next_description() {
    let stock = Stock::default();
    let describe = |stock: &Stock| {
        stock.described(&"s-1".into(), 10);
        stock.described(&"s-2".into(), 11);
    };
    describe(&stock);
    assert_eq!(&*chosen(&stock, 10, 11).0, "s-2");
    // The smallest type in reach has 29 pods.
    assert_eq!(stock.free("s-2"), Some(11 - 29));
    assert_eq!(&*chosen(&stock, 10, 11).0, "s-1");
    describe(&stock);
    assert_eq!(&*chosen(&stock, 10, 11).0, "s-2");
}

/// `aws §26` case 70.
#[test]
fn case_70_addresses_come_back_and_full_subnets_come_last() {
    let stock = Stock::default();
    stock.described(&"s-1".into(), 100);
    stock.described(&"s-2".into(), 101);
    let (first, holds) = chosen(&stock, 100, 101);
    assert_eq!(&*first, "s-2");
    release_unused(&holds, None, &stock);
    assert_eq!(stock.free("s-2"), Some(101), "nothing was launched");
    let (_, holds) = chosen(&stock, 100, 101);
    release_unused(&holds, Some(&"s-2".into()), &stock);
    assert_eq!(stock.free("s-2"), Some(72), "what is used stays set aside");
    stock.exhausted(&"s-1".into(), Timestamp::UNIX_EPOCH);
    assert_eq!(&*chosen(&stock, 100, 101).0, "s-2");
    stock.described(&"s-1".into(), 5000);
    assert_eq!(
        &*chosen(&stock, 100, 101).0,
        "s-2",
        "marked for three minutes, whatever is counted"
    );
}
