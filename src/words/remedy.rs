//! What would help, what was given up, what a constraint costs.

use super::names::{capacity_short, key, node, plural, zone};
use super::{amount, price, price_delta, requirement};
use crate::model::UsdPerHour;
use crate::model::decision::effect::ExpectedLaunch;
use crate::model::decision::remedy::{Change, ConstraintCost, Landing, Preference, Remedy};

/// The change, told to the person who makes it: `tolerate nvidia.com/gpu=true:NoSchedule`.
pub fn change(c: &Change) -> String {
    match c {
        Change::Spell {
            key: k,
            value: Some(value),
            known,
        } => format!("write {known} for {value} ({})", key(k)),
        Change::Spell { key: k, known, .. } => format!("write the label {known} for {k}"),
        Change::Tolerate { taint } => format!("tolerate {taint}"),
        Change::LowerRequest {
            resource,
            from,
            to: 0,
        } => format!("do not ask for {resource} ({})", amount(resource, *from)),
        Change::LowerRequest { resource, from, to } => format!(
            "lower {resource} from {} to {}",
            amount(resource, *from),
            amount(resource, *to)
        ),
        Change::DropSelector { key: k, value } => format!("drop the selector {}={value}", key(k)),
        Change::DropRequirement { requirement: r } => format!("drop the node affinity {}", requirement(r)),
        Change::SoftenSpread { key: k, .. } => format!("let the spread over {} be ScheduleAnyway", key(k)),
        Change::DropSpread { key: k } => format!("drop the spread over {}", key(k)),
        Change::DropAffinity { key: k } => format!("drop the pod affinity over {}", key(k)),
        Change::DropAntiAffinity { key: k } => format!("drop the anti-affinity over {}", key(k)),
        Change::DropHostPort { port } => format!("do without host port {port}"),
        Change::DropVolume { claim } => format!("do without the volume claim {claim}"),
        Change::DropResourceClaims => "do without resource claims".to_owned(),
        Change::RaiseLimit {
            pool,
            resource,
            from,
            to,
        } => format!(
            "raise limit {resource} of NodePool {pool} from {} to {}",
            amount(resource, *from),
            amount(resource, *to)
        ),
        Change::LowerMinValues {
            pool,
            key: k,
            from,
            to,
        } => format!(
            "lower minValues of {} in NodePool {pool} from {from} to {to}",
            key(k)
        ),
        Change::WidenPool {
            pool,
            existing,
            to: None,
        } => format!("drop {} from NodePool {pool}", requirement(existing)),
        Change::WidenPool {
            pool, to: Some(to), ..
        } => {
            format!("let NodePool {pool} take {}", requirement(to))
        }
        Change::LabelPool { pool, key: k, value } => format!("label NodePool {pool} with {k}={value}"),
        Change::ReadyPool { pool } => format!("mend NodePool {pool} or its EC2NodeClass: not ready"),
        Change::Restock => "wait until capacity is back in stock".to_owned(),
    }
}

/// `m6a.xlarge on-demand us-east-1c $0.1728/h`
pub fn launch(l: &ExpectedLaunch) -> String {
    format!(
        "{} {} {} {}",
        l.instance_type,
        l.capacity_type.as_str(),
        l.zone,
        price(l.price_per_hour)
    )
}

/// Where it goes then, and what that costs.
pub fn landing(l: &Landing) -> String {
    match l {
        Landing::Node { node: name } => format!("room on {}, no new machine", node(name)),
        Landing::Claim {
            pool,
            launch: Some(l),
            pods,
        } => {
            let shared = if *pods > 1 {
                format!(", shared by {}", plural(*pods as usize, "pod"))
            } else {
                String::new()
            };
            format!("{pool} {}{shared}", launch(l))
        }
        Landing::Claim { pool, .. } => format!("a new machine of {pool}"),
    }
}

/// All its changes.
pub fn changes(r: &Remedy) -> String {
    r.changes.iter().map(change).collect::<Vec<_>>().join(", and ")
}

/// The change of the bill, where it is another than the price of the machine.
pub fn added(r: &Remedy) -> String {
    let alone = match &r.landing {
        Landing::Node { .. } => UsdPerHour::ZERO,
        Landing::Claim { launch, .. } => launch.as_ref().map_or(UsdPerHour::ZERO, |l| l.price_per_hour),
    };
    if r.added == alone {
        String::new()
    } else {
        format!(" ({} in all)", price_delta(r.added))
    }
}

/// `tolerate x → general m6a.xlarge on-demand us-east-1c $0.1728/h`
pub fn remedy(r: &Remedy) -> String {
    format!("{} → {}{}", changes(r), landing(&r.landing), added(r))
}

/// The same place as short as a screen wants it: `general m6a.xlarge od 1c $0.1728/h`.
pub fn landing_short(l: &Landing) -> String {
    match l {
        Landing::Claim {
            pool,
            launch: Some(l),
            ..
        } => format!(
            "{pool} {} {} {} {}",
            l.instance_type,
            capacity_short(l.capacity_type.as_str()),
            zone(&l.zone),
            price(l.price_per_hour)
        ),
        other => landing(other),
    }
}

/// What a pod liked and did not get.
pub fn preference(p: &Preference) -> String {
    let all =
        |list: &[crate::model::Requirement]| list.iter().map(requirement).collect::<Vec<_>>().join(" and ");
    match p {
        Preference::RequiredTerm { requirements } => {
            format!("alternative {} of the required node affinity", all(requirements))
        }
        Preference::Affinity { key: k, weight } => {
            format!("preferred pod affinity over {} (weight {weight})", key(k))
        }
        Preference::AntiAffinity { key: k, weight } => {
            format!("preferred anti-affinity over {} (weight {weight})", key(k))
        }
        Preference::NodeTerm { weight, requirements } => {
            format!("preferred {} (weight {weight})", all(requirements))
        }
        Preference::Spread { key: k, max_skew } => {
            format!("spread over {} maxSkew {max_skew} (ScheduleAnyway)", key(k))
        }
        Preference::AvoidTaint => "staying off PreferNoSchedule taints".to_owned(),
    }
}

/// The constraint as a thing that can cost: `the anti-affinity over hostname`.
fn constraint(c: &Change) -> String {
    match c {
        Change::WidenPool { pool, existing, .. } => {
            format!("{} of NodePool {pool}", requirement(existing))
        }
        other => {
            let text = change(other);
            text.strip_prefix("drop ")
                .or_else(|| text.strip_prefix("do without "))
                .unwrap_or(&text)
                .to_owned()
        }
    }
}

/// `the anti-affinity over hostname costs $4.10/h (12 nodes more) for 30 pods`
pub fn cost(c: &ConstraintCost) -> String {
    let what = constraint(&c.change);
    let nodes = match c.nodes {
        0 => String::new(),
        n if n > 0 => format!(" ({} more)", plural(usize::try_from(n).unwrap_or(0), "node")),
        n => format!(
            " ({} fewer)",
            plural(usize::try_from(n.unsigned_abs()).unwrap_or(0), "node")
        ),
    };
    let kept_out = if c.more_placed > 0 {
        format!(", keeps {} out", plural(c.more_placed as usize, "pod"))
    } else {
        String::new()
    };
    let pods = if c.pods > 1 && c.change.is_of_pod() {
        format!(", {} have it", c.pods)
    } else {
        String::new()
    };
    match c.usd_per_hour.0 {
        0 => format!("{what} costs nothing{nodes}{kept_out}"),
        1.. => format!("{what} costs {}{nodes}{kept_out}{pods}", price(c.usd_per_hour)),
        _ => format!(
            "{what}: the plan without it is dearer by {}{nodes}{kept_out}",
            price_delta(-c.usd_per_hour).trim_start_matches('+')
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CapacityType;

    #[test]
    fn a_remedy_says_what_to_do_where_it_leads_and_the_price() {
        let r = Remedy {
            changes: vec![Change::LowerRequest {
                resource: "cpu".into(),
                from: 20_000,
                to: 15_500,
            }],
            landing: Landing::Claim {
                pool: "general".into(),
                launch: Some(ExpectedLaunch {
                    instance_type: "m6a.4xlarge".into(),
                    zone: "us-east-1c".into(),
                    capacity_type: CapacityType::OnDemand,
                    price_per_hour: UsdPerHour::from_f64(0.6912),
                    reservation: None,
                }),
                pods: 1,
            },
            added: UsdPerHour::from_f64(0.6912),
        };
        assert_eq!(
            remedy(&r),
            "lower cpu from 20 to 15500m → general m6a.4xlarge on-demand us-east-1c $0.6912/h"
        );
    }

    #[test]
    fn costs_of_constraints() {
        let of = |usd: f64, nodes: i64, more: u32| ConstraintCost {
            change: Change::DropAntiAffinity {
                key: "kubernetes.io/hostname".into(),
            },
            pods: 30,
            usd_per_hour: UsdPerHour::from_f64(usd),
            nodes,
            more_placed: more,
        };
        assert_eq!(
            cost(&of(4.1, 12, 0)),
            "the anti-affinity over hostname costs $4.1000/h (12 nodes more), 30 have it"
        );
        assert_eq!(
            cost(&of(0.0, 0, 0)),
            "the anti-affinity over hostname costs nothing"
        );
        assert_eq!(
            cost(&of(-0.5, -1, 3)),
            "the anti-affinity over hostname: the plan without it is dearer by $0.500/h (1 node fewer), keeps 3 pods out"
        );
    }
}
