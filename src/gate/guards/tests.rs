use std::cell::Cell;
use std::collections::BTreeSet;

use super::*;
use crate::model::decision::effect::{ClaimDraft, ExpectedLaunch};
use crate::model::decision::evidence::{Batch, CandidateEvidence, ClaimEvidence, Disruption, Provisioning};
use crate::model::decision::refusal::Funnel;
use crate::model::decision::{Evidence, Impact, Proposal};
use crate::model::nodepool::ClassRef;
use crate::model::{CapacityType, Labels, Requirements, Resources};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_603_600 + second).expect("in range")
}

fn usd(amount: f64) -> UsdPerHour {
    UsdPerHour::from_f64(amount)
}

fn draft(name: &str, kind: &str, price: f64) -> ClaimDraft {
    ClaimDraft {
        name: name.into(),
        pool: "default".into(),
        pool_uid: "p".into(),
        labels: Labels::new(),
        annotations: Labels::new(),
        class: ClassRef::default(),
        requirements: Requirements::default(),
        instance_types: vec![kind.into()],
        requests: Resources::default(),
        taints: vec![],
        startup_taints: vec![],
        expire_after: None,
        termination_grace: None,
        pods: vec![],
        expected: Some(ExpectedLaunch {
            instance_type: kind.into(),
            zone: "a".into(),
            capacity_type: CapacityType::OnDemand,
            price_per_hour: usd(price),
            reservation: None,
        }),
    }
}

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

fn decision(kind: Kind, drafts: Vec<ClaimDraft>, evidence: Evidence, removed: u32) -> Decision {
    let bill: UsdPerHour = drafts
        .iter()
        .filter_map(|d| d.expected.as_ref().map(|e| e.price_per_hour))
        .sum();
    let proposal = Proposal {
        kind,
        subjects: vec![],
        impact: Impact {
            usd_per_hour: bill,
            nodes_added: u32::try_from(drafts.len()).expect("few"),
            nodes_removed: removed,
            ..Impact::default()
        },
        effects: drafts
            .into_iter()
            .map(|d| Effect::CreateClaim(Box::new(d)))
            .collect(),
        evidence,
    };
    NUMBER.with(|n| n.set(n.get() + 1));
    Decision {
        id: DecisionId(NUMBER.with(Cell::get)),
        at: at(0),
        hash: proposal.content_hash(),
        proposal,
    }
}

fn provisioning(claim: &str, pods: &[&str]) -> Decision {
    let evidence = Evidence::Provisioning(Box::new(Provisioning {
        batch: Batch::default(),
        claims: vec![ClaimEvidence {
            claim: claim.into(),
            pool: "default".into(),
            pods: pods.iter().map(|p| Name::from(*p)).collect(),
            requests: Resources::default(),
            daemon_overhead: Resources::default(),
            daemons: vec![],
            pools_refused: vec![],
            targets_refused: BTreeMap::new(),
            funnel: Funnel::default(),
            ranking: vec![],
            options: 1,
            cheaper_refused: vec![],
        }],
        ..Provisioning::default()
    }));
    decision(
        Kind::Provisioning,
        vec![draft(claim, "m5.large", 0.1)],
        evidence,
        0,
    )
}

/// `claim` of type `from` goes, `made` of type `to` comes.
fn replacement(claim: &str, from: &str, made: &str, to: &str) -> Decision {
    let evidence = Evidence::Disruption(Box::new(Disruption {
        method: "single".into(),
        reason: "Underutilized".into(),
        candidates: vec![CandidateEvidence {
            node: format!("node-{claim}").into(),
            claim: claim.into(),
            pool: "default".into(),
            instance_type: from.into(),
            zone: "a".into(),
            capacity_type: "on-demand".into(),
            price: usd(0.2),
            pods: vec![],
            disruption_cost: 1.0,
        }],
        forced: false,
        replacements: vec![],
        price_before: usd(0.2),
        price_after: usd(0.1),
        moves: BTreeMap::new(),
        budgets: BTreeMap::new(),
        overridden: vec![],
        largest_cpu: None,
        scores: BTreeMap::new(),
    }));
    decision(Kind::Consolidation, vec![draft(made, to, 0.1)], evidence, 1)
}

/// Guards with their trips.
#[derive(Default)]
struct Watch {
    guards: Guards,
    trips: BTreeMap<Guard, Trip>,
    fleet: Fleet,
    health: Health,
    limits: Limits,
}

impl Watch {
    fn check(&mut self, decision: &Decision, second: i64) -> Option<Stop> {
        let look = Look {
            fleet: &self.fleet,
            health: &self.health,
            limits: &self.limits,
            now: at(second),
        };
        self.guards
            .check(decision, &look, &mut self.trips, |_| "gone".to_owned())
    }

    fn buy(&mut self, claim: &str, pods: &[&str], second: i64) {
        let pods: Vec<Name> = pods.iter().map(|p| Name::from(*p)).collect();
        let purchase = Purchase {
            claim: claim.into(),
            predicted: "m5.large a on-demand".into(),
            arrived: "c5.large b spot".into(),
        };
        self.guards.bought(&purchase, &pods, usd(0.1), at(second));
    }

    fn release(&mut self, guard: Guard) -> Vec<DecisionId> {
        self.trips.remove(&guard);
        self.guards.released(guard)
    }
}

#[test]
fn two_machines_in_vain_are_enough() {
    let mut watch = Watch::default();
    for (n, claim) in ["c1", "c2"].into_iter().enumerate() {
        assert_eq!(watch.check(&provisioning(claim, &["ns/p", "ns/q"]), 0), None);
        // The other pod gets on each time.
        watch.buy(claim, &["ns/p", "ns/q"], i64::try_from(n).expect("small"));
        watch.guards.progress("ns/q");
    }
    let Some(Stop::Pods(pods, text)) = watch.check(&provisioning("c3", &["ns/p", "ns/q"]), 2) else {
        panic!("stopped");
    };
    assert_eq!(pods, BTreeSet::from(["ns/p".into()]));
    assert!(
        text.contains("c1: predicted m5.large a on-demand, arrived c5.large b spot, gone"),
        "{text}"
    );
    assert!(watch.trips.contains_key(&Guard::Runaway));
    assert_eq!(watch.guards.stopped_pods().count(), 1);
    assert_eq!(
        watch.check(&provisioning("c4", &["ns/q"]), 3),
        None,
        "others go on"
    );
    assert!(watch.release(Guard::Runaway).is_empty());
    assert_eq!(
        watch.check(&provisioning("c5", &["ns/p"]), 4),
        None,
        "a new start"
    );
    // A pod that got on starts anew as well, and one machine counts once.
    watch.buy("c5", &["ns/p"], 4);
    watch.buy("c5", &["ns/p"], 5);
    assert_eq!(watch.check(&provisioning("c6", &["ns/p"]), 6), None);
}

#[test]
fn ceilings_of_nodes_hold() {
    let mut watch = Watch::default();
    watch.fleet.nodes = 9;
    watch.fleet.pools.insert("default".into(), (4, usd(0.9)));
    let one = || provisioning("c", &["ns/p"]);
    watch.limits.nodes = Some(10);
    assert_eq!(watch.check(&one(), 0), None);
    watch.fleet.nodes = 10;
    let held = one();
    assert!(matches!(watch.check(&held, 0), Some(Stop::Ask(Guard::Nodes, _))));
    let swap = replacement("n", "m5.xlarge", "r", "m5.large");
    assert_eq!(watch.check(&swap, 0), None, "a replacement adds no node");
    assert_eq!(watch.release(Guard::Nodes), [held.id], "what waited is given");
    watch.limits.nodes = None;
    watch.limits.pool_nodes = Some(4);
    assert!(matches!(watch.check(&one(), 0), Some(Stop::Ask(Guard::Nodes, _))));
    watch.limits.pool_nodes = None;
    watch.limits.nodes_per_hour = Some(2);
    watch.buy("a", &[], 0);
    watch.buy("b", &[], 1800);
    assert!(matches!(
        watch.check(&one(), 3599),
        Some(Stop::Ask(Guard::Nodes, _))
    ));
    assert_eq!(watch.check(&one(), 3600), None, "an hour later");
}

#[test]
fn ceilings_of_spend_hold() {
    let mut watch = Watch::default();
    watch.fleet.usd_per_hour = usd(0.9);
    watch.fleet.pools.insert("default".into(), (4, usd(0.9)));
    let one = || provisioning("c", &["ns/p"]);
    watch.limits.usd = Some(usd(1.0));
    assert_eq!(watch.check(&one(), 0), None);
    watch.fleet.usd_per_hour = usd(0.95);
    assert!(matches!(watch.check(&one(), 0), Some(Stop::Ask(Guard::Spend, _))));
    watch.limits.usd = None;
    watch.limits.pool_usd = Some(usd(0.95));
    assert!(matches!(watch.check(&one(), 0), Some(Stop::Ask(Guard::Spend, _))));
    watch.limits.pool_usd = None;
    watch.limits.usd_per_hour = Some(usd(0.15));
    watch.buy("a", &[], 0);
    assert!(matches!(
        watch.check(&one(), 10),
        Some(Stop::Ask(Guard::Spend, _))
    ));
    assert_eq!(watch.check(&one(), 3601), None);
}

#[test]
fn going_back_within_a_day_is_flapping() {
    let there = replacement("a", "m5.large", "b", "c5.large");
    let back = replacement("b", "c5.large", "c", "m5.large");
    let on = replacement("b", "c5.large", "c", "r5.large");
    let other = replacement("x", "c5.large", "c", "m5.large");
    let watch = || {
        let mut watch = Watch::default();
        assert_eq!(watch.check(&there, 0), None);
        let fleet = watch.fleet.clone();
        watch.guards.begun(&there, &fleet, at(0));
        watch
    };
    assert!(matches!(
        watch().check(&back, 60),
        Some(Stop::Ask(Guard::Flap, _))
    ));
    assert_eq!(watch().check(&on, 60), None, "another type");
    assert_eq!(watch().check(&other, 60), None, "another machine");
    assert_eq!(watch().check(&back, 24 * 3600), None, "a day later");
    let mut changed = watch();
    changed.fleet.fingerprint = 1;
    assert_eq!(changed.check(&back, 60), None, "the workload changed");
    let mut released = watch();
    released.check(&back, 60);
    assert_eq!(released.release(Guard::Flap), [back.id]);
    assert_eq!(released.check(&back, 61), None);
}

#[test]
fn nothing_is_disrupted_while_the_picture_is_bad() {
    let swap = replacement("a", "m5.large", "b", "c5.large");
    let dropped = Some(Stop::Drop(Guard::FailStatic));
    let mut watch = Watch::default();
    watch.health.nodes = 10;
    watch.health.not_ready = 3;
    assert_eq!(watch.check(&swap, 0), None);
    watch.health.not_ready = 4;
    assert_eq!(watch.check(&swap, 0), dropped);
    assert_eq!(
        watch.check(&provisioning("c", &["ns/p"]), 0),
        None,
        "pods are served"
    );
    watch.health.not_ready = 0;
    assert_eq!(watch.check(&swap, 1), dropped, "until a person says so");
    watch.release(Guard::FailStatic);
    assert_eq!(watch.check(&swap, 2), None);
    // A person may say so while it lasts; then the same cause does not trip it again.
    watch.health.not_ready = 5;
    assert_eq!(watch.check(&swap, 3), dropped);
    watch.release(Guard::FailStatic);
    assert_eq!(watch.check(&swap, 4), None);
    watch.health.without_prices.insert("default".into());
    assert_eq!(watch.check(&swap, 5), dropped, "another cause does");

    let mut watch = Watch::default();
    for second in [0, 100, 200] {
        assert_eq!(watch.check(&swap, second), None);
        watch.guards.connection(Some(at(second)), at(second));
        watch.guards.connection(None, at(second + 1));
    }
    assert_eq!(watch.check(&swap, 201), dropped, "three losses");
    let mut watch = Watch::default();
    watch.guards.connection(Some(at(0)), at(0));
    assert_eq!(watch.check(&swap, 29), None);
    assert_eq!(watch.check(&swap, 30), dropped, "one long loss");
}

#[test]
fn a_guard_flag_names_a_ceiling() {
    let mut limits = Limits::default();
    for flag in [
        "nodes=50",
        "pool-usd=2.5",
        "nodes-per-hour=off",
        "not-ready=20",
        "purchases=3",
    ] {
        limits.set(&flag.parse::<GuardFlag>().expect(flag));
    }
    assert_eq!((limits.nodes, limits.nodes_per_hour), (Some(50), None));
    assert_eq!(limits.pool_usd, Some(usd(2.5)));
    assert_eq!((limits.not_ready_percent, limits.purchases_per_pod), (20, 3));
    for bad in [
        "",
        "nodes",
        "nodes=-1",
        "usd=NaN",
        "purchases=0",
        "purchases=off",
        "not-ready=101",
        "cpu=3",
    ] {
        assert!(bad.parse::<GuardFlag>().is_err(), "{bad}");
    }
}
