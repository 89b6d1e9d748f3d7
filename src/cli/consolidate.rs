//! `kerf consolidate`: disruption decisions as JSON (`kerf/consolidate/v1`) and as text.

use std::fmt::Write;

pub(super) mod destinations;
mod more;

pub use more::{add_to, force, more, parse_scope, text};

use serde_json::{Value, json};

use super::plan;
use crate::decide::Outcome;
use crate::decide::scheduling::Planned;
use crate::model::UsdPerHour;
use crate::model::decision::evidence::Disruption;
use crate::model::decision::{Effect, Evidence, Proposal, Verdict};
use crate::words;

/// What the command measured beside the decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// Time of the decision alone.
    pub elapsed_micros: u64,
    /// Time to compile the catalogue index.
    pub index_micros: u64,
}

/// The document of commands.md. Candidates list every node, also those that cannot be touched.
pub fn to_json(outcome: &Outcome, facts: &Facts) -> Value {
    let commands: Vec<Value> = disruptions(outcome).map(|(p, e)| command(p, e)).collect();
    let candidates: Vec<Value> = outcome.verdicts.iter().map(candidate).collect();
    json!({
        "schema": "kerf/consolidate/v1",
        "commands": commands,
        "candidates": candidates,
        "elapsedMicros": facts.elapsed_micros,
        "indexMicros": facts.index_micros,
    })
}

fn disruptions(outcome: &Outcome) -> impl Iterator<Item = (&Proposal, &Disruption)> {
    outcome.proposals.iter().filter_map(|p| match &p.evidence {
        Evidence::Disruption(evidence) => Some((p, &**evidence)),
        _ => None,
    })
}

/// Drafts with their evidence.
fn replacements(proposal: &Proposal, evidence: &Disruption) -> Vec<Planned> {
    let drafts = proposal.effects.iter().filter_map(|e| match e {
        Effect::CreateClaim(draft) => Some((**draft).clone()),
        _ => None,
    });
    drafts
        .zip(&evidence.replacements)
        .map(|(draft, evidence)| Planned {
            draft,
            evidence: evidence.clone(),
        })
        .collect()
}

fn decision(evidence: &Disruption) -> &'static str {
    if evidence.replacements.is_empty() {
        "delete"
    } else {
        "replace"
    }
}

fn command(proposal: &Proposal, evidence: &Disruption) -> Value {
    let new = replacements(proposal, evidence);
    json!({
        "method": evidence.method,
        "reason": evidence.reason,
        "decision": decision(evidence),
        "candidates": proposal.subjects,
        "replacements": new.iter().map(plan::claim).collect::<Vec<_>>(),
        "savingsPerHour": savings(evidence),
        "evictions": proposal.impact.evictions,
        "forced": evidence.forced,
        "overridden": evidence.overridden,
        "scores": evidence.scores,
        "moves": evidence.moves,
        "budgets": evidence.budgets.iter()
            .map(|(pool, (allowed, used))| (pool.to_string(), json!({"allowed": allowed, "used": used})))
            .collect::<serde_json::Map<_, _>>(),
    })
}

fn savings(evidence: &Disruption) -> UsdPerHour {
    evidence.price_before - evidence.price_after
}

fn goes(verdict: &Verdict) -> bool {
    matches!(&*verdict.code, "selected" | "forced_by_user")
}

fn candidate(verdict: &Verdict) -> Value {
    let blockers = if goes(verdict) {
        json!([])
    } else {
        json!([{"code": verdict.code, "pod": verdict.pod, "detail": verdict.facts}])
    };
    let score = verdict.facts.get("score").and_then(|s| s.parse::<f64>().ok());
    json!({
        "node": verdict.node,
        "method": verdict.method,
        "verdict": verdict.code,
        "summary": words::verdict(verdict),
        "blockers": blockers,
        "score": score,
    })
}

/// A short account for a terminal.
pub fn to_text(outcome: &Outcome) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut any = false;
    for (proposal, evidence) in disruptions(outcome) {
        any = true;
        let _ = writeln!(
            out,
            "{} {} {}: saves {}, evicts {}",
            evidence.method,
            decision(evidence),
            proposal
                .subjects
                .iter()
                .map(|n| words::clean(n).to_string())
                .collect::<Vec<_>>()
                .join(", "),
            words::price(savings(evidence)),
            words::plural(proposal.impact.evictions as usize, "pod"),
        );
        if !evidence.overridden.is_empty() {
            let rules: Vec<&str> = evidence.overridden.iter().map(|r| &**r).collect();
            let _ = writeln!(out, "  overrides {}", rules.join(", "));
        }
        for new in replacements(proposal, evidence) {
            let launch = new.draft.expected.as_ref().map_or_else(String::new, |e| {
                format!(
                    "{} {} {} {}",
                    e.instance_type,
                    e.zone,
                    e.capacity_type.as_str(),
                    words::price(e.price_per_hour)
                )
            });
            let _ = writeln!(
                out,
                "  by {launch}, cheapest of {}",
                words::plural(new.draft.instance_types.len(), "type")
            );
        }
    }
    if !any {
        let _ = writeln!(out, "nothing to do");
    }
    let width = outcome
        .verdicts
        .iter()
        .map(|v| v.node.chars().count())
        .max()
        .unwrap_or(0)
        .min(48);
    for verdict in &outcome.verdicts {
        let _ = writeln!(
            out,
            "  {:<width$}  {}",
            words::clean(&verdict.node),
            words::clean(&words::verdict(verdict))
        );
    }
    out
}

#[cfg(test)]
mod parity;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing::{World, at};
    use crate::decide::{Fuel, Settings, disruption};

    fn outcome() -> Outcome {
        let mut world = World::new();
        world.machine("dear", "m5.2xlarge");
        world.machine("kept", "m5.large");
        world.pod("a", Some("dear"), 1500, |_| {});
        world.pod("b", Some("kept"), 1900, |p| {
            p.do_not_disrupt = Some("true".into());
        });
        disruption::once(
            &world.snapshot,
            at(0),
            &Settings::default(),
            &mut Fuel::UNLIMITED.clone(),
        )
    }

    #[test]
    fn the_document_names_commands_and_every_node() {
        let json = to_json(&outcome(), &Facts::default());
        let command = &json["commands"][0];
        assert_eq!(command["method"], "single");
        assert_eq!(command["decision"], "replace");
        assert_eq!(command["candidates"], json!(["dear"]));
        assert_eq!(command["savingsPerHour"], 0.288);
        assert_eq!(command["replacements"][0]["launch"]["instanceType"], "m5.large");
        let kept = &json["candidates"][1];
        assert_eq!(kept["verdict"], "pod_do_not_disrupt");
        assert_eq!(kept["blockers"][0]["pod"], "ns/b");
        assert_eq!(json["candidates"][0]["blockers"], json!([]));
    }

    #[test]
    fn the_text_says_what_goes_and_what_stays() {
        let text = to_text(&outcome());
        assert!(text.starts_with("single replace dear: saves "), "{text}");
        assert!(text.contains("by m5.large zone-a on-demand"), "{text}");
        assert!(
            text.contains("kept  stays: ns/b has karpenter.sh/do-not-disrupt"),
            "{text}"
        );
        assert!(to_text(&Outcome::default()).contains("nothing to do"));
    }
}
