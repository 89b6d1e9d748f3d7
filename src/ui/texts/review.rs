//! A decision that waits: before and after, why, and what approval does.

use crate::gate::command::REJECTION_COOL_DOWN;
use crate::model::decision::evidence::Disruption;
use crate::model::decision::{Evidence, Kind};
use crate::ui::canvas::{Line, labelled, plain};
use crate::ui::digest::claims_of;
use crate::ui::lists::{Data, left};
use crate::ui::theme::{Tone, load};
use crate::ui::widgets::bar;
use crate::words;

fn evidence<'a>(data: &Data<'a>) -> Option<&'a Disruption> {
    match &data.decision()?.decision.evidence {
        Evidence::Disruption(e) => Some(e),
        _ => None,
    }
}

pub fn before_title(data: &Data<'_>) -> (String, String) {
    match evidence(data) {
        Some(e) => (
            format!(
                "Before — {} {}",
                words::plural(e.candidates.len(), "node"),
                words::price(e.price_before)
            ),
            String::new(),
        ),
        None => match data.decision() {
            Some(row) => (
                format!(
                    "Before — {}",
                    words::plural(row.decision.subjects.len(), "subject").replace("subject", "pod")
                ),
                String::new(),
            ),
            None => ("Before".to_owned(), String::new()),
        },
    }
}

pub fn moves_title(data: &Data<'_>) -> &'static str {
    match data.decision() {
        Some(row) if row.decision.kind == Kind::Provisioning => "Pods that get a place",
        _ => "Pods that move",
    }
}

pub fn after_title(data: &Data<'_>) -> (String, String) {
    match (evidence(data), data.decision()) {
        (Some(e), _) => {
            let new = if e.replacements.is_empty() {
                "no new node".to_owned()
            } else {
                words::plural(e.replacements.len(), "node")
            };
            (
                format!("After — {new} {}", words::price(e.price_after)),
                String::new(),
            )
        }
        (None, Some(row)) => (
            format!("After — {}", words::price_delta(row.decision.impact.usd_per_hour)),
            String::new(),
        ),
        (None, None) => ("After".to_owned(), String::new()),
    }
}

/// `  cpu ███░░  30%   mem █████░  79%`
fn meters(cpu: f64, memory: f64, width: u16) -> Line {
    let cells = (usize::from(width).saturating_sub(27) / 2).clamp(5, 24);
    vec![
        ("  cpu ".to_owned(), Tone::Dim),
        (bar(cpu, cells), load(cpu)),
        (format!(" {:>4}", words::percent(cpu)), Tone::Plain),
        ("   mem ".to_owned(), Tone::Dim),
        (bar(memory, cells), load(memory)),
        (format!(" {:>4}", words::percent(memory)), Tone::Plain),
    ]
}

pub fn before(data: &Data<'_>, width: u16) -> Vec<Line> {
    let Some(row) = data.decision() else {
        return Vec::new();
    };
    let Some(e) = evidence(data) else {
        let names: Vec<&str> = row.decision.subjects.iter().map(|s| words::node(s)).collect();
        return vec![
            plain(words::headline(&row.decision)),
            plain(words::list(&names, 12)),
        ];
    };
    let mut out: Vec<Line> = Vec::new();
    for c in &e.candidates {
        let n = data.digest.nodes.iter().find(|n| n.name == c.node);
        let pods = n.map_or(c.pods.len(), |n| n.pods);
        let head = format!(
            "{}  {} {}  {}  {}  {}",
            words::node(&c.node),
            c.instance_type,
            words::capacity_short(&c.capacity_type),
            words::zone(&c.zone),
            words::plural(pods, "pod"),
            words::price(c.price)
        );
        out.push(plain(head));
        if let Some(n) = n {
            out.push(meters(
                words::share(n.used.cpu, n.room.cpu),
                words::share(n.used.memory, n.room.memory),
                width,
            ));
        }
        if data.wide {
            out.push(Vec::new());
        }
    }
    let moving: usize = e.candidates.iter().map(|c| c.pods.len()).sum();
    out.push(plain(format!("{} must move", words::plural(moving, "pod"))));
    out
}

pub fn after(data: &Data<'_>, width: u16) -> Vec<Line> {
    let Some(row) = data.decision() else {
        return Vec::new();
    };
    let mut out: Vec<Line> = Vec::new();
    for c in claims_of(row) {
        let Some(best) = c.ranking.first() else { continue };
        let mut need = c.requests.clone();
        need.add(&c.daemon_overhead);
        out.push(plain(format!(
            "new  {} {} ({} kept)  {}  {}",
            best.instance_type,
            words::capacity_short(best.capacity_type.as_str()),
            words::plural(c.options as usize, "type"),
            words::plural(c.pods.len(), "pod"),
            words::price(best.price)
        )));
        out.push(meters(
            words::share(need.cpu, best.allocatable.cpu),
            words::share(need.memory, best.allocatable.memory),
            width,
        ));
        let mut room = best.allocatable.clone();
        room.sub(&need);
        out.push(vec![(
            format!(
                "  room left: cpu {}  memory {}",
                words::cpu(room.cpu),
                words::memory(room.memory)
            ),
            Tone::Dim,
        )]);
    }
    if let Some(e) = evidence(data) {
        let new: Vec<&str> = e.replacements.iter().map(|c| &*c.claim).collect();
        let elsewhere = e.moves.values().filter(|to| !new.contains(&&***to)).count();
        out.push(plain(format!(
            "pods that go to nodes that are there: {elsewhere}"
        )));
        out.push(Vec::new());
        let mut sum: Vec<String> = e
            .candidates
            .iter()
            .map(|c| format!("${}", words::price_bare(c.price)))
            .collect();
        sum.truncate(4);
        let minus = if e.price_after.0 == 0 {
            String::new()
        } else {
            format!(" - ${}", words::price_bare(e.price_after))
        };
        let saved = e.price_before - e.price_after;
        out.push(vec![
            (format!("{}{minus} = ", sum.join(" + ")), Tone::Plain),
            (words::price(saved), Tone::Good),
            (format!("  ×730 h = {}", words::monthly(saved)), Tone::Plain),
        ]);
    }
    out
}

pub fn why(data: &Data<'_>) -> Vec<Line> {
    let Some(row) = data.decision() else {
        return vec![plain("nothing waits for you")];
    };
    let mut out: Vec<Line> = words::sentences(&row.decision)
        .into_iter()
        .map(|(w, t)| labelled(w, 10, t))
        .collect();
    if let Some(pool) = evidence(data).and_then(|e| e.candidates.first()).map(|c| &c.pool)
        && let Some(p) = data.view.snapshot.pools.get(pool)
    {
        out.insert(0, labelled("policy", 10, crate::ui::lists::policy(p)));
    }
    out
}

pub fn consequence(data: &Data<'_>) -> Vec<Line> {
    let Some(row) = data.decision() else {
        return Vec::new();
    };
    let d = &row.decision;
    let mut out: Vec<Line> = d
        .effects
        .iter()
        .enumerate()
        .map(|(i, e)| {
            vec![
                (format!("{:>2}  ", i + 1), Tone::Accent),
                (words::effect(e), Tone::Plain),
            ]
        })
        .collect();
    if d.kind != Kind::Provisioning {
        let n = d.impact.evictions as usize;
        let wait = if d.impact.nodes_added > 0 {
            "wait for Initialized, then "
        } else {
            ""
        };
        out.push(plain(format!(
            "then  {wait}evict {} through their PDBs and terminate what is drained",
            words::plural(n, "pod")
        )));
        out.push(plain(
            "undo  (u) works until the first eviction: taints are removed and replacements terminated",
        ));
    }
    let lapse = left(data, row).map_or_else(
        || "it stays open as long as its pods wait".to_owned(),
        |t| format!("in {} it lapses: rejected, never approved", words::clock(t)),
    );
    let cool = words::duration(REJECTION_COOL_DOWN);
    out.push(vec![(
        format!("If nobody answers {lapse}. Reject (x) lets the same set rest for {cool}."),
        Tone::Dim,
    )]);
    if data.view.pauses.forbids(d.kind.class()) {
        out.push(vec![(
            "PAUSED: an approval is kept and carried out when the pause ends".to_owned(),
            Tone::Alert,
        )]);
    }
    out
}
