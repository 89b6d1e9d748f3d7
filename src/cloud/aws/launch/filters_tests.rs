use super::*;
use crate::cloud::aws::testing::{catalogue, claim};
use crate::model::Requirement;

const BOTH: [&str; 2] = ["spot", "on-demand"];

fn markets(values: &[&'static str]) -> Requirement {
    Requirement::is_in(names::CAPACITY_TYPE, values.iter().copied())
}

fn kept(catalogue: &Catalogue, claim: &Claim) -> Vec<String> {
    let out = run(catalogue, claim, &Unavailable::default(), false).expect("something is left");
    out.kept
        .iter()
        .map(|c| c.instance_type.name.to_string())
        .collect()
}

/// A catalogue with other spot prices: (type, zone letter, price).
fn with_spot(names: &[&str], prices: &[(&str, &str, f64)]) -> Catalogue {
    Catalogue::new(catalogue(names).types().iter().map(|t| {
        let mut t = (**t).clone();
        for o in t
            .offerings
            .iter_mut()
            .filter(|o| o.capacity_type == CapacityType::Spot)
        {
            let price = prices
                .iter()
                .find(|(n, z, _)| **n == *t.name && o.zone.ends_with(z));
            match price {
                Some((_, _, price)) => o.price = UsdPerHour::from_f64(*price),
                None => o.available = false,
            }
        }
        Arc::new(t)
    }))
}

/// `aws §26` case 55.
#[test]
fn case_55_exotic_types_go_unless_nothing_else_is_left() {
    let plain = claim([markets(&["on-demand"])], 100, 100);
    let all = catalogue(&["m5.large", "g4dn.xlarge", "m5.metal"]);
    assert_eq!(kept(&all, &plain), ["m5.large"]);
    let rejected = run(&all, &plain, &Unavailable::default(), false)
        .expect("left")
        .rejected;
    assert_eq!(counts(&rejected), [(Filter::Exotic, 2)].into());
    assert_eq!(
        kept(&catalogue(&["g4dn.xlarge", "m5.metal"]), &plain),
        ["g4dn.xlarge", "m5.metal"]
    );
    let mut family = Requirement::exists(names::INSTANCE_FAMILY);
    family.min_values = Some(2);
    let with_min = claim([markets(&["on-demand"]), family], 100, 100);
    assert_eq!(kept(&all, &with_min).len(), 3);
}

/// `aws §26` cases 56, 57 and 58: c5.large costs 0.085 on demand, the cheapest here.
#[test]
fn cases_56_to_58_spot_dearer_than_on_demand_goes() {
    let types = ["c5.large", "m5.large", "r5.large"];
    let prices = [
        ("m5.large", "a", 0.01),
        ("m5.large", "b", 0.10),
        ("r5.large", "a", 0.10),
        ("c5.large", "a", 0.085),
    ];
    let all = with_spot(&types, &prices);
    let out = run(
        &all,
        &claim([markets(&BOTH)], 100, 100),
        &Unavailable::default(),
        false,
    )
    .expect("left");
    let spot: Vec<(String, String)> = out
        .kept
        .iter()
        .flat_map(|c| c.offerings().map(|o| (c.instance_type.name.to_string(), o)))
        .filter(|(_, o)| o.capacity_type == CapacityType::Spot)
        .map(|(n, o)| (n, o.zone.to_string()))
        .collect();
    assert_eq!(
        spot,
        [
            ("m5.large".to_owned(), "us-east-1a".to_owned()),
            ("c5.large".to_owned(), "us-east-1a".to_owned())
        ],
        "equal prices stay"
    );
    // Without on-demand nothing is removed.
    let only = claim([markets(&["spot"])], 100, 100);
    assert_eq!(kept(&all, &only), ["m5.large", "c5.large", "r5.large"]);
    let mut family = Requirement::exists(names::INSTANCE_FAMILY);
    family.min_values = Some(1);
    let with_min = claim([markets(&BOTH), family], 100, 100);
    let out = run(&all, &with_min, &Unavailable::default(), false).expect("left");
    assert!(out.rejected.iter().all(|r| r.filter != Filter::SpotOffering));
}

/// `aws §26` cases 59 and 60.
#[test]
fn cases_59_and_60_sixty_types_and_min_values() {
    let names: Vec<&str> = crate::facts::get()
        .types()
        .iter()
        .filter(|t| matches!(&*t.category, "c" | "m" | "r") && !t.metal && t.zones.contains_key("us-east-1"))
        .map(|t| &*t.name)
        .collect();
    let all = catalogue(&names);
    let plain = claim([markets(&["on-demand"])], 100, 100);
    let out = run(&all, &plain, &Unavailable::default(), false).expect("left");
    assert_eq!(out.kept.len(), MOST_TYPES);
    assert!(out.kept.windows(2).all(|w| w[0].price() <= w[1].price()));
    let mut family = Requirement::exists(names::INSTANCE_SIZE);
    family.min_values = Some(30);
    let many = claim([markets(&["on-demand"]), family], 100, 100);
    assert!(matches!(
        run(&all, &many, &Unavailable::default(), false),
        Err(NothingLeft::MinValues { wanted: 30, .. })
    ));
    assert!(run(&all, &many, &Unavailable::default(), true).is_ok());
}

/// `aws §26` case 67, and the order of `aws §9.3`.
#[test]
fn case_67_tenancy_and_capacity_type() {
    let tenancy_of = |values: &[&'static str]| {
        let requirement = Requirement::is_in(names::INSTANCE_TENANCY, values.iter().copied());
        tenancy(&[requirement].into_iter().collect())
    };
    assert_eq!(tenancy_of(&["default", "dedicated"]), "default");
    assert_eq!(tenancy_of(&["dedicated"]), "dedicated");
    assert_eq!(tenancy(&Requirements::default()), "default");
    let all = catalogue(&["m5.large"]);
    let market = |claim: &Claim| {
        let out = run(&all, claim, &Unavailable::default(), false).expect("left");
        capacity_type(&claim.requirements, &out.kept)
    };
    assert_eq!(market(&claim([markets(&BOTH)], 100, 100)), CapacityType::Spot);
    assert_eq!(
        market(&claim([markets(&["on-demand"])], 100, 100)),
        CapacityType::OnDemand
    );
}

#[test]
fn nothing_fits() {
    let big = claim([markets(&BOTH)], 1_000_000, 100);
    let failed = run(&catalogue(&["m5.large"]), &big, &Unavailable::default(), false);
    assert!(matches!(
        failed,
        Err(NothingLeft::CompatibleAvailable { of: 1, .. })
    ));
}
