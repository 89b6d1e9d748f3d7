//! Machines in time: boots, ends, spot notices, restarts.

use std::sync::Arc;
use std::time::Duration;

use kerf::clock::Clock;
use kerf::cloud::port::{CloudError, CloudRead, CloudWrite};
use kerf::model::snapshot::NoticeKind;
use kerf::world::ec2::{Ec2, MachineEvent};

use crate::support::{Disk, claim, config, id_of, rig, rig_on, start};

#[tokio::test(start_paused = true)]
async fn a_machine_boots_and_ends() {
    let rig = rig().await;
    let mut machines = rig.ec2.machines();
    tokio::spawn(rig.ec2.clone().run());
    let result = rig
        .launch(&claim("web-a", &["m6g.large"], &["on-demand"]), "t")
        .await
        .expect("launched");
    let id = id_of(&result);
    let Some(MachineEvent::Running(machine)) = machines.recv().await else {
        panic!("no machine");
    };
    let waited = rig.clock.now().duration_since(start()).as_secs();
    assert!((2..4).contains(&waited), "{waited}");
    assert_eq!(machine.id, id);
    assert_eq!(machine.provider_id, result.launched.provider_id);
    assert_eq!(&*machine.arch, "arm64");
    assert!(machine.private_dns.starts_with("ip-10-") && machine.private_dns.ends_with(".ec2.internal"));
    assert!(machine.user_data.contains("node.eks.aws"));
    assert!(machine.user_data.contains("tier=front"));
    assert!((25..=60).contains(&machine.register_after.as_secs()));
    assert!((5..=15).contains(&machine.ready_after.as_secs()));
    // 0 to 2 % above what the catalogue says, the rest equal.
    let said = result.capacity.memory;
    assert!(machine.capacity.memory >= said && machine.capacity.memory <= said + said / 50);
    assert_eq!(machine.capacity.cpu, result.capacity.cpu);
    assert_eq!(machine.capacity.pods, result.capacity.pods);
    assert_eq!(machine.allocatable.cpu, result.allocatable.cpu);
    assert_eq!(machine.allocatable.ephemeral, result.allocatable.ephemeral);

    rig.writer
        .terminate(&result.launched.provider_id)
        .await
        .expect("ending");
    assert_eq!(
        machines.recv().await,
        Some(MachineEvent::ShuttingDown { id: id.clone() })
    );
    rig.writer
        .terminate(&result.launched.provider_id)
        .await
        .expect("ending already");
    let before = rig.clock.now();
    assert_eq!(machines.recv().await, Some(MachineEvent::Terminated { id }));
    let took = rig.clock.now().duration_since(before).as_secs();
    assert!((4..=20).contains(&took), "{took}");
    let gone = rig.writer.terminate(&result.launched.provider_id).await;
    assert_eq!(gone, Err(CloudError::NotFound));
    assert!(rig.reader.list().await.expect("list").is_empty());
}

/// `aws §26` case 93.
#[tokio::test(start_paused = true)]
async fn case_93_a_spot_notice_and_the_end_two_minutes_later() {
    let rig = rig().await;
    let mut machines = rig.ec2.machines();
    tokio::spawn(rig.ec2.clone().run());
    let result = rig
        .launch(&claim("web-a", &["m5.large"], &["spot"]), "t")
        .await
        .expect("launched");
    let id = id_of(&result);
    assert!(matches!(machines.recv().await, Some(MachineEvent::Running(_))));
    assert!(rig.reader.notices().await.expect("notices").is_empty());
    let before = rig.reader.revision();
    assert!(rig.ec2.spot_interrupt(&id));
    let noticed_at = rig.clock.now();
    let notices = rig.reader.notices().await.expect("notices");
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].kind, NoticeKind::SpotInterruption);
    assert_eq!(notices[0].provider_id, result.launched.provider_id);
    assert!(
        rig.reader.notices().await.expect("notices").is_empty(),
        "read once"
    );
    assert!(rig.reader.revision() > before);
    let catalogue = rig.catalogue().await;
    let row = catalogue.get("m5.large").expect("row");
    let offering = row.offering(&result.launched.zone, "spot").expect("offering");
    assert!(!offering.available);
    assert_eq!(machines.recv().await, Some(MachineEvent::ShuttingDown { id }));
    assert_eq!(rig.clock.now().duration_since(noticed_at).as_secs(), 120);
    assert!(!rig.ec2.spot_interrupt("i-none"));
}

#[tokio::test(start_paused = true)]
async fn instances_survive_a_restart() {
    let disk = Arc::new(Disk::default());
    let clock = Clock::starting_at(start());
    let with_disk = || {
        let mut config = config(clock);
        config.state = Some(disk.clone());
        Ec2::new(config).expect("ec2")
    };
    let first = rig_on(with_disk(), clock).await;
    let web = claim("web-a", &["m5.large"], &["on-demand"]);
    let result = first.launch(&web, "token").await.expect("launched");
    tokio::time::sleep(Duration::from_secs(10)).await;
    drop(first);
    let second = rig_on(with_disk(), clock).await;
    let mut machines = second.ec2.machines();
    tokio::spawn(second.ec2.clone().run());
    let Some(MachineEvent::Running(machine)) = machines.recv().await else {
        panic!("the machine is not told of");
    };
    assert_eq!(machine.provider_id, result.launched.provider_id);
    let again = second.launch(&web, "token").await.expect("found");
    assert_eq!(again.launched.provider_id, result.launched.provider_id);
    assert_eq!(second.ec2.instances().len(), 1);
    let other = second
        .launch(&claim("web-b", &["m5.large"], &["on-demand"]), "other")
        .await
        .expect("new");
    assert_ne!(other.launched.provider_id, result.launched.provider_id);
}

#[tokio::test(start_paused = true)]
async fn equal_seeds_give_equal_worlds() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let rig = rig().await;
        let mut ids = Vec::new();
        for i in 0..5 {
            let claim = claim(
                &format!("web-{i}"),
                &["m5.large", "c6g.large"],
                &["spot", "on-demand"],
            );
            let result = rig.launch(&claim, &format!("t{i}")).await.expect("launched");
            ids.push((
                result.launched.provider_id.clone(),
                result.launched.price_per_hour,
            ));
        }
        seen.push(ids);
    }
    assert_eq!(seen[0], seen[1]);
}

/// `aws §26` cases 93, second half, and 94: what is none of our business is taken off the queue all the same.
#[tokio::test(start_paused = true)]
async fn cases_93_and_94_other_messages_are_deleted_and_mean_nothing() {
    use kerf::cloud::aws::api::Queue;
    use serde_json::json;
    let rig = rig().await;
    let result = rig
        .launch(&claim("web-a", &["m5.large"], &["spot"]), "t")
        .await
        .expect("launched");
    let id = id_of(&result);
    let before = rig.reader.revision();
    rig.ec2.publish(
        "EC2 Spot Instance Interruption Warning",
        &json!({"instance-id": "i-of-somebody-else"}),
    );
    for state in ["running", "pending"] {
        let detail = json!({"instance-id": id, "state": state});
        rig.ec2.publish("EC2 Instance State-change Notification", &detail);
    }
    rig.ec2.publish(
        "EC2 Spot Instance Request Fulfillment",
        &json!({"instance-id": id}),
    );
    rig.ec2.post("this is no JSON");
    rig.ec2.post("");
    assert!(rig.reader.notices().await.expect("notices").is_empty());
    assert!(
        rig.ec2.receive_messages().await.expect("queue").is_empty(),
        "all were deleted"
    );
    assert_eq!(rig.reader.revision(), before, "no offering was marked");
}

/// `aws §26` case 95: a recommendation is told, and marks nothing.
#[tokio::test(start_paused = true)]
async fn case_95_a_recommendation_marks_nothing() {
    let rig = rig().await;
    let result = rig
        .launch(&claim("web-a", &["m5.large"], &["spot"]), "t")
        .await
        .expect("launched");
    let before = rig.reader.revision();
    let detail = serde_json::json!({"instance-id": id_of(&result)});
    rig.ec2.publish("EC2 Instance Rebalance Recommendation", &detail);
    let notices = rig.reader.notices().await.expect("notices");
    assert_eq!(
        notices.iter().map(|n| n.kind).collect::<Vec<_>>(),
        [NoticeKind::RebalanceRecommendation]
    );
    assert_eq!(rig.reader.revision(), before);
}

/// `aws §26` case 96: of three instances two are ours.
#[tokio::test(start_paused = true)]
async fn case_96_a_health_event_about_several_instances() {
    let rig = rig().await;
    let mut ours = Vec::new();
    for name in ["web-a", "web-b"] {
        ours.push(
            rig.launch(&claim(name, &["m5.large"], &["on-demand"]), name)
                .await
                .expect("launched"),
        );
    }
    let entities: Vec<_> = [&*id_of(&ours[0]), "i-of-somebody-else", &*id_of(&ours[1])]
        .iter()
        .map(|id| serde_json::json!({"entityValue": id}))
        .collect();
    let event = serde_json::json!({
        "version": "0", "source": "aws.health", "detail-type": "AWS Health Event", "time": "2026-01-05T09:00:00Z",
        "detail": {"service": "EC2", "eventTypeCategory": "scheduledChange", "affectedEntities": entities},
    });
    rig.ec2.post(&event.to_string());
    let notices = rig.reader.notices().await.expect("notices");
    let mut told: Vec<_> = notices.iter().map(|n| n.provider_id.clone()).collect();
    told.sort();
    let mut wanted: Vec<_> = ours.iter().map(|r| r.launched.provider_id.clone()).collect();
    wanted.sort();
    assert_eq!(told, wanted);
    assert!(notices.iter().all(|n| n.kind == NoticeKind::ScheduledChange));
}

/// `aws §26` cases 97 and 98, the cloud's part; what the notices do is decided by `lifecycle` case 86.
#[tokio::test(start_paused = true)]
async fn cases_97_and_98_status_checks_and_scheduled_events() {
    use kerf::cloud::aws::api::InstanceStatus;
    let rig = rig().await;
    let result = rig
        .launch(&claim("web-a", &["m5.large"], &["on-demand"]), "t")
        .await
        .expect("launched");
    rig.reader.list().await.expect("list");
    let failed_at = rig.clock.now();
    let set = |system: bool, events: &[&str]| {
        rig.ec2.set_status(InstanceStatus {
            instance_id: id_of(&result),
            system_impaired_since: system.then_some(failed_at),
            events: events.iter().map(|e| (*e).into()).collect(),
            ..InstanceStatus::default()
        });
    };
    let told = async || -> Vec<_> {
        let notices = rig.reader.notices().await.expect("notices");
        notices
            .iter()
            .map(|n| (n.provider_id.clone(), n.kind, n.at))
            .collect()
    };
    set(true, &[]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(told().await, [], "for a minute only");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let id = result.launched.provider_id.clone();
    let broken = [(id.clone(), NoticeKind::SystemStatus, failed_at)];
    assert_eq!(told().await, broken);
    assert_eq!(told().await, [], "asked once a minute");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(told().await, broken, "the same notice, at the same time");
    // Something scheduled alone; the notice keeps its time.
    set(false, &["instance-retirement"]);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let since = rig.clock.now();
    assert_eq!(told().await, [(id.clone(), NoticeKind::EventStatus, since)]);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(told().await, [(id, NoticeKind::EventStatus, since)]);
    // Both: the worse one.
    set(true, &["instance-retirement"]);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(told().await, broken);
    set(false, &["volume-something"]);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(told().await, []);
}

/// `aws §16`: an account that does not allow it is not asked again.
#[tokio::test(start_paused = true)]
async fn without_the_right_status_checks_are_left_alone() {
    let rig = rig().await;
    rig.ec2.refuse(
        "DescribeInstanceStatus",
        "UnauthorizedOperation",
        "You are not authorized",
        1,
    );
    assert!(rig.reader.notices().await.expect("notices").is_empty());
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(rig.reader.notices().await.expect("notices").is_empty());
    assert_eq!(rig.ec2.calls()["DescribeInstanceStatus"], 1);
}
