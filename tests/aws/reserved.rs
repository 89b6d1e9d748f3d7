//! Capacity reservations, from the selector to the machine and back (`aws §13`; cases of `aws §26` by number).

use kerf::api::names;
use kerf::cloud::aws::api::{CapacityReservation, Queue as _};
use kerf::cloud::port::{CloudError, CloudRead, CloudWrite};
use kerf::model::{CapacityType, Name};
use serde_json::json;

use crate::support::{Rig, claim, id_of, rig, start};

const ANY: [&str; 3] = ["reserved", "spot", "on-demand"];

fn reservation(id: &str, name: &str, zone: &str, count: i64) -> CapacityReservation {
    CapacityReservation {
        reservation_id: id.into(),
        instance_type: name.into(),
        availability_zone: zone.into(),
        owner_id: "123456789012".into(),
        instance_match_criteria: "targeted".into(),
        reservation_type: "default".into(),
        interruptible: false,
        state: "active".into(),
        end_date: None,
        available_instance_count: count,
        tags: [("team".into(), "ml".into())].into(),
    }
}

/// A class that selects what is tagged for the team.
async fn selecting(reservations: &[CapacityReservation]) -> Rig {
    let mut rig = rig().await;
    for one in reservations {
        rig.ec2.reserve(one.clone());
    }
    rig.edit_class(|spec| spec["capacityReservationSelectorTerms"] = json!([{"tags": {"team": "ml"}}]))
        .await;
    rig
}

fn label<'a>(labels: &'a kerf::model::Labels, key: &str) -> Option<&'a str> {
    labels.get(key).map(|v| &**v)
}

/// Cases 52, 61 and 64 end to end: the reservation is used up, then the claim goes elsewhere.
#[tokio::test(start_paused = true)]
async fn cases_52_61_and_64_a_reservation_is_used_up_first() {
    let rig = selecting(&[
        reservation("cr-a", "m5.large", "us-east-1a", 0),
        reservation("cr-b", "m5.large", "us-east-1b", 1),
        reservation("cr-c", "m5.large", "us-east-1b", 2),
    ])
    .await;
    let resolved = rig.class.resolved.clone().expect("resolved");
    let ids: Vec<&str> = resolved.reservations.iter().map(|r| &*r.id).collect();
    assert_eq!(ids, ["cr-a", "cr-b", "cr-c"]);
    let mut used: Vec<Name> = Vec::new();
    for name in ["web-a", "web-b", "web-c"] {
        let got = rig
            .launch(&claim(name, &["m5.large", "c5.large"], &ANY), name)
            .await
            .expect("launched");
        assert_eq!(got.launched.capacity_type, CapacityType::Reserved, "{name}");
        assert_eq!(&*got.launched.zone, "us-east-1b");
        assert_eq!(label(&got.labels, names::CAPACITY_TYPE), Some("reserved"));
        assert_eq!(label(&got.labels, names::RESERVATION_TYPE), Some("default"));
        assert_eq!(
            label(&got.labels, names::RESERVATION_INTERRUPTIBLE),
            Some("false")
        );
        assert!(got.launched.price_per_hour.0 > 0 && got.launched.price_per_hour.0 < 1_000_000);
        used.push(
            got.labels
                .get(names::RESERVATION_ID)
                .cloned()
                .expect("reservation"),
        );
        // Asked again with the same token, the same is told.
        let again = rig
            .launch(&claim(name, &["m5.large", "c5.large"], &ANY), name)
            .await
            .expect("found");
        assert_eq!(again.labels, got.labels);
    }
    assert_eq!(&*used[0], "cr-c", "the fullest first");
    used.sort();
    assert_eq!(
        used.iter().map(|id| &**id).collect::<Vec<_>>(),
        ["cr-b", "cr-c", "cr-c"]
    );
    let got = rig
        .launch(&claim("web-d", &["m5.large", "c5.large"], &ANY), "web-d")
        .await
        .expect("launched");
    assert_eq!(got.launched.capacity_type, CapacityType::Spot);
    assert_eq!(label(&got.labels, names::RESERVATION_ID), None);
    let listed = rig.reader.list().await.expect("list");
    let reserved = listed
        .iter()
        .filter(|i| i.capacity_type == CapacityType::Reserved)
        .count();
    assert_eq!((listed.len(), reserved), (4, 3));
    let only = rig
        .launch(&claim("web-e", &["m5.large"], &["reserved"]), "web-e")
        .await;
    assert!(
        matches!(only, Err(CloudError::InsufficientCapacity(_))),
        "{only:?}"
    );
}

/// Case 76 end to end: somebody else took what we counted on. The claim is told, and the reservation is empty at
/// once; what is sold beside it stays.
#[tokio::test(start_paused = true)]
async fn case_76_a_reservation_that_others_emptied() {
    let rig = selecting(&[reservation("cr-a", "m5.large", "us-east-1a", 1)]).await;
    let catalogue = rig.catalogue().await;
    rig.ec2
        .refuse("CreateFleet", "RequestLimitExceeded", "slow down", 1);
    let web = claim("web-a", &["m5.large"], &ANY);
    let slow = rig.writer.launch(&web, &rig.class, &catalogue, "t1").await;
    assert!(
        matches!(&slow, Err(CloudError::Launch { reason, .. }) if &**reason == "RequestLimitExceeded"),
        "{slow:?}"
    );
    let free = |c: &kerf::model::Catalogue| {
        let row = c.get("m5.large").expect("row");
        let offering = row.offering("us-east-1a", "reserved").expect("offering");
        (offering.available, offering.reservation_capacity)
    };
    assert_eq!(
        free(&*rig.catalogue().await),
        (true, 1),
        "throttling says nothing of it"
    );
    rig.ec2.reserve(reservation("cr-a", "m5.large", "us-east-1a", 0));
    let failed = rig.writer.launch(&web, &rig.class, &catalogue, "t2").await;
    let Err(CloudError::InsufficientCapacity(message)) = failed else {
        panic!("{failed:?}");
    };
    assert!(message.contains("ReservationCapacityExceeded"), "{message}");
    let after = rig.catalogue().await;
    assert_eq!(free(&after), (false, 0));
    assert!(
        after
            .get("m5.large")
            .expect("row")
            .offering("us-east-1a", "on-demand")
            .expect("offering")
            .available
    );
    // The next attempt goes elsewhere.
    let got = rig.launch(&web, "t3").await.expect("launched");
    assert_eq!(got.launched.capacity_type, CapacityType::Spot);
}

/// Case 53: a block is told as expiring forty minutes before its end, a default reservation never.
#[tokio::test(start_paused = true)]
async fn case_53_blocks_expire_ahead_of_time() {
    let end = Some(start() + jiff::SignedDuration::from_mins(30));
    let block = CapacityReservation {
        reservation_type: "capacity-block".into(),
        end_date: end,
        ..reservation("cr-block", "m5.large", "us-east-1a", 2)
    };
    let default = CapacityReservation {
        end_date: end,
        ..reservation("cr-default", "m5.large", "us-east-1b", 2)
    };
    let over = CapacityReservation {
        end_date: Some(start()),
        ..reservation("cr-over", "m5.large", "us-east-1c", 2)
    };
    let rig = selecting(&[block, default, over]).await;
    let resolved = rig.class.resolved.clone().expect("resolved");
    let shown: Vec<(&str, bool)> = resolved
        .reservations
        .iter()
        .map(|r| (&*r.id, r.expiring))
        .collect();
    assert_eq!(shown, [("cr-block", true), ("cr-default", false)]);
    let got = rig
        .launch(&claim("web-a", &["m5.large"], &["reserved"]), "t")
        .await
        .expect("launched");
    assert_eq!(label(&got.labels, names::RESERVATION_ID), Some("cr-default"));
    // Once it is over nothing selects it, and its machine runs on demand.
    tokio::time::sleep(std::time::Duration::from_secs(31 * 60)).await;
    assert_eq!(
        rig.reader
            .resolve(&rig.class)
            .await
            .expect("resolved")
            .reservations,
        []
    );
    let listed = rig.reader.list().await.expect("list");
    assert_eq!(listed[0].capacity_type, CapacityType::OnDemand);
}

/// Case 63 end to end: a block is asked for as one, and labelled so.
#[tokio::test(start_paused = true)]
async fn case_63_a_capacity_block_is_launched_into() {
    let block = CapacityReservation {
        reservation_type: "capacity-block".into(),
        end_date: Some(start() + jiff::SignedDuration::from_hours(24)),
        ..reservation("cr-block", "m5.large", "us-east-1a", 1)
    };
    let rig = selecting(&[block]).await;
    let got = rig
        .launch(&claim("web-a", &["m5.large"], &["reserved"]), "t")
        .await
        .expect("launched");
    assert_eq!(
        label(&got.labels, names::RESERVATION_TYPE),
        Some("capacity-block")
    );
}

/// Case 104, the cloud's part: the reservation is cancelled, the machine runs on and is told as on-demand.
#[tokio::test(start_paused = true)]
async fn case_104_a_cancelled_reservation_leaves_its_machines() {
    let rig = selecting(&[reservation("cr-a", "m5.large", "us-east-1a", 1)]).await;
    let got = rig
        .launch(&claim("web-a", &["m5.large"], &["reserved"]), "t")
        .await
        .expect("launched");
    let market = async || rig.reader.list().await.expect("list")[0].capacity_type;
    assert_eq!(market().await, CapacityType::Reserved);
    rig.ec2.cancel_reservation("cr-a");
    assert_eq!(market().await, CapacityType::OnDemand);
    assert!(rig.ec2.instances().iter().any(|i| i.instance_id == id_of(&got)));
}

/// `aws §11`: a reservation whose owner takes an instance back has nothing for us.
#[tokio::test(start_paused = true)]
async fn an_interrupted_reservation_is_empty() {
    let taken = CapacityReservation {
        interruptible: true,
        ..reservation("cr-a", "m5.large", "us-east-1a", 2)
    };
    let rig = selecting(&[taken]).await;
    let got = rig
        .launch(&claim("web-a", &["m5.large"], &["reserved"]), "t")
        .await
        .expect("launched");
    assert_eq!(label(&got.labels, names::RESERVATION_INTERRUPTIBLE), Some("true"));
    rig.ec2.publish(
        "EC2 Capacity Reservation Instance Interruption Warning",
        &json!({"instance-id": id_of(&got)}),
    );
    let notices = rig.reader.notices().await.expect("notices");
    assert_eq!(notices.len(), 1);
    assert_eq!(
        notices[0].kind,
        kerf::model::snapshot::NoticeKind::ReservationInterrupted
    );
    assert!(rig.ec2.receive_messages().await.expect("queue").is_empty());
    let row = rig.catalogue().await;
    assert!(
        !row.get("m5.large")
            .expect("row")
            .offering("us-east-1a", "reserved")
            .expect("offering")
            .available
    );
}
