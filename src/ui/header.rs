//! The two lines that are always there: source, mode, what is paused, connection, sums, clock; and the tabs.

use super::app::App;
use super::canvas::{Canvas, columns};
use super::frame::time_of_day;
use super::lists::Data;
use super::place::Screen;
use super::theme::Tone;
use crate::gate::{Mode, Pauses};
use crate::model::decision::Kind;
use crate::words;

/// A piece of the first line; higher ranks go first when there is no room.
struct Piece {
    text: String,
    tone: Tone,
    rank: u8,
}

fn piece(text: impl Into<String>, tone: Tone, rank: u8) -> Piece {
    Piece {
        text: text.into(),
        tone,
        rank,
    }
}

pub fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "OBSERVE",
        Mode::Ask => "ASK",
        Mode::Supervise => "SUPERVISED",
        Mode::Auto => "AUTO",
    }
}

/// `PAUSED all`, `PAUSED disruption, pool web`
pub fn paused(p: &Pauses) -> Option<String> {
    if p.everything.is_some() {
        return Some("PAUSED all".to_owned());
    }
    let mut parts = Vec::new();
    if p.provisioning.is_some() {
        parts.push("provisioning".to_owned());
    }
    if p.disruption.is_some() {
        parts.push("disruption".to_owned());
    }
    if !p.pools.is_empty() {
        let names: Vec<&str> = p.pools.keys().map(|k| &**k).collect();
        parts.push(format!("pool {}", words::list(&names, 2)));
    }
    if parts.is_empty() {
        None
    } else {
        Some(format!("PAUSED {}", parts.join(", ")))
    }
}

fn connection(data: &Data<'_>, wide: bool) -> (String, Tone) {
    let host = &data.view.host;
    if let Some(since) = host.disconnected {
        return (
            format!("○ DISCONNECTED {}", words::clock(data.since(since))),
            Tone::Alert,
        );
    }
    match host.speed {
        None => (
            if wide {
                " LIVE ".to_owned()
            } else {
                "LIVE".to_owned()
            },
            Tone::Live,
        ),
        Some(0) => (if wide { "● live max" } else { "●max" }.to_owned(), Tone::Good),
        Some(x) => (
            if wide {
                format!("● live x{x}")
            } else {
                format!("●x{x}")
            },
            Tone::Good,
        ),
    }
}

/// `leads`, `follows NAME`: only where an election is held.
fn lead(data: &Data<'_>, wide: bool) -> Option<Piece> {
    let lead = data.view.host.lead.as_ref().filter(|l| !l.lease.is_empty())?;
    if lead.leads() {
        return Some(piece("leads", Tone::Good, 4));
    }
    let short: String = lead.holder.chars().take(if wide { 40 } else { 12 }).collect();
    match (data.view.policies.mode, short.is_empty()) {
        (Mode::Observe, true) => None,
        (Mode::Observe, false) => Some(piece(format!("{short} leads"), Tone::Dim, 5)),
        (_, true) => Some(piece("follows nobody yet", Tone::Warn, 1)),
        (_, false) => Some(piece(format!("follows {short}"), Tone::Warn, 1)),
    }
}

pub fn status(c: &mut Canvas<'_>, data: &Data<'_>, app: &App) {
    let (view, t, wide) = (data.view, &data.digest.totals, data.wide);
    let width = c.area().width;
    let mut pieces = vec![
        piece("kerf", Tone::Strong, 0),
        if wide {
            piece(format!("{} {}", view.source, view.region), Tone::Plain, 2)
        } else {
            piece(&*view.source, Tone::Plain, 2)
        },
        piece(
            mode_word(view.policies.mode),
            if view.policies.mode == Mode::Auto {
                Tone::Warn
            } else {
                Tone::Accent
            },
            1,
        ),
    ];
    if let Some(text) = paused(&view.pauses) {
        pieces.push(piece(text, Tone::Alert, 0));
    }
    pieces.extend(lead(data, wide));
    let (text, tone) = connection(data, wide);
    pieces.push(piece(text, tone, 1));
    if let Some(at) = app.frozen {
        let age = words::clock(data.since(at));
        pieces.push(piece(
            format!("FROZEN {age}, {} newer", app.newer),
            Tone::Alert,
            0,
        ));
    }
    if !view.alarms.is_empty() {
        pieces.push(piece(
            format!("! {}", words::plural(view.alarms.len(), "alarm")),
            Tone::Bad,
            1,
        ));
    }
    let pending = data.digest.pending.len();
    let pending_tone = if pending > 0 { Tone::Warn } else { Tone::Plain };
    if wide {
        let booting = if t.claims == 0 {
            String::new()
        } else {
            format!("+{}", t.claims)
        };
        pieces.push(piece(
            format!("nodes {}{booting} ({} od {} spot)", t.nodes, t.on_demand, t.spot),
            Tone::Plain,
            5,
        ));
        pieces.push(piece(
            format!("pods {} ({pending} pending)", t.pods),
            pending_tone,
            4,
        ));
        pieces.push(piece(
            format!("cpu {}  mem {}", words::percent(t.cpu), words::percent(t.memory)),
            Tone::Plain,
            6,
        ));
        pieces.push(piece(
            format!(
                "{}  {}",
                words::price_short(view.cost.now, 3),
                words::monthly(view.cost.now)
            ),
            Tone::Strong,
            3,
        ));
    } else {
        pieces.push(piece(
            format!("{}n {}p({pending})", t.nodes + t.claims, t.pods),
            pending_tone,
            4,
        ));
        pieces.push(piece(
            format!("cpu {} mem {}", words::percent(t.cpu), words::percent(t.memory)),
            Tone::Plain,
            5,
        ));
        pieces.push(piece(words::price_short(view.cost.now, 2), Tone::Strong, 3));
    }
    let clock = time_of_day(data.now);
    let gap = if wide { 3 } else { 1 };
    let room = width.saturating_sub(columns(&clock) + 3);
    let needed = |pieces: &[Piece]| pieces.iter().map(|p| columns(&p.text) + gap).sum::<u16>();
    while needed(&pieces) > room {
        let Some(at) = pieces
            .iter()
            .enumerate()
            .filter(|(_, p)| p.rank > 0)
            .max_by_key(|(_, p)| p.rank)
            .map(|(i, _)| i)
        else {
            break;
        };
        pieces.remove(at);
    }
    if view.host.speed.is_none() && !view.host.demo {
        // A real cluster: the whole line has a colour of its own.
        let style = c.theme.style(Tone::Live);
        c.tint(ratatui::layout::Rect::new(0, 0, width, 1), style);
        for p in &mut pieces {
            if p.tone != Tone::Alert {
                p.tone = Tone::Live;
            }
        }
    }
    let mut x = u16::from(wide);
    for p in &pieces {
        if x >= room {
            break;
        }
        x += c.text(x, 0, room - x, &p.text, p.tone) + gap;
    }
    c.right(0, 0, width.saturating_sub(1), &clock, Tone::Strong);
}

pub fn tabs(c: &mut Canvas<'_>, data: &Data<'_>, app: &App) {
    let width = c.area().width;
    let here = app.screen.tab();
    let mut x = 0;
    for (i, (_, long, short)) in Screen::TABS.iter().enumerate() {
        let name = if data.wide { long } else { short };
        let waiting = data.digest.waiting.len();
        let count = if i == 6 && waiting > 0 {
            format!("({waiting})")
        } else {
            String::new()
        };
        let gap = if data.wide { " " } else { "" };
        let sign = if i == here {
            "▸"
        } else if data.wide || i > 0 {
            " "
        } else {
            ""
        };
        let text = format!("{sign}{}{gap}{name}{count}{gap}", i + 1);
        let tone = match (i == here, i == 6 && waiting > 0) {
            (true, _) => Tone::Focus,
            (_, true) => Tone::Warn,
            _ => Tone::Dim,
        };
        x += c.text(x, 1, width.saturating_sub(x), &text, tone);
    }
    if data.wide {
        let rule = |kind: Kind| format!("{:?}", data.view.policies.for_kind(kind).rule).to_lowercase();
        let text = format!(
            "disruption: {}  provisioning: {}",
            rule(Kind::Consolidation),
            rule(Kind::Provisioning)
        );
        if x + columns(&text) + 2 < width {
            c.right(0, 1, width - 1, &text, Tone::Dim);
        }
    }
}
