//! Builders of the sample: one call a thing.

use crate::ledger::view::{DecisionRow, Step, View};
use crate::ledger::{Body, Cause, Entry};
use crate::model::decision::effect::{ClaimDraft, ExpectedLaunch};
use crate::model::decision::evidence::{CheaperRefused, ClaimEvidence, RankRow};
use crate::model::decision::refusal::{Check, Funnel, FunnelStep};
use crate::model::decision::{Decision, DecisionId, Effect, Evidence, Kind, Proposal, Refusal, State};
use crate::model::nodepool::{Budget, ConsolidationPolicy, Template};
use crate::model::{
    CapacityType, Claim, Condition, InstanceType, Labels, Name, Node, NodePool, Offering, Phase, Pod,
    PodSpec, Requirement, Requirements, Resources, Status, Taint, TaintEffect, UsdPerHour,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const GI: i64 = 1 << 30;
pub(super) const MI: i64 = 1 << 20;

pub(super) fn at(seconds_ago: i64) -> Timestamp {
    let now: Timestamp = "2026-08-14T14:07:31Z".parse().expect("a time");
    now - SignedDuration::from_secs(seconds_ago)
}

pub(super) fn room(cpu: i64, mib: i64, pods: i64) -> Resources {
    Resources {
        cpu,
        memory: mib * MI,
        pods,
        ..Resources::default()
    }
}

#[expect(clippy::type_complexity, reason = "one row a type reads best")]
/// name, arch, vCPU, GiB, pods, allocatable cpu, allocatable MiB, on-demand price
pub(super) const TYPES: [(&str, &str, i64, i64, i64, i64, i64, f64); 9] = [
    ("c6a.xlarge", "amd64", 4, 8, 58, 3920, 6584, 0.1530),
    ("c6a.4xlarge", "amd64", 16, 32, 234, 15_890, 26_000, 0.6120),
    ("c6g.xlarge", "arm64", 4, 8, 58, 3920, 6584, 0.1360),
    ("c7g.xlarge", "arm64", 4, 8, 58, 3920, 6584, 0.1450),
    ("c7g.2xlarge", "arm64", 8, 16, 58, 7910, 14_162, 0.2900),
    ("c7g.4xlarge", "arm64", 16, 32, 234, 15_890, 26_000, 0.5800),
    ("m6g.xlarge", "arm64", 4, 16, 58, 3920, 14_162, 0.1540),
    ("m7g.large", "arm64", 2, 8, 29, 1930, 6903, 0.0816),
    ("m7g.2xlarge", "arm64", 8, 32, 58, 7910, 29_317, 0.3264),
];

pub(super) fn instance_type(t: &(&str, &str, i64, i64, i64, i64, i64, f64)) -> Arc<InstanceType> {
    let (name, arch, vcpu, gib, pods, cpu, mib, price) = *t;
    let mut offerings = Vec::new();
    for (zone, extra) in [("us-east-1a", 0.002), ("us-east-1b", 0.0), ("us-east-1c", 0.004)] {
        for (capacity_type, usd) in [
            (CapacityType::OnDemand, price),
            (CapacityType::Spot, price * 0.39 + extra),
        ] {
            let available = !(name == "c6g.xlarge" && capacity_type == CapacityType::OnDemand);
            let requirements = Requirements(BTreeMap::new());
            let price = UsdPerHour::from_f64((usd * 10_000.0).round() / 10_000.0);
            offerings.push(Offering {
                zone: zone.into(),
                capacity_type,
                price,
                available,
                requirements,
                reservation_capacity: 0,
                overrides: None,
            });
        }
    }
    let mut requirements = Requirements(BTreeMap::new());
    requirements.add(Requirement::is_in("kubernetes.io/arch", [arch]));
    let capacity = Resources {
        cpu: vcpu * 1000,
        memory: gib * GI,
        pods,
        ..Resources::default()
    };
    let mut overhead = capacity.clone();
    overhead.sub(&room(cpu, mib, pods));
    Arc::new(InstanceType {
        name: name.into(),
        requirements,
        capacity,
        overhead,
        offerings,
    })
}

pub(super) fn labels(pool: &str, kind: &str, capacity: &str, zone: &str) -> Labels {
    [
        ("karpenter.sh/nodepool", pool),
        ("node.kubernetes.io/instance-type", kind),
        ("karpenter.sh/capacity-type", capacity),
        ("topology.kubernetes.io/zone", zone),
        ("karpenter.k8s.aws/ec2nodeclass", "default"),
    ]
    .into_iter()
    .map(|(k, v)| (k.into(), v.into()))
    .collect()
}

pub(super) fn condition(status: Status, seconds_ago: i64) -> Condition {
    Condition {
        status,
        reason: "".into(),
        message: "".into(),
        since: at(seconds_ago),
        observed_generation: None,
    }
}

pub(super) fn claim(name: &str, provider: &str, labels: Labels, created: i64, conditions: &[&str]) -> Claim {
    Claim {
        name: name.into(),
        uid: format!("uid-{name}").into(),
        generation: 1,
        labels,
        annotations: Labels::new(),
        created: at(created),
        deleting: None,
        finalizers: vec![],
        class: crate::model::nodepool::ClassRef::default(),
        requirements: Requirements(BTreeMap::new()),
        requests: room(3150, 4300, 6),
        taints: vec![],
        startup_taints: vec![],
        expire_after: None,
        termination_grace: None,
        provider_id: provider.into(),
        node_name: "".into(),
        image_id: "".into(),
        capacity: Resources::default(),
        allocatable: room(3920, 6584, 58),
        last_pod_event: None,
        conditions: conditions
            .iter()
            .map(|c| ((*c).into(), condition(Status::True, created)))
            .collect(),
    }
}

#[expect(clippy::too_many_arguments, reason = "one line a node in the sample")]
/// Adds a node with its claim and `pods` pods that share the given requests.
pub(super) fn node(
    v: &mut View,
    name: &str,
    pool: &str,
    kind: &str,
    capacity: &str,
    zone: &str,
    age: i64,
    load: (i64, i64, i64),
) {
    let t = TYPES.iter().find(|t| t.0 == kind).expect("a type of the table");
    let provider = format!("aws:///{zone}/i-{name}");
    let node = Node {
        name: name.into(),
        uid: format!("uid-{name}").into(),
        provider_id: provider.as_str().into(),
        labels: labels(pool, kind, capacity, zone),
        annotations: Labels::new(),
        taints: vec![],
        capacity: room(t.2 * 1000, t.3 * 1024, t.4),
        allocatable: room(t.5, t.6, t.4),
        ready: true,
        ready_since: Some(at(age)),
        ailments: Vec::new(),
        unschedulable: false,
        created: at(age),
        deleting: None,
        finalizers: vec![],
    };
    let (cpu, mib, pods) = load;
    for i in 0..pods {
        let key = format!("{}-{i}", name.replace("ip-10-0-", "app-"));
        pod(v, "shop", &key, (cpu / pods, mib / pods), Some(name), age - 60);
    }
    let conditions: &[&str] = if name == "ip-10-0-61-12" {
        &["Launched", "Registered", "Initialized", "Drifted"]
    } else {
        &["Launched", "Registered", "Initialized"]
    };
    let c = claim(
        &format!("{pool}-{}", name.replace("ip-10-0-", "")),
        &provider,
        labels(pool, kind, capacity, zone),
        age,
        conditions,
    );
    v.snapshot.claims.insert(c.name.clone(), Arc::new(c));
    v.snapshot.nodes.insert(node.name.clone(), Arc::new(node));
}

pub(super) fn pod(
    v: &mut View,
    namespace: &str,
    name: &str,
    (cpu, mib): (i64, i64),
    node: Option<&str>,
    age: i64,
) {
    let spec = PodSpec {
        requests: room(cpu, mib, 1),
        ..PodSpec::default()
    };
    let pod = Pod {
        namespace: namespace.into(),
        name: name.into(),
        uid: format!("uid-{name}").into(),
        spec: Arc::new(spec),
        labels: Arc::new([("app".into(), "shop".into())].into()),
        created: at(age),
        phase: if node.is_some() {
            Phase::Running
        } else {
            Phase::Pending
        },
        node: node.map(Into::into),
        nominated: None,
        unschedulable: node.is_none(),
        ready: node.is_some(),
        started: None,
        deleting: None,
        owners: vec![],
        do_not_disrupt: None,
        deletion_cost: None,
    };
    v.snapshot.pods.insert(pod.key(), Arc::new(pod));
}

pub(super) fn pool(v: &mut View, name: &str, weight: i32, cpu: i64, used: i64, policy: ConsolidationPolicy) {
    let mut requirements = Requirements(BTreeMap::new());
    requirements.add(Requirement::is_in("kubernetes.io/arch", ["amd64", "arm64"]));
    let budget = Budget {
        nodes: "10%".into(),
        reasons: None,
        schedule: None,
        duration: None,
    };
    let p = NodePool {
        name: name.into(),
        uid: name.into(),
        generation: 1,
        created: at(900_000),
        deleting: None,
        annotations: Labels::new(),
        weight,
        replicas: None,
        limits: [("cpu".into(), cpu)].into(),
        template: Template {
            requirements,
            class: crate::model::nodepool::ClassRef {
                name: "default".into(),
                ..Default::default()
            },
            expire_after: Some(std::time::Duration::from_secs(2_592_000)),
            ..Template::default()
        },
        disruption: crate::model::nodepool::Disruption {
            policy,
            consolidate_after: Some(std::time::Duration::from_secs(30)),
            budgets: vec![budget],
        },
        hash: "".into(),
        conditions: [("Ready".into(), condition(Status::True, 900_000))].into(),
        status_nodes: 0,
        class_generation: None,
        status_resources: room(used, used * 2, 0),
        invalid: vec![],
    };
    v.snapshot.pools.insert(p.name.clone(), Arc::new(p));
}

pub(super) fn rank(kind: &str) -> RankRow {
    let t = TYPES.iter().find(|t| t.0 == kind).expect("a type of the table");
    RankRow {
        instance_type: kind.into(),
        arch: t.1.into(),
        vcpu: u32::try_from(t.2).expect("small"),
        memory_mib: u64::try_from(t.3 * 1024).expect("positive"),
        allocatable: room(t.5, t.6, t.4),
        price: UsdPerHour::from_f64(t.7),
        capacity_type: CapacityType::OnDemand,
        zones: vec!["us-east-1a".into(), "us-east-1b".into(), "us-east-1c".into()],
    }
}

pub(super) fn evidence(claim: &str, pool: &str, pods: &[&str], kinds: &[&str]) -> ClaimEvidence {
    let taint = Taint {
        key: "dedicated".into(),
        value: "web".into(),
        effect: TaintEffect::NoSchedule,
    };
    let step = |check, removed| FunnelStep {
        check,
        removed,
        examples: vec![],
    };
    ClaimEvidence {
        claim: claim.into(),
        pool: pool.into(),
        pods: pods.iter().map(|p| (*p).into()).collect(),
        requests: room(3000, 4096, 3),
        daemon_overhead: room(150, 204, 3),
        daemons: vec![],
        pools_refused: vec![("web".into(), Refusal::UntoleratedTaints { taints: vec![taint] })],
        targets_refused: [("resources".into(), 4), ("untolerated_taints".into(), 4)].into(),
        funnel: Funnel {
            considered: 412,
            steps: vec![
                step(
                    Check::Resource {
                        resource: "cpu".into(),
                        wanted: 3150,
                    },
                    121,
                ),
                step(
                    Check::Requirement {
                        requirement: Requirement::is_in(
                            "karpenter.k8s.aws/instance-category",
                            ["c", "m", "r"],
                        ),
                    },
                    92,
                ),
                step(Check::NoOffering, 12),
            ],
        },
        ranking: kinds.iter().map(|k| Arc::new(rank(k))).collect(),
        options: 60,
        cheaper_refused: vec![CheaperRefused {
            instance_type: "c6g.xlarge".into(),
            price: UsdPerHour::from_f64(0.1360),
            why: Check::OutOfStock,
        }],
    }
}

pub(super) fn draft(name: &str, pool: &str, kind: &str, pods: &[&str]) -> Effect {
    let t = TYPES.iter().find(|t| t.0 == kind).expect("a type of the table");
    Effect::CreateClaim(Box::new(ClaimDraft {
        name: name.into(),
        pool: pool.into(),
        pool_uid: pool.into(),
        labels: Labels::new(),
        annotations: Labels::new(),
        class: crate::model::nodepool::ClassRef::default(),
        requirements: Requirements(BTreeMap::new()),
        instance_types: vec![kind.into()],
        requests: room(3150, 4300, 6),
        taints: vec![],
        startup_taints: vec![],
        expire_after: None,
        termination_grace: None,
        pods: pods.iter().map(|p| (*p).into()).collect(),
        expected: Some(ExpectedLaunch {
            instance_type: kind.into(),
            zone: "us-east-1a".into(),
            capacity_type: CapacityType::OnDemand,
            price_per_hour: UsdPerHour::from_f64(t.7),
            reservation: None,
        }),
    }))
}

pub(super) fn decide(
    v: &mut View,
    id: u64,
    ago: i64,
    state: State,
    since: i64,
    proposal: Proposal,
    steps: Vec<Step>,
) {
    let decision = Arc::new(Decision {
        id: DecisionId(id),
        at: at(ago),
        hash: proposal.content_hash(),
        proposal,
    });
    log(
        v,
        ago,
        Body::Proposed {
            decision: decision.clone(),
        },
    );
    let by: Name = if state == State::Rejected {
        "operator".into()
    } else {
        "policy".into()
    };
    let row = DecisionRow {
        decision,
        state,
        since: at(since),
        by,
        reason: String::new(),
        steps,
    };
    v.decisions.insert(DecisionId(id), Arc::new(row));
}

pub(super) fn log(v: &mut View, ago: i64, body: Body) {
    v.seq += 1;
    v.log.push_back(Arc::new(Entry {
        seq: v.seq,
        at: at(ago),
        cause: Cause::Engine,
        body,
        note: BTreeMap::new(),
    }));
}

pub(super) fn proposal(
    kind: Kind,
    subjects: &[&str],
    effects: Vec<Effect>,
    usd: f64,
    nodes: (u32, u32),
    pods: (u32, u32),
    evidence: Evidence,
) -> Proposal {
    let impact = crate::model::decision::Impact {
        usd_per_hour: UsdPerHour::from_f64(usd),
        nodes_added: nodes.0,
        nodes_removed: nodes.1,
        pods_placed: pods.0,
        evictions: pods.1,
    };
    Proposal {
        kind,
        subjects: subjects.iter().map(|s| (*s).into()).collect(),
        effects,
        impact,
        evidence,
    }
}
