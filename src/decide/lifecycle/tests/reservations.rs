//! Capacity reservations that end (`aws §26`, numbered there).

use std::sync::Arc;

use super::Case;
use crate::api::names;
use crate::decide::testing::at;
use crate::model::decision::{Effect, Kind};
use crate::model::node_class::{ResolvedClass, ResolvedReservation};
use crate::model::{Delta, Name};

/// Three machines, of which `n0` and `n1` are in the reservations `cr-0` and `cr-1`; only the first is expiring.
fn reserved() -> Case {
    let mut case = Case::new();
    let mut reservations = Vec::new();
    for i in 0..3 {
        let name = format!("n{i}");
        case.world.machine(&name, "m5.xlarge");
        case.world
            .instance(&format!("aws:///zone-a/i-{name}"), -7200, "running");
        let id: Name = format!("cr-{i}").into();
        if i < 2 {
            case.world.edit_claim(&name, |c| {
                c.labels.insert(names::CAPACITY_TYPE.into(), "reserved".into());
                c.labels.insert(names::RESERVATION_ID.into(), id.clone());
            });
        }
        reservations.push(ResolvedReservation {
            id,
            instance_type: "m5.xlarge".into(),
            zone: "zone-a".into(),
            owner: "123456789012".into(),
            criteria: "targeted".into(),
            kind: "capacity-block".into(),
            interruptible: false,
            end: Some(at(1800)),
            expiring: i != 1,
        });
    }
    let mut class = (**case.world.snapshot.classes.get("default").expect("class")).clone();
    class.resolved = Some(Arc::new(ResolvedClass {
        reservations,
        ..ResolvedClass::default()
    }));
    case.world.apply(Delta::Class(Arc::new(class)));
    case
}

#[test]
fn aws_case_53_claims_of_an_expiring_reservation_go() {
    let mut case = reserved();
    let out = case.pass(0);
    let gone: Vec<&Name> = out
        .proposals
        .iter()
        .filter(|p| p.kind == Kind::Interruption)
        .flat_map(|p| &p.effects)
        .map(|e| match e {
            Effect::DeleteClaim { claim, reason, .. } => {
                assert_eq!(&**reason, "capacity_reservation_expiring");
                claim
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(gone.iter().map(|c| &***c).collect::<Vec<_>>(), ["n0"]);
    // Once is enough, and a claim that is going is left alone.
    assert!(
        case.pass(1)
            .proposals
            .iter()
            .all(|p| p.kind != Kind::Interruption)
    );
    case.world.edit_claim("n0", |c| c.deleting = Some(at(2)));
    assert!(
        case.pass(900)
            .proposals
            .iter()
            .all(|p| p.kind != Kind::Interruption)
    );
}
