//! Drift against what a class resolves to (`aws §26`, numbered there).

use std::sync::Arc;

use super::fleet;
use crate::api::names;
use crate::decide::disruption::drift;
use crate::decide::testing::{World, at, labels};
use crate::model::node_class::{ResolvedClass, ResolvedImage, ResolvedReservation, ResolvedSubnet};
use crate::model::{CapacityType, Delta, NodeClass, Requirements};

const MACHINE: &str = "aws:///zone-a/i-n0";

/// One machine that is all that its class asks for.
fn fitting() -> World {
    let mut world = fleet(1, "m5.large");
    world.instance(MACHINE, -7200, "running");
    let mut instance = (**world.snapshot.instances.get(MACHINE).expect("instance")).clone();
    instance.security_groups = vec!["sg-1".into(), "sg-2".into()];
    instance.subnet = "subnet-1".into();
    world.apply(Delta::Instance(Arc::new(instance)));
    world.edit_claim("n0", |c| {
        c.image_id = "ami-1".into();
        c.annotations = labels(&[(names::EC2_HASH, "1"), (names::EC2_HASH_VERSION, "v6")]);
    });
    class(&mut world, |c| {
        c.hash = "1".into();
        c.resolved = Some(Arc::new(ResolvedClass {
            images: vec![ResolvedImage {
                id: "ami-1".into(),
                name: "".into(),
                arch: "amd64".into(),
                deprecated: false,
                requirements: Requirements::default(),
            }],
            security_groups: vec![("sg-1".into(), "".into()), ("sg-2".into(), "".into())],
            subnets: vec![ResolvedSubnet {
                id: "subnet-1".into(),
                zone: "zone-a".into(),
                zone_id: "".into(),
                free: 1,
            }],
            ..ResolvedClass::default()
        }));
    });
    assert_eq!(reason(&world), None);
    world
}

fn class(world: &mut World, change: impl FnOnce(&mut NodeClass)) {
    let mut class = (**world.snapshot.classes.get("default").expect("class")).clone();
    change(&mut class);
    world.apply(Delta::Class(Arc::new(class)));
}

fn resolve(world: &mut World, change: impl FnOnce(&mut ResolvedClass)) {
    class(world, |c| {
        let mut resolved = c.resolved.as_deref().cloned().unwrap_or_default();
        change(&mut resolved);
        c.resolved = Some(Arc::new(resolved));
    });
}

fn reason(world: &World) -> Option<&'static str> {
    let claim = world.snapshot.claims.get("n0").expect("claim");
    drift(&world.snapshot, claim, at(0)).map(|d| d.reason)
}

#[test]
fn aws_case_101_groups_and_subnets() {
    for groups in [&["sg-1"][..], &["sg-1", "sg-2", "sg-3"]] {
        let mut world = fitting();
        resolve(&mut world, |r| {
            r.security_groups = groups.iter().map(|g| ((*g).into(), "".into())).collect();
        });
        assert_eq!(reason(&world), Some("SecurityGroupDrift"), "{groups:?}");
    }
    let mut world = fitting();
    resolve(&mut world, |r| r.subnets[0].id = "subnet-2".into());
    assert_eq!(reason(&world), Some("SubnetDrift"));
    // Nothing found is an error of the class, not of the machine.
    let mut world = fitting();
    resolve(&mut world, |r| {
        r.security_groups.clear();
        r.subnets.clear();
    });
    assert_eq!(reason(&world), None);
}

#[test]
fn aws_case_102_the_image_and_the_order() {
    let mut world = fitting();
    resolve(&mut world, |r| r.images[0].id = "ami-2".into());
    assert_eq!(reason(&world), Some("AMIDrift"));
    class(&mut world, |c| c.hash = "2".into());
    assert_eq!(reason(&world), Some("NodeClassDrift"));
}

#[test]
fn aws_case_103_other_versions_are_not_compared() {
    let mut world = fitting();
    class(&mut world, |c| c.hash = "2".into());
    assert_eq!(reason(&world), Some("NodeClassDrift"));
    world.edit_claim("n0", |c| {
        c.annotations.insert(names::EC2_HASH_VERSION.into(), "v5".into());
    });
    assert_eq!(reason(&world), None);
}

#[test]
fn aws_case_104_a_reservation_that_ended_is_no_drift() {
    let mut world = fitting();
    world.edit_pool("default", |p| {
        drop(p.template.requirements.0.remove(names::CAPACITY_TYPE));
    });
    world.edit_claim("n0", |c| {
        c.labels.insert(names::CAPACITY_TYPE.into(), "reserved".into());
        c.labels.insert(names::RESERVATION_ID.into(), "cr-1".into());
    });
    let market = |w: &mut World, market: CapacityType| {
        let mut instance = (**w.snapshot.instances.get(MACHINE).expect("instance")).clone();
        instance.capacity_type = market;
        w.apply(Delta::Instance(Arc::new(instance)));
    };
    market(&mut world, CapacityType::Reserved);
    assert_eq!(
        reason(&world),
        Some("CapacityReservationDrift"),
        "no longer selected"
    );
    market(&mut world, CapacityType::OnDemand);
    assert_eq!(reason(&world), None, "fallen back on demand");
    market(&mut world, CapacityType::Reserved);
    resolve(&mut world, |r| {
        r.reservations = vec![ResolvedReservation {
            id: "cr-1".into(),
            instance_type: "m5.large".into(),
            zone: "zone-a".into(),
            owner: "".into(),
            criteria: "open".into(),
            kind: "default".into(),
            interruptible: false,
            end: None,
            expiring: false,
        }];
    });
    assert_eq!(reason(&world), None);
}

#[test]
fn aws_case_106_a_class_that_is_going_drifts_nobody() {
    let mut world = fitting();
    class(&mut world, |c| {
        c.hash = "2".into();
        c.deleting = Some(at(-1));
    });
    assert_eq!(reason(&world), None);
}
