//! What lies over the screen: help, pause menu, mode picker, action menu, the first steps of a demo.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use super::app::{App, Overlay};
use super::canvas::{Canvas, Line, columns};
use super::command_line::{self, COMMANDS};
use super::digest::Digest;
use super::input::Request;
use super::keymap::{self, Section};
use super::lists::Data;
use super::place::Kind;
use super::theme::Tone;
use super::widgets::{self, Frame};
use crate::gate::Mode;
use crate::gate::command::Scope;
use crate::ledger::View;

/// Keys while an overlay is open.
pub fn key(app: &mut App, key: KeyEvent, view: &View, digest: &Digest) -> Vec<Request> {
    let (up, down) = (
        matches!(key.code, KeyCode::Up | KeyCode::Char('k')),
        matches!(key.code, KeyCode::Down | KeyCode::Char('j')),
    );
    match app.overlay.clone() {
        Overlay::None => {}
        Overlay::Help { scroll } => match key.code {
            KeyCode::PageDown | KeyCode::Char(' ') => app.overlay = Overlay::Help { scroll: scroll + 18 },
            KeyCode::PageUp => {
                app.overlay = Overlay::Help {
                    scroll: scroll.saturating_sub(18),
                }
            }
            _ if down => app.overlay = Overlay::Help { scroll: scroll + 1 },
            _ if up => {
                app.overlay = Overlay::Help {
                    scroll: scroll.saturating_sub(1),
                }
            }
            KeyCode::Esc | KeyCode::Char('?' | 'q') => app.overlay = Overlay::None,
            _ => {}
        },
        Overlay::Pause { mut minutes } => {
            let scope = match key.code {
                KeyCode::Char(c) if c.is_ascii_digit() && minutes.len() < 4 => {
                    minutes.push(c);
                    app.overlay = Overlay::Pause { minutes };
                    return Vec::new();
                }
                KeyCode::Char('p') => Some(Scope::Provisioning),
                KeyCode::Char('d') => Some(Scope::Disruption),
                KeyCode::Char('a') => Some(Scope::Everything),
                KeyCode::Char('o') => app.pool(view, digest).map(Scope::Pool),
                _ => None,
            };
            app.overlay = Overlay::None;
            if let Some(scope) = scope {
                return vec![app.pause(view, scope, minutes.parse().ok().filter(|m| *m > 0))];
            }
            if key.code == KeyCode::Char('o') {
                app.say("no pool under the cursor", Tone::Warn);
            }
        }
        Overlay::Mode { cursor } => match key.code {
            _ if down => {
                app.overlay = Overlay::Mode {
                    cursor: (cursor + 1).min(3),
                }
            }
            _ if up => {
                app.overlay = Overlay::Mode {
                    cursor: cursor.saturating_sub(1),
                }
            }
            KeyCode::Enter | KeyCode::Char('o' | 'a' | 's' | 'u') => {
                let mode = match key.code {
                    KeyCode::Char('o') => Some(Mode::Observe),
                    KeyCode::Char('a') => Some(Mode::Ask),
                    KeyCode::Char('s') => Some(Mode::Supervise),
                    KeyCode::Char('u') => Some(Mode::Auto),
                    _ => Mode::ALL.get(cursor).copied(),
                };
                app.overlay = Overlay::None;
                if let Some(mode) = mode {
                    return command_line::set_mode(app, mode, view);
                }
            }
            _ => app.overlay = Overlay::None,
        },
        Overlay::Actions { cursor } => {
            let all = actions(app, view.host.demo);
            match key.code {
                _ if down => {
                    app.overlay = Overlay::Actions {
                        cursor: (cursor + 1).min(all.len().saturating_sub(1)),
                    }
                }
                _ if up => {
                    app.overlay = Overlay::Actions {
                        cursor: cursor.saturating_sub(1),
                    }
                }
                KeyCode::Enter => {
                    app.overlay = Overlay::None;
                    if let Some(b) = all.get(cursor) {
                        return app.act(b.action, view, digest);
                    }
                }
                _ => app.overlay = Overlay::None,
            }
        }
    }
    Vec::new()
}

/// What may be done with the row: the bindings of this place.
fn actions(app: &App, demo: bool) -> Vec<&'static keymap::Binding> {
    let mut out: Vec<&'static keymap::Binding> = Vec::new();
    for b in keymap::bindings() {
        let here = matches!(b.section, Section::View | Section::World)
            && !b.help.is_empty()
            && keymap::holds(b, app.screen.kind(), app.pane(), demo);
        if here && !out.iter().any(|o| o.action == b.action) {
            out.push(b);
        }
    }
    out
}

/// Hints that replace those of the screen.
pub fn hints(app: &App) -> Option<Vec<(&'static str, &'static str)>> {
    match app.overlay {
        Overlay::None => None,
        Overlay::Help { .. } => Some(vec![("Esc", "close"), ("↑ ↓", "scroll"), ("PgDn", "more")]),
        Overlay::Pause { .. } => Some(vec![
            ("p d a o", "pause or resume"),
            ("0-9", "minutes"),
            ("Esc", "close"),
        ]),
        Overlay::Mode { .. } | Overlay::Actions { .. } => {
            Some(vec![("↑ ↓", "choose"), ("Enter", "take"), ("Esc", "close")])
        }
    }
}

pub fn draw(c: &mut Canvas<'_>, data: &Data<'_>, app: &App) {
    let demo = data.view.host.demo;
    match &app.overlay {
        Overlay::None => welcome(c, data, app),
        Overlay::Help { scroll } => help(c, data, app, *scroll),
        Overlay::Pause { minutes } => {
            let p = &data.view.pauses;
            let row = |key: &str, what: &str, on: bool| -> Line {
                vec![
                    (format!("{key}  "), Tone::Accent),
                    (
                        format!("{} {what}", if on { "resume" } else { "pause " }),
                        Tone::Plain,
                    ),
                    (if on { "   PAUSED" } else { "" }.to_owned(), Tone::Warn),
                ]
            };
            let time = if minutes.is_empty() {
                "until resumed".to_owned()
            } else {
                format!("for {minutes} minutes")
            };
            let lines = vec![
                row("p", "provisioning", p.provisioning.is_some()),
                row("d", "disruption", p.disruption.is_some()),
                row("a", "everything", p.everything.is_some()),
                row("o", "the pool of this row", false),
                Vec::new(),
                vec![(format!("{time}; type digits for minutes"), Tone::Dim)],
                vec![(
                    "What was begun is completed; only \"everything\" stops that.".to_owned(),
                    Tone::Dim,
                )],
            ];
            menu(c, "Pause the autoscaler", &lines, None);
        }
        Overlay::Mode { cursor } => {
            let row = |key: &str, mode: Mode, what: &str| -> Line {
                let now = if mode == data.view.policies.mode {
                    "  (now)"
                } else {
                    ""
                };
                vec![
                    (format!("{key}  "), Tone::Accent),
                    (format!("{:<10}", mode.as_str()), Tone::Strong),
                    (format!("{what}{now}"), Tone::Plain),
                ]
            };
            let lines = vec![
                row("o", Mode::Observe, "nothing is changed"),
                row("a", Mode::Ask, "all waits for you"),
                row("s", Mode::Supervise, "provisioning runs, disruption waits"),
                row("u", Mode::Auto, "all runs within the ceilings"),
            ];
            menu(c, "Mode", &lines, Some(*cursor));
        }
        Overlay::Actions { cursor } => {
            let lines: Vec<Line> = actions(app, demo)
                .iter()
                .map(|b| {
                    vec![
                        (format!("{:<7}", b.show), Tone::Accent),
                        (b.help.to_owned(), Tone::Plain),
                    ]
                })
                .collect();
            menu(c, "Actions", &lines, Some(*cursor));
        }
    }
}

fn line_width(line: &Line) -> u16 {
    line.iter()
        .map(|(text, _)| columns(text))
        .fold(0, u16::saturating_add)
}

/// A box in the middle.
fn menu(c: &mut Canvas<'_>, title: &str, lines: &[Line], cursor: Option<usize>) {
    let screen = c.area();
    let width = (lines.iter().map(line_width).max().unwrap_or(0) + 6)
        .max(columns(title) + 8)
        .min(screen.width);
    let height = (u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2)).min(screen.height);
    let area = Rect::new(
        (screen.width - width) / 2,
        (screen.height - height) / 2,
        width,
        height,
    );
    c.clear(area);
    let inner = widgets::inner(area, true);
    for (i, (line, y)) in lines.iter().zip(inner.y..inner.bottom()).enumerate() {
        c.line(inner.x + 2, y, inner.width.saturating_sub(3), line);
        if cursor == Some(i) {
            let style = c.theme.cursor();
            c.tint(
                Rect {
                    y,
                    height: 1,
                    ..inner
                },
                style,
            );
            c.text(inner.x, y, 1, "▌", Tone::Focus);
        }
    }
    widgets::frame(
        c,
        area,
        &Frame {
            title: title.to_owned(),
            focused: true,
            boxed: true,
            ..Frame::default()
        },
    );
}

/// Something to do with kubectl that the autoscaler will answer: more of what most pods belong to.
pub fn idea(data: &Data<'_>) -> Option<String> {
    if !data.view.host.demo {
        return None;
    }
    let mut sizes: std::collections::BTreeMap<(&str, &str), usize> = std::collections::BTreeMap::new();
    for pod in data.view.snapshot.pods.values() {
        if let Some(owner) = pod.owners.first().filter(|o| &*o.kind == "ReplicaSet")
            && let Some((deployment, _)) = owner.name.rsplit_once('-')
        {
            *sizes.entry((&*pod.namespace, deployment)).or_default() += 1;
        }
    }
    let ((namespace, name), n) = sizes.into_iter().max_by_key(|((ns, name), n)| (*n, *ns, *name))?;
    Some(format!(
        "kubectl -n {namespace} scale deployment {name} --replicas={}",
        n * 2
    ))
}

/// First steps, while a demo has nothing to show.
fn welcome(c: &mut Canvas<'_>, data: &Data<'_>, app: &App) {
    let host = &data.view.host;
    let empty = data.digest.nodes.is_empty() && data.view.snapshot.pods.is_empty();
    if !host.demo || !empty || app.welcomed || app.screen.kind() != Kind::Overview || app.prompt.is_some() {
        return;
    }
    let Some(path) = &host.kubeconfig else { return };
    let accent = |text: String| -> Line { vec![("  ".to_owned(), Tone::Plain), (text, Tone::Accent)] };
    let plain = |text: &str| -> Line { vec![(text.to_owned(), Tone::Plain)] };
    let lines = vec![
        plain("An embedded cluster, still empty. No AWS account is touched."),
        plain("In another terminal:"),
        Vec::new(),
        accent(format!("export KUBECONFIG={path}")),
        accent("kubectl create deployment web --image=nginx --replicas=20".to_owned()),
        accent("kubectl set resources deployment web --requests=cpu=500m,memory=1Gi".to_owned()),
        Vec::new(),
        plain("Then watch pods wait, nodes come, and review what kerf wants to remove."),
        vec![(
            "? keys   M mode   < > speed   Esc closes this".to_owned(),
            Tone::Dim,
        )],
    ];
    menu(c, "First steps", &lines, None);
}

fn help_lines(data: &Data<'_>, app: &App, width: u16) -> Vec<Line> {
    let demo = data.view.host.demo;
    let section = |section: Section, title: &str| -> Vec<Line> {
        let mut out: Vec<Line> = vec![vec![(title.to_owned(), Tone::Strong)]];
        let mut seen = Vec::new();
        for b in keymap::bindings().filter(|b| !b.help.is_empty()) {
            let here = b.section == section && keymap::holds(b, app.screen.kind(), app.pane(), demo);
            if here && !seen.contains(&b.action) {
                seen.push(b.action);
                out.push(vec![
                    (format!("{:<12}", b.show), Tone::Accent),
                    (b.help.to_owned(), Tone::Plain),
                ]);
            }
        }
        out.push(Vec::new());
        out
    };
    let mut left = section(Section::View, "This view");
    left.extend(section(Section::Supervise, "Supervise"));
    if demo {
        left.extend(section(Section::World, "The embedded world"));
    }
    left.extend(section(Section::Picture, "Picture only (changes nothing)"));
    let mut right = section(Section::Views, "Views");
    right.extend(section(Section::Move, "Move"));
    let mut rest: Vec<Line> = vec![vec![("Filter language".to_owned(), Tone::Strong)]];
    for (term, what) in [
        ("text", "rows with it in any column"),
        ("!text", "rows without it"),
        ("-l app=web", "by label"),
        ("pool=batch", "also type= zone= state= kind= ns="),
        ("cpu>80", "also mem> price<0.2 age<2h"),
    ] {
        rest.push(vec![
            (format!("{term:<12}"), Tone::Accent),
            (what.to_owned(), Tone::Plain),
        ]);
    }
    rest.push(Vec::new());
    rest.push(vec![("Commands (Tab completes)".to_owned(), Tone::Strong)]);
    for (name, args) in COMMANDS {
        rest.push(vec![
            (format!(":{name} "), Tone::Accent),
            ((*args).to_owned(), Tone::Dim),
        ]);
    }
    // Commands and filters are long: in a narrow window they follow below, in its whole width.
    let mut out = if width >= 130 {
        beside(&[left, right, rest], width)
    } else {
        let mut out = beside(&[left, right], width);
        out.extend(rest);
        out
    };
    out.push(Vec::new());
    for text in [
        "Signs   ✓ ok   ✗ failing check   ! interruption   ◆ drift   ▲ launch   ▼ removal   C1 candidate of a waiting decision",
        "Bars    requests / allocatable, not usage. Green from 80 %, yellow from 50 %, red below: an empty node costs money.",
        "Modes   observe nothing is changed   ask all waits   supervise provisioning runs, disruption waits   auto within ceilings",
    ] {
        out.push(vec![(text.to_owned(), Tone::Plain)]);
    }
    let view = data.view;
    let source = if demo {
        "no cluster, no AWS account is touched"
    } else {
        "a real cluster"
    };
    out.push(vec![(
        format!(
            "Now     mode {}, source {}: {source}",
            view.policies.mode.as_str(),
            view.source
        ),
        Tone::Plain,
    )]);
    if let Some(path) = &view.host.kubeconfig {
        out.push(vec![(format!("kubectl export KUBECONFIG={path}"), Tone::Plain)]);
    }
    out
}

/// Groups of lines in columns beside each other.
fn beside(groups: &[Vec<Line>], width: u16) -> Vec<Line> {
    let each = usize::from(width) / groups.len().max(1);
    let height = groups.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|i| {
            let mut line = Line::new();
            for group in groups {
                let mut used = 0;
                for (text, tone) in group.get(i).into_iter().flatten() {
                    let cut = crate::words::fit(text, each.saturating_sub(used + 1)).into_owned();
                    used += crate::words::width(&cut);
                    line.push((cut, *tone));
                }
                line.push((" ".repeat(each.saturating_sub(used)), Tone::Plain));
            }
            line
        })
        .collect()
}

fn help(c: &mut Canvas<'_>, data: &Data<'_>, app: &App, scroll: usize) {
    let screen = c.area();
    let (mx, my) = if data.wide { (4, 2) } else { (0, 0) };
    let area = Rect::new(
        mx,
        my,
        screen.width - 2 * mx,
        screen.height.saturating_sub(my + 1),
    );
    c.clear(area);
    let inner = widgets::inner(area, true);
    let lines = help_lines(data, app, inner.width.saturating_sub(2));
    let room = usize::from(inner.height);
    let first = scroll.min(lines.len().saturating_sub(room));
    for (line, y) in lines.iter().skip(first).take(room).zip(inner.y..) {
        c.line(inner.x + 1, y, inner.width.saturating_sub(2), line);
    }
    let last = (first + room).min(lines.len());
    let f = Frame {
        title: format!("Help — {}", app.screen.title()),
        note: format!("{}-{last}/{}", first + 1, lines.len()),
        foot: "↑ ↓ scroll  Esc close".to_owned(),
        focused: true,
        boxed: true,
        ..Frame::default()
    };
    widgets::frame(c, area, &f);
}
