//! The line behind `:`.

use super::app::{App, Prompt};
use super::digest::Digest;
use super::input::Request;
use super::lists;
use super::place::Screen;
use super::theme::{Palette, Tone};
use crate::engine::Query;
use crate::gate::command::{Scope, WorldEvent};
use crate::gate::{Command, Guard, Mode, Policy, Rule};
use crate::ledger::View;
use crate::model::Name;
use crate::model::decision::{DecisionId, Kind};

/// Every command with its arguments, for completion and help.
pub const COMMANDS: &[(&str, &str)] = &[
    ("overview", ""),
    ("pods", "[filter]"),
    ("nodes", "[filter]"),
    ("pools", ""),
    ("types", "[filter]"),
    ("decisions", "[filter]"),
    ("decision", "N"),
    ("review", ""),
    ("timeline", ""),
    ("log", "[filter]"),
    ("why", "POD|NODE"),
    ("pause", "[provisioning|disruption|pool NAME] [30m]"),
    ("resume", "[provisioning|disruption|pool NAME]"),
    ("release", "runaway|spend|nodes|flap|fail-static"),
    ("mode", "observe|ask|supervise|auto"),
    ("policy", "KIND auto|ask|off"),
    ("consolidate", "[POOL|NODE] [force]"),
    ("approve", "N"),
    ("reject", "N [reason]"),
    ("undo", "N"),
    ("cordon", "NODE"),
    ("uncordon", "NODE"),
    ("drain", "NODE"),
    ("record", "[FILE]"),
    ("speed", "N|max"),
    ("burst", "[PODS]"),
    ("interrupt", "NODE"),
    ("ice", "TYPE [5m]"),
    ("snapshot", "text|svg|json FILE"),
    ("export", "decisions|events|operator FILE"),
    ("theme", "dark|light|mono"),
    ("help", ""),
    ("q", ""),
];

/// Completes the first word as far as it is certain.
pub fn complete(typed: &mut String) {
    if typed.contains(' ') {
        return;
    }
    let mut found = COMMANDS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| name.starts_with(typed.as_str()));
    if let Some(first) = found.next() {
        let common = found.fold(first.to_owned(), |a, b| {
            a.chars()
                .zip(b.chars())
                .take_while(|(x, y)| x == y)
                .map(|(x, _)| x)
                .collect()
        });
        let whole = COMMANDS
            .iter()
            .any(|(name, args)| *name == common && !args.is_empty());
        *typed = if whole { format!("{common} ") } else { common };
    }
}

/// Carries a typed line out. What is wrong with it becomes the message.
pub fn run(app: &mut App, line: &str, view: &View, digest: &Digest) -> Vec<Request> {
    let line = line.trim();
    let (word, rest) = line.split_once(' ').map_or((line, ""), |(a, b)| (a, b.trim()));
    if word.is_empty() {
        return Vec::new();
    }
    if let Some(screen) = Screen::parse(word) {
        app.go(screen);
        rest.clone_into(&mut app.lists.entry(app.pane()).or_default().filter);
        return Vec::new();
    }
    match command(app, word, rest, view, digest) {
        Ok(requests) => requests,
        Err(text) => {
            app.say(text, Tone::Bad);
            Vec::new()
        }
    }
}

fn usage(word: &str) -> String {
    match COMMANDS.iter().find(|(name, _)| *name == word) {
        Some((name, args)) => format!("usage: :{name} {args}"),
        None => format!("no command {word}; ? lists them"),
    }
}

fn number(text: &str) -> Option<DecisionId> {
    text.trim_start_matches('#').parse().ok().map(DecisionId)
}

/// `30m`, `30`, `2h` in minutes.
fn minutes(text: &str) -> Option<u32> {
    if let Some(hours) = text.strip_suffix('h') {
        return hours.parse::<u32>().ok()?.checked_mul(60);
    }
    text.strip_suffix('m').unwrap_or(text).parse().ok()
}

fn scope(args: &[&str]) -> Option<Scope> {
    match args {
        [] | ["all" | "everything"] => Some(Scope::Everything),
        ["provisioning"] => Some(Scope::Provisioning),
        ["disruption"] => Some(Scope::Disruption),
        ["pool", name] => Some(Scope::Pool((*name).into())),
        _ => None,
    }
}

fn command(
    app: &mut App,
    word: &str,
    rest: &str,
    view: &View,
    digest: &Digest,
) -> Result<Vec<Request>, String> {
    let args: Vec<&str> = rest.split_whitespace().collect();
    let send = |app: &mut App, c: Command| {
        app.say(lists::spoken(&c), Tone::Accent);
        Ok(vec![Request::Send(c)])
    };
    match (word, args.as_slice()) {
        ("q" | "quit", []) => Ok(vec![Request::Quit]),
        ("help" | "keys", []) => {
            app.overlay = super::app::Overlay::Help { scroll: 0 };
            Ok(Vec::new())
        }
        ("decision", [n]) => {
            let id = number(n)
                .filter(|id| view.decisions.contains_key(id))
                .ok_or(format!("no decision {n}"))?;
            app.go(Screen::Decision(id));
            Ok(Vec::new())
        }
        ("why", [name]) => why(app, name, view, digest),
        ("pause", args) => {
            let (head, time) = match args.split_last() {
                Some((last, head)) if minutes(last).is_some() => (head, minutes(last)),
                _ => (args, None),
            };
            let scope = scope(head).ok_or_else(|| usage(word))?;
            send(app, Command::Pause { scope, minutes: time })
        }
        ("resume", args) => {
            let scope = scope(args).ok_or_else(|| usage(word))?;
            send(app, Command::Resume { scope })
        }
        ("release", [name]) => {
            let guard = Guard::parse(name).ok_or_else(|| usage(word))?;
            if !view.alarms.contains_key(&*format!("guard {name}")) {
                return Err(format!("guard {name} has not tripped"));
            }
            send(app, Command::Release { guard })
        }
        ("mode", [name]) => {
            let mode = Mode::parse(name).ok_or_else(|| usage(word))?;
            Ok(set_mode(app, mode, view))
        }
        ("policy", [kind, rule]) => {
            let kind = Kind::parse(kind).ok_or_else(|| usage(word))?;
            let rule = match *rule {
                "auto" => Rule::Auto,
                "ask" => Rule::Ask,
                "off" => Rule::Off,
                _ => return Err(usage(word)),
            };
            let c = Command::SetPolicy {
                kind,
                policy: Policy::plain(rule),
            };
            if rule == Rule::Auto && !view.host.demo {
                app.prompt = Some(Prompt::Confirm {
                    question: format!("{}?", lists::spoken(&c)),
                    command: c,
                });
                return Ok(Vec::new());
            }
            send(app, c)
        }
        ("consolidate", args) => {
            let force = args.contains(&"force");
            let names: Vec<&&str> = args.iter().filter(|a| **a != "force").collect();
            let scope = match names.as_slice() {
                [] => Scope::Everything,
                [name] if view.snapshot.pools.contains_key(**name) => Scope::Pool((**name).into()),
                [name] => Scope::Node(node(digest, name).ok_or(format!("no NodePool or node {name}"))?),
                _ => return Err(usage(word)),
            };
            send(
                app,
                Command::Consolidate {
                    scope,
                    ignore_budgets: force,
                },
            )
        }
        ("approve", [n]) => {
            let row = number(n)
                .and_then(|id| view.decisions.get(&id))
                .ok_or(format!("no decision {n}"))?;
            app.approved = Some(row.decision.id);
            send(
                app,
                Command::Approve {
                    id: row.decision.id,
                    hash: row.decision.hash,
                },
            )
        }
        ("reject", [n, reason @ ..]) => {
            let id = number(n).ok_or_else(|| usage(word))?;
            send(
                app,
                Command::Reject {
                    id,
                    reason: reason.join(" "),
                },
            )
        }
        ("undo", [n]) => send(
            app,
            Command::Undo {
                id: number(n).ok_or_else(|| usage(word))?,
            },
        ),
        ("cordon" | "uncordon" | "drain" | "interrupt", [name]) => {
            let node = node(digest, name).ok_or(format!("no node {name}"))?;
            match word {
                "drain" => {
                    let question = format!("drain {}?", crate::words::node(&node));
                    let command = Command::Drain { node };
                    app.prompt = Some(Prompt::Confirm { question, command });
                    Ok(Vec::new())
                }
                "interrupt" => send(
                    app,
                    Command::World {
                        event: WorldEvent::Interrupt { node },
                    },
                ),
                _ => send(
                    app,
                    Command::Cordon {
                        node,
                        on: word == "cordon",
                    },
                ),
            }
        }
        ("record", []) => Ok(app.record(view)),
        ("record", [file]) => send(
            app,
            Command::Record {
                file: Some((*file).to_owned()),
            },
        ),
        ("burst", []) => Ok(app.burst()),
        ("burst", [n]) => {
            let pods = n.parse().ok().filter(|n| (1..=5_000).contains(n));
            let event = WorldEvent::Burst {
                pods: pods.ok_or("a burst has 1 to 5000 pods")?,
            };
            send(app, Command::World { event })
        }
        ("ice", [kind]) => ice(app, kind, 5, view),
        ("ice", [kind, time]) => ice(app, kind, minutes(time).ok_or_else(|| usage(word))?, view),
        ("export", [what @ ("decisions" | "events" | "operator"), file]) => Ok(vec![Request::Export {
            what: (*what).to_owned(),
            file: (*file).to_owned(),
        }]),
        ("speed", ["max"]) => send(app, Command::Speed { times: 0 }),
        ("speed", [n]) => {
            let times = n.trim_start_matches('x').parse().map_err(|_| usage(word))?;
            send(app, Command::Speed { times })
        }
        ("snapshot", [format @ ("text" | "svg" | "json"), file]) => Ok(vec![Request::Snapshot {
            format: (*format).to_owned(),
            file: (*file).to_owned(),
        }]),
        ("theme", [name]) => {
            app.theme.palette = Palette::parse(name).ok_or_else(|| usage(word))?;
            Ok(Vec::new())
        }
        _ => Err(usage(word)),
    }
}

/// No capacity of a type that the catalogue knows.
fn ice(app: &mut App, kind: &str, minutes: u32, view: &View) -> Result<Vec<Request>, String> {
    let known = view
        .snapshot
        .catalogues
        .values()
        .any(|c| c.types().iter().any(|t| &*t.name == kind));
    if !known {
        return Err(format!("no instance type {kind}"));
    }
    let event = WorldEvent::NoCapacity {
        instance_type: kind.into(),
        minutes,
    };
    let command = Command::World { event };
    app.say(lists::spoken(&command), Tone::Accent);
    Ok(vec![Request::Send(command)])
}

/// Sets the mode; `auto` on a real cluster is asked for.
pub fn set_mode(app: &mut App, mode: Mode, view: &View) -> Vec<Request> {
    let c = Command::SetMode { mode };
    if mode == Mode::Auto && !view.host.demo {
        let question = format!(
            "mode auto: kerf will add and remove nodes of {} without asking?",
            view.source
        );
        app.prompt = Some(Prompt::Confirm { question, command: c });
        return Vec::new();
    }
    app.say(lists::spoken(&c), Tone::Accent);
    vec![Request::Send(c)]
}

fn node(digest: &Digest, name: &str) -> Option<Name> {
    digest
        .nodes
        .iter()
        .map(|n| &n.name)
        .find(|n| &***n == name || crate::words::node(n) == name)
        .cloned()
}

fn why(app: &mut App, name: &str, view: &View, digest: &Digest) -> Result<Vec<Request>, String> {
    if view.snapshot.pods.contains_key(name) {
        return Ok(app.open_pod(view, name.into()));
    }
    if let Some(pod) = view.snapshot.pods.values().find(|p| &*p.name == name) {
        return Ok(app.open_pod(view, pod.key()));
    }
    let node = node(digest, name).ok_or(format!("no pod or node {name}"))?;
    app.go(Screen::Node(node.clone()));
    Ok(vec![Request::Ask(Query::WhyNotRemoved { node })])
}
