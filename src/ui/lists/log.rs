//! The event log, newest first.

use super::{Data, List, seconds};
use crate::gate::command::{Command, Scope, Spoken, WorldEvent};
use crate::ledger::{Body, Entry};
use crate::model::Name;
use crate::model::decision::{Effect, EffectResult, State};
use crate::ui::filter::Value;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

pub struct Log<'a> {
    data: &'a Data<'a>,
    rows: Vec<&'a Entry>,
}

impl<'a> Log<'a> {
    pub fn new(data: &'a Data<'a>) -> Self {
        let rows = data.view.log.iter().rev().map(|e| &**e);
        Self {
            data,
            rows: rows.filter(|e| !said_twice(e)).collect(),
        }
    }

    fn entry(&self, i: usize) -> Option<&Entry> {
        self.rows.get(i).copied()
    }
}

/// Karpenter's disruption events come once for the Node and once for its NodeClaim; one line is enough.
fn said_twice(e: &Entry) -> bool {
    matches!(&e.body, Body::Acted { effect: Effect::Event { kind, reason, .. }, .. }
        if kind.as_str() == "NodeClaim"
            && matches!(&**reason, "DisruptionBlocked" | "Unconsolidatable" | "ConsolidationCandidate"))
}

fn scope(s: &Scope) -> String {
    match s {
        Scope::Everything => "everything".to_owned(),
        Scope::Provisioning => "provisioning".to_owned(),
        Scope::Disruption => "disruption".to_owned(),
        Scope::Pool(name) => format!("pool {name}"),
        Scope::Node(name) => format!("node {}", words::node(name)),
    }
}

/// A command in words: `approve #141`.
pub fn spoken(c: &Command) -> String {
    match c {
        Command::Approve { id, .. } => format!("approve {id}"),
        Command::Reject { id, reason } if reason.is_empty() => format!("reject {id}"),
        Command::Reject { id, reason } => format!("reject {id}: {reason}"),
        Command::Undo { id } => format!("undo {id}"),
        Command::Pause {
            scope: s,
            minutes: None,
        } => format!("pause {}", scope(s)),
        Command::Pause {
            scope: s,
            minutes: Some(m),
        } => format!("pause {} for {m}m", scope(s)),
        Command::Resume { scope: s } => format!("resume {}", scope(s)),
        Command::Release { guard } => format!("release guard {}", guard.as_str()),
        Command::SetMode { mode } => format!("mode {}", mode.as_str()),
        Command::SetPolicy { kind, policy } => {
            format!("policy {}: {:?}", kind.as_str(), policy.rule).to_lowercase()
        }
        Command::Consolidate {
            scope: s,
            ignore_budgets,
        } => {
            format!(
                "consolidate {}{}",
                scope(s),
                if *ignore_budgets { " past its budgets" } else { "" }
            )
        }
        Command::Cordon { node, on: true } => format!("cordon {}", words::node(node)),
        Command::Cordon { node, on: false } => format!("uncordon {}", words::node(node)),
        Command::Drain { node } => format!("drain {}", words::node(node)),
        Command::Terminate { claim } => format!("terminate NodeClaim {claim}"),
        Command::Record { file: Some(file) } => format!("record to {file}"),
        Command::Record { file: None } => "end of the recording".to_owned(),
        Command::World { event } => happens(event),
        Command::Speed { times: 0 } => "speed max".to_owned(),
        Command::Speed { times } => format!("speed {times}"),
        Command::Quit => "quit".to_owned(),
    }
}

fn happens(event: &WorldEvent) -> String {
    match event {
        WorldEvent::NoCapacity {
            instance_type,
            minutes,
        } => format!("no capacity of {instance_type} for {minutes}m"),
        WorldEvent::Interrupt { node } => format!("interrupt {}", words::node(node)),
        WorldEvent::Burst { pods } => format!("burst of {pods} pods"),
    }
}

/// An entry as one line.
pub fn line(e: &Entry) -> (String, Tone) {
    match &e.body {
        Body::Started {
            source,
            region,
            policies,
        } => (
            format!("started: {source} {region}, mode {}", policies.mode.as_str()),
            Tone::Strong,
        ),
        Body::Observed { deltas } => {
            let mut told = deltas.iter().filter_map(words::delta);
            match told.next() {
                Some(first) => {
                    let more = told.count();
                    (
                        if more == 0 {
                            first
                        } else {
                            format!("{first} and {more} more")
                        },
                        Tone::Dim,
                    )
                }
                None => (words::plural(deltas.len(), "object") + " changed", Tone::Dim),
            }
        }
        Body::Proposed { decision: d } => (
            format!("{} {}: {}", d.id, words::kind(d.kind), words::headline(d)),
            Tone::Accent,
        ),
        Body::Ruled {
            id,
            state,
            by,
            reason,
        } => {
            let word = match state {
                State::Held => "waits for review",
                other => words::state(*other),
            };
            let why = if reason.is_empty() || reason.as_str() == word {
                String::new()
            } else {
                format!(": {}", words::short(reason))
            };
            let tone = match state {
                State::Held => Tone::Warn,
                State::Failed | State::RolledBack => Tone::Bad,
                State::Done => Tone::Good,
                _ => Tone::Plain,
            };
            // Who, only where it was a person: the reason tells of the policy.
            let who = match &**by {
                "policy" | "engine" | "guard" => String::new(),
                person => format!(" by {person}"),
            };
            (format!("{id} {word}{who}{why}"), tone)
        }
        Body::Acted { effect, result, .. } => {
            let tone = match result {
                EffectResult::Failed { .. } | EffectResult::InsufficientCapacity { .. } => Tone::Bad,
                EffectResult::Retry { .. } | EffectResult::Stale { .. } => Tone::Warn,
                _ => Tone::Plain,
            };
            match result {
                EffectResult::Done => (words::effect(effect), tone),
                other => (
                    format!("{}: {}", words::effect(effect), words::outcome(other)),
                    tone,
                ),
            }
        }
        Body::Verdicts { changed } => {
            let mut told = changed
                .iter()
                .filter_map(|(node, v)| v.as_ref().map(|v| (node, v)));
            match told.next() {
                Some((node, v)) => {
                    let more = told.count();
                    let tail = if more == 0 {
                        String::new()
                    } else {
                        format!(" and {more} more nodes")
                    };
                    (
                        format!("{} {}{tail}", words::node(node), words::verdict(v)),
                        Tone::Dim,
                    )
                }
                None => (words::plural(changed.len(), "node") + " left", Tone::Dim),
            }
        }
        Body::Alarm {
            name,
            text,
            cleared: false,
        } => (format!("! {name}: {text}"), Tone::Bad),
        Body::Alarm {
            name, cleared: true, ..
        } => (format!("{name}: over"), Tone::Good),
        Body::Command {
            spoken: Spoken { who, command },
            refused,
        } => match refused {
            None => (format!("{who}: {}", spoken(command)), Tone::Strong),
            Some(why) => (
                format!("{who}: {}, refused: {}", spoken(command), words::short(why)),
                Tone::Bad,
            ),
        },
        Body::Supervision { policies, pauses } => {
            let paused = if pauses.any() { ", paused in part" } else { "" };
            (format!("mode {}{paused}", policies.mode.as_str()), Tone::Strong)
        }
        Body::Checkpoint { revision } => (format!("checkpoint at revision {revision}"), Tone::Dim),
    }
}

impl List for Log<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.entry(i)
            .map_or_else(|| "".into(), |e| e.seq.to_string().into())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("TIME", "time", 8),
            Column::left("WHAT", "what", 20).grows(),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(e) = self.entry(i) else { return Vec::new() };
        let (text, tone) = line(e);
        vec![
            Cell::dim(super::super::frame::time_of_day(e.at)),
            Cell::Text(text, tone),
        ]
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        match name {
            "age" => Some(seconds(self.data.since(self.entry(i)?.at))),
            _ => None,
        }
    }
    fn order(&self) -> &'static str {
        "newest first"
    }
    fn empty(&self) -> String {
        "nothing has happened yet".to_owned()
    }
}
