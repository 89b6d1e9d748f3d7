//! Whether a command still holds: after the 15 s wait, and with zero delay just before it is carried out
//! (`disruption §14`, decisions §6).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Method;
use super::budgets::Budgets;
use super::candidates::{Candidate, Checks, candidate};
use super::cluster::Cluster;
use super::consolidate::Command;
use super::drifted;
use super::eligibility::{Waive, empty, underutilized};
use super::simulate::Simulator;
use super::verdicts::Why;
use crate::decide::packing::karpenter::Bounds;
use crate::decide::scheduling::Planned;
use crate::decide::{Fuel, Reserved, Settings};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, Evidence, Proposal};
use crate::model::{Name, Snapshot};

/// What was decided, as it is kept while it waits.
#[derive(Clone, Copy, Debug)]
pub struct Claimed<'a> {
    pub method: Method,
    /// Node → claim uid.
    pub candidates: &'a BTreeMap<Name, Name>,
    pub replacements: &'a [Planned],
    pub moves: &'a BTreeMap<Name, Name>,
    /// As large as a replacement may be, where several replace the candidates.
    pub largest_cpu: Option<i64>,
}

/// How strictly to look.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub checks: Checks<'a>,
    pub waive: Waive,
    pub ignore_budgets: bool,
}

/// Node → why it no longer holds, beside the command that survives (`None` when nothing does).
type Judged<'a> = (Option<Command<'a>>, BTreeMap<Name, Why>);

/// Emptiness keeps the survivors; the others are all or nothing.
pub fn validate<'a>(
    simulator: &mut Simulator<'a>,
    claimed: &Claimed<'_>,
    rules: &Rules<'_>,
    fuel: &mut Fuel,
) -> Judged<'a> {
    let cluster = simulator.cluster();
    let mut failures = BTreeMap::new();
    let mut kept = Vec::new();
    let mut budgets = Budgets::new(
        cluster,
        rules.checks.reserved,
        claimed.method.reason(),
        rules.ignore_budgets,
    );
    for (node, uid) in claimed.candidates {
        let fresh = fresh(cluster, node, uid, claimed.method, rules).and_then(|c| {
            budgets
                .take(&c.pool.name)
                .map(|()| c)
                .map_err(|w| as_failure("validation_budget", &w))
        });
        match fresh {
            Ok(candidate) => kept.push(candidate),
            Err(why) => {
                failures.insert(node.clone(), why);
            }
        }
    }
    let all_or_nothing = claimed.method != Method::Emptiness;
    if kept.is_empty() || (all_or_nothing && !failures.is_empty()) {
        return (None, failures);
    }
    let places = !matches!(claimed.method, Method::Emptiness | Method::StaticDrift);
    if places && let Err(why) = resimulate(simulator, &kept, claimed, fuel) {
        failures.extend(claimed.candidates.keys().map(|n| (n.clone(), why.clone())));
        return (None, failures);
    }
    let command = Command {
        candidates: kept,
        replacements: claimed.replacements.to_vec(),
        moves: claimed.moves.clone(),
        largest_cpu: claimed.largest_cpu,
        scores: BTreeMap::new(),
    };
    (Some(command), failures)
}

fn as_failure(code: &str, why: &Why) -> Why {
    let mut out = why.clone();
    out.facts.insert("cause".into(), why.code.clone());
    out.code = code.into();
    out
}

/// The candidate as it is now, through the same checks and filters.
fn fresh<'a>(
    cluster: &Cluster<'a>,
    node: &Name,
    uid: &Name,
    method: Method,
    rules: &Rules<'_>,
) -> Result<Candidate<'a>, Why> {
    let churn = |why: Why| as_failure("validation_churn", &why);
    let machine = cluster
        .machines
        .get(node)
        .filter(|m| m.claim.is_some_and(|c| c.uid == *uid))
        .ok_or_else(|| churn(Why::new("gone")))?;
    let candidate = candidate(cluster, machine, &rules.checks).map_err(|why| {
        let nominated = &*why.code == "nominated";
        as_failure(
            if nominated {
                "validation_budget"
            } else {
                "validation_churn"
            },
            &why,
        )
    })?;
    let known = cluster
        .snapshot
        .catalogue(&candidate.claim.class.name)
        .is_some_and(|c| c.get(&candidate.instance_type).is_some());
    match method {
        Method::Emptiness => empty(&candidate, cluster.now, rules.waive),
        Method::Drift | Method::StaticDrift => drifted::drift(cluster.snapshot, candidate.claim, cluster.now)
            .map(|_| ())
            .ok_or_else(|| Why::new("not_drifted")),
        _ => underutilized(&candidate, known, cluster.now, rules.waive),
    }
    .map_err(churn)?;
    Ok(candidate)
}

/// The same number of new machines must do, and what was chosen must still be among the options.
fn resimulate(
    simulator: &mut Simulator<'_>,
    kept: &[Candidate<'_>],
    claimed: &Claimed<'_>,
    fuel: &mut Fuel,
) -> Result<(), Why> {
    let drift = claimed.method == Method::Drift;
    let bounds = Bounds {
        windows_open: drift,
        largest_cpu: claimed.largest_cpu,
        ..Bounds::default()
    };
    let simulated = simulator
        .run_within(kept, &bounds, fuel)
        .map_err(|w| as_failure("validation_churn", &w))?;
    if let Some(failure) = simulated.failure {
        return Err(as_failure("validation_scheduling", &failure));
    }
    let scheduling = |cause: &str| Why::new("validation_scheduling").fact("cause", cause);
    match (simulated.claims.as_slice(), claimed.replacements) {
        // Room that was promised to another command may be free by now.
        (new, old) if drift && new.len() <= old.len() => Ok(()),
        ([], []) => Ok(()),
        ([], [_, ..]) => Err(scheduling("replacement_not_needed")),
        ([_, ..], []) => Err(scheduling("replacement_needed")),
        (new, old) if new.len() == old.len() => {
            let still = |new: &Planned, old: &Planned| {
                let types: BTreeSet<&Name> = new.draft.instance_types.iter().collect();
                old.draft.instance_types.iter().all(|t| types.contains(t))
            };
            if new.iter().zip(old).all(|(new, old)| still(new, old)) {
                Ok(())
            } else {
                Err(scheduling("other_instance_types"))
            }
        }
        (new, _) => Err(scheduling("needs_n_nodes").fact("n", new.len())),
    }
}

/// Looks at a proposal again with zero delay. `Err` says in words what changed.
pub fn revalidate(
    snapshot: &Snapshot,
    proposal: &Proposal,
    now: Timestamp,
    settings: &Settings,
) -> Result<(), String> {
    let Evidence::Disruption(evidence) = &proposal.evidence else {
        return crate::decide::lifecycle::revalidate(snapshot, proposal);
    };
    let method = match &*evidence.method {
        "empty" => Method::Emptiness,
        "single" => Method::SingleNode,
        "multi" => Method::MultiNode,
        "drift" => Method::Drift,
        _ => Method::StaticDrift,
    };
    let cluster = Cluster::new(snapshot, now);
    let uids: BTreeMap<&Name, &Name> = proposal
        .effects
        .iter()
        .filter_map(|e| match e {
            Effect::Patch(p) if p.kind == ObjectKind::NodeClaim => Some((&p.name, &p.uid)),
            _ => None,
        })
        .collect();
    let candidates: BTreeMap<Name, Name> = evidence
        .candidates
        .iter()
        .map(|c| {
            let uid = uids.get(&c.claim).map_or_else(|| "".into(), |uid| (*uid).clone());
            (c.node.clone(), uid)
        })
        .collect();
    let replacements: Vec<Planned> = proposal
        .effects
        .iter()
        .filter_map(|e| match e {
            Effect::CreateClaim(draft) => Some((**draft).clone()),
            _ => None,
        })
        .zip(&evidence.replacements)
        .map(|(draft, evidence)| Planned {
            draft,
            evidence: evidence.clone(),
        })
        .collect();
    let (reserved, none) = (Reserved::default(), BTreeMap::new());
    let waived = |what: &str| evidence.overridden.iter().any(|o| &**o == what);
    let rules = Rules {
        checks: Checks {
            reserved: &reserved,
            nominated: &none,
            pod_events: &none,
            eventual: matches!(method, Method::Drift | Method::StaticDrift),
        },
        waive: Waive {
            consolidate_after: waived("consolidateAfter"),
            policy: waived("policy"),
        },
        ignore_budgets: waived("budgets"),
    };
    let claimed = Claimed {
        method,
        candidates: &candidates,
        replacements: &replacements,
        moves: &evidence.moves,
        largest_cpu: evidence.largest_cpu,
    };
    let mut simulator = Simulator::new(&cluster, settings);
    let (_, failures) = validate(&mut simulator, &claimed, &rules, &mut Fuel::UNLIMITED.clone());
    // What was approved is the whole set: one that fell out voids it.
    match failures.first_key_value() {
        None => Ok(()),
        Some((node, why)) => Err(in_words(node, why)),
    }
}

fn in_words(node: &Name, why: &Why) -> String {
    let cause = why.facts.get("cause").unwrap_or(&why.code);
    let mut text = format!("node {node}: {}", cause.replace('_', " "));
    if let Some(pod) = &why.pod {
        text = format!("{text} (pod {pod})");
    }
    let facts: Vec<String> = why
        .facts
        .iter()
        .filter(|(k, _)| &***k != "cause")
        .map(|(k, v)| format!("{k} {v}"))
        .collect();
    if !facts.is_empty() {
        text = format!("{text}, {}", facts.join(", "));
    }
    text
}
