//! Cases 45 to 54 and 88: emptiness, its validation, the memo.

use std::time::Duration;

use super::{Force, Loop, code, daemon, decide, fleet, keys, proposed, verdict};
use crate::api::names;
use crate::decide::disruption::Scope;
use crate::decide::testing::{at, budget, owner};
use crate::model::decision::Kind;
use crate::model::nodepool::ConsolidationPolicy;
use crate::model::{Delta, Pod};

/// Cases 45 to 47.
#[test]
fn cases_045_046_047_emptiness_is_a_matter_of_cost() {
    type Edit = fn(&mut Pod);
    let cases: [(Edit, bool); 5] = [
        (daemon, true),
        (|p| p.deleting = Some(at(30)), true),
        (
            |p| {
                p.owners = vec![owner("StatefulSet")];
                p.deleting = Some(at(30));
            },
            false,
        ),
        (|p| p.deletion_cost = Some(-2_147_483_647), true),
        (|_| {}, false),
    ];
    for (i, (change, empty)) in cases.into_iter().enumerate() {
        let mut world = fleet(1, "m5.large");
        world.pod("p", Some("n0"), 1900, change);
        assert_eq!(proposed(&decide(&world)) == "empty: n0", empty, "{i}");
    }
}

/// Case 48, 50, 54 and the policies.
#[test]
fn cases_048_054_emptiness_waits_for_its_pool() {
    let mut world = fleet(1, "m5.xlarge");
    world.edit_pool("default", |p| {
        p.disruption.consolidate_after = Some(Duration::from_secs(60));
    });
    world.edit_claim("n0", |c| c.last_pod_event = Some(at(-59)));
    let out = decide(&world);
    assert_eq!(code(&out, "n0"), "not_consolidatable");
    assert_eq!(verdict(&out, "n0").facts["until"], at(1).to_string().into());

    world.edit_pool("default", |p| p.disruption.consolidate_after = None);
    assert_eq!(code(&decide(&world), "n0"), "consolidation_never");

    world.edit_pool("default", |p| {
        p.disruption.consolidate_after = Some(Duration::ZERO);
        p.replicas = Some(1);
    });
    assert_eq!(code(&decide(&world), "n0"), "static_pool");

    world.edit_pool("default", |p| {
        p.replicas = None;
        p.disruption.policy = ConsolidationPolicy::WhenEmpty;
    });
    assert_eq!(proposed(&decide(&world)), "empty: n0");
}

#[test]
fn the_dearest_go_first_and_the_effects_come_in_order() {
    let mut world = fleet(2, "m5.large");
    world.machine("dear", "m5.2xlarge");
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("2")]);
    let out = decide(&world);
    assert_eq!(proposed(&out), "empty: dear n0");
    let proposal = &out.proposals[0];
    assert_eq!(proposal.kind, Kind::Emptiness);
    assert_eq!(
        keys(proposal.effects.iter()),
        [
            "patch/Node/dear",
            "patch/NodeClaim/dear",
            "patch/Node/n0",
            "patch/NodeClaim/n0",
            "delete-claim/dear",
            "delete-claim/n0",
        ]
    );
    assert_eq!(proposal.impact.usd_per_hour.to_string(), "-0.48");
    assert_eq!(proposal.impact.nodes_removed, 2);
    assert_eq!(code(&out, "n1"), "budget_exhausted");
}

/// Case 52, and the 15 s wait.
#[test]
fn case_052_survivors_of_the_wait_go() {
    let mut world = fleet(3, "m5.xlarge");
    let mut turns = Loop::default();
    let out = turns.turn(&world, 0);
    assert_eq!(proposed(&out), "");
    assert_eq!(code(&out, "n1"), "selected");
    assert_eq!(out.wake_at, Some(at(15)));
    assert_eq!(proposed(&turns.turn(&world, 14)), "");
    world.pod("late", Some("n1"), 100, |_| {});
    let out = turns.turn(&world, 15);
    assert_eq!(proposed(&out), "empty: n0 n2");
    assert_eq!(code(&out, "n1"), "validation_churn");
    // Not proposed again while nobody takes it up.
    assert_eq!(proposed(&turns.turn(&world, 17)), "");
}

/// Case 51.
#[test]
fn case_051_a_nominated_node_survives() {
    let world = fleet(1, "m5.xlarge");
    let mut turns = Loop::default();
    turns.turn(&world, 0);
    turns.memory.nominate(&"n0".into(), at(30));
    let out = turns.turn(&world, 15);
    assert_eq!(proposed(&out), "");
    assert_eq!(code(&out, "n0"), "validation_budget");
}

/// A person's no.
#[test]
fn rejected_sets_rest() {
    let world = fleet(2, "m5.xlarge");
    let mut turns = Loop::default();
    turns.reserved.rejected.insert("n0,n1".into(), at(600));
    assert_eq!(code(&turns.turn(&world, 0), "n0"), "rejected_by_user");
    assert_eq!(code(&turns.turn(&world, 600), "n0"), "selected");
}

#[test]
fn paused_pools_lose_nothing() {
    let world = fleet(1, "m5.xlarge");
    let mut turns = Loop::default();
    turns.reserved.paused_pools.insert("default".into());
    assert_eq!(code(&turns.turn(&world, 0), "n0"), "paused");
}

/// Checklist 2.
#[test]
fn nothing_is_decided_before_the_state_is_synced() {
    let mut world = fleet(1, "m5.xlarge");
    world.claim("launching", |_| {});
    let mut turns = Loop::default();
    let out = turns.turn(&world, 0);
    assert!(out.verdicts.is_empty());
    assert_eq!(out.wake_at, Some(at(1)));
}

/// Case 88: an unchanged cluster is not simulated again for five minutes.
#[test]
fn cases_088_089_nothing_new_is_not_looked_at_again() {
    let mut world = fleet(1, "m5.large");
    world.pod("p", Some("n0"), 1900, |_| {});
    let mut turns = Loop::default();
    assert_eq!(code(&turns.turn(&world, 0), "n0"), "not_cheaper");
    assert!(
        turns.turn(&world, 5).verdicts.is_empty(),
        "polls every ten seconds"
    );
    assert!(turns.turn(&world, 10).verdicts.is_empty());
    assert_eq!(code(&turns.turn(&world, 301), "n0"), "not_cheaper");
    // Case 89: an edited pool is a change.
    world.edit_pool("default", |p| p.generation = 2);
    assert_eq!(code(&turns.turn(&world, 311), "n0"), "not_cheaper");
    world.apply(Delta::PodGone("ns/p".into()));
    assert_eq!(code(&turns.turn(&world, 321), "n0"), "selected");
}

/// A force skips waiting, and says what it set aside; never a candidate check.
#[test]
fn a_person_may_skip_the_waiting() {
    let mut world = fleet(2, "m5.xlarge");
    world.edit_pool("default", |p| {
        p.disruption.consolidate_after = Some(Duration::from_secs(3600));
        p.disruption.budgets = vec![budget("0")];
    });
    for name in ["n0", "n1"] {
        world.edit_claim(name, |c| c.last_pod_event = Some(at(-1)));
    }
    let mut turns = Loop::default();
    assert_eq!(code(&turns.turn(&world, 0), "n0"), "not_consolidatable");
    let mut force = Force {
        scope: Scope::Node("n1".into()),
        ignore_budgets: false,
    };
    let out = turns.forced(&world, 1, Some(&force));
    assert_eq!(code(&out, "n1"), "budget_exhausted");
    force.ignore_budgets = true;
    let out = turns.forced(&world, 2, Some(&force));
    assert_eq!(proposed(&out), "empty: n1");
    let evidence = super::evidence(&out.proposals[0]);
    assert!(evidence.forced);
    let overridden: Vec<&str> = evidence.overridden.iter().map(|o| &**o).collect();
    assert_eq!(overridden, ["consolidateAfter", "budgets", "validation"]);
    world.edit_node("n1", |n| {
        drop(n.annotations.insert(names::DO_NOT_DISRUPT.into(), "true".into()));
    });
    let out = turns.forced(&world, 3, Some(&force));
    assert_eq!(code(&out, "n1"), "node_do_not_disrupt");
}

/// `scheduling §30`, case 139: a node that holds buffer capacity is not empty.
#[test]
fn case_053_a_node_that_holds_a_buffer_stays() {
    use crate::decide::{Fuel, Settings};
    use crate::model::{Buffer, PodTemplate};
    let mut world = fleet(1, "m5.large");
    let template = PodTemplate {
        namespace: "default".into(),
        name: "chunk".into(),
        spec: std::sync::Arc::new(crate::model::PodSpec {
            requests: crate::decide::testing::cpu_mem(1000, 1),
            ..crate::model::PodSpec::default()
        }),
        ..PodTemplate::default()
    };
    world.apply(Delta::PodTemplate(std::sync::Arc::new(template)));
    let buffer = Buffer {
        namespace: "default".into(),
        name: "b".into(),
        uid: "b".into(),
        generation: 1,
        created: at(0),
        strategy: "".into(),
        template: Some("chunk".into()),
        scalable: None,
        replicas: Some(1),
        percentage: None,
        limits: std::collections::BTreeMap::new(),
        conditions: crate::model::Conditions::new(),
        status_replicas: None,
    };
    world.apply(Delta::Buffer(std::sync::Arc::new(buffer)));
    let mut settings = Settings::default();
    let mut ask = |on: bool| {
        settings.capacity_buffer = on;
        crate::decide::disruption::once(&world.snapshot, at(0), &settings, &mut Fuel::UNLIMITED.clone())
    };
    assert_eq!(proposed(&ask(false)), "empty: n0");
    let out = ask(true);
    assert_eq!(
        (proposed(&out), code(&out, "n0")),
        (String::new(), "buffer_pods".into())
    );
}
