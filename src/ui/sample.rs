//! A busy cluster for tests: the one of the drawings, with a decision of every kind of state.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::gate::command::{Command, Scope, Spoken};
use crate::ledger::view::{DecisionRow, PodRefusals, Step, View};
use crate::ledger::{Body, Cause, Entry};
use crate::model::decision::effect::{ClaimDraft, ExpectedLaunch, Launched};
use crate::model::decision::evidence::{
    CandidateEvidence, CheaperRefused, ClaimEvidence, Disruption, Provisioning, RankRow, Unschedulable,
};
use crate::model::decision::refusal::{Check, Funnel, FunnelStep};
use crate::model::decision::{
    Decision, DecisionId, Effect, EffectResult, Evidence, Kind, Proposal, Refusal, State, Verdict,
};
use crate::model::nodepool::{Budget, ConsolidationPolicy, Template};
use crate::model::{
    CapacityType, Catalogue, Claim, Condition, InstanceType, Labels, Name, Node, NodePool, Offering, Phase,
    Pod, PodSpec, Requirement, Requirements, Resources, Status, Taint, TaintEffect, UsdPerHour,
};

const GI: i64 = 1 << 30;
const MI: i64 = 1 << 20;

fn at(seconds_ago: i64) -> Timestamp {
    let now: Timestamp = "2026-08-14T14:07:31Z".parse().expect("a time");
    now - SignedDuration::from_secs(seconds_ago)
}

fn room(cpu: i64, mib: i64, pods: i64) -> Resources {
    Resources {
        cpu,
        memory: mib * MI,
        pods,
        ..Resources::default()
    }
}

/// name, arch, vCPU, GiB, pods, allocatable cpu, allocatable MiB, on-demand price
const TYPES: [(&str, &str, i64, i64, i64, i64, i64, f64); 9] = [
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

fn instance_type(t: &(&str, &str, i64, i64, i64, i64, i64, f64)) -> Arc<InstanceType> {
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

fn labels(pool: &str, kind: &str, capacity: &str, zone: &str) -> Labels {
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

fn condition(status: Status, seconds_ago: i64) -> Condition {
    Condition {
        status,
        reason: "".into(),
        message: "".into(),
        since: at(seconds_ago),
        observed_generation: None,
    }
}

fn claim(name: &str, provider: &str, labels: Labels, created: i64, conditions: &[&str]) -> Claim {
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

/// Adds a node with its claim and `pods` pods that share the given requests.
fn node(
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

fn pod(v: &mut View, namespace: &str, name: &str, (cpu, mib): (i64, i64), node: Option<&str>, age: i64) {
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

fn pool(v: &mut View, name: &str, weight: i32, cpu: i64, used: i64, policy: ConsolidationPolicy) {
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
        status_resources: room(used, used * 2, 0),
        invalid: vec![],
    };
    v.snapshot.pools.insert(p.name.clone(), Arc::new(p));
}

fn rank(kind: &str) -> RankRow {
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

fn evidence(claim: &str, pool: &str, pods: &[&str], kinds: &[&str]) -> ClaimEvidence {
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
        ranking: kinds.iter().map(|k| rank(k)).collect(),
        options: 60,
        cheaper_refused: vec![CheaperRefused {
            instance_type: "c6g.xlarge".into(),
            price: UsdPerHour::from_f64(0.1360),
            why: Check::OutOfStock,
        }],
    }
}

fn draft(name: &str, pool: &str, kind: &str, pods: &[&str]) -> Effect {
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
        }),
    }))
}

fn decide(v: &mut View, id: u64, ago: i64, state: State, since: i64, proposal: Proposal, steps: Vec<Step>) {
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

fn log(v: &mut View, ago: i64, body: Body) {
    v.seq += 1;
    v.log.push_back(Arc::new(Entry {
        seq: v.seq,
        at: at(ago),
        cause: Cause::Engine,
        body,
        note: BTreeMap::new(),
    }));
}

fn proposal(
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

/// The cluster of the drawings.
pub fn view() -> View {
    let mut v = View {
        now: at(0),
        started: at(3600),
        source: "demo:burst".into(),
        region: "us-east-1".into(),
        ..View::default()
    };
    v.host.demo = true;
    v.host.speed = Some(10);
    v.host.kubeconfig = Some("/home/user/.local/state/kerf/demo.kubeconfig".to_owned());
    v.host.prices = "built-in 2026-08, spot simulated".to_owned();
    v.snapshot.catalogues.insert(
        "*".into(),
        Arc::new(Catalogue::new(TYPES.iter().map(instance_type))),
    );
    pool(
        &mut v,
        "general",
        10,
        200_000,
        26_000,
        ConsolidationPolicy::WhenEmptyOrUnderutilized,
    );
    pool(
        &mut v,
        "web",
        20,
        64_000,
        8000,
        ConsolidationPolicy::WhenEmptyOrUnderutilized,
    );
    pool(&mut v, "batch", 5, 32_000, 32_000, ConsolidationPolicy::WhenEmpty);
    pool(&mut v, "gpu", 50, 64_000, 0, ConsolidationPolicy::Balanced);
    let day = 86_400;
    node(
        &mut v,
        "ip-10-0-12-31",
        "general",
        "m7g.2xlarge",
        "on-demand",
        "us-east-1a",
        6 * day,
        (7440, 22_320, 31),
    );
    node(
        &mut v,
        "ip-10-0-44-8",
        "general",
        "c7g.2xlarge",
        "on-demand",
        "us-east-1b",
        2 * day,
        (7440, 9000, 24),
    );
    node(
        &mut v,
        "ip-10-0-5-66",
        "batch",
        "c6a.4xlarge",
        "spot",
        "us-east-1a",
        41 * 60,
        (14_960, 18_920, 22),
    );
    node(
        &mut v,
        "ip-10-0-81-40",
        "batch",
        "c7g.4xlarge",
        "spot",
        "us-east-1b",
        38 * 60,
        (3990, 5740, 7),
    );
    node(
        &mut v,
        "ip-10-0-71-90",
        "web",
        "c6a.xlarge",
        "on-demand",
        "us-east-1c",
        9 * 3600,
        (1179, 5200, 9),
    );
    node(
        &mut v,
        "ip-10-0-15-77",
        "web",
        "c6a.xlarge",
        "on-demand",
        "us-east-1a",
        9 * 3600,
        (1456, 5000, 8),
    );
    node(
        &mut v,
        "ip-10-0-23-4",
        "general",
        "c7g.xlarge",
        "on-demand",
        "us-east-1b",
        3 * 3600,
        (3706, 5200, 17),
    );
    node(
        &mut v,
        "ip-10-0-61-12",
        "general",
        "m7g.large",
        "on-demand",
        "us-east-1c",
        11 * day,
        (1500, 900, 5),
    );
    let c = claim(
        "general-x8k2p",
        "aws:///us-east-1a/i-0b77",
        labels("general", "c7g.xlarge", "on-demand", "us-east-1a"),
        14,
        &["Launched"],
    );
    v.snapshot.claims.insert(c.name.clone(), Arc::new(c));
    v.claim_decisions.insert("general-x8k2p".into(), DecisionId(142));
    for (ns, name, cpu, mib, age) in [
        ("shop", "checkout-6d9f-2xk4q", 500, 1024, 6),
        ("shop", "checkout-6d9f-8wzzt", 500, 1024, 6),
        ("shop", "cart-77c4-mm2lp", 2000, 2048, 6),
        ("ml", "embed-0", 3000, 12_288, 108),
        ("data", "etl-29114-pz7", 1000, 2048, 2),
        ("data", "etl-29114-q2k", 1000, 2048, 2),
    ] {
        pod(&mut v, ns, name, (cpu, mib), None, age);
    }
    let gpu = Taint {
        key: "nvidia.com/gpu".into(),
        value: "true".into(),
        effect: TaintEffect::NoSchedule,
    };
    let refused = vec![
        ("gpu".into(), Refusal::UntoleratedTaints { taints: vec![gpu] }),
        (
            "batch".into(),
            Refusal::PoolLimit {
                resource: "cpu".into(),
                limit: 32_000,
                used: 32_000,
            },
        ),
    ];
    v.refusals.insert(
        "ml/embed-0".into(),
        Arc::new(PodRefusals {
            since: at(108),
            passes: 11,
            pools: refused.clone(),
        }),
    );
    let blocked = Provisioning {
        unschedulable: vec![Unschedulable {
            pod: "ml/embed-0".into(),
            pools: refused,
        }],
        ..Provisioning::default()
    };
    let p = proposal(
        Kind::Provisioning,
        &["ml/embed-0"],
        vec![],
        0.0,
        (0, 0),
        (0, 0),
        Evidence::Provisioning(Box::new(blocked)),
    );
    decide(&mut v, 139, 108, State::Done, 108, p, vec![]);
    let candidate =
        |node: &str, pool: &str, kind: &str, zone: &str, price, pods: &[&str]| CandidateEvidence {
            node: node.into(),
            claim: format!("{pool}-{}", node.replace("ip-10-0-", "")).into(),
            pool: pool.into(),
            instance_type: kind.into(),
            zone: zone.into(),
            capacity_type: "on-demand".into(),
            price: UsdPerHour::from_f64(price),
            pods: pods.iter().map(|p| (*p).into()).collect(),
            disruption_cost: 6.5,
        };
    let disruption = |method: &str,
                      reason: &str,
                      candidates: Vec<CandidateEvidence>,
                      new: ClaimEvidence,
                      before,
                      after| {
        let pool = new.pool.clone();
        Evidence::Disruption(Box::new(Disruption {
            method: method.into(),
            reason: reason.into(),
            forced: false,
            moves: candidates
                .iter()
                .flat_map(|c| &c.pods)
                .map(|p| (p.clone(), new.claim.clone()))
                .collect(),
            candidates,
            replacements: vec![new],
            price_before: UsdPerHour::from_f64(before),
            price_after: UsdPerHour::from_f64(after),
            budgets: [(pool, (2, 2))].into(),
            overridden: vec![],
        }))
    };
    let e = disruption(
        "drift",
        "Drifted",
        vec![candidate(
            "ip-10-0-61-12",
            "general",
            "m7g.large",
            "us-east-1c",
            0.0816,
            &["shop/app-61-12-0"],
        )],
        evidence("general-r4nnt", "general", &["shop/app-61-12-0"], &["m7g.large"]),
        0.0816,
        0.0816,
    );
    let p = proposal(
        Kind::Drift,
        &["ip-10-0-61-12"],
        vec![draft(
            "general-r4nnt",
            "general",
            "m7g.large",
            &["shop/app-61-12-0"],
        )],
        0.0,
        (1, 1),
        (0, 3),
        e,
    );
    decide(&mut v, 140, 39, State::Held, 39, p, vec![]);
    let two = vec![
        candidate(
            "ip-10-0-71-90",
            "web",
            "c6a.xlarge",
            "us-east-1c",
            0.153,
            &["shop/app-71-90-0", "shop/app-71-90-1"],
        ),
        candidate(
            "ip-10-0-15-77",
            "web",
            "c6a.xlarge",
            "us-east-1a",
            0.153,
            &["shop/app-15-77-0"],
        ),
    ];
    let e = disruption(
        "multi",
        "Underutilized",
        two,
        evidence("web-8kkcz", "web", &["shop/app-71-90-0"], &["m6g.xlarge"]),
        0.306,
        0.154,
    );
    let p = proposal(
        Kind::Consolidation,
        &["ip-10-0-15-77", "ip-10-0-71-90"],
        vec![draft("web-8kkcz", "web", "m6g.xlarge", &["shop/app-71-90-0"])],
        -0.152,
        (1, 2),
        (0, 13),
        e,
    );
    decide(&mut v, 141, 29, State::Held, 29, p, vec![]);
    let pods = [
        "shop/cart-77c4-mm2lp",
        "shop/checkout-6d9f-2xk4q",
        "shop/checkout-6d9f-8wzzt",
    ];
    let e = Provisioning {
        claims: vec![evidence(
            "general-x8k2p",
            "general",
            &pods,
            &["c7g.xlarge", "c6a.xlarge", "m6g.xlarge"],
        )],
        ..Provisioning::default()
    };
    let create = draft("general-x8k2p", "general", "c7g.xlarge", &pods);
    let launched = EffectResult::Launched(Box::new(Launched {
        claim: "general-x8k2p".into(),
        provider_id: "aws:///us-east-1a/i-0b77".into(),
        instance_type: "c7g.xlarge".into(),
        zone: "us-east-1a".into(),
        capacity_type: CapacityType::OnDemand,
        price_per_hour: UsdPerHour::from_f64(0.145),
        image_id: "ami-1".into(),
        rank: 1,
        types_sent: 60,
        errors: vec![],
    }));
    let launch = Effect::Launch {
        claim: "general-x8k2p".into(),
        uid: "u".into(),
    };
    let steps = vec![
        Step {
            at: at(14),
            effect: create.clone(),
            result: EffectResult::Done,
        },
        Step {
            at: at(14),
            effect: launch.clone(),
            result: launched.clone(),
        },
    ];
    let p = proposal(
        Kind::Provisioning,
        &pods,
        vec![create],
        0.145,
        (1, 0),
        (3, 0),
        Evidence::Provisioning(Box::new(e)),
    );
    decide(&mut v, 142, 14, State::Done, 7, p, steps);
    log(
        &mut v,
        14,
        Body::Acted {
            id: Some(DecisionId(142)),
            class: launch.class(),
            effect: launch,
            result: launched,
        },
    );
    let spoken = Spoken {
        who: "operator".into(),
        command: Command::Pause {
            scope: Scope::Disruption,
            minutes: Some(30),
        },
    };
    log(
        &mut v,
        5,
        Body::Command {
            spoken,
            refused: None,
        },
    );
    let verdict = Verdict {
        node: "ip-10-0-81-40".into(),
        method: "single".into(),
        code: "pdb_blocked".into(),
        pod: Some("data/etl-1".into()),
        facts: [("pdb".into(), "data/etl".into())].into(),
    };
    log(
        &mut v,
        0,
        Body::Verdicts {
            changed: [(verdict.node.clone(), Some(verdict.clone()))].into(),
        },
    );
    v.verdicts.insert(verdict.node.clone(), Arc::new(verdict));
    let usd = UsdPerHour::from_f64;
    v.cost = crate::ledger::view::Cost {
        now: usd(1.7589),
        on_demand: usd(1.294),
        spot: usd(0.4649),
        in_review: usd(-0.152),
        floor: Some(usd(1.171)),
        series: (0..30_u32)
            .map(|i| {
                (
                    at(i64::from(1800 - i * 60)),
                    usd(1.4 + f64::from(i % 11) * 0.1),
                    6 + i % 5,
                    i % 7,
                )
            })
            .collect(),
        ..Default::default()
    };
    v
}
