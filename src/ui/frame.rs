//! One frame: header, panes, message line, hints.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Prompt};
use super::canvas::{self, Canvas};
use super::digest::Digest;
use super::layout::{self, SMALLEST, WIDE};
use super::lists::{self, Data};
use super::place::{Kind, Pane, Screen};
use super::theme::Tone;
use super::widgets::{self, Frame, Look};
use super::{header, keymap, overlay, texts};
use crate::ledger::View;

/// `14:07:31`, UTC.
pub fn time_of_day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string()
}

/// The picture of a view, from scratch. Never fails, whatever the size.
pub fn render(view: &View, app: &App, width: u16, height: u16) -> Buffer {
    draw(view, &Digest::of(view), app, width, height)
}

/// The same with a digest at hand, as the event loop has it.
pub fn draw(view: &View, digest: &Digest, app: &App, width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let mut c = Canvas {
        buffer: &mut buffer,
        theme: app.theme,
    };
    if width == 0 || height == 0 {
        return buffer;
    }
    let wide = width >= WIDE;
    let data = Data::new(view, digest, app, wide);
    if width < SMALLEST.0 || height < SMALLEST.1 {
        header::status(&mut c, &data, app);
        if height > 1 {
            let text = format!(
                "kerf needs {}x{}, this is {width}x{height}",
                SMALLEST.0, SMALLEST.1
            );
            c.text(0, 1, width, &text, Tone::Warn);
        }
        return buffer;
    }
    header::status(&mut c, &data, app);
    header::tabs(&mut c, &data, app);
    let body = Rect::new(0, 2, width, height - 4);
    panes(&mut c, &data, app, body);
    message(&mut c, &data, app, height - 2);
    hints(&mut c, &data, app, height - 1);
    overlay::draw(&mut c, &data, app);
    buffer
}

fn panes(c: &mut Canvas<'_>, data: &Data<'_>, app: &App, body: Rect) {
    let focus = app.pane();
    let places = if app.zoom {
        vec![(focus, body)]
    } else if data.wide {
        layout::wide(&app.screen, body)
    } else {
        layout::narrow(&app.screen, focus, body)
    };
    for (pane, area) in places {
        draw_pane(c, data, app, pane, area);
    }
}

fn draw_pane(c: &mut Canvas<'_>, data: &Data<'_>, app: &App, pane: Pane, area: Rect) {
    let focused = app.pane() == pane;
    let state = app.list(pane);
    let boxed = data.wide;
    let inner = widgets::inner(area, boxed);
    let (title, note) = texts::title(pane, data);
    let mut f = Frame {
        title,
        note,
        focused,
        boxed,
        ..Frame::default()
    };
    if boxed && focused {
        f.foot = pane_hints(app, pane, data);
    }
    if let Some(list) = lists::list(pane, data) {
        let order = lists::order(&*list, &state);
        let at = lists::position(&*list, &order, &state);
        decorate(&mut f, &*list, &state, &order);
        let heading = inner.height > 2 && !order.is_empty();
        if order.is_empty() {
            let text = if state.filter.is_empty() {
                list.empty()
            } else {
                "no row matches".to_owned()
            };
            c.text(
                inner.x + 1,
                inner.y,
                inner.width.saturating_sub(2),
                &text,
                Tone::Dim,
            );
            if inner.height == 0 {
                f.note = text;
            }
        } else {
            let room = Rect {
                width: inner.width.saturating_sub(u16::from(boxed)),
                ..inner
            };
            let look = Look {
                layout: list.columns(),
                heading,
                total: order.len(),
                cursor: at,
                focused,
            };
            let cells = |i: usize| order.get(i).map_or_else(Vec::new, |i| list.cells(*i));
            let shown = if pane == Pane::Log && boxed && !app.zoom {
                widgets::flow(c, room, order.len(), at, focused, |i| entry(&cells(i)))
            } else {
                widgets::table(c, room, &look, cells)
            };
            f.place = shown.place();
            if !boxed && focused && !f.place.is_empty() {
                let note = format!("{} {}", f.note, f.place);
                note.trim().clone_into(&mut f.note);
            }
        }
    } else {
        let mut lines = texts::lines(pane, data, inner.width.saturating_sub(2));
        // A closed pane keeps to one line a fact.
        if boxed || focused {
            lines = canvas::wrap(lines, usize::from(inner.width.saturating_sub(2)));
        }
        let room = usize::from(inner.height);
        let first = if focused {
            state.index.min(lines.len().saturating_sub(room))
        } else {
            0
        };
        for (line, y) in lines.iter().skip(first).take(room).zip(inner.y..) {
            c.line(inner.x + 1, y, inner.width.saturating_sub(1), line);
        }
        if lines.len() > room && room > 0 {
            f.place = format!(
                "{}-{}/{}",
                first + 1,
                (first + room).min(lines.len()),
                lines.len()
            );
        }
    }
    widgets::frame(c, area, &f);
}

/// A row of the log as one line: time and text.
fn entry(cells: &[widgets::Cell]) -> canvas::Line {
    cells
        .iter()
        .filter_map(|cell| match cell {
            widgets::Cell::Text(text, tone) => Some((text.clone(), *tone)),
            _ => None,
        })
        .enumerate()
        .map(|(i, (text, tone))| {
            if i == 0 {
                (format!("{text} "), tone)
            } else {
                (text, tone)
            }
        })
        .collect()
}

/// Filter, marks and order belong into the title.
fn decorate(f: &mut Frame, list: &dyn lists::List, state: &super::app::ListState, order: &[usize]) {
    let mut parts = Vec::new();
    if !f.note.is_empty() {
        parts.push(std::mem::take(&mut f.note));
    }
    if !state.filter.is_empty() {
        parts.push(format!(
            "filter {} ({} of {})",
            state.filter,
            order.len(),
            list.len()
        ));
    }
    match state.sort.and_then(|i| list.columns().get(i)) {
        Some(column) => parts.push(format!(
            "by {} {}",
            column.title,
            if state.reverse { "↓" } else { "↑" }
        )),
        None if state.reverse => parts.push(format!("{}, reversed", list.order())),
        None if parts.is_empty() => parts.push(list.order().to_owned()),
        None => {}
    }
    f.note = parts.join(" · ");
}

/// Whether approving and rejecting have something to act on here.
fn decidable(app: &App, data: &Data<'_>) -> bool {
    match app.screen {
        Screen::Decision(id) => data.digest.waiting.contains(&id),
        _ => !data.digest.waiting.is_empty(),
    }
}

fn pane_hints(app: &App, pane: Pane, data: &Data<'_>) -> String {
    keymap::hints(app.screen.kind(), pane, data.view.host.demo, decidable(app, data))
        .into_iter()
        .filter(|(key, _)| *key != "?")
        .take(4)
        .map(|(key, what)| format!("{key} {what}"))
        .collect::<Vec<_>>()
        .join("  ")
}

/// What is being typed, the last message, or where kubectl finds the cluster.
fn message(c: &mut Canvas<'_>, data: &Data<'_>, app: &App, y: u16) {
    let width = c.area().width;
    if let Some(prompt) = &app.prompt {
        let (text, typed) = match prompt {
            Prompt::Filter => ("/".to_owned(), true),
            Prompt::Command => (":".to_owned(), true),
            Prompt::Confirm { question, .. } => (format!("{question} [y/N] "), false),
            Prompt::ApproveAll { nodes, decisions } => (
                format!(
                    "approve {}: type the number of nodes ({nodes}) ",
                    crate::words::plural(decisions.len(), "decision")
                ),
                true,
            ),
            Prompt::Terminate { claim, node } => (
                format!("terminate {node} (NodeClaim {claim})? type its name: "),
                true,
            ),
            Prompt::Reject { id } => (format!("reject {id}, reason (may be empty): "), true),
        };
        let x = 1 + c.text(1, y, width.saturating_sub(2), &text, Tone::Accent);
        if typed {
            let used = c.text(x, y, width.saturating_sub(x + 2), &app.typed, Tone::Strong);
            c.text(x + used, y, 1, "█", Tone::Accent);
        }
        return;
    }
    if let Some((text, tone)) = &app.message {
        c.text(1, y, width.saturating_sub(2), text, *tone);
        return;
    }
    if let Some(path) = &data.view.host.kubeconfig
        && app.screen.kind() == Kind::Overview
    {
        let (text, tone) = (
            format!("kubectl works on this cluster: export KUBECONFIG={path}"),
            Tone::Accent,
        );
        let used = c.text(1, y, width.saturating_sub(2), &text, tone);
        if data.wide
            && let Some(idea) = overlay::idea(data)
        {
            let x = used + 4;
            c.text(
                x,
                y,
                width.saturating_sub(x + 1),
                &format!("try: {idea}"),
                Tone::Dim,
            );
        }
    }
}

fn hints(c: &mut Canvas<'_>, data: &Data<'_>, app: &App, y: u16) {
    let width = c.area().width;
    let pairs: Vec<(&str, &str)> = match overlay::hints(app) {
        Some(own) => own,
        None => keymap::hints(
            app.screen.kind(),
            app.pane(),
            data.view.host.demo,
            decidable(app, data),
        ),
    };
    let gap = if data.wide { 3 } else { 2 };
    // The way to all keys is always shown: it comes last and its room is kept.
    let (last, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, _)| *key == "?");
    let need = |(key, what): &(&str, &str)| canvas::columns(key) + 1 + canvas::columns(what);
    let kept: u16 = last.iter().map(|pair| need(pair) + gap).sum();
    let mut x = 1;
    for pair in pairs
        .iter()
        .scan(1, |end, pair| {
            *end += need(pair) + gap;
            (*end + kept <= width + gap).then_some(pair)
        })
        .chain(&last)
    {
        x += c.text(x, y, width.saturating_sub(x), pair.0, Tone::Accent) + 1;
        x += c.text(x, y, width.saturating_sub(x), pair.1, Tone::Dim) + gap;
    }
}
