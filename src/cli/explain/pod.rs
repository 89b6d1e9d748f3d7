//! Why a pod waits, or why it is where it is.

use serde_json::{Value, json};

use super::Account;
use super::scene::{Scene, resolve};
use crate::cli::CliError;
use crate::cli::paper::{Paper, Tone};
use crate::cli::plan::{json as plan_json, why};
use crate::decide::Fuel;
use crate::decide::explain::{Asked, Effort, Seat, Study};
use crate::decide::scheduling::{Planned, buffers, prepare};
use crate::model::decision::Evidence;
use crate::model::decision::evidence::Unschedulable;
use crate::model::decision::refusal::Refusal;
use crate::model::decision::remedy::{ConstraintCost, Preference, Remedy};
use crate::model::{Name, Pod};
use crate::words;

pub fn account(scene: &Scene, wanted: &str, paper: &Paper) -> Result<Account, CliError> {
    // Pods that are gone may still be told of.
    let gone: Vec<&Name> = scene
        .decisions()
        .flat_map(|row| &row.decision.subjects)
        .filter(|s| s.contains('/'))
        .collect();
    let keys: Vec<&Name> = scene.snapshot.pods.keys().collect();
    let key = resolve("pod", wanted, &keys).or_else(|e| resolve("pod", wanted, &gone).map_err(|_| e))?;
    let mut out = match scene.snapshot.pods.get(&key) {
        Some(pod) if pod.node.is_some() || !pod.is_active() => settled(scene, pod, paper),
        Some(pod) => waiting(scene, pod, paper),
        None => Account {
            text: format!("{}  is gone\n", paper.paint(Tone::Strong, &key)),
            json: json!({"kind": "pod", "pod": key, "state": "gone"}),
        },
    };
    past(scene, &key, &mut out, paper);
    Ok(out)
}

/// Decisions that were about the pod.
fn past(scene: &Scene, key: &Name, out: &mut Account, paper: &Paper) {
    let mut told = Vec::new();
    let mut label = "decided";
    for row in scene.decisions() {
        let d = &row.decision;
        let about = d.subjects.contains(key)
            || d.evidence.claims().iter().any(|c| c.pods.contains(key))
            || matches!(&d.evidence, Evidence::Disruption(e) if e.moves.contains_key(key));
        if about {
            let text = format!(
                "{} {} {}: {}",
                d.at.strftime("%H:%M:%S"),
                d.id,
                words::headline(d),
                words::state(row.state)
            );
            out.text.push_str(&paper.labelled(2, label, Tone::Dim, &text));
            label = "";
            told.push(json!({"decision": d.id, "at": d.at, "what": words::headline(d), "state": row.state}));
        }
    }
    if scene.view.is_some() {
        out.json["decisions"] = json!(told);
    }
}

fn head(pod: &Pod, state: &str, tone: Tone, paper: &Paper) -> String {
    format!(
        "{}  {}\n{}",
        paper.paint(Tone::Strong, &pod.key()),
        paper.paint(tone, state),
        paper.labelled(2, "requests", Tone::Plain, &words::resources(&pod.spec.requests))
    )
}

/// A pod that has its node, or has ended.
fn settled(scene: &Scene, pod: &Pod, paper: &Paper) -> Account {
    let key = pod.key();
    let state = match (&pod.node, pod.is_terminal(), pod.deleting) {
        (_, true, _) => "has ended".to_owned(),
        (_, _, Some(_)) => "is being deleted".to_owned(),
        (Some(node), ..) => format!("runs on {}", words::node(node)),
        (None, ..) => "waits".to_owned(),
    };
    let mut out = Account {
        text: head(pod, &state, Tone::Good, paper),
        json: json!({"kind": "pod", "pod": key, "state": state, "node": pod.node}),
    };
    if let Some((row, e)) = scene.planned(|e| e.pods.contains(&key)) {
        out.text.push_str(&paper.labelled(
            2,
            "chosen",
            Tone::Plain,
            &format!("by {}: NodeClaim {}", row.decision.id, e.claim),
        ));
        out.text.push_str(&why::claim_evidence(e, paper));
        out.json["nodeClaim"] = json!(e.claim);
        out.json["why"] = plan_json::why(e);
        if let Evidence::Provisioning(p) = &row.decision.evidence {
            let lost = p.relaxed.iter().find(|r| r.pods.contains(&key));
            gave_up(lost.map(|r| &*r.dropped), &mut out, paper);
        }
    }
    out
}

fn gave_up(dropped: Option<&[Preference]>, out: &mut Account, paper: &Paper) {
    let all: Vec<String> = dropped
        .unwrap_or_default()
        .iter()
        .map(words::preference)
        .collect();
    if !all.is_empty() {
        out.text
            .push_str(&paper.labelled(2, "gave up", Tone::Warn, &all.join(", ")));
    }
    out.json["dropped"] = json!(all);
}

fn waiting(scene: &Scene, pod: &Pod, paper: &Paper) -> Account {
    let key = pod.key();
    let snapshot = buffers::with_virtual(&scene.snapshot, &scene.settings);
    let prepared = prepare(&snapshot, &scene.settings, scene.now);
    let mut study = Study::of_pending(&prepared, Some(&key), &mut Fuel::UNLIMITED.clone());
    let asked = study.places(&key).unwrap_or_default();
    let told = study
        .solution()
        .unschedulable
        .iter()
        .find(|u| u.pod == key)
        .cloned();
    if let Some(told) = told {
        let remedies = study.remedies(&key, &mut Effort::of_a_question());
        return left_over(pod, &told, &asked, &remedies, paper);
    }
    let costs = study.costs(&key, &mut Effort::of_a_question());
    let solution = study.solution();
    let claim = solution.claims.iter().find(|c| c.draft.pods.contains(&key));
    let lost = solution.relaxed.iter().find(|r| r.pods.contains(&key));
    let mut out = placed(pod, &asked, claim, &costs, paper);
    gave_up(lost.map(|r| &*r.dropped), &mut out, paper);
    out
}

fn left_over(pod: &Pod, told: &Unschedulable, asked: &Asked, remedies: &[Remedy], paper: &Paper) -> Account {
    let mut text = head(pod, "has no place", Tone::Bad, paper);
    text.push_str(&why::places(told, asked, 2, paper));
    text.push_str(&why::remedies(remedies, usize::MAX, 2, paper));
    let mut json = plan_json::left_over(told, remedies, Some(asked));
    json["kind"] = json!("pod");
    json["state"] = json!("unschedulable");
    Account { text, json }
}

fn placed(
    pod: &Pod,
    asked: &Asked,
    claim: Option<&Planned>,
    costs: &[ConstraintCost],
    paper: &Paper,
) -> Account {
    let key = pod.key();
    let seat = match &asked.seat {
        Some(Seat::Node(node)) => format!("will go to {}", words::node(node)),
        Some(Seat::Claim(_)) => "will go to a new node".to_owned(),
        None => "waits".to_owned(),
    };
    let mut text = head(pod, &seat, Tone::Good, paper);
    let mut json = json!({
        "kind": "pod", "pod": key, "state": "placed", "seat": asked.seat.as_ref().map(plan_json::seat),
        "nodes": refused("node", &asked.nodes),
    });
    if let Some(planned) = claim {
        text.push_str(&why::claim(planned, 1, paper));
        json["claim"] = plan_json::claim(planned);
        json["why"] = plan_json::why(&planned.evidence);
    }
    for (i, cost) in costs.iter().enumerate() {
        let label = if i == 0 { "costs" } else { "" };
        text.push_str(&paper.labelled(2, label, Tone::Plain, &words::cost(cost)));
    }
    json["constraintCosts"] = costs.iter().map(|c| plan_json::constraint(&key, c)).collect();
    Account { text, json }
}

fn refused(kind: &str, list: &[(Name, Option<Refusal>)]) -> Vec<Value> {
    list.iter()
        .filter_map(|(name, r)| r.as_ref().map(|r| plan_json::reason(kind, name, r)))
        .collect()
}
