//! Why a decision is what it is: a recorded one by number, or a claim of the plan for files by name or place.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Account;
use super::scene::{Scene, decision_id, resolve};
use crate::cli::CliError;
use crate::cli::paper::{Paper, Tone};
use crate::cli::plan::{json as plan_json, why};
use crate::decide::explain::{Effort, Study};
use crate::decide::scheduling::{buffers, prepare};
use crate::decide::{Fuel, Settings};
use crate::ledger::view::DecisionRow;
use crate::model::decision::Evidence;
use crate::model::decision::remedy::ConstraintCost;
use crate::model::{Name, Snapshot};
use crate::words;

/// Kinds of pods whose constraints are priced.
const KINDS: usize = 4;

pub fn account(scene: &Scene, wanted: &str, paper: &Paper) -> Result<Account, CliError> {
    if scene.view.is_none() {
        return planned(scene, wanted, paper);
    }
    let id = decision_id(wanted).ok_or_else(|| {
        CliError::Input(format!(
            "decision {wanted}: write its number, such as 12 or '#12'"
        ))
    })?;
    let row = scene.decisions().find(|r| r.decision.id == id).ok_or_else(|| {
        let last = scene.decisions().last().map_or(0, |r| r.decision.id.0);
        CliError::Input(format!(
            "there is no decision {id} in the recording; the last is #{last}"
        ))
    })?;
    Ok(recorded(scene, row, paper))
}

fn recorded(scene: &Scene, row: &DecisionRow, paper: &Paper) -> Account {
    let d = &row.decision;
    let mut text = format!(
        "{}  {}  {}\n",
        paper.paint(Tone::Strong, &format!("Decision {}", d.id)),
        paper.paint(Tone::Plain, &words::headline(d)),
        words::money_of(d)
    );
    let by = if row.reason.is_empty() {
        format!("{} by {}", words::state(row.state), row.by)
    } else {
        format!("{} by {}: {}", words::state(row.state), row.by, row.reason)
    };
    text.push_str(&paper.labelled(2, "state", Tone::Plain, &format!("{by}, proposed {}", d.at)));
    let mut costs = Vec::new();
    match &d.evidence {
        Evidence::Provisioning(e) => {
            for c in &e.claims {
                text.push_str(&format!("{}\n", paper.paint(Tone::Strong, &c.claim)));
                text.push_str(&why::claim_evidence(c, paper));
            }
            for r in &e.relaxed {
                let what: Vec<String> = r.dropped.iter().map(words::preference).collect();
                let line = format!("{}: {}", words::list(&r.pods, 2), what.join(", "));
                text.push_str(&paper.labelled(2, "gave up", Tone::Warn, &line));
            }
            for u in &e.unschedulable {
                let line = format!("{}: {}", u.pod, words::unschedulable(u));
                text.push_str(&paper.labelled(2, "left out", Tone::Bad, &line));
            }
            if let Some((_, snapshot)) = &scene.decided_on {
                let mut batch: BTreeSet<Name> = e.claims.iter().flat_map(|c| c.pods.clone()).collect();
                batch.extend(e.existing.values().flatten().cloned());
                batch.extend(e.unschedulable.iter().map(|u| u.pod.clone()));
                let batch: Vec<Name> = batch.into_iter().collect();
                let of: Vec<Name> = e.claims.iter().flat_map(|c| c.pods.clone()).collect();
                costs = priced(snapshot, &scene.settings, d.at, &batch, &of);
            }
        }
        _ => {
            for (word, line) in words::sentences(d) {
                text.push_str(&paper.labelled(2, word, Tone::Plain, &line));
            }
        }
    }
    text.push_str(&cost_lines(&costs, paper));
    for step in &row.steps {
        let line = format!(
            "{} {}: {}",
            step.at.strftime("%H:%M:%S"),
            words::effect(&step.effect),
            words::outcome(&step.result)
        );
        text.push_str(&paper.labelled(2, "step", Tone::Dim, &line));
    }
    let json = json!({
        "kind": "decision", "decision": d.id, "at": d.at, "what": words::headline(d), "state": row.state,
        "by": row.by, "reason": row.reason, "impact": d.impact, "evidence": d.evidence,
        "constraintCosts": cost_values(&costs),
    });
    Account { text, json }
}

/// Of files there is one decision, the plan; its claims go by name or by place, from 1.
fn planned(scene: &Scene, wanted: &str, paper: &Paper) -> Result<Account, CliError> {
    let snapshot = buffers::with_virtual(&scene.snapshot, &scene.settings);
    let prepared = prepare(&snapshot, &scene.settings, scene.now);
    let study = Study::of_pending(&prepared, None, &mut Fuel::UNLIMITED.clone());
    let claims = &study.solution().claims;
    let names: Vec<&Name> = claims.iter().map(|c| &c.draft.name).collect();
    let by_place = wanted
        .parse::<usize>()
        .ok()
        .and_then(|n| claims.get(n.checked_sub(1)?));
    let planned = if let Some(one) = by_place {
        one
    } else {
        let name = resolve("planned NodeClaim", wanted, &names)?;
        claims
            .iter()
            .find(|c| c.draft.name == name)
            .ok_or_else(|| CliError::Input(format!("there is no planned NodeClaim {wanted}")))?
    };
    let mut costs = Vec::new();
    let mut effort = Effort::of_a_question();
    for pod in kinds(&scene.snapshot, &planned.draft.pods) {
        let found = study.costs(&pod, &mut effort);
        add(&mut costs, &pod, found);
    }
    let mut text = why::claim(planned, 1, paper);
    text.push_str(&cost_lines(&costs, paper));
    let json = json!({
        "kind": "decision", "claim": plan_json::claim(planned), "why": plan_json::why(&planned.evidence),
        "constraintCosts": cost_values(&costs),
    });
    Ok(Account { text, json })
}

/// One pod of each kind, in order of name.
fn kinds(snapshot: &Snapshot, pods: &[Name]) -> Vec<Name> {
    let mut seen = BTreeSet::new();
    let mut pods: Vec<&Name> = pods.iter().collect();
    pods.sort();
    pods.into_iter()
        .filter(|key| {
            snapshot
                .pods
                .get(*key)
                .is_some_and(|p| seen.insert(p.spec.clone()))
        })
        .take(KINDS)
        .cloned()
        .collect()
}

fn priced(
    snapshot: &Snapshot,
    settings: &Settings,
    at: jiff::Timestamp,
    batch: &[Name],
    of: &[Name],
) -> Vec<(Name, ConstraintCost)> {
    let prepared = prepare(snapshot, settings, at);
    let mut effort = Effort::of_a_question();
    let study = Study::new(&prepared, batch, &mut effort.fuel);
    let mut out = Vec::new();
    for pod in kinds(snapshot, of) {
        let found = study.costs(&pod, &mut effort);
        add(&mut out, &pod, found);
    }
    out
}

fn add(out: &mut Vec<(Name, ConstraintCost)>, pod: &Name, found: Vec<ConstraintCost>) {
    for cost in found {
        // A pool's requirement costs the same for whoever is asked.
        if cost.change.is_of_pod() || out.iter().all(|(_, c)| c.change != cost.change) {
            out.push((pod.clone(), cost));
        }
    }
}

fn cost_lines(costs: &[(Name, ConstraintCost)], paper: &Paper) -> String {
    let mut out = String::new();
    for (i, (pod, cost)) in costs.iter().enumerate() {
        let whose = if cost.change.is_of_pod() {
            format!(" ({pod})")
        } else {
            String::new()
        };
        let label = if i == 0 { "costs" } else { "" };
        out.push_str(&paper.labelled(2, label, Tone::Plain, &format!("{}{whose}", words::cost(cost))));
    }
    out
}

fn cost_values(costs: &[(Name, ConstraintCost)]) -> Vec<Value> {
    costs
        .iter()
        .map(|(pod, c)| plan_json::constraint(pod, c))
        .collect()
}
