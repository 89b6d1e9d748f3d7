//! Events of the loop (`disruption §20`): what verdicts and commands say on the objects they are about.

use std::time::Duration;

use super::Method;
use super::cluster::{Cluster, Machine};
use super::consolidate::Command;
use super::memory::Memory;
use crate::decide::{Outcome, Step};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, Verdict};
use crate::model::{Claim, Name, UsdPerHour};

const QUIET: Duration = Duration::from_secs(2 * 60);
const UNCONSOLIDATABLE_QUIET: Duration = Duration::from_secs(15 * 60);
const BUDGET_QUIET: Duration = Duration::from_secs(60);

/// Object, reason and text of one event.
pub struct Said<'a> {
    pub kind: ObjectKind,
    pub name: &'a Name,
    pub uid: &'a Name,
    pub reason: &'a str,
    pub text: String,
}

/// Adds the event unless its key was used within `quiet`.
pub fn say(
    memory: &mut Memory,
    cluster: &Cluster<'_>,
    said: Said<'_>,
    key: &str,
    quiet: Duration,
    out: &mut Outcome,
) {
    let key = format!("{}/{}/{key}", said.reason, said.uid);
    if !memory.may_say(key, cluster.now, quiet) {
        return;
    }
    out.steps.push(Step {
        decision: None,
        effect: Effect::Event {
            kind: said.kind,
            namespace: "".into(),
            name: said.name.clone(),
            uid: said.uid.clone(),
            warning: false,
            reason: said.reason.into(),
            message: said.text,
        },
    });
}

/// On Node and NodeClaim; nodes of nobody hear nothing.
fn on_both(
    memory: &mut Memory,
    cluster: &Cluster<'_>,
    machine: &Machine<'_>,
    (reason, text, key): (&str, &str, &str),
    quiet: Duration,
    out: &mut Outcome,
) {
    let Some(claim) = machine.claim else { return };
    let node = machine.node.map(|n| (ObjectKind::Node, &n.name, &n.uid));
    for (kind, name, uid) in node
        .into_iter()
        .chain([(ObjectKind::NodeClaim, &claim.name, &claim.uid)])
    {
        let said = Said {
            kind,
            name,
            uid,
            reason,
            text: text.to_owned(),
        };
        say(memory, cluster, said, key, quiet, out);
    }
}

/// One event a verdict, where the reference has a text for its code.
pub fn verdict(memory: &mut Memory, cluster: &Cluster<'_>, verdict: &Verdict, out: &mut Outcome) {
    let Some(machine) = cluster.machines.get(&verdict.node) else {
        return;
    };
    if &*verdict.code == "budget_exhausted" {
        budget(memory, cluster, verdict, out);
    } else if let Some(text) = blocked(verdict) {
        on_both(
            memory,
            cluster,
            machine,
            ("DisruptionBlocked", &text, ""),
            QUIET,
            out,
        );
    } else if let Some(text) = unconsolidatable(verdict, machine) {
        // Drift looks at no price: what keeps a node from it is a block.
        if &*verdict.method == Method::Drift.as_str() {
            on_both(
                memory,
                cluster,
                machine,
                ("DisruptionBlocked", &text, ""),
                QUIET,
                out,
            );
            return;
        }
        let words = ("Unconsolidatable", text.as_str(), "");
        on_both(memory, cluster, machine, words, UNCONSOLIDATABLE_QUIET, out);
    }
}

/// A pool that may lose nothing for a reason.
fn budget(memory: &mut Memory, cluster: &Cluster<'_>, verdict: &Verdict, out: &mut Outcome) {
    let fact = |key: &str| verdict.facts.get(key);
    let pool = fact("pool").and_then(|p| cluster.snapshot.pools.get(p));
    let (Some(pool), Some(reason), Some("0")) = (pool, fact("reason"), fact("allowed").map(|v| &**v)) else {
        return;
    };
    let said = Said {
        kind: ObjectKind::NodePool,
        name: &pool.name,
        uid: &pool.uid,
        reason: "DisruptionBlocked",
        text: format!("No allowed disruptions for disruption reason {reason} due to blocking budget"),
    };
    say(memory, cluster, said, reason, BUDGET_QUIET, out);
}

/// Texts of `disruption §3`.
fn blocked(verdict: &Verdict) -> Option<String> {
    let fact = |key: &str| verdict.facts.get(key).map_or("", |v| &**v);
    let pod = verdict.pod.as_deref().unwrap_or("");
    Some(match &*verdict.code {
        "no_node" => "Nodeclaim does not have an associated node".into(),
        "not_initialized" => "Node isn't initialized".into(),
        "deleting" => "Node is deleting or marked for deletion".into(),
        "nominated" => "Node is nominated for a pending pod".into(),
        "node_do_not_disrupt" => {
            "Disruption is blocked through the \"karpenter.sh/do-not-disrupt\" annotation".into()
        }
        "no_nodepool_label" => "Node doesn't have required label (label=karpenter.sh/nodepool)".into(),
        "nodepool_missing" => format!("NodePool not found (NodePool={})", fact("pool")),
        "pod_do_not_disrupt" => format!("Pod has \"karpenter.sh/do-not-disrupt\" annotation (Pod={pod})"),
        "pdb_blocked" => format!(
            "Pdb prevents pod evictions (PodDisruptionBudget=[{}])",
            fact("pdb")
        ),
        "multi_pdb" => format!(
            "Eviction does not support multiple PDBs (PodDisruptionBudget(s)=[{}])",
            fact("pdbs")
        ),
        _ => return None,
    })
}

/// Texts of `disruption §7.1` and `§13`.
fn unconsolidatable(verdict: &Verdict, machine: &Machine<'_>) -> Option<String> {
    let fact = |key: &str| verdict.facts.get(key).map_or("", |v| &**v);
    Some(match &*verdict.code {
        "no_instance_type" => format!("Instance Type \"{}\" not found", fact("type")),
        "no_capacity_type" => "Node does not have label \"karpenter.sh/capacity-type\"".into(),
        "no_zone" => "Node does not have label \"topology.kubernetes.io/zone\"".into(),
        "consolidation_never" => format!("NodePool \"{}\" has consolidation disabled", fact("pool")),
        "policy_when_empty" => format!(
            "NodePool \"{}\" has consolidation policy WhenEmpty, but node is not empty",
            fact("pool")
        ),
        "pods_unschedulable" => format!(
            "not all pods would schedule, {} => {}",
            verdict.pod.as_deref().unwrap_or(""),
            fact("why").replace('_', " ")
        ),
        "uninitialized_target" => format!(
            "not all pods would schedule, {} => would schedule against uninitialized node/{}",
            verdict.pod.as_deref().unwrap_or(""),
            fact("target")
        ),
        "needs_n_nodes" => format!("Can't remove without creating {} candidates", fact("n")),
        "not_cheaper" => "Can't replace with a cheaper node".into(),
        "min_values" => format!(
            "Filtering by price: minValues requirement is not met for {} ({} of {})",
            fact("key"),
            fact("found"),
            fact("wanted")
        ),
        "spot_to_spot_off" => {
            "SpotToSpotConsolidation is disabled, can't replace a spot node with a spot node".into()
        }
        "spot_flexibility" => format!(
            "SpotToSpotConsolidation requires {} cheaper instance type options than the current candidate to \
             consolidate, got {}",
            fact("needed"),
            fact("n")
        ),
        _ => return None,
    })
    .filter(|_| machine.node.is_some())
}

/// `delete: [n]` or `replace: [n] -> [1 replacement]`, for one of several `replace: [n] (part of 2-node consolidation)`
/// (`disruption §20`).
fn command_text(node: &str, candidates: usize, replacements: usize) -> String {
    let decision = if replacements == 0 { "delete" } else { "replace" };
    match (candidates, replacements) {
        (2.., _) => format!("{decision}: [{node}] (part of {candidates}-node consolidation)"),
        (_, 0) => format!("{decision}: [{node}]"),
        (_, 1) => format!("{decision}: [{node}] -> [1 replacement]"),
        (_, n) => format!("{decision}: [{node}] -> [{n} replacements]"),
    }
}

fn saves(savings: UsdPerHour) -> String {
    format!("(savings: ${:.2})", savings.as_f64())
}

/// A replace command was found: a thought, not yet a decision (`observed §12`).
pub fn candidate_found(memory: &mut Memory, cluster: &Cluster<'_>, command: &Command<'_>, out: &mut Outcome) {
    if command.replacements.is_empty() {
        return;
    }
    let saved = saves(command.price_before() - command.price_after());
    for candidate in &command.candidates {
        if let Some(machine) = cluster.machines.get(candidate.name()) {
            let text = command_text(
                candidate.name(),
                command.candidates.len(),
                command.replacements.len(),
            );
            let full = format!("Consolidation candidate: {text} {saved}");
            on_both(
                memory,
                cluster,
                machine,
                ("ConsolidationCandidate", &full, &text),
                QUIET,
                out,
            );
        }
    }
}

/// A Balanced pool approved: single-node says it on the node, multi-node on the pool (`disruption §10`).
pub fn approved(
    memory: &mut Memory,
    cluster: &Cluster<'_>,
    method: Method,
    command: &Command<'_>,
    out: &mut Outcome,
) {
    for (pool, score) in &command.scores {
        let text = score.text();
        if method == Method::SingleNode {
            let machines = command.candidates.iter().filter(|c| c.pool.name == *pool);
            for machine in machines.filter_map(|c| cluster.machines.get(c.name())) {
                on_both(
                    memory,
                    cluster,
                    machine,
                    ("ConsolidationApproved", &text, ""),
                    QUIET,
                    out,
                );
            }
        } else if let Some(pool) = cluster.snapshot.pools.get(pool) {
            let said = Said {
                kind: ObjectKind::NodePool,
                name: &pool.name,
                uid: &pool.uid,
                reason: "ConsolidationApproved",
                text,
            };
            say(memory, cluster, said, "", QUIET, out);
        }
    }
}

/// The wait brought a change: every candidate of a command that is all or nothing hears why.
pub fn rejected(
    memory: &mut Memory,
    cluster: &Cluster<'_>,
    method: Method,
    nodes: &[&str],
    replacements: usize,
    code: &str,
    out: &mut Outcome,
) {
    if method == Method::Emptiness {
        return;
    }
    let category = code.strip_prefix("validation_").unwrap_or("unknown");
    let savings = nodes
        .iter()
        .filter_map(|n| cluster.machines.get(*n))
        .map(|m| cluster.price(m))
        .sum();
    let saved = saves(savings);
    for machine in nodes.iter().filter_map(|n| cluster.machines.get(*n)) {
        let text = command_text(&machine.name, nodes.len(), replacements);
        let key = format!("{text}/{category}");
        let full = format!("Consolidation rejected: {text}, reason: {category} {saved}");
        on_both(
            memory,
            cluster,
            machine,
            ("ConsolidationRejected", &full, &key),
            QUIET,
            out,
        );
    }
}

/// What the queue tells replacements and candidates.
pub fn queue(
    memory: &mut Memory,
    cluster: &Cluster<'_>,
    machine: &Machine<'_>,
    reason: &str,
    out: &mut Outcome,
) {
    let Some(claim) = machine.claim else { return };
    if let Some(node) = machine.node {
        let said = Said {
            kind: ObjectKind::Node,
            name: &node.name,
            uid: &node.uid,
            reason: "DisruptionTerminating",
            text: format!("Disrupting Node: {reason}"),
        };
        say(memory, cluster, said, reason, QUIET, out);
    }
    let said = Said {
        kind: ObjectKind::NodeClaim,
        name: &claim.name,
        uid: &claim.uid,
        reason: "DisruptionTerminating",
        text: format!("Disrupting NodeClaim: {reason}"),
    };
    say(memory, cluster, said, reason, QUIET, out);
}

/// A replacement that the queue waits for.
pub fn waiting(memory: &mut Memory, cluster: &Cluster<'_>, claim: &Claim, out: &mut Outcome) {
    let (reason, text) = if claim.provider_id.is_empty() {
        (
            "DisruptionLaunching",
            format!("Launching NodeClaim: {}", claim.name),
        )
    } else {
        (
            "DisruptionWaitingReadiness",
            "Waiting on readiness to continue disruption".to_owned(),
        )
    };
    let said = Said {
        kind: ObjectKind::NodeClaim,
        name: &claim.name,
        uid: &claim.uid,
        reason,
        text,
    };
    say(memory, cluster, said, "", QUIET, out);
}
