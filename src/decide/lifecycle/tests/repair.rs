//! Cases 59 and 61 to 65, 87: consistency, repair, and labels that follow the cloud.

use super::{Case, events, patch_of};
use crate::api::names;
use crate::decide::testing::{at, cond};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, Kind};
use crate::model::{Ailment, CapacityType, Status};

fn ailment(condition: &str, status: Status, since: i64) -> Ailment {
    Ailment {
        condition: condition.into(),
        status,
        since: at(since),
    }
}

/// `count` machines with repair on; the first `sick` of them NotReady since -3600.
fn fleet(count: usize, sick: usize) -> Case {
    let mut case = Case::new();
    case.settings.node_repair = true;
    for i in 0..count {
        let name = format!("n{i}");
        case.world.machine(&name, "m5.xlarge");
        case.world
            .instance(&format!("aws:///zone-a/i-{name}"), -7200, "running");
        if i < sick {
            case.world.edit_node(&name, |n| {
                n.ready = false;
                n.ailments = vec![ailment(names::READY, Status::False, -3600)];
            });
        }
    }
    case
}

fn repaired(case: &mut Case, second: i64) -> Vec<String> {
    case.pass(second)
        .proposals
        .iter()
        .filter(|p| p.kind == Kind::Repair)
        .flat_map(|p| p.subjects.iter().map(ToString::to_string))
        .collect()
}

#[test]
fn case_59_a_node_smaller_than_promised_is_reported() {
    for (percent, status) in [(50, Status::False), (89, Status::False), (91, Status::True)] {
        let mut case = fleet(1, 0);
        case.world.edit_claim("n0", |c| {
            c.conditions.remove(names::CONSISTENT_STATE_FOUND);
            c.requests = crate::model::Resources {
                memory: 1,
                ..crate::model::Resources::default()
            };
            c.capacity.memory = 128 << 30;
            c.capacity.cpu = 64_000;
        });
        // The processors fall short as well, but were not asked for.
        case.world.edit_node("n0", |n| {
            n.capacity.memory = (128 << 30) / 100 * percent;
            n.capacity.cpu = 1000;
        });
        let out = case.pass(0);
        let patch = patch_of(&out, ObjectKind::NodeClaim, "n0").expect("condition");
        let found = &patch.conditions[names::CONSISTENT_STATE_FOUND];
        assert_eq!(found.status, status, "{percent}");
        let said: Vec<_> = events(&out)
            .into_iter()
            .filter(|(r, _)| r == "FailedConsistencyCheck")
            .collect();
        assert_eq!(said.len(), usize::from(status == Status::False));
        assert!(
            said.iter()
                .all(|(_, m)| m.starts_with("expected 128Gi of resource memory, but found"))
        );
        // Ten minutes pass before the next look.
        case.world.edit_node("n0", |n| n.capacity.memory = 0);
        let early = patch_of(&case.pass(500), ObjectKind::NodeClaim, "n0");
        assert!(early.is_none_or(|p| {
            p.conditions
                .get(names::CONSISTENT_STATE_FOUND)
                .is_none_or(|c| c.status == status)
        }));
        let late = patch_of(&case.pass(1200), ObjectKind::NodeClaim, "n0").expect("looked again");
        assert_eq!(
            late.conditions[names::CONSISTENT_STATE_FOUND].status,
            Status::False
        );
    }
}

#[test]
fn case_61_the_toleration_is_waited_out_and_the_earliest_counts() {
    let mut case = fleet(1, 0);
    case.world.edit_node("n0", |n| {
        n.ailments = vec![ailment(names::READY, Status::Unknown, 0)];
    });
    assert!(repaired(&mut case, 29 * 60).is_empty());
    assert!(case.pass(29 * 60).wake_at.is_some_and(|w| w <= at(30 * 60)));
    assert_eq!(repaired(&mut case, 30 * 60), ["n0"]);

    let mut case = fleet(1, 0);
    case.world.edit_node("n0", |n| {
        n.ailments = vec![
            ailment("StorageReady", Status::False, -1500),
            ailment("AcceleratedHardwareReady", Status::False, -300),
            // No policy knows this one.
            ailment("KernelReady", Status::Unknown, -90_000),
        ];
    });
    assert!(repaired(&mut case, 299).is_empty());
    assert_eq!(repaired(&mut case, 300), ["n0"]);
}

#[test]
fn case_62_a_fifth_of_the_pool_may_be_unhealthy() {
    for (count, sick, goes) in [(10, 3, 0), (10, 2, 2), (3, 1, 1)] {
        let mut case = fleet(count, sick);
        assert_eq!(repaired(&mut case, 0).len(), goes, "{sick} of {count}");
        if goes == 0 {
            let out = fleet(count, sick).pass(0);
            let blocked = events(&out)
                .into_iter()
                .filter(|(reason, _)| reason == "NodeRepairBlocked");
            // On each node, on each claim, once on the pool (Q4).
            assert_eq!(blocked.count(), 2 * sick + 1);
            assert!(out.wake_at.is_some_and(|w| w <= at(300)));
        }
    }
}

#[test]
fn case_63_without_a_pool_the_whole_cluster_is_counted() {
    let mut case = fleet(10, 2);
    for i in 0..10 {
        case.world.edit_claim(&format!("n{i}"), |c| {
            c.labels.remove(names::NODEPOOL);
        });
        case.world.edit_node(&format!("n{i}"), |n| {
            n.labels.remove(names::NODEPOOL);
        });
    }
    assert_eq!(repaired(&mut case, 0).len(), 2);
    for i in 0..3 {
        case.world.edit_node(&format!("n{i}"), |n| {
            n.ailments = vec![ailment(names::READY, Status::False, -3600)];
        });
    }
    let out = case.pass(400);
    assert!(out.proposals.is_empty());
    assert!(events(&out).iter().any(|(_, m)| m.ends_with("in the cluster")));
}

#[test]
fn case_64_the_stamp_is_now_unless_it_is_past() {
    for (stamp, written) in [(None, true), (Some(7200), true), (Some(-180), false)] {
        let mut case = fleet(1, 1);
        if let Some(stamp) = stamp {
            case.world.edit_claim("n0", |c| {
                c.annotations
                    .insert(names::TERMINATION_TIMESTAMP.into(), at(stamp).to_string().into());
            });
        }
        let out = case.pass(60);
        let proposal = out
            .proposals
            .iter()
            .find(|p| p.kind == Kind::Repair)
            .expect("repair");
        let stamped = proposal.effects.iter().find_map(|e| match e {
            Effect::Patch(p) => p.annotations[names::TERMINATION_TIMESTAMP].clone(),
            _ => None,
        });
        assert_eq!(stamped.as_deref(), written.then(|| at(60).to_string()).as_deref());
        assert_eq!(
            proposal.effects.last().map(Effect::key).as_deref(),
            Some("delete-claim/n0")
        );
    }
}

#[test]
fn case_65_budgets_and_protection_do_not_hold_repair_up() {
    let mut case = fleet(2, 1);
    case.world.edit_pool("default", |p| {
        p.disruption.budgets = vec![crate::decide::testing::budget("0")];
    });
    case.world.edit_node("n0", |n| {
        n.annotations.insert(names::DO_NOT_DISRUPT.into(), "true".into());
    });
    assert_eq!(repaired(&mut case, 0), ["n0"]);
    // Off unless the gate is on.
    let mut case = fleet(2, 1);
    case.settings.node_repair = false;
    assert!(repaired(&mut case, 0).is_empty());
}

#[test]
fn case_87_a_lost_reservation_is_taken_off_the_labels() {
    let mut case = fleet(1, 0);
    let reserved = |labels: &mut crate::model::Labels| {
        labels.insert(names::CAPACITY_TYPE.into(), "reserved".into());
        labels.insert(names::RESERVATION_ID.into(), "cr-1".into());
    };
    case.world.edit_claim("n0", |c| reserved(&mut c.labels));
    case.world.edit_node("n0", |n| reserved(&mut n.labels));
    let mut instance = (*case.world.snapshot.instances["aws:///zone-a/i-n0"]).clone();
    instance.capacity_type = CapacityType::Reserved;
    case.world
        .apply(crate::model::Delta::Instance(std::sync::Arc::new(
            instance.clone(),
        )));
    assert!(patch_of(&case.pass(0), ObjectKind::Node, "n0").is_none());
    instance.capacity_type = CapacityType::OnDemand;
    case.world
        .apply(crate::model::Delta::Instance(std::sync::Arc::new(instance)));
    let out = case.pass(1);
    for kind in [ObjectKind::NodeClaim, ObjectKind::Node] {
        let patch = patch_of(&out, kind, "n0").expect("labels");
        assert_eq!(patch.labels[names::CAPACITY_TYPE].as_deref(), Some("on-demand"));
        assert_eq!(patch.labels[names::RESERVATION_ID], None);
    }
}

/// `lifecycle §12`.
#[test]
fn a_missing_class_label_is_added() {
    let mut case = fleet(1, 0);
    case.world.edit_claim("n0", |c| {
        c.labels.remove(names::EC2_NODECLASS);
        let mut told = cond(Status::True, 0);
        told.reason = names::CONSISTENT_STATE_FOUND.into();
        c.conditions.insert(names::CONSISTENT_STATE_FOUND.into(), told);
    });
    case.world.edit_node("n0", |n| {
        n.labels.remove(names::EC2_NODECLASS);
    });
    let out = case.pass(0);
    for kind in [ObjectKind::NodeClaim, ObjectKind::Node] {
        let patch = patch_of(&out, kind, "n0").expect("label");
        assert_eq!(patch.labels[names::EC2_NODECLASS].as_deref(), Some("default"));
    }
}
