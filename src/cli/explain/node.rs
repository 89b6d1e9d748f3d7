//! Why a node stays, and why it is of its type.

use serde_json::json;

use super::Account;
use super::scene::{Scene, resolve};
use crate::cli::CliError;
use crate::cli::consolidate::destinations::{json as destination_rows, lines};
use crate::cli::paper::{Paper, Tone};
use crate::cli::plan::{json as plan_json, why};
use crate::decide::{Fuel, disruption};
use crate::model::decision::{EffectResult, Verdict};
use crate::model::{Claim, Labels, Name, Node, Pod, Resources};
use crate::words;

pub fn account(scene: &Scene, wanted: &str, paper: &Paper) -> Result<Account, CliError> {
    let s = &scene.snapshot;
    let planned: Vec<&Name> = scene
        .decisions()
        .flat_map(|row| row.decision.evidence.claims())
        .map(|e| &e.claim)
        .collect();
    let keys: Vec<&Name> = s.nodes.keys().chain(s.claims.keys()).collect();
    let key = resolve("node", wanted, &keys).or_else(|e| resolve("node", wanted, &planned).map_err(|_| e))?;
    let node = s
        .nodes
        .get(&key)
        .or_else(|| s.claims.get(&key).and_then(|c| s.node_of(&c.provider_id)));
    let claim = s
        .claims
        .get(&key)
        .or_else(|| node.and_then(|n| s.claim_of(&n.provider_id)));
    let name = node.map_or(&key, |n| &n.name);
    let mut out = machine(scene, name, node.map(|n| &**n), claim.map(|c| &**c), paper);
    if node.is_some() {
        stays(scene, name, &mut out, paper);
        destinations(scene, name, &mut out, paper);
    }
    let claim_name = claim.map_or(&key, |c| &c.name);
    chosen(scene, claim_name, &mut out, paper);
    Ok(out)
}

fn machine(scene: &Scene, name: &Name, node: Option<&Node>, claim: Option<&Claim>, paper: &Paper) -> Account {
    let empty = Labels::new();
    let labels = node
        .map(|n| &n.labels)
        .or_else(|| claim.map(|c| &c.labels))
        .unwrap_or(&empty);
    let label = |key: &str| labels.get(key).map_or("", |v| &**v);
    let price = scene.snapshot.price_of(labels);
    let (kind, zone, capacity, pool) = (
        label(crate::api::names::INSTANCE_TYPE),
        label(crate::api::names::ZONE),
        label(crate::api::names::CAPACITY_TYPE),
        label(crate::api::names::NODEPOOL),
    );
    let state = match (node, claim) {
        (Some(n), _) if n.deleting.is_some() => "Terminating",
        (Some(n), _) if n.ready => "Ready",
        (Some(_), _) => "NotReady",
        (None, Some(c)) => c.stage(),
        (None, None) => "gone",
    };
    let facts: Vec<&str> = [pool, kind, capacity, zone]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect();
    let mut text = format!(
        "{}  {} {}  {state}\n",
        paper.paint(Tone::Strong, name),
        paper.paint(Tone::Plain, &facts.join(" ")),
        words::price(price)
    );
    let pods: Vec<&Pod> = scene
        .snapshot
        .pods
        .values()
        .map(|p| &**p)
        .filter(|p| p.node.as_ref() == Some(name) && !p.is_terminal())
        .collect();
    let mut used = Resources::default();
    for p in &pods {
        used.add(&p.spec.requests);
    }
    let names: Vec<Name> = pods.iter().map(|p| p.key()).collect();
    if node.is_some() {
        text.push_str(&paper.labelled(
            2,
            "pods",
            Tone::Plain,
            &format!("{}: {}", names.len(), words::list(&names, 6)),
        ));
    }
    if let Some(n) = node {
        let full = |part, whole| words::percent(words::share(part, whole));
        text.push_str(&paper.labelled(
            2,
            "requested",
            Tone::Plain,
            &format!(
                "cpu {} of {} ({})  memory {} of {} ({})",
                words::cpu(used.cpu),
                words::cpu(n.allocatable.cpu),
                full(used.cpu, n.allocatable.cpu),
                words::memory(used.memory),
                words::memory(n.allocatable.memory),
                full(used.memory, n.allocatable.memory)
            ),
        ));
    }
    let json = json!({
        "kind": "node", "node": name, "nodeClaim": claim.map(|c| &c.name), "nodePool": pool, "instanceType": kind,
        "zone": zone, "capacityType": capacity, "pricePerHour": price, "state": state, "pods": names,
        "requests": used.to_quantities(),
    });
    Account { text, json }
}

/// The newest verdict: the recorded one, or one of now.
fn stays(scene: &Scene, node: &Name, out: &mut Account, paper: &Paper) {
    let recorded = scene
        .view
        .as_ref()
        .and_then(|v| v.verdicts.get(node))
        .map(|v| (**v).clone());
    let verdict: Option<Verdict> = recorded.or_else(|| {
        let outcome = disruption::once(
            &scene.snapshot,
            scene.now,
            &scene.settings,
            &mut Fuel::UNLIMITED.clone(),
        );
        outcome.verdicts.into_iter().find(|v| v.node == *node)
    });
    let Some(verdict) = verdict else { return };
    let text = words::verdict(&verdict);
    let (label, tone) = if text.starts_with("goes") {
        ("goes", Tone::Warn)
    } else {
        ("stays", Tone::Good)
    };
    let rest = text
        .strip_prefix("stays: ")
        .or_else(|| text.strip_prefix("goes: "))
        .unwrap_or(&text);
    out.text.push_str(&paper.labelled(2, label, tone, rest));
    out.json["verdict"] = json!({
        "code": verdict.code, "method": verdict.method, "pod": verdict.pod, "facts": verdict.facts, "summary": text,
    });
}

/// Where its pods could go, and what its going would save.
fn destinations(scene: &Scene, node: &Name, out: &mut Account, paper: &Paper) {
    let cluster = disruption::Cluster::new(&scene.snapshot, scene.now);
    let Some(stays) = disruption::destinations(&cluster, node, &scene.settings) else {
        return;
    };
    let saves = format!("{} if it goes", words::price(stays.saves));
    out.text
        .push_str(&paper.labelled(2, "saves", Tone::Plain, &saves));
    for line in lines(&stays) {
        out.text.push_str(&paper.labelled(2, "pod", Tone::Plain, &line));
    }
    out.json["savesPerHour"] = json!(stays.saves);
    out.json["destinations"] = destination_rows(&stays);
}

/// The decision that made it, and why of this type.
fn chosen(scene: &Scene, claim: &Name, out: &mut Account, paper: &Paper) {
    let Some((row, e)) = scene.planned(|e| e.claim == *claim) else {
        if scene.view.is_none() {
            out.text.push_str(&paper.labelled(
                2,
                "type",
                Tone::Dim,
                "files do not tell why it has its type; a recording does (kerf demo --record FILE)",
            ));
        }
        return;
    };
    let got = row.steps.iter().find_map(|step| match &step.result {
        EffectResult::Launched(l) if l.claim == *claim => Some(words::outcome(&step.result)),
        _ => None,
    });
    out.text.push_str(&paper.labelled(
        2,
        "chosen",
        Tone::Plain,
        &format!(
            "by {} at {}: {}",
            row.decision.id,
            row.decision.at.strftime("%H:%M:%S"),
            got.unwrap_or_else(|| words::headline(&row.decision))
        ),
    ));
    out.text.push_str(&why::claim_evidence(e, paper));
    out.json["decision"] = json!(row.decision.id);
    out.json["why"] = plan_json::why(e);
}
