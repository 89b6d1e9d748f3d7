//! Items 1 to 10: passes over time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::support::*;
use crate::api::names;
use crate::decide::scheduling::{Memory, pass, revalidate};
use crate::decide::{Dirty, Fuel, Outcome, Reserved};
use crate::model::decision::{Effect, Evidence, Proposal};

struct Passes {
    world: World,
    memory: Memory,
    reserved: Reserved,
    at: Timestamp,
    first: bool,
}

impl Passes {
    fn new(world: World) -> Self {
        Self {
            world,
            memory: Memory::default(),
            reserved: Reserved::default(),
            at: now(),
            first: true,
        }
    }

    fn once(&mut self) -> Outcome {
        let dirty = Dirty {
            all: std::mem::take(&mut self.first),
            ..Dirty::default()
        };
        let mut fuel = Fuel::UNLIMITED;
        pass(
            &self.world.snapshot,
            &mut self.memory,
            &dirty,
            &self.reserved,
            self.at,
            &self.world.settings,
            &mut fuel,
        )
    }

    /// Follows `wake_at` for a while and gathers what is proposed, with the seconds since the start.
    fn run(&mut self, seconds: i64) -> Vec<(i64, Proposal)> {
        let start = self.at;
        let end = start + SignedDuration::from_secs(seconds);
        let mut out = Vec::new();
        loop {
            let outcome = self.once();
            let since = self.at.duration_since(start).as_secs();
            out.extend(outcome.proposals.into_iter().map(|p| (since, p)));
            match outcome.wake_at {
                Some(at) if at <= end => self.at = at,
                _ => break,
            }
        }
        self.at = end;
        out
    }
}

#[test]
fn item_3_one_pod_one_second_one_proposal() {
    let mut w = World::new();
    w.pods(3, "p", |_| {});
    let mut passes = Passes::new(w);
    let seen = passes.run(5);
    assert_eq!(seen.len(), 1);
    let (at, proposal) = &seen[0];
    assert_eq!(*at, 1);
    assert_eq!(proposal.subjects.len(), 3);
    assert_eq!(proposal.impact.nodes_added, 1);
    assert_eq!(proposal.impact.pods_placed, 3);
    assert!(matches!(proposal.effects[..], [Effect::CreateClaim(_)]));
    let Evidence::Provisioning(evidence) = &proposal.evidence else {
        panic!("{:?}", proposal.evidence);
    };
    assert_eq!(evidence.batch.pods, 3);
}

#[test]
fn item_4_an_unlaunched_claim_blocks() {
    let mut w = World::new();
    w.node("n1", "z1", 100, |_, c| c.provider_id = "".into());
    w.without_node("n1");
    w.pod("p", |_| {});
    let mut passes = Passes::new(w);
    assert!(passes.run(30).is_empty());
    passes.world.node("n1", "z1", 100, |_, _| {});
    let again: Vec<i64> = passes.run(30).into_iter().map(|(at, _)| at).collect();
    assert_eq!(again, [1, 11, 21], "every ten seconds until the pod is gone");
}

#[test]
fn reserved_pods_are_not_planned_again() {
    let mut w = World::new();
    w.pod("p", |_| {});
    let mut passes = Passes::new(w);
    passes.reserved.pods.insert("default/p".into());
    assert!(passes.run(30).is_empty());
}

#[test]
fn paused_pools_take_no_part() {
    let mut w = World::new();
    w.pod("p", |_| {});
    let mut passes = Passes::new(w);
    passes.reserved.paused_pools.insert("default".into());
    let seen = passes.run(5);
    assert!(seen.iter().all(|(_, p)| p.effects.is_empty()));
}

#[test]
fn refusals_are_told_once() {
    let mut w = World::new();
    w.pod("p", |s| s.requests = resources(1_000_000, GI));
    let mut passes = Passes::new(w);
    let seen = passes.run(60);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].1.effects.is_empty());
    assert_eq!(seen[0].1.subjects, ["default/p".into()]);
    let Evidence::Provisioning(evidence) = &seen[0].1.evidence else {
        panic!("{:?}", seen[0].1.evidence);
    };
    assert_eq!(evidence.unschedulable.len(), 1);
    passes.world.pod("q", |s| s.requests = resources(1_000_000, GI));
    passes.first = true;
    assert_eq!(passes.run(60).len(), 1, "a further pod is news");
}

#[test]
fn item_6_to_8_pods_of_leaving_nodes_join() {
    let mut w = World::new();
    w.node("n1", "z1", 16_000, |n, c| {
        c.deleting = Some(now());
        n.taints = vec![crate::model::Taint {
            key: names::DISRUPTED_TAINT.into(),
            value: "".into(),
            effect: crate::model::TaintEffect::NoSchedule,
        }];
    });
    w.bound("web", "n1", |_| {});
    w.pod_with(
        "daemon",
        |_| {},
        |p| {
            p.node = Some("n1".into());
            p.unschedulable = false;
            p.owners = vec![crate::model::pod::Owner {
                kind: "DaemonSet".into(),
                name: "d".into(),
                uid: "d".into(),
                controller: true,
            }];
        },
    );
    w.pod_with(
        "kept",
        |_| {},
        |p| {
            p.node = Some("n1".into());
            p.unschedulable = false;
            p.do_not_disrupt = Some("true".into());
        },
    );
    let mut passes = Passes::new(w);
    let seen = passes.run(5);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1.subjects, ["default/web".into()]);
}

#[test]
fn a_node_that_waits_for_its_replacement_is_planned_for_already() {
    let mut w = World::new();
    w.node("n1", "z1", 16_000, |n, _| {
        n.annotations
            .insert(names::KERF_REPLACED_BY.into(), "default-new".into());
        n.taints = vec![crate::model::Taint {
            key: names::DISRUPTED_TAINT.into(),
            value: "".into(),
            effect: crate::model::TaintEffect::NoSchedule,
        }];
    });
    w.bound("web", "n1", |_| {});
    assert!(Passes::new(w).run(5).is_empty());
}

#[test]
fn what_revalidation_notices() {
    let mut w = World::new();
    w.pods(2, "p", |_| {});
    let mut passes = Passes::new(w);
    let proposal = passes.run(5).remove(0).1;
    let check = |w: &World| revalidate(&w.snapshot, &proposal, now(), &w.settings);
    let w = &mut passes.world;
    assert_eq!(check(w), Ok(()));
    let before = w.snapshot.clone();
    w.pool("default", |p| p.hash = "edited".into());
    assert!(check(w).is_err_and(|e| e.contains("edited")));
    w.snapshot = before.clone();
    w.snapshot.pods.remove("default/p-0");
    assert_eq!(check(w), Ok(()), "one pod is enough");
    w.bound("p-1", "n9", |_| {});
    assert!(check(w).is_err_and(|e| e.contains("no pod waits")));
    w.snapshot = before.clone();
    w.pool("default", |p| {
        p.limits.insert("cpu".into(), 1);
    });
    w.node("n1", "z1", 100, |_, _| {});
    assert!(check(w).is_err_and(|e| e.contains("limit")));
    w.snapshot = before;
    w.types([kind("else", 2000, 4 * GI, 1.0, &["z1"])]);
    assert!(check(w).is_err_and(|e| e.contains("instance types")));
    w.snapshot.claims.insert(
        match &proposal.effects[0] {
            Effect::CreateClaim(d) => d.name.clone(),
            other => panic!("{other:?}"),
        },
        Arc::new(crate::model::Claim::clone(
            w.snapshot
                .claims
                .values()
                .next()
                .map_or_else(
                    || {
                        let mut other = World::new();
                        other.node("x", "z1", 1, |_, _| {});
                        other.snapshot.claims.values().next().cloned().expect("a claim")
                    },
                    Clone::clone,
                )
                .as_ref(),
        )),
    );
    assert_eq!(check(w), Ok(()), "what exists is not asked for again");
}
