//! Reasons for a person's eyes: why this pool and type, where a pod was tried, what would help.

use std::collections::BTreeMap;

use crate::cli::paper::{Paper, Table, Tone};
use crate::decide::explain::Asked;
use crate::decide::scheduling::Planned;
use crate::model::Name;
use crate::model::decision::evidence::{ClaimEvidence, Unschedulable};
use crate::model::decision::refusal::{Funnel, Refusal};
use crate::model::decision::remedy::Remedy;
use crate::words;

/// Places of one kind that are named; the rest is counted.
const PLACES: usize = 6;
/// Options named behind the cheapest.
const RANKING: usize = 4;

/// One claim, `n` of which are alike.
pub fn claim(planned: &Planned, n: usize, paper: &Paper) -> String {
    let e = &planned.evidence;
    let launch = planned
        .draft
        .expected
        .as_ref()
        .map_or_else(|| "nothing to be had".to_owned(), words::launch);
    let alike = if n > 1 {
        format!(" and {} like it", n - 1)
    } else {
        String::new()
    };
    let mut out = format!(
        "{}{alike}  {}\n",
        paper.paint(Tone::Strong, &planned.draft.name),
        paper.paint(Tone::Plain, &launch)
    );
    out.push_str(&claim_evidence(e, paper));
    out
}

/// Why this pool, why this type.
pub fn claim_evidence(e: &ClaimEvidence, paper: &Paper) -> String {
    let mut out = paper.labelled(
        2,
        "pods",
        Tone::Plain,
        &format!("{}: {}", e.pods.len(), words::list(&e.pods, 6)),
    );
    for (word, text) in words::claim_sentences(e) {
        out.push_str(&paper.labelled(2, word, Tone::Plain, &text));
    }
    if !e.daemons.is_empty() {
        out.push_str(&paper.labelled(
            2,
            "daemons",
            Tone::Plain,
            &format!(
                "{} for {}",
                words::resources(&e.daemon_overhead),
                words::list(&e.daemons, 8)
            ),
        ));
    }
    out.push_str(&funnel(&e.funnel, 2, paper));
    let cheaper: Vec<String> = e
        .cheaper_refused
        .iter()
        .rev()
        .map(|c| {
            format!(
                "{} {} ✗ {}",
                c.instance_type,
                words::price(c.price),
                words::check(&c.why)
            )
        })
        .collect();
    for (i, text) in cheaper.iter().take(PLACES).enumerate() {
        out.push_str(&paper.labelled(2, if i == 0 { "cheaper" } else { "" }, Tone::Plain, text));
    }
    let next: Vec<String> = e
        .ranking
        .iter()
        .skip(1)
        .take(RANKING)
        .map(|r| format!("{} {}", r.instance_type, words::price(r.price)))
        .collect();
    if !next.is_empty() {
        out.push_str(&paper.labelled(2, "next", Tone::Dim, &next.join(", ")));
    }
    out
}

/// How many types each filter took, with some of them.
pub fn funnel(f: &Funnel, indent: usize, paper: &Paper) -> String {
    if f.considered == 0 {
        return String::new();
    }
    let mut out = paper.labelled(
        indent,
        "types",
        Tone::Plain,
        &format!("{} considered", f.considered),
    );
    let mut table = Table::default().right("").shrinking("").shrinking("");
    for step in f.steps.iter().filter(|s| s.removed > 0) {
        table.row([
            (format!("−{}", step.removed), Tone::Bad),
            (words::check(&step.check), Tone::Plain),
            (step.examples.join(" "), Tone::Dim),
        ]);
    }
    let tone = if f.left() == 0 { Tone::Bad } else { Tone::Good };
    table.row([
        (f.left().to_string(), tone),
        ("left".to_owned(), tone),
        (String::new(), Tone::Plain),
    ]);
    out.push_str(&table.draw(indent + 10, paper));
    out
}

/// Every place that a pod was tried at, the first failing check of each, and the funnel of the pool that came nearest.
pub fn places(told: &Unschedulable, asked: &Asked, indent: usize, paper: &Paper) -> String {
    let mut out = String::new();
    for (i, unknown) in told.unknown.iter().enumerate() {
        let label = if i == 0 { "unknown" } else { "" };
        out.push_str(&paper.labelled(indent, label, Tone::Warn, &words::unknown(unknown)));
    }
    let pools: Vec<(Name, Option<Refusal>)> = asked
        .pools
        .iter()
        .map(|p| (p.pool.clone(), p.refusal.clone()))
        .collect();
    out.push_str(&tried("pools", &pools, usize::MAX, indent, paper));
    let nearest = asked
        .pools
        .iter()
        .filter_map(|p| p.funnel.as_ref().map(|f| (f.steps.len(), f)))
        .max_by_key(|(steps, f)| (f.left(), *steps));
    if let Some((_, f)) = nearest {
        out.push_str(&funnel(f, indent, paper));
    }
    out.push_str(&tried("nodes", &asked.nodes, PLACES, indent, paper));
    out.push_str(&tried("claims", &asked.claims, PLACES, indent, paper));
    out
}

fn tried(label: &str, list: &[(Name, Option<Refusal>)], most: usize, indent: usize, paper: &Paper) -> String {
    let mut out = String::new();
    let width = list
        .iter()
        .take(most)
        .map(|(name, _)| words::width(words::node(name)))
        .max()
        .unwrap_or(0);
    for (i, (name, refusal)) in list.iter().take(most).enumerate() {
        let label = if i == 0 { label } else { "" };
        let (sign, tone, why) = match refusal {
            Some(r) => ('✗', Tone::Plain, words::refusal(r)),
            None => ('✓', Tone::Good, "fits".to_owned()),
        };
        let name = words::clean(words::node(name)).into_owned();
        out.push_str(&paper.labelled(indent, label, tone, &format!("{name:<width$} {sign} {why}")));
    }
    let mut rest: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, refusal) in list.iter().skip(most) {
        *rest
            .entry(refusal.as_ref().map_or("fits", Refusal::code))
            .or_default() += 1;
    }
    if !rest.is_empty() {
        let text: Vec<String> = rest
            .iter()
            .map(|(code, n)| format!("{n} {}", code.replace('_', " ")))
            .collect();
        out.push_str(&paper.labelled(indent, "", Tone::Dim, &format!("and {}", text.join(", "))));
    }
    out
}

/// What would help, smallest change first.
pub fn remedies(all: &[Remedy], most: usize, indent: usize, paper: &Paper) -> String {
    if all.is_empty() {
        return paper.labelled(
            4,
            "would fit",
            Tone::Dim,
            "no single change was found that gives it a place",
        );
    }
    let mut out = String::new();
    for (i, r) in all.iter().take(most).enumerate() {
        let label = if i == 0 { "would fit" } else { "or" };
        out.push_str(&paper.labelled(indent, label, Tone::Good, &words::remedy(r)));
    }
    out
}
