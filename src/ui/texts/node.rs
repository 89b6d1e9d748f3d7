//! One node: why it stays, what it is.

use crate::ui::canvas::{Line, labelled, plain};
use crate::ui::digest::{NodeRow, Role};
use crate::ui::lists::Data;
use crate::ui::place::Screen;
use crate::ui::theme::{Tone, load};
use crate::ui::widgets::bar;
use crate::words;

fn row<'a>(data: &Data<'a>) -> Option<&'a NodeRow> {
    match data.screen {
        Screen::Node(name) => data.digest.nodes.iter().find(|n| n.name == *name),
        _ => None,
    }
}

pub fn title(data: &Data<'_>) -> (String, String) {
    let Some(n) = row(data) else {
        return (data.screen.title(), "gone".to_owned());
    };
    let what = if n.role == Role::Node { "Node" } else { "NodeClaim" };
    (
        format!("{what} {}", n.name),
        format!(
            "{} · {} · age {}",
            n.status,
            n.pool,
            words::age(data.since(n.created))
        ),
    )
}

pub fn head(data: &Data<'_>) -> Vec<Line> {
    let Some(n) = row(data) else {
        return vec![plain("this node is gone")];
    };
    let mut out: Vec<Line> = Vec::new();
    let verdict = match (data.view.verdicts.get(&n.name), n.mark) {
        (_, Some((mark, id))) => (
            format!("candidate of {id} (C{mark}), which waits for your review"),
            Tone::Warn,
        ),
        (Some(v), None) => {
            let method = if v.method.is_empty() {
                String::new()
            } else {
                format!("   ({})", v.method)
            };
            (
                format!("{}{method}", words::verdict(v)),
                if v.code.starts_with("selected") {
                    Tone::Warn
                } else {
                    Tone::Strong
                },
            )
        }
        (None, None) if n.role == Role::Claim => ("not a node yet".to_owned(), Tone::Accent),
        (None, None) => ("no disruption pass has looked at it yet".to_owned(), Tone::Dim),
    };
    out.push(vec![(format!("{:<10}", "verdict"), Tone::Dim), verdict]);
    let zone = if n.zone.is_empty() { "zone open" } else { &n.zone };
    out.push(labelled(
        "machine",
        10,
        format!(
            "{} {} {zone}   {}   {}",
            n.kind,
            n.capacity,
            words::price(n.price),
            words::monthly(n.price)
        ),
    ));
    for (word, part, whole, text) in [
        (
            "cpu",
            n.used.cpu,
            n.room.cpu,
            format!(
                "{} of {} requested",
                words::cpu(n.used.cpu),
                words::cpu(n.room.cpu)
            ),
        ),
        (
            "memory",
            n.used.memory,
            n.room.memory,
            format!(
                "{} of {} requested",
                words::memory(n.used.memory),
                words::memory(n.room.memory)
            ),
        ),
    ] {
        let share = words::share(part, whole);
        out.push(vec![
            (format!("{word:<10}"), Tone::Dim),
            (bar(share, 30), load(share)),
            (format!(" {:>4}  {text}", words::percent(share)), Tone::Plain),
        ]);
    }
    out.push(labelled("pods", 10, format!("{} of {}", n.pods, n.room.pods)));
    if let Some(node) = data.view.snapshot.nodes.get(&n.name) {
        let taints: Vec<String> = node.taints.iter().map(ToString::to_string).collect();
        out.push(labelled("taints", 10, words::list(&taints, 4)));
        out.push(labelled("provider", 10, &*node.provider_id));
    }
    if n.notice {
        out.push(vec![(
            "! the cloud has said that it will take this machine".to_owned(),
            Tone::Bad,
        )]);
    }
    out
}

pub fn history(data: &Data<'_>) -> Vec<Line> {
    let Some(n) = row(data) else { return Vec::new() };
    let mut out: Vec<Line> = Vec::new();
    let claim = n.claim.as_ref().and_then(|c| data.view.snapshot.claims.get(c));
    if let Some(c) = claim {
        let by = data
            .view
            .claim_decisions
            .get(&c.name)
            .map_or_else(String::new, |id| format!("   created by {id}"));
        out.push(plain(format!("NodeClaim {}, {}{by}", c.name, c.stage())));
        for (kind, condition) in &c.conditions {
            let good = condition.status == crate::model::Status::True;
            let reason = if condition.reason.is_empty() || condition.reason == *kind {
                String::new()
            } else {
                format!("  {}", condition.reason)
            };
            out.push(vec![
                (
                    if good { "✓ " } else { "· " }.to_owned(),
                    if good { Tone::Good } else { Tone::Dim },
                ),
                (format!("{kind:<22}{:<8}", condition.status.as_str()), Tone::Plain),
                (
                    format!("{:>5}{reason}", words::age(data.since(condition.since))),
                    Tone::Dim,
                ),
            ]);
        }
    }
    let claim_name = claim.map_or("", |c| &*c.name);
    out.extend(super::mentions(data, &[words::node(&n.name), claim_name]));
    out
}
