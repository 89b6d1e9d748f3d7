//! Panes of text, and the titles of all panes.

mod cost;
mod decision;
mod node;
mod pod;
mod pool;
mod review;
mod timeline;
mod types;

use super::canvas::{Line, plain};
use super::lists::Data;
use super::place::{Pane, Screen};
use super::theme::Tone;
use crate::words;

/// Title and, at the right, what else the frame says.
pub fn title(pane: Pane, data: &Data<'_>) -> (String, String) {
    let d = data.digest;
    let own = |text: &str| (text.to_owned(), String::new());
    let chosen = data.chosen.as_deref().unwrap_or("none");
    match pane {
        Pane::Pending => {
            let oldest = d.pending.first().map_or_else(String::new, |p| {
                format!("oldest {}", words::clock(data.since(p.since)))
            });
            (format!("Pending pods {}", d.pending.len()), oldest)
        }
        Pane::Recent => ("Decisions".to_owned(), review_count(data)),
        Pane::Decisions => (
            format!("Decisions {}", data.view.decisions.len()),
            review_count(data),
        ),
        Pane::Nodes | Pane::NodeTable => {
            let t = &d.totals;
            let claims = match (data.wide, t.claims) {
                (_, 0) => String::new(),
                (true, n) => format!(" + {}", words::plural(n, "NodeClaim")),
                (false, n) => format!("+{n}"),
            };
            let marks: Vec<String> = if data.wide {
                d.marks()
                    .iter()
                    .take(3)
                    .map(|(n, id)| format!("C{n} = candidate of {id}"))
                    .collect()
            } else {
                Vec::new()
            };
            (
                format!("Nodes {}{claims}", t.nodes),
                if marks.is_empty() {
                    "price ↓".to_owned()
                } else {
                    marks.join("  ")
                },
            )
        }
        Pane::Log | Pane::LogTable => own("Event log"),
        Pane::Chosen => (format!("Instance types chosen {}", d.chosen.len()), String::new()),
        Pane::Cost if data.wide => own("Cost"),
        Pane::Cost => ("Cost".to_owned(), cost::headline(data)),
        Pane::Pods => (format!("Pods {}", data.view.snapshot.pods.len()), String::new()),
        Pane::PodHead => pod::title(data),
        Pane::PodPools => own("Why pending — NodePools, first failing check"),
        Pane::PodFit => own("What would make it fit — planned again with each change, nothing is changed"),
        Pane::PodNodes => own("Why pending — nodes and claims that are there"),
        Pane::PodHistory => own("History of this pod"),
        Pane::DecisionHead => decision::title(data),
        Pane::Ranking => decision::ranking_title(data),
        Pane::Rejected => decision::rejected_title(data),
        Pane::Steps => own("Steps"),
        Pane::NodeHead => node::title(data),
        Pane::NodePods => own("Pods on it"),
        Pane::NodeHistory => own("NodeClaim and history"),
        Pane::PoolTable => (
            format!("NodePools {}", data.view.snapshot.pools.len()),
            String::new(),
        ),
        Pane::PoolSums => own(&format!("{chosen} — requirements and what they leave")),
        Pane::PoolBudgets => own(&format!("{chosen} — disruption budgets")),
        Pane::PoolNodes => own(&format!("{chosen} — nodes")),
        Pane::TypeTable => own("Instance types"),
        Pane::TypeSums => own(&format!("{chosen} — how allocatable is computed")),
        Pane::Waiting => (
            format!("Waiting for review {}", d.waiting.len()),
            format!(
                "disruptions lapse after {}",
                words::duration(crate::gate::command::REVIEW_LAPSES_AFTER)
            ),
        ),
        Pane::Before => review::before_title(data),
        Pane::After => review::after_title(data),
        Pane::Moves => own(review::moves_title(data)),
        Pane::Why => own("Why this is proposed"),
        Pane::Consequence => own("What happens if approved"),
        Pane::Lanes => timeline::title(data),
        Pane::Page => own(&data.screen.title()),
    }
}

fn review_count(data: &Data<'_>) -> String {
    match data.digest.waiting.len() {
        0 => String::new(),
        n => format!("{n} to review"),
    }
}

/// The text of a pane, made for `width` columns; empty for lists.
pub fn lines(pane: Pane, data: &Data<'_>, width: u16) -> Vec<Line> {
    match pane {
        Pane::Cost => cost::lines(data, width),
        Pane::PodHead => pod::head(data),
        Pane::PodFit => pod::fit(data),
        Pane::PodHistory => pod::history(data),
        Pane::DecisionHead => decision::head(data),
        Pane::Rejected => decision::rejected(data, width),
        Pane::Steps => decision::steps(data),
        Pane::NodeHead => node::head(data),
        Pane::NodeHistory => node::history(data),
        Pane::PoolSums => pool::sums(data),
        Pane::PoolBudgets => pool::budgets(data),
        Pane::TypeSums => types::sums(data),
        Pane::Before => review::before(data, width),
        Pane::After => review::after(data, width),
        Pane::Why => review::why(data),
        Pane::Consequence => review::consequence(data),
        Pane::Lanes => timeline::lanes(data, width),
        Pane::Page => match data.screen {
            Screen::Page(page) => page.lines.iter().map(plain).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Log lines that speak of one of `needles`, newest first.
fn mentions(data: &Data<'_>, needles: &[&str]) -> Vec<Line> {
    data.view
        .log
        .iter()
        .rev()
        .filter_map(|e| {
            let (text, tone) = super::lists::log_line(e);
            let about = needles.iter().any(|n| !n.is_empty() && text.contains(n));
            about.then(|| {
                vec![
                    (format!("{}  ", super::frame::time_of_day(e.at)), Tone::Dim),
                    (text, tone),
                ]
            })
        })
        .take(200)
        .collect()
}
