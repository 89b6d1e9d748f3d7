//! The places that were tried for a pod, one row each (screens §2).

use super::pods::or_dash;
use super::{Data, List};
use crate::engine::query::{PlaceTried, PoolTried};
use crate::model::Name;
use crate::model::decision::Refusal;
use crate::ui::app::Explained;
use crate::ui::place::Screen;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

fn check(refusal: Option<&Refusal>) -> Cell {
    match refusal {
        Some(why) => Cell::Line(vec![
            ("✗ ".to_owned(), Tone::Bad),
            (words::refusal(why), Tone::Plain),
        ]),
        None => Cell::Text("✓ fits".to_owned(), Tone::Good),
    }
}

/// Why there is no row.
fn note(data: &Data<'_>) -> String {
    let Screen::Pod(pod) = data.screen else {
        return String::new();
    };
    let row = data.view.snapshot.pods.get(pod);
    match data.explained {
        _ if row.is_none() => "this pod is gone".to_owned(),
        _ if row.is_some_and(|p| p.node.is_some()) => "it has a node: nothing keeps it waiting".to_owned(),
        Explained::Asked(asked) if asked == pod => "being computed".to_owned(),
        Explained::Unknown(asked, reason) if asked == pod => reason.clone(),
        Explained::Pending(why) if why.pod == *pod => "none is there".to_owned(),
        _ => "press X to compute".to_owned(),
    }
}

/// NodePools in weight order.
pub struct Pools<'a> {
    data: &'a Data<'a>,
    rows: Vec<PoolTried>,
}

impl<'a> Pools<'a> {
    pub fn new(data: &'a Data<'a>) -> Self {
        let rows = match (data.screen, data.why()) {
            (_, Some(why)) => why.pools.clone(),
            // Until it comes: what the newest decision wrote down.
            (Screen::Pod(pod), None) => data.view.refusals.get(pod).map_or_else(Vec::new, |r| {
                let bare = |(name, why): &(Name, Refusal)| PoolTried {
                    name: name.clone(),
                    refusal: Some(why.clone()),
                    types: None,
                };
                r.pools.iter().map(bare).collect()
            }),
            _ => Vec::new(),
        };
        Self { data, rows }
    }
}

impl List for Pools<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows.get(i).map_or_else(|| "".into(), |r| r.name.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("NODEPOOL", "pool", 12),
            Column::right("WEIGHT", "weight", 6).rank(2),
            Column::left("READY", "ready", 5).rank(3),
            Column::right("TYPES", "types", 9).rank(1),
            Column::left("FIRST FAILING CHECK", "check", 24).grows(),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(r) = self.rows.get(i) else {
            return Vec::new();
        };
        let pool = self.data.view.snapshot.pools.get(&r.name);
        let ready = pool.is_some_and(|p| crate::model::condition::is_true(&p.conditions, "Ready"));
        let types = match r.types {
            Some((0, all)) => Cell::Text(format!("0/{all}"), Tone::Bad),
            Some((left, all)) => Cell::plain(format!("{left}/{all}")),
            None => Cell::dim("—"),
        };
        vec![
            Cell::plain(or_dash(&r.name)),
            Cell::plain(pool.map_or_else(String::new, |p| p.weight.to_string())),
            if ready {
                Cell::plain("yes")
            } else {
                Cell::Text("no".to_owned(), Tone::Bad)
            },
            types,
            check(r.refusal.as_ref()),
        ]
    }
    fn order(&self) -> &'static str {
        "weight order"
    }
    fn empty(&self) -> String {
        note(self.data)
    }
}

/// Nodes, claims that boot and claims of the same plan, closest first.
pub struct Nodes<'a> {
    data: &'a Data<'a>,
    rows: &'a [PlaceTried],
}

impl<'a> Nodes<'a> {
    pub fn new(data: &'a Data<'a>) -> Self {
        Self {
            rows: data.why().map_or(&[], |why| &why.nodes),
            data,
        }
    }
}

impl List for Nodes<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows.get(i).map_or_else(|| "".into(), |r| r.name.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("NODE", "node", 17),
            Column::left("TYPE", "type", 12).rank(3),
            Column::left("AZ", "zone", 4).rank(4),
            Column::right("CPU free", "cpu", 8).rank(5),
            Column::right("MEM free", "mem", 8).rank(6),
            Column::left("FIRST FAILING CHECK", "check", 24).grows(),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(r) = self.rows.get(i) else {
            return Vec::new();
        };
        let check = check(r.refusal.as_ref());
        let Some(n) = self.data.digest.nodes.iter().find(|n| n.name == r.name) else {
            return vec![
                Cell::plain(words::node(&r.name)),
                Cell::dim(""),
                Cell::dim(""),
                Cell::dim(""),
                Cell::dim(""),
                check,
            ];
        };
        vec![
            Cell::plain(words::node(&r.name)),
            Cell::dim(&*n.kind),
            Cell::plain(words::zone(&n.zone)),
            Cell::plain(words::cpu((n.room.cpu - n.used.cpu).max(0))),
            Cell::plain(words::memory((n.room.memory - n.used.memory).max(0))),
            check,
        ]
    }
    fn order(&self) -> &'static str {
        "closest first"
    }
    fn empty(&self) -> String {
        note(self.data)
    }
}
