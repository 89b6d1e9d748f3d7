//! One pod: what it asks for, and what became of it.

use crate::model::Pod;
use crate::ui::app::Explained;
use crate::ui::canvas::{Line, labelled, plain};
use crate::ui::digest::closest;
use crate::ui::lists::Data;
use crate::ui::place::Screen;
use crate::ui::theme::Tone;
use crate::words;

fn pod<'a>(data: &Data<'a>) -> Option<&'a Pod> {
    match data.screen {
        Screen::Pod(name) => data.view.snapshot.pods.get(name).map(|p| &**p),
        _ => None,
    }
}

pub fn title(data: &Data<'_>) -> (String, String) {
    let note = match pod(data) {
        None => "gone".to_owned(),
        Some(p) => {
            if let Some(node) = &p.node {
                format!("on {}", words::node(node))
            } else {
                let passes = data.view.refusals.get(&p.key()).map_or_else(String::new, |r| {
                    let times = words::plural(r.passes as usize, "pass").replace("passs", "passes");
                    format!(" · refused in {times}")
                });
                format!("pending {}{passes}", words::clock(data.since(p.created)))
            }
        }
    };
    (data.screen.title(), note)
}

pub fn head(data: &Data<'_>) -> Vec<Line> {
    let Some(p) = pod(data) else {
        return vec![plain("this pod is gone")];
    };
    let s = &p.spec;
    let row = |word: &str, text: String| labelled(word, 13, text);
    let mut selectors: Vec<String> = s
        .node_selector
        .iter()
        .map(|(k, v)| format!("{}={v}", words::key(k)))
        .collect();
    selectors.extend(s.required_terms.iter().map(|term| {
        term.iter()
            .map(words::requirement)
            .collect::<Vec<_>>()
            .join(" and ")
    }));
    let tolerations: Vec<String> = s
        .tolerations
        .iter()
        .filter(|t| !t.key.starts_with("node.kubernetes.io/"))
        .map(|t| {
            let value = if t.value.is_empty() {
                String::new()
            } else {
                format!("={}", t.value)
            };
            format!("{}{value}", if t.key.is_empty() { "everything" } else { &*t.key })
        })
        .collect();
    let spread: Vec<String> = s
        .spread
        .iter()
        .map(|c| {
            let rule = if c.hard { "DoNotSchedule" } else { "ScheduleAnyway" };
            format!("{} maxSkew {} {rule}", words::key(&c.topology_key), c.max_skew)
        })
        .collect();
    let volumes: Vec<String> = s
        .volume_claims
        .iter()
        .map(|name| {
            let claim = data
                .view
                .snapshot
                .volume_claims
                .get(&crate::model::pod::pod_key(&p.namespace, name));
            format!("{name} ({})", claim.map_or("missing", |c| &*c.phase))
        })
        .collect();
    let owner = p
        .owners
        .first()
        .map_or_else(|| "none".to_owned(), |o| format!("{} {}", o.kind, o.name));
    vec![
        verdict(data, p),
        row("requests", words::resources(&s.requests)),
        row("selectors", words::list(&selectors, 3)),
        row(
            "tolerations",
            if tolerations.is_empty() {
                "none beyond the defaults".to_owned()
            } else {
                words::list(&tolerations, 4)
            },
        ),
        row("spread", words::list(&spread, 2)),
        row("volumes", words::list(&volumes, 3)),
        row(
            "owner",
            format!(
                "{owner}   priority {}   do-not-disrupt {}",
                s.priority,
                p.do_not_disrupt.as_deref().unwrap_or("no")
            ),
        ),
    ]
}

fn verdict(data: &Data<'_>, p: &Pod) -> Line {
    let key = p.key();
    let (text, tone) = match (&p.node, data.view.refusals.get(&key)) {
        (Some(node), _) => (format!("runs on {}", words::node(node)), Tone::Good),
        (None, Some(r)) => match closest(&r.pools) {
            Some(why) => {
                let pool = r
                    .pools
                    .iter()
                    .find(|(_, x)| x == why)
                    .map_or("", |(name, _)| name);
                (
                    format!(
                        "cannot be scheduled: closest is NodePool {pool} → {}",
                        words::refusal(why)
                    ),
                    Tone::Bad,
                )
            }
            None => ("cannot be scheduled".to_owned(), Tone::Bad),
        },
        (None, None) => {
            let row = data.digest.pending.iter().find(|r| r.key == key);
            (
                row.map_or_else(|| "waiting".to_owned(), |r| r.place.text(data.now)),
                Tone::Accent,
            )
        }
    };
    vec![(format!("{:<13}", "verdict"), Tone::Dim), (text, tone)]
}

/// What would give it a place, smallest change first.
pub fn fit(data: &Data<'_>) -> Vec<Line> {
    let Some(why) = data.why() else {
        let asked = matches!(data.explained, Explained::Asked(_));
        let text = match pod(data) {
            Some(p) if p.node.is_none() && asked => "being computed",
            Some(p) if p.node.is_none() => "press X to compute",
            _ => "nothing keeps it waiting",
        };
        return vec![vec![(text.to_owned(), Tone::Dim)]];
    };
    let mut out: Vec<Line> = why
        .unknown
        .iter()
        .map(|u| vec![(words::unknown(u), Tone::Warn)])
        .collect();
    if let Some(seat) = &why.seat {
        out.push(vec![(
            format!("it has room on {}", words::node(seat)),
            Tone::Good,
        )]);
    } else if why.remedies.is_empty() {
        out.push(vec![(
            "no single change was found that gives it a place".to_owned(),
            Tone::Dim,
        )]);
    }
    out.extend(why.remedies.iter().zip(1..).map(|(r, n)| {
        vec![
            (format!("{n}  "), Tone::Dim),
            (words::changes(r), Tone::Strong),
            (format!(" → {}", words::landing_short(&r.landing)), Tone::Good),
            (words::added(r), Tone::Dim),
        ]
    }));
    out
}

pub fn history(data: &Data<'_>) -> Vec<Line> {
    let Screen::Pod(name) = data.screen else {
        return Vec::new();
    };
    let mut out = super::mentions(data, &[name]);
    for row in data.view.decisions.values().rev() {
        if row.decision.subjects.contains(name) {
            let (text, tone) = crate::ui::lists::outcome(data, row);
            out.push(vec![
                (
                    format!("{}  ", crate::ui::frame::time_of_day(row.decision.at)),
                    Tone::Dim,
                ),
                (
                    format!("{} {}: ", row.decision.id, words::headline(&row.decision)),
                    Tone::Plain,
                ),
                (text, tone),
            ]);
        }
    }
    if out.is_empty() {
        out.push(vec![("nothing in the log that is kept".to_owned(), Tone::Dim)]);
    }
    out
}
