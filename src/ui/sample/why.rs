//! The answer to "why pending" of the drawings.

use crate::engine::query::{PlaceTried, PoolTried, WhyPending};
use crate::model::decision::Refusal;
use crate::model::decision::cause::Cause;
use crate::model::decision::effect::ExpectedLaunch;
use crate::model::decision::refusal::{Check, Funnel, FunnelStep};
use crate::model::decision::remedy::{Change, Landing, Remedy};
use crate::model::{CapacityType, Resources, Taint, TaintEffect, UsdPerHour};

fn taint(key: &str, value: &str) -> Taint {
    Taint {
        key: key.into(),
        value: value.into(),
        effect: TaintEffect::NoSchedule,
    }
}

fn pool(name: &str, refusal: Refusal, types: Option<(u32, u32)>) -> PoolTried {
    PoolTried {
        name: name.into(),
        refusal: Some(refusal),
        types,
    }
}

fn remedy(change: Change, pool: &str, kind: &str, price: f64) -> Remedy {
    let usd = UsdPerHour::from_f64(price);
    Remedy {
        changes: vec![change],
        landing: Landing::Claim {
            pool: pool.into(),
            launch: Some(ExpectedLaunch {
                instance_type: kind.into(),
                zone: "us-east-1c".into(),
                capacity_type: CapacityType::OnDemand,
                price_per_hour: usd,
                reservation: None,
            }),
            pods: 1,
        },
        added: usd,
    }
}

pub fn why() -> WhyPending {
    let gpu = "nvidia.com/gpu";
    let no_gpu = || Refusal::InstanceTypes {
        funnel: Funnel {
            considered: 412,
            steps: vec![FunnelStep {
                check: Check::Resource {
                    resource: gpu.into(),
                    wanted: 1,
                },
                removed: 412,
                examples: vec!["c6g.medium".into()],
            }],
        },
        requests: Resources::default(),
        cause: Some(Cause::TooSmall {
            resource: gpu.into(),
            wanted: 1,
            most: 0,
            instance_type: "".into(),
        }),
    };
    let tainted = |t: Taint| Refusal::UntoleratedTaints { taints: vec![t] };
    let node = |name: &str, refusal: Refusal| PlaceTried {
        name: name.into(),
        refusal: Some(refusal),
    };
    WhyPending {
        pod: "ml/embed-0".into(),
        seat: None,
        pools: vec![
            pool("gpu", tainted(taint(gpu, "true")), Some((6, 6))),
            pool("web", tainted(taint("dedicated", "web")), Some((0, 412))),
            pool("general", no_gpu(), Some((0, 412))),
            pool(
                "batch",
                Refusal::PoolLimit {
                    resource: "cpu".into(),
                    limit: 32_000,
                    used: 32_000,
                },
                Some((0, 96)),
            ),
        ],
        nodes: vec![
            node(
                "ip-10-0-61-12",
                Refusal::Resources {
                    resource: "memory".into(),
                    wanted: 12 << 30,
                    free: 6003 << 20,
                },
            ),
            node("ip-10-0-71-90", tainted(taint("dedicated", "web"))),
            node("ip-10-0-5-66", tainted(taint("batch", "true"))),
        ],
        unknown: Vec::new(),
        remedies: vec![
            remedy(
                Change::Tolerate {
                    taint: taint(gpu, "true"),
                },
                "gpu",
                "g4dn.xlarge",
                0.526,
            ),
            remedy(
                Change::LowerRequest {
                    resource: gpu.into(),
                    from: 1,
                    to: 0,
                },
                "general",
                "m6a.xlarge",
                0.1728,
            ),
        ],
    }
}
