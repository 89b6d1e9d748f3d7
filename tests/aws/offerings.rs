//! Types, offerings and prices of a class (`aws §5` to `§8`; cases of `aws §26` by number).

use kerf::cloud::aws::pricing::PriceSource;
use kerf::cloud::port::CloudRead;
use kerf::model::{CapacityType, UsdPerHour};

use crate::support::{claim, config, rig, rig_on, rig_with, start};

/// Case 24: the numbers that the reference works out, as the catalogue has them.
#[tokio::test(start_paused = true)]
async fn case_24_m5_large_to_the_byte() {
    let rig = rig().await;
    let catalogue = rig.catalogue().await;
    let row = catalogue.get("m5.large").expect("row");
    let allocatable = row.allocatable();
    assert_eq!(
        (row.capacity.pods, row.capacity.memory >> 20, row.capacity.cpu),
        (29, 7577, 2000)
    );
    assert_eq!(
        (
            allocatable.cpu,
            allocatable.memory >> 20,
            allocatable.ephemeral >> 30
        ),
        (1930, 6903, 17)
    );
    assert_eq!(allocatable.memory % (1 << 20), 0);
}

/// Case 49 end to end: before the first answer spot costs what on-demand does, in every zone.
#[tokio::test(start_paused = true)]
async fn case_49_spot_before_and_after_its_first_answer() {
    let clock = kerf::clock::Clock::starting_at(start());
    let ec2 = kerf::world::ec2::Ec2::new(config(clock)).expect("ec2");
    // As often as it is asked for before the refusals end.
    ec2.refuse("DescribeSpotPriceHistory", "RequestLimitExceeded", "slow down", 1);
    let rig = rig_on(ec2, clock).await;
    let price = |c: &kerf::model::Catalogue, market| {
        c.get("m5.large")
            .and_then(|t| t.offering("us-east-1a", market))
            .expect("offering")
            .price
    };
    let first = rig.catalogue().await;
    assert_eq!(price(&first, "spot"), price(&first, "on-demand"));
    tokio::time::sleep(std::time::Duration::from_secs(13 * 3600)).await;
    let second = rig.catalogue().await;
    assert_ne!(price(&second, "spot"), price(&second, "on-demand"));
    assert_eq!(
        Some(price(&second, "spot")),
        rig.ec2.spot_price("m5.large", "us-east-1a")
    );
}

/// Case 51: where there is no pricing service, the shipped prices stay, and it is not asked for.
#[tokio::test(start_paused = true)]
async fn case_51_isolated_clusters_have_shipped_prices() {
    for (isolated, source) in [(true, PriceSource::Shipped), (false, PriceSource::Live)] {
        let clock = kerf::clock::Clock::starting_at(start());
        let ec2 = kerf::world::ec2::Ec2::new(config(clock)).expect("ec2");
        let rig = rig_with(ec2.clone(), clock, |s| s.isolated_vpc = isolated).await;
        let catalogue = rig.catalogue().await;
        assert_eq!(rig.reader.price_source("m5.large").await, Some(source));
        let row = catalogue.get("m5.large").expect("row");
        assert!(row.offering("us-east-1a", "on-demand").expect("offering").price > UsdPerHour::ZERO);
        // Spot prices are asked for in either case.
        let spot = row.offering("us-east-1a", "spot").expect("offering").price;
        assert_eq!(Some(spot), ec2.spot_price("m5.large", "us-east-1a"));
    }
}

/// Case 68, 69 and 70 end to end: the emptiest subnet, with what launches under way will take.
#[tokio::test(start_paused = true)]
async fn cases_68_to_70_subnets_by_free_addresses() {
    use kerf::cloud::aws::api::Ec2Read;
    let mut rig = rig().await;
    let mut subnets = rig.ec2.describe_subnets(Vec::new()).await.expect("subnets");
    subnets.sort_by(|a, b| a.availability_zone.cmp(&b.availability_zone));
    // No second subnet in a zone here; the choice among several is a unit test. Here: a full one.
    let (a, b) = (subnets[0].subnet_id.clone(), subnets[1].subnet_id.clone());
    rig.edit_class(|spec| spec["subnetSelectorTerms"] = serde_json::json!([{"id": a}, {"id": b}]))
        .await;
    rig.ec2.leave_addresses(&a, 0);
    let mut zones = std::collections::BTreeSet::new();
    for i in 0..8 {
        let name = format!("web-{i}");
        let got = rig
            .launch(&claim(&name, &["m5.large", "c5.large"], &["on-demand"]), &name)
            .await
            .expect("launched");
        zones.insert(got.launched.zone.to_string());
    }
    assert_eq!(
        zones,
        [subnets[1].availability_zone.to_string()].into(),
        "the full one gives nothing"
    );
    let catalogue = rig.catalogue().await;
    let open = |zone: &str| {
        let row = catalogue.get("m5.large").expect("row");
        row.offerings
            .iter()
            .any(|o| &*o.zone == zone && o.capacity_type == CapacityType::OnDemand && o.available)
    };
    assert!(
        !open(&subnets[0].availability_zone),
        "all subnets of its zone are marked"
    );
    assert!(open(&subnets[1].availability_zone));
    // After three minutes and a fresh count it is tried again.
    tokio::time::sleep(std::time::Duration::from_secs(181)).await;
    let again = rig.catalogue().await;
    let row = again.get("m5.large").expect("row");
    assert!(
        row.offering(&subnets[0].availability_zone, "on-demand")
            .expect("offering")
            .available
    );
    assert!(rig.reader.revision() > 0);
}
