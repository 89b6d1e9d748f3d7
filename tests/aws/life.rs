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
