//! Cases 56 to 58, 84, 85: expiration, garbage, interruption; and `disruption §6`.

use std::sync::Arc;
use std::time::Duration;

use super::{Case, events, keys, patch_of};
use crate::api::names;
use crate::decide::Dirty;
use crate::decide::testing::at;
use crate::model::Delta;
use crate::model::decision::Kind;
use crate::model::decision::effect::ObjectKind;
use crate::model::snapshot::{Notice, NoticeKind};

fn machine() -> Case {
    let mut case = Case::new();
    case.world.machine("n", "m5.xlarge");
    case.world.instance("aws:///zone-a/i-n", -7200, "running");
    case
}

/// Case 56: exactly at creation + expireAfter, from the claim.
#[test]
fn case_56_expiration_is_exact() {
    let mut case = machine();
    case.world.edit_claim("n", |c| {
        c.created = at(0);
        c.expire_after = Some(Duration::from_secs(30));
    });
    let out = case.pass(29);
    assert!(out.proposals.is_empty());
    assert!(out.wake_at.is_some_and(|w| w <= at(30)));
    let out = case.timers(30);
    assert_eq!(out.proposals.len(), 1);
    let proposal = &out.proposals[0];
    assert_eq!(proposal.kind, Kind::Expiration);
    assert_eq!(proposal.effects[0].key(), "delete-claim/n");
    assert_eq!(proposal.impact.usd_per_hour.to_string(), "-0.192");
    // Held: not again.
    case.reserved.nodes.insert("n".into(), "Expired".into());
    assert!(case.pass(31).proposals.is_empty());
    // Nobody took it up: again after a while, not at each pass.
    case.reserved.nodes.clear();
    assert!(case.pass(32).proposals.is_empty());
    assert_eq!(case.pass(331).proposals.len(), 1);
}

#[test]
fn case_57_claims_without_machines_are_garbage() {
    for (registered, listed, ready, garbage) in [
        (true, false, false, true),
        (true, false, true, false),
        (false, false, false, false),
        (true, true, false, false),
    ] {
        let mut case = machine();
        case.world.instance("aws:///zone-a/i-other", 0, "running");
        if !listed {
            case.world.apply(Delta::InstanceGone("aws:///zone-a/i-n".into()));
        }
        case.world.edit_node("n", |n| n.ready = ready);
        if !registered {
            case.world.edit_claim("n", |c| {
                c.conditions.remove(names::REGISTERED_CONDITION);
            });
        }
        case.pass(0);
        let out = case.timers(120);
        let proposed = out.proposals.iter().any(|p| p.subjects.contains(&"n".into()));
        assert_eq!(proposed, garbage, "{registered} {listed} {ready}");
    }
}

#[test]
fn case_58_machines_without_claims_are_garbage_after_thirty_seconds() {
    let mut case = machine();
    case.pass(0);
    case.world.instance("aws:///zone-a/i-orphan", 0, "running");
    for second in [10, 20, 30] {
        assert!(case.timers(second).proposals.is_empty(), "{second}");
    }
    let out = case.timers(40);
    assert_eq!(out.proposals.len(), 1);
    assert_eq!(out.proposals[0].kind, Kind::Garbage);
    assert_eq!(
        out.proposals[0].effects[0].key(),
        "terminate/aws:///zone-a/i-orphan"
    );
}

/// Nothing is garbage while the cloud has not answered.
#[test]
fn an_empty_list_of_machines_proves_nothing() {
    let mut case = Case::new();
    case.world.machine("n", "m5.xlarge");
    case.world.edit_node("n", |n| n.ready = false);
    case.pass(0);
    assert!(case.timers(120).proposals.is_empty());
}

#[test]
fn case_84_85_notices_delete_claims_except_a_rebalance() {
    for (kind, id, proposed, warned) in [
        (
            NoticeKind::SpotInterruption,
            "aws:///zone-a/i-n",
            true,
            Some("SpotInterrupted"),
        ),
        (NoticeKind::SpotInterruption, "aws:///zone-a/i-x", false, None),
        (
            NoticeKind::RebalanceRecommendation,
            "aws:///zone-a/i-n",
            false,
            Some("SpotRebalanceRecommendation"),
        ),
    ] {
        let mut case = machine();
        case.world.apply(Delta::Notice(Arc::new(Notice {
            provider_id: id.into(),
            kind,
            at: at(0),
        })));
        let out = case.pass(0);
        assert_eq!(
            out.proposals.iter().any(|p| p.kind == Kind::Interruption),
            proposed
        );
        let first = events(&out).first().map(|(r, _)| r.clone());
        assert_eq!(first.as_deref(), warned);
    }
}

#[test]
fn case_86_a_broken_host_is_left_by_force() {
    use crate::model::decision::Effect;
    for (kind, stamped, reason) in [
        (NoticeKind::SystemStatus, true, "system_status"),
        (NoticeKind::InstanceStatus, true, "instance_status"),
        (NoticeKind::EventStatus, false, "event_status"),
    ] {
        let mut case = machine();
        case.world.apply(Delta::Notice(Arc::new(Notice {
            provider_id: "aws:///zone-a/i-n".into(),
            kind,
            at: at(0),
        })));
        let out = case.pass(5);
        let effects = &out.proposals[0].effects;
        let stamp = effects.iter().find_map(|e| match e {
            Effect::Patch(p) => p.annotations[names::TERMINATION_TIMESTAMP].clone(),
            _ => None,
        });
        let wanted = stamped.then(|| at(5).to_string());
        assert_eq!(stamp.as_deref(), wanted.as_deref(), "{reason}");
        assert!(matches!(effects.last(), Some(Effect::DeleteClaim { reason: r, .. }) if &**r == reason));
        assert!(events(&out).iter().any(|(r, _)| r == "InstanceUnhealthy"));
        // A claim that is going is left alone.
        case.world.edit_claim("n", |c| c.deleting = Some(at(6)));
        assert!(case.pass(400).proposals.is_empty());
    }
}

/// `disruption §6`: a pod event closes the window, time opens it; the initial list is no event.
#[test]
fn pod_events_restart_the_clock() {
    let mut case = machine();
    case.world.edit_pool("default", |p| {
        p.disruption.consolidate_after = Some(Duration::from_secs(30));
    });
    case.world.pod("old", Some("n"), 100, |_| {});
    let out = case.pass(0);
    assert!(
        keys(&out).iter().all(|k| k != "patch/NodeClaim/n"),
        "{:?}",
        keys(&out)
    );

    case.world.pod("new", Some("n"), 100, |_| {});
    let dirty = Dirty {
        pods: ["ns/new".into()].into(),
        ..Dirty::default()
    };
    let out = case.dirty(100, &dirty);
    let patch = patch_of(&out, ObjectKind::NodeClaim, "n").expect("stamp");
    assert_eq!(patch.status["lastPodEventTime"], at(100).to_string());
    assert_eq!(&*patch.remove_conditions[0], names::CONSOLIDATABLE);
    case.world.edit_claim("n", |c| {
        c.last_pod_event = Some(at(100));
        c.conditions.remove(names::CONSOLIDATABLE);
    });
    // A second event within ten seconds stamps nothing.
    case.world.edit_pod("old", |p| p.deleting = Some(at(200)));
    let dirty = Dirty {
        pods: ["ns/old".into()].into(),
        ..Dirty::default()
    };
    assert!(patch_of(&case.dirty(105, &dirty), ObjectKind::NodeClaim, "n").is_none());
    assert!(patch_of(&case.timers(129), ObjectKind::NodeClaim, "n").is_none());
    let patch = patch_of(&case.timers(130), ObjectKind::NodeClaim, "n").expect("ripe");
    assert!(patch.conditions.contains_key(names::CONSOLIDATABLE));
}

/// `consolidateAfter: Never` and static pools.
#[test]
fn never_is_never() {
    let mut case = machine();
    case.world
        .edit_pool("default", |p| p.disruption.consolidate_after = None);
    let patch = patch_of(&case.pass(0), ObjectKind::NodeClaim, "n").expect("cleared");
    assert_eq!(&*patch.remove_conditions[0], names::CONSOLIDATABLE);
}
