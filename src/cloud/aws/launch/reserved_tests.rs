use super::super::filters::{self, counts};
use super::super::{fleet, template};
use super::*;
use crate::cloud::aws::testing::{claim, class, reservation, reserved_catalogue, resolved, settings};
use crate::cloud::stock::Unavailable;
use crate::model::node_class::ResolvedReservation;
use crate::model::{Catalogue, Claim, Requirement};

const ALL: [&str; 3] = ["reserved", "spot", "on-demand"];

fn any() -> Claim {
    claim([Requirement::is_in(names::CAPACITY_TYPE, ALL)], 100, 100)
}

fn run(catalogue: &Catalogue, claim: &Claim) -> Filtered {
    filters::run(catalogue, claim, &Unavailable::default(), false).expect("something is left")
}

/// (type, reservation) of everything that is left.
fn left(catalogue: &Catalogue, claim: &Claim) -> Vec<(String, String)> {
    let kept = run(catalogue, claim).kept;
    let offerings = kept
        .iter()
        .flat_map(|c| c.offerings().map(|o| (&c.instance_type.name, o)));
    offerings
        .map(|(name, o)| (name.to_string(), id(o).to_string()))
        .collect()
}

fn kind(mut of: ResolvedReservation, kind: &str, interruptible: bool) -> ResolvedReservation {
    of.kind = kind.into();
    of.interruptible = interruptible;
    of
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

/// `aws §26` case 61.
#[test]
fn case_61_a_reserved_request_names_its_reservation() {
    let all = reserved_catalogue(
        &["m5.large", "c5.large"],
        &[(reservation("cr-1", "m5.large", "b"), 2)],
    );
    let claim = any();
    let out = run(&all, &claim);
    let market = filters::capacity_type(&claim.requirements, &out.kept);
    assert_eq!(market, CapacityType::Reserved);
    assert_eq!(counts(&out.rejected), [(Filter::ReservationType, 1)].into());
    let (class, resolved, settings) = (
        class(serde_json::json!({"amiFamily": "AL2023"})),
        resolved(),
        settings(),
    );
    let tags = fleet::tags(&settings, &class, &claim);
    let groups = template::groups(&out.kept, &resolved, &claim, market);
    assert_eq!(groups.len(), 1);
    let options = template::Options {
        class: &class,
        resolved: &resolved,
        claim: &claim,
        settings: &settings,
        market,
        tenancy: "default",
        tags: &tags,
    };
    let data = template::request(&options, &groups[0]).expect("template").data;
    assert_eq!(
        data.capacity_reservation_preference.as_deref(),
        Some("capacity-reservations-only")
    );
    assert_eq!(data.capacity_reservation_id.as_deref(), Some("cr-1"));
    assert_eq!(data.market_type, None);
    let request = fleet::request(
        Vec::new(),
        market,
        Some(Kind::Default),
        &class,
        &claim,
        &tags,
        "t",
    );
    assert_eq!(&*request.default_target_capacity_type, "on-demand");
    assert_eq!(
        request.on_demand_allocation_strategy.as_deref(),
        Some("lowest-price")
    );
    assert_eq!(request.spot_allocation_strategy, None);
    // The other kinds ask for no strategy, and say what they are.
    let block = fleet::request(Vec::new(), market, Some(Kind::Block), &class, &claim, &tags, "t");
    assert_eq!(&*block.default_target_capacity_type, "capacity-block");
    assert_eq!(block.on_demand_allocation_strategy, None);
    let taken = fleet::request(
        Vec::new(),
        market,
        Some(Kind::Interruptible),
        &class,
        &claim,
        &tags,
        "t",
    );
    assert_eq!(&*taken.default_target_capacity_type, "reserved-capacity");
    assert_eq!(
        taken.reservation_types,
        ["interruptible-capacity-reservation".into()]
    );
    // On demand nothing falls into an open reservation, unless reservations are not looked at.
    let plain = super::super::super::testing::claim([], 100, 100);
    let on_demand = run(&reserved_catalogue(&["m5.large"], &[]), &plain);
    let groups = template::groups(&on_demand.kept, &resolved, &plain, CapacityType::OnDemand);
    let preference = |reserved_capacity: bool| {
        let mut settings = settings.clone();
        settings.reserved_capacity = reserved_capacity;
        let options = template::Options {
            settings: &settings,
            market: CapacityType::OnDemand,
            ..options
        };
        template::request(&options, &groups[0])
            .expect("template")
            .data
            .capacity_reservation_preference
    };
    assert_eq!(preference(true).as_deref(), Some("none"));
    assert_eq!(preference(false), None);
}

/// `aws §26` case 62.
#[test]
fn case_62_default_reservations_come_first() {
    let default = (reservation("cr-d", "m5.large", "a"), 1);
    let block = (
        kind(reservation("cr-b", "m5.large", "b"), "capacity-block", false),
        1,
    );
    let taken = (kind(reservation("cr-i", "m5.large", "c"), "default", true), 1);
    let of = |list: &[(ResolvedReservation, i64)]| left(&reserved_catalogue(&["m5.large"], list), &any());
    assert_eq!(
        of(&[default.clone(), block.clone(), taken.clone()]),
        pairs(&[("m5.large", "cr-d")])
    );
    assert_eq!(of(&[taken.clone(), block]), pairs(&[("m5.large", "cr-b")]));
    assert_eq!(of(std::slice::from_ref(&taken)), pairs(&[("m5.large", "cr-i")]));
    // A cheaper one goes before a better kind.
    let cheaper = (kind(reservation("cr-c", "c5.large", "c"), "default", true), 1);
    assert_eq!(
        left(
            &reserved_catalogue(&["m5.large", "c5.large"], &[default, cheaper]),
            &any()
        ),
        pairs(&[("c5.large", "cr-c")])
    );
    // A claim that may not be reserved does not see them.
    let spot = claim([Requirement::is_in(names::CAPACITY_TYPE, ["spot"])], 100, 100);
    let unreserved = left(&reserved_catalogue(&["m5.large"], &[taken]), &spot);
    assert!(unreserved.iter().all(|(_, id)| id.is_empty()) && !unreserved.is_empty());
}

/// `aws §26` case 63.
#[test]
fn case_63_one_capacity_block_at_a_time() {
    let block =
        |id: &str, name: &str, zone: &str| (kind(reservation(id, name, zone), "capacity-block", false), 4);
    let all = reserved_catalogue(
        &["p4d.24xlarge", "p5.48xlarge"],
        &[
            block("cr-5", "p5.48xlarge", "a"),
            block("cr-4", "p4d.24xlarge", "b"),
            block("cr-3", "p4d.24xlarge", "c"),
        ],
    );
    let out = left(&all, &any());
    assert_eq!(out.len(), 1, "{out:?}");
    assert_eq!(out[0].0, "p4d.24xlarge");
}

/// `aws §26` case 64.
#[test]
fn case_64_the_fullest_reservation_of_a_zone() {
    let all = reserved_catalogue(
        &["m5.large"],
        &[
            (reservation("cr-2", "m5.large", "a"), 2),
            (reservation("cr-5", "m5.large", "a"), 5),
            (reservation("cr-1", "m5.large", "b"), 1),
            (reservation("cr-0", "m5.large", "c"), 0),
        ],
    );
    assert_eq!(
        left(&all, &any()),
        pairs(&[("m5.large", "cr-5"), ("m5.large", "cr-1")])
    );
}

/// A reservation that emptied since the catalogue was made is not asked for.
#[test]
fn what_is_used_up_meanwhile_is_out() {
    use crate::cloud::stock::Stock;
    let all = reserved_catalogue(&["m5.large"], &[(reservation("cr-1", "m5.large", "a"), 1)]);
    let stock = Stock::default();
    let now = jiff::Timestamp::UNIX_EPOCH;
    stock.reservation_described(&"cr-1".into(), 1, now);
    stock.reservation_used(&"cr-1".into(), now);
    let out = filters::run(&all, &any(), &Unavailable::at(&stock, now), false).expect("spot and on-demand");
    assert_ne!(
        filters::capacity_type(&any().requirements, &out.kept),
        CapacityType::Reserved
    );
    stock.reservation_used(&"cr-1".into(), now);
    assert_eq!(
        Unavailable::at(&stock, now).reserved("cr-1"),
        Some(0),
        "never below nothing"
    );
}
