//! Decisions: the word for the kind, one headline, and the sentences of the evidence.

use super::names::{list, node, plural, zone};
use super::{clock, price, price_delta, resources, zones};
use crate::model::decision::effect::ClaimDraft;
use crate::model::decision::evidence::{ClaimEvidence, Disruption, Provisioning};
use crate::model::decision::{Effect, Evidence, Kind, Proposal, State};

/// The verb of the kind, as short as a column wants it.
pub fn kind(k: Kind) -> &'static str {
    match k {
        Kind::Provisioning => "provision",
        Kind::Emptiness => "empty",
        Kind::Consolidation => "consolidate",
        Kind::Drift => "drift",
        Kind::Static => "static",
        Kind::Expiration => "expire",
        Kind::Interruption => "interrupt",
        Kind::Repair => "repair",
        Kind::Garbage => "garbage",
    }
}

/// The state in one word.
pub fn state(s: State) -> &'static str {
    match s {
        State::Held => "REVIEW",
        State::Approved => "approved",
        State::Rejected => "rejected ✗",
        State::Lapsed => "lapsed ✗",
        State::Withdrawn => "withdrawn",
        State::Noted => "noted",
        State::Acting => "acting",
        State::Done => "done",
        State::Failed => "failed ✗",
        State::RolledBack => "rolled back",
    }
}

/// The change of the bill, or nothing where the bill does not change hands.
pub fn money_of(p: &Proposal) -> String {
    if matches!(p.kind, Kind::Interruption | Kind::Garbage | Kind::Repair) && p.impact.usd_per_hour.0 == 0 {
        return String::new();
    }
    if p.impact.nodes_added == 0 && p.impact.nodes_removed == 0 {
        return String::new();
    }
    price_delta(p.impact.usd_per_hour)
}

fn drafts(p: &Proposal) -> impl Iterator<Item = &ClaimDraft> {
    p.effects.iter().filter_map(|e| match e {
        Effect::CreateClaim(d) => Some(&**d),
        _ => None,
    })
}

/// The decision in one line: `3 pods → general c7g.xlarge 1a`.
pub fn headline(p: &Proposal) -> String {
    match &p.evidence {
        Evidence::Provisioning(e) => provisioning(p, e),
        Evidence::Disruption(e) => disruption(p, e),
        Evidence::Reason { code, .. } => {
            let names: Vec<&str> = p.subjects.iter().map(|s| node(s)).collect();
            format!("{}: {}", list(&names, 2), code.replace('_', " "))
        }
    }
}

fn target(draft: &ClaimDraft) -> String {
    match &draft.expected {
        Some(e) => format!("{} {} {}", draft.pool, e.instance_type, zone(&e.zone)),
        None => format!("{}: {}", draft.pool, plural(draft.instance_types.len(), "type")),
    }
}

fn provisioning(p: &Proposal, e: &Provisioning) -> String {
    let drafts: Vec<&ClaimDraft> = drafts(p).collect();
    let placed: usize = drafts.iter().map(|d| d.pods.len()).sum();
    let left = e.unschedulable.len();
    let more = if left == 0 {
        String::new()
    } else {
        format!(", {left} left out")
    };
    match (drafts.as_slice(), e.existing.is_empty(), left) {
        ([one], _, _) => format!("{} → {}{more}", plural(placed, "pod"), target(one)),
        ([], false, _) => {
            let pods: usize = e.existing.values().map(Vec::len).sum();
            format!(
                "{} → room on {}{more}",
                plural(pods, "pod"),
                plural(e.existing.len(), "node")
            )
        }
        ([], true, 0) => "nothing to do".to_owned(),
        ([], true, n) => {
            let names: Vec<&str> = e.unschedulable.iter().map(|u| &*u.pod).collect();
            format!("{} unschedulable: {}", plural(n, "pod"), list(&names, 1))
        }
        (many, _, _) => {
            let pools: std::collections::BTreeSet<&str> = many.iter().map(|d| &*d.pool).collect();
            let pools: Vec<&str> = pools.into_iter().collect();
            format!(
                "{} → {} {}{more}",
                plural(placed, "pod"),
                plural(many.len(), "node"),
                list(&pools, 2)
            )
        }
    }
}

fn disruption(p: &Proposal, e: &Disruption) -> String {
    let drafts: Vec<&ClaimDraft> = drafts(p).collect();
    let subject = match e.candidates.as_slice() {
        [one] => node(&one.node).to_owned(),
        many => {
            let pools: std::collections::BTreeSet<&str> = many.iter().map(|c| &*c.pool).collect();
            let pools: Vec<&str> = pools.into_iter().collect();
            format!("{} {}", plural(many.len(), "node"), list(&pools, 2))
        }
    };
    let new = match drafts.as_slice() {
        [] => None,
        [one] => {
            let kind = one.expected.as_ref().map_or("node", |x| &*x.instance_type);
            Some(format!("1 {kind}"))
        }
        many => Some(plural(many.len(), "node")),
    };
    let why = match &*e.method {
        "drift" => " drifted",
        "static" => " static",
        _ => "",
    };
    match new {
        None if &*e.reason == "Empty" => format!("delete {subject} (empty)"),
        None => format!("delete {subject}{why}"),
        Some(new) => format!("{subject}{why} → {new}"),
    }
}

/// What the evidence says, as `(word, sentence)` lines for a reader.
pub fn sentences(p: &Proposal) -> Vec<(&'static str, String)> {
    match &p.evidence {
        Evidence::Provisioning(e) => {
            let mut out = Vec::new();
            let batch = match (e.batch.opened, e.batch.closed) {
                (Some(from), Some(to)) => format!(", batch window {}", clock(to.duration_since(from))),
                _ => String::new(),
            };
            out.push(("pods", format!("{}{batch}", list(&p.subjects, 4))));
            for (target, pods) in e.existing.iter().take(3) {
                out.push(("room", format!("{}: {}", node(target), list(pods, 4))));
            }
            for c in e.claims.iter().take(3) {
                out.extend(claim_sentences(c));
            }
            if e.claims.len() > 3 {
                out.push(("more", plural(e.claims.len() - 3, "further claim")));
            }
            for r in e.relaxed.iter().take(2) {
                let what: Vec<String> = r.dropped.iter().map(super::preference).collect();
                out.push(("gave up", format!("{}: {}", list(&r.pods, 2), list(&what, 3))));
            }
            for u in e.unschedulable.iter().take(4) {
                let why: Vec<String> = u
                    .pools
                    .iter()
                    .map(|(pool, r)| format!("{pool}: {}", super::refusal_short(r)))
                    .collect();
                out.push(("left out", format!("{} ({})", u.pod, why.join("; "))));
            }
            out
        }
        Evidence::Disruption(e) => disruption_sentences(e),
        Evidence::Reason { code, facts } => {
            let mut out = vec![("reason", code.replace('_', " "))];
            out.extend(facts.iter().map(|(k, v)| ("", format!("{k} {v}"))));
            out
        }
    }
}

/// Why this pool and this type, as `(word, sentence)` lines.
pub fn claim_sentences(c: &ClaimEvidence) -> Vec<(&'static str, String)> {
    let mut total = c.requests.clone();
    total.add(&c.daemon_overhead);
    let tried: u32 = c.targets_refused.values().sum();
    let codes: Vec<String> = c
        .targets_refused
        .iter()
        .map(|(code, n)| format!("{n} {}", code.replace('_', " ")))
        .collect();
    let existing = if tried == 0 {
        "no node to try".to_owned()
    } else {
        format!("existing nodes: {tried} refused ({})", codes.join(", "))
    };
    let refused: Vec<String> = c
        .pools_refused
        .iter()
        .map(|(pool, r)| format!("{pool} ✗ {}", super::refusal_short(r)))
        .collect();
    let pools = if refused.is_empty() {
        String::new()
    } else {
        format!("{} → ", refused.join(" → "))
    };
    let mut out = vec![
        (
            "needs",
            format!(
                "{} = pods {} + daemons {}",
                resources(&total),
                resources(&c.requests),
                resources(&c.daemon_overhead)
            ),
        ),
        (
            "tried",
            format!("{existing}   NodePools by weight: {pools}{} ✓", c.pool),
        ),
        (
            "chose",
            format!(
                "NodePool {} → NodeClaim {}: {} of {} types kept",
                c.pool, c.claim, c.options, c.funnel.considered
            ),
        ),
    ];
    if let Some(best) = c.ranking.first() {
        out.push((
            "cheapest",
            format!(
                "{} {} {} in {}",
                best.instance_type,
                best.capacity_type.as_str(),
                price(best.price),
                zones(best.zones.iter().map(|z| &**z))
            ),
        ));
    }
    out
}

fn disruption_sentences(e: &Disruption) -> Vec<(&'static str, String)> {
    let nodes: Vec<&str> = e.candidates.iter().map(|c| node(&c.node)).collect();
    let pods: usize = e.candidates.iter().map(|c| c.pods.len()).sum();
    let cost: f64 = e.candidates.iter().map(|c| c.disruption_cost).sum();
    let mut out = vec![
        (
            "method",
            format!(
                "{} ({}){}",
                e.method,
                e.reason,
                if e.forced { ", asked for by a person" } else { "" }
            ),
        ),
        ("takes", list(&nodes, 4)),
        (
            "price",
            format!(
                "{} before, {} after: {}",
                price(e.price_before),
                price(e.price_after),
                price_delta(e.price_after - e.price_before)
            ),
        ),
        (
            "moves",
            format!("{}, disruption cost {cost:.2}", plural(pods, "pod")),
        ),
    ];
    for (pool, (allowed, used)) in &e.budgets {
        out.push(("budget", format!("{pool}: {allowed} allowed, {used} in use")));
    }
    if !e.overridden.is_empty() {
        out.push(("overrides", list(&e.overridden, 4)));
    }
    for c in e.replacements.iter().take(2) {
        out.extend(claim_sentences(c));
    }
    out
}
