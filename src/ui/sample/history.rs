//! What was decided and what became of it.

use crate::gate::command::{Command, Scope, Spoken};
use crate::ledger::Body;
use crate::ledger::view::{PodRefusals, Step, View};
use crate::model::decision::effect::Launched;
use crate::model::decision::evidence::{
    CandidateEvidence, ClaimEvidence, Disruption, Provisioning, Unschedulable,
};
use crate::model::decision::{DecisionId, Effect, EffectResult, Evidence, Kind, Refusal, State, Verdict};
use crate::model::{CapacityType, Taint, TaintEffect, UsdPerHour};
use std::sync::Arc;

use super::parts::{at, decide, draft, evidence, log, proposal};

pub(super) fn fill(v: &mut View) {
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
            unknown: Vec::new(),
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
    decide(v, 139, 108, State::Done, 108, p, vec![]);
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
            largest_cpu: None,
            scores: std::collections::BTreeMap::new(),
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
    decide(v, 140, 39, State::Held, 39, p, vec![]);
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
    decide(v, 141, 29, State::Held, 29, p, vec![]);
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
    decide(v, 142, 14, State::Done, 7, p, steps);
    log(
        v,
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
        v,
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
        v,
        0,
        Body::Verdicts {
            changed: [(verdict.node.clone(), Some(verdict.clone()))].into(),
        },
    );
    v.verdicts.insert(verdict.node.clone(), Arc::new(verdict));
}
