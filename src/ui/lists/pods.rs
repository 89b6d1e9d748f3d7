//! Pods: pending ones, all of them, those of a node; and the places that were tried for one.

use super::{Data, List, seconds, whole};
use crate::model::{Labels, Name, Phase, Pod};
use crate::ui::digest::{PendingRow, Place};
use crate::ui::filter::Value;
use crate::ui::place::Screen;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

pub struct Pending<'a> {
    pub data: &'a Data<'a>,
}

impl Pending<'_> {
    fn row(&self, i: usize) -> Option<&PendingRow> {
        self.data.digest.pending.get(i)
    }
}

fn tone(place: &Place) -> Tone {
    match place {
        Place::Refused(_) => Tone::Bad,
        Place::Review(_) | Place::Paused => Tone::Warn,
        Place::Claim(..) | Place::Room(_) => Tone::Good,
        Place::Planned(_) => Tone::Accent,
        Place::Waiting => Tone::Dim,
    }
}

pub(super) fn or_dash(text: &str) -> String {
    if text.is_empty() {
        "—".to_owned()
    } else {
        text.to_owned()
    }
}

impl List for Pending<'_> {
    fn len(&self) -> usize {
        self.data.digest.pending.len()
    }
    fn id(&self, i: usize) -> Name {
        self.row(i).map_or_else(|| "".into(), |r| r.key.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("POD", "pod", 20).middle().grows(),
            Column::right("CPU", "cpu", 6).rank(2),
            Column::right("MEM", "mem", 6).rank(3),
            Column::left("POOL", "pool", 8).rank(4),
            Column::right("WAIT", "wait", 5),
            Column::left("STATE", "state", 22).grows(),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(r) = self.row(i) else { return Vec::new() };
        vec![
            Cell::plain(&*r.key),
            Cell::plain(words::cpu(r.cpu)),
            Cell::plain(words::memory(r.memory)),
            Cell::plain(or_dash(&r.pool)),
            Cell::plain(words::clock(self.data.since(r.since))),
            Cell::Text(r.place.text(self.data.now), tone(&r.place)),
        ]
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let r = self.row(i)?;
        match name {
            "cpu" => Some(whole(r.cpu)),
            "mem" => Some(whole(r.memory >> 20)),
            "wait" | "age" => Some(seconds(self.data.since(r.since))),
            _ => None,
        }
    }
    fn labels(&self, i: usize) -> Option<&Labels> {
        self.data
            .view
            .snapshot
            .pods
            .get(&self.row(i)?.key)
            .map(|p| &*p.labels)
    }
    fn empty(&self) -> String {
        "no pod waits".to_owned()
    }
}

/// Rows of the pod table: pending first, then by name.
pub struct Pods<'a> {
    data: &'a Data<'a>,
    rows: Vec<&'a Pod>,
    on_node: bool,
}

/// Pods of one node, or all: pending ones first.
pub fn pod_rows<'a>(data: &'a Data<'a>, node: Option<&str>) -> Vec<&'a Pod> {
    let pods = data.view.snapshot.pods.values().map(|p| &**p);
    if let Some(node) = node {
        return pods
            .filter(|p| p.node.as_deref() == Some(node) && !p.is_terminal())
            .collect();
    }
    let (mut first, rest): (Vec<&Pod>, Vec<&Pod>) = pods.partition(|p| p.node.is_none() && p.is_active());
    first.extend(rest);
    first
}

impl<'a> Pods<'a> {
    pub fn all(data: &'a Data<'a>) -> Self {
        Self {
            data,
            rows: pod_rows(data, None),
            on_node: false,
        }
    }

    pub fn of_node(data: &'a Data<'a>) -> Self {
        let rows = match data.screen {
            Screen::Node(name) => pod_rows(data, Some(name)),
            _ => Vec::new(),
        };
        Self {
            data,
            rows,
            on_node: true,
        }
    }

    fn state(&self, p: &Pod) -> (String, Tone) {
        if p.deleting.is_some() {
            return ("Terminating".to_owned(), Tone::Warn);
        }
        match p.phase {
            Phase::Pending if p.node.is_none() => {
                let key = p.key();
                let row = self.data.digest.pending.iter().find(|r| r.key == key);
                row.map_or_else(
                    || ("Pending".to_owned(), Tone::Warn),
                    |r| (r.place.text(self.data.now), tone(&r.place)),
                )
            }
            Phase::Pending => ("Starting".to_owned(), Tone::Warn),
            Phase::Running if p.ready => ("Running".to_owned(), Tone::Good),
            Phase::Running => ("Running, not ready".to_owned(), Tone::Warn),
            Phase::Succeeded => ("Succeeded".to_owned(), Tone::Dim),
            Phase::Failed => ("Failed".to_owned(), Tone::Bad),
            Phase::Unknown => ("Unknown".to_owned(), Tone::Warn),
        }
    }
}

impl List for Pods<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows.get(i).map_or_else(|| "".into(), |p| p.key())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("POD", "pod", 30).middle().grows(),
            Column::right("CPU", "cpu", 6),
            Column::right("MEM", "mem", 7),
            Column::left("NODE", "node", 24).rank(3),
            Column::left("OWNER", "owner", 22).rank(5),
            Column::right("PRIO", "priority", 10).rank(6),
            Column::left("NOTE", "note", 14).rank(4),
            Column::left("STATE", "state", 26).rank(1),
            Column::right("AGE", "age", 5),
        ];
        const ON_NODE: &[Column] = &[
            Column::left("POD", "pod", 30).middle().grows(),
            Column::right("CPU", "cpu", 6),
            Column::right("MEM", "mem", 7),
            Column::left("OWNER", "owner", 28).rank(5),
            Column::right("PRIO", "priority", 10).rank(6),
            Column::left("NOTE", "note", 16).rank(4),
            Column::left("STATE", "state", 20).rank(1),
            Column::right("AGE", "age", 5),
        ];
        if self.on_node { ON_NODE } else { ALL }
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(p) = self.rows.get(i) else {
            return Vec::new();
        };
        let (state, tone) = self.state(p);
        let owner = p
            .owners
            .first()
            .map_or_else(String::new, |o| format!("{} {}", o.kind, o.name));
        let note = if p.do_not_disrupt.is_some() {
            "do-not-disrupt"
        } else {
            ""
        };
        let mut cells = vec![
            Cell::plain(&*p.key()),
            Cell::plain(words::cpu(p.spec.requests.cpu)),
            Cell::plain(words::memory(p.spec.requests.memory)),
        ];
        if !self.on_node {
            cells.push(Cell::plain(
                p.node
                    .as_deref()
                    .map_or_else(|| "—".to_owned(), |n| words::node(n).to_owned()),
            ));
        }
        cells.extend([
            Cell::dim(owner),
            Cell::dim(if p.spec.priority == 0 {
                String::new()
            } else {
                p.spec.priority.to_string()
            }),
            Cell::Text(note.to_owned(), Tone::Warn),
            Cell::Text(state, tone),
            Cell::plain(words::age(self.data.since(p.created))),
        ]);
        cells
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let p = self.rows.get(i)?;
        match name {
            "cpu" => Some(whole(p.spec.requests.cpu)),
            "mem" => Some(whole(p.spec.requests.memory >> 20)),
            "priority" => Some(whole(p.spec.priority.into())),
            "ns" | "namespace" => Some(Value::Text(p.namespace.to_string())),
            "age" => Some(seconds(self.data.since(p.created))),
            "pool" => {
                let node = self.data.view.snapshot.nodes.get(p.node.as_ref()?)?;
                Some(Value::Text(node.pool().to_owned()))
            }
            _ => None,
        }
    }
    fn labels(&self, i: usize) -> Option<&Labels> {
        self.rows.get(i).map(|p| &*p.labels)
    }
    fn order(&self) -> &'static str {
        if self.on_node {
            "by name"
        } else {
            "pending first, then by name"
        }
    }
    fn empty(&self) -> String {
        "no pods".to_owned()
    }
}
