//! Nodes, and claims that will become one.

use super::{Data, List, count, seconds};
use crate::model::{Labels, Name};
use crate::ui::digest::{NodeRow, Role};
use crate::ui::filter::Value;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

pub struct Nodes<'a> {
    data: &'a Data<'a>,
    rows: Vec<&'a NodeRow>,
}

impl<'a> Nodes<'a> {
    pub fn all(data: &'a Data<'a>) -> Self {
        Self {
            data,
            rows: data.digest.nodes.iter().collect(),
        }
    }

    /// Those of the chosen pool.
    pub fn of_pool(data: &'a Data<'a>) -> Self {
        let pool = data.chosen.as_deref().unwrap_or_default();
        Self {
            data,
            rows: data.digest.nodes.iter().filter(|n| *n.pool == *pool).collect(),
        }
    }

    /// Status with what else there is to say, shortest last.
    fn status(&self, n: &NodeRow) -> Vec<(String, Tone)> {
        let tone = match n.status {
            "Ready" => Tone::Good,
            "NotReady" => Tone::Bad,
            "Draining" | "Terminating" | "Cordoned" => Tone::Warn,
            _ => Tone::Accent,
        };
        let mut out = vec![(n.status.to_owned(), tone)];
        if n.role == Role::Claim {
            out.push((format!(" {}", words::age(self.data.since(n.since))), tone));
        }
        if let Some((mark, _)) = n.mark {
            out.push((format!("  C{mark}"), Tone::Accent));
        }
        if n.drifted {
            out.push(("  drifted".to_owned(), Tone::Warn));
        }
        if n.notice {
            out.push(("  ! interruption".to_owned(), Tone::Bad));
        }
        out
    }

    #[expect(
        clippy::unused_self,
        reason = "stands beside the long form and is called like it"
    )]
    fn short_status(&self, n: &NodeRow) -> (String, Tone) {
        if n.notice {
            return ("!".to_owned(), Tone::Bad);
        }
        if let Some((mark, _)) = n.mark {
            return (format!("C{mark}"), Tone::Accent);
        }
        if n.drifted {
            return ("drift".to_owned(), Tone::Warn);
        }
        match n.status {
            "Ready" => ("ok".to_owned(), Tone::Good),
            "NotReady" => ("bad".to_owned(), Tone::Bad),
            "Cordoned" => ("cord".to_owned(), Tone::Warn),
            "Draining" => ("drain".to_owned(), Tone::Warn),
            "Terminating" => ("term".to_owned(), Tone::Warn),
            _ => ("new".to_owned(), Tone::Accent),
        }
    }
}

impl List for Nodes<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows.get(i).map_or_else(|| "".into(), |n| n.name.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const WIDE: &[Column] = &[
            Column::left("NODE", "node", 14),
            Column::left("POOL", "pool", 8).rank(5),
            Column::left("TYPE", "type", 16),
            Column::left("CAPACITY", "capacity", 9).rank(4),
            Column::left("AZ", "zone", 3).rank(6),
            Column::left("CPU requests", "cpu", 25).grows(),
            Column::left("MEM requests", "mem", 25).grows(),
            Column::right("PODS", "pods", 7).rank(3),
            Column::right("$/h", "price", 8).rank(1),
            Column::left("STATUS", "state", 18),
            Column::left("AGE", "age", 4).rank(2),
        ];
        const NARROW: &[Column] = &[
            Column::left("NODE", "node", 13),
            Column::left("TYPE", "type", 16),
            Column::left("CAP", "capacity", 3).rank(3),
            Column::left("CPU", "cpu", 11).grows(),
            Column::left("MEM", "mem", 11).grows(),
            Column::right("PODS", "pods", 4).rank(2),
            Column::right("$/h", "price", 6),
            Column::left("ST", "state", 5),
        ];
        if self.data.wide { WIDE } else { NARROW }
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(n) = self.rows.get(i) else {
            return Vec::new();
        };
        let cpu = Cell::Share(words::share(n.used.cpu, n.room.cpu));
        let memory = Cell::Share(words::share(n.used.memory, n.room.memory));
        let name_tone = if n.role == Role::Claim {
            Tone::Accent
        } else {
            Tone::Plain
        };
        let name = Cell::Text(words::node(&n.name).to_owned(), name_tone);
        if self.data.wide {
            let pods = if n.room.pods > 0 {
                format!("{}/{}", n.pods, n.room.pods)
            } else {
                n.pods.to_string()
            };
            vec![
                name,
                Cell::plain(&*n.pool),
                Cell::plain(&*n.kind),
                Cell::plain(&*n.capacity),
                Cell::plain(words::zone(&n.zone)),
                cpu,
                memory,
                Cell::plain(pods),
                Cell::plain(format!("${}", words::price_bare(n.price))),
                Cell::Line(self.status(n)),
                Cell::plain(words::age(self.data.since(n.created))),
            ]
        } else {
            let (status, tone) = self.short_status(n);
            vec![
                name,
                Cell::plain(&*n.kind),
                Cell::plain(words::capacity_short(&n.capacity)),
                cpu,
                memory,
                Cell::plain(n.pods.to_string()),
                Cell::plain(words::price_bare(n.price)),
                Cell::Text(status, tone),
            ]
        }
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let n = self.rows.get(i)?;
        match name {
            "cpu" => Some(Value::Number(words::share(n.used.cpu, n.room.cpu) * 100.0)),
            "mem" => Some(Value::Number(words::share(n.used.memory, n.room.memory) * 100.0)),
            "price" => Some(Value::Number(n.price.as_f64())),
            "pods" => Some(count(n.pods)),
            "age" => Some(seconds(self.data.since(n.created))),
            "pool" => Some(Value::Text(n.pool.to_string())),
            "type" => Some(Value::Text(n.kind.to_string())),
            "capacity" => Some(Value::Text(n.capacity.to_string())),
            "zone" => Some(Value::Text(n.zone.to_string())),
            "state" => Some(Value::Text(
                self.status(n).into_iter().map(|(text, _)| text).collect(),
            )),
            _ => None,
        }
    }
    fn labels(&self, i: usize) -> Option<&Labels> {
        let n = self.rows.get(i)?;
        match n.role {
            Role::Node => self.data.view.snapshot.nodes.get(&n.name).map(|n| &n.labels),
            Role::Claim => self.data.view.snapshot.claims.get(&n.name).map(|c| &c.labels),
        }
    }
    fn order(&self) -> &'static str {
        "price ↓"
    }
    fn empty(&self) -> String {
        "no nodes".to_owned()
    }
}
