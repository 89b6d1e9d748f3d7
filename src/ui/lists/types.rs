//! Instance types: those in use, and all of the catalogue.

use std::sync::Arc;

use super::{Data, List, whole};
use crate::model::{CapacityType, InstanceType, Name, UsdPerHour};
use crate::ui::digest::ChosenRow;
use crate::ui::filter::Value;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

pub struct Chosen<'a> {
    pub data: &'a Data<'a>,
}

impl Chosen<'_> {
    fn row(&self, i: usize) -> Option<&ChosenRow> {
        self.data.digest.chosen.get(i)
    }
}

impl List for Chosen<'_> {
    fn len(&self) -> usize {
        self.data.digest.chosen.len()
    }
    fn id(&self, i: usize) -> Name {
        self.row(i).map_or_else(|| "".into(), |r| r.id.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("TYPE", "type", 12),
            Column::left("N", "nodes", 3),
            Column::left("CAP", "capacity", 3).rank(5),
            Column::left("AZ", "zone", 5).rank(6),
            Column::right("$/h", "price", 6),
            Column::right("CPU", "cpu", 4).rank(3),
            Column::right("MEM", "mem", 4).rank(4),
            Column::left("RANK", "rank", 10).rank(1),
            Column::left("NEAREST CHEAPER", "cheaper", 15).rank(2).grows(),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(r) = self.row(i) else { return Vec::new() };
        let n = if r.booting == 0 {
            r.nodes.to_string()
        } else {
            format!("{}+{}", r.nodes, r.booting)
        };
        let rank = r
            .rank
            .map_or_else(String::new, |(at, sent, of)| format!("{at}/{sent}/{of}"));
        vec![
            Cell::plain(&*r.kind),
            Cell::plain(n),
            Cell::plain(words::capacity_short(&r.capacity)),
            Cell::plain(&*r.zones),
            Cell::plain(words::price_bare(r.price)),
            Cell::Text(words::percent(r.cpu), crate::ui::theme::load(r.cpu)),
            Cell::Text(words::percent(r.memory), crate::ui::theme::load(r.memory)),
            Cell::plain(rank),
            Cell::dim(&*r.cheaper),
        ]
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let r = self.row(i)?;
        match name {
            "price" => Some(Value::Number(r.price.as_f64())),
            "cpu" => Some(Value::Number(r.cpu * 100.0)),
            "mem" => Some(Value::Number(r.memory * 100.0)),
            "nodes" => Some(super::count(r.nodes + r.booting)),
            "capacity" => Some(Value::Text(r.capacity.to_string())),
            _ => None,
        }
    }
    fn order(&self) -> &'static str {
        "price ↓"
    }
    fn empty(&self) -> String {
        "no node, no type".to_owned()
    }
}

/// The catalogue by on-demand price.
pub struct Types<'a> {
    data: &'a Data<'a>,
    rows: Vec<Arc<InstanceType>>,
}

/// The lowest price of a capacity type, and whether it can be had anywhere; `None` without a known price.
pub fn cheapest(t: &InstanceType, capacity: CapacityType) -> Option<(UsdPerHour, bool)> {
    let all = || {
        t.offerings
            .iter()
            .filter(move |o| o.capacity_type == capacity && o.price > UsdPerHour::ZERO)
    };
    let best = all().map(|o| o.price).min()?;
    Some((best, all().any(|o| o.available)))
}

impl<'a> Types<'a> {
    pub fn new(data: &'a Data<'a>) -> Self {
        let mut rows: std::collections::BTreeMap<Name, Arc<InstanceType>> = std::collections::BTreeMap::new();
        for catalogue in data.view.snapshot.catalogues.values() {
            for t in catalogue.distinct() {
                rows.entry(t.name.clone()).or_insert_with(|| t.clone());
            }
        }
        let mut rows: Vec<Arc<InstanceType>> = rows.into_values().collect();
        rows.sort_by_cached_key(|t| {
            (
                cheapest(t, CapacityType::OnDemand).map_or(UsdPerHour::MAX, |c| c.0),
                t.name.clone(),
            )
        });
        Self { data, rows }
    }
}

/// The single value of a requirement, or nothing.
pub fn label<'a>(t: &'a InstanceType, key: &str) -> &'a str {
    t.requirements
        .get(key)
        .and_then(|r| r.values.iter().next())
        .map_or("", |v| v)
}

/// Zones where it exists and cannot be had, by capacity type: `od 1a 1b`.
fn stock_outs(t: &InstanceType) -> String {
    let mut parts = Vec::new();
    for capacity in [CapacityType::OnDemand, CapacityType::Spot] {
        let out = words::zones(
            t.offerings
                .iter()
                .filter(|o| o.capacity_type == capacity && !o.available)
                .map(|o| &*o.zone),
        );
        if !out.is_empty() {
            parts.push(format!("{} {out}", words::capacity_short(capacity.as_str())));
        }
    }
    parts.join("  ")
}

/// Whole GiB, or tenths of what is less than one.
fn gibibytes(bytes: i64) -> String {
    let tenths = bytes / (1 << 30) * 10 + bytes % (1 << 30) * 10 / (1 << 30);
    if tenths < 10 {
        format!("0.{tenths}")
    } else {
        (tenths / 10).to_string()
    }
}

fn spot_in(t: &InstanceType, nth: usize) -> String {
    let mut zones: Vec<(&str, UsdPerHour)> = t
        .offerings
        .iter()
        .filter(|o| o.capacity_type == CapacityType::Spot && o.price > UsdPerHour::ZERO)
        .map(|o| (&*o.zone, o.price))
        .collect();
    zones.sort_unstable();
    zones
        .get(nth)
        .map_or_else(|| "—".to_owned(), |(_, p)| words::price_bare(*p))
}

impl List for Types<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows.get(i).map_or_else(|| "".into(), |t| t.name.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("TYPE", "type", 15),
            Column::left("ARCH", "arch", 5),
            Column::right("vCPU", "vcpu", 4),
            Column::right("MEM Gi", "mem", 6),
            Column::right("PODS", "pods", 4).rank(6),
            Column::left("ALLOC", "alloc", 15).rank(7),
            Column::right("OD $/h", "price", 8),
            Column::right("$/vCPU", "pricecpu", 7).rank(5),
            Column::right("SPOT a", "spot", 8).rank(2),
            Column::right("b", "spotb", 8).rank(9),
            Column::right("c", "spotc", 8).rank(9),
            Column::right("-%", "off", 4).rank(4),
            Column::left("NO CAPACITY", "ice", 14).rank(3).grows(),
            Column::left("USED", "used", 14).rank(1),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(t) = self.rows.get(i) else {
            return Vec::new();
        };
        let room = t.allocatable();
        let od = cheapest(t, CapacityType::OnDemand);
        let spot = cheapest(t, CapacityType::Spot);
        let vcpu = t.capacity.cpu / 1000;
        let per = od
            .filter(|_| vcpu > 0)
            .map(|(p, _)| words::price_bare(UsdPerHour(p.0 / vcpu)));
        let off = od
            .zip(spot)
            .filter(|(od, _)| od.0.0 > 0)
            .map(|(od, spot)| words::percent(1.0 - words::share(spot.0.0, od.0.0)));
        let used = self
            .data
            .digest
            .chosen
            .iter()
            .filter(|c| c.kind == t.name)
            .map(|c| c.nodes + c.booting)
            .sum::<usize>();
        vec![
            Cell::plain(&*t.name),
            Cell::plain(label(t, "kubernetes.io/arch")),
            Cell::plain(vcpu.to_string()),
            Cell::plain(gibibytes(t.capacity.memory)),
            Cell::plain(t.capacity.pods.to_string()),
            Cell::dim(format!("{} {}", words::cpu(room.cpu), words::memory(room.memory))),
            Cell::plain(od.map_or_else(|| "—".to_owned(), |(p, _)| words::price_bare(p))),
            Cell::dim(per.unwrap_or_default()),
            Cell::plain(spot_in(t, 0)),
            Cell::plain(spot_in(t, 1)),
            Cell::plain(spot_in(t, 2)),
            Cell::dim(off.unwrap_or_default()),
            Cell::Text(stock_outs(t), Tone::Bad),
            Cell::Text(
                if used == 0 {
                    String::new()
                } else {
                    format!("✓ {}", words::plural(used, "node"))
                },
                Tone::Good,
            ),
        ]
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let t = self.rows.get(i)?;
        match name {
            "vcpu" | "cpu" => Some(whole(t.capacity.cpu / 1000)),
            "mem" => Some(whole(t.capacity.memory >> 30)),
            "pods" => Some(whole(t.capacity.pods)),
            "price" => Some(Value::Number(
                cheapest(t, CapacityType::OnDemand).map_or(f64::MAX, |c| c.0.as_f64()),
            )),
            "spot" => Some(Value::Number(
                cheapest(t, CapacityType::Spot).map_or(f64::MAX, |c| c.0.as_f64()),
            )),
            "zone" => Some(Value::Text(words::zones(
                t.offerings.iter().filter(|o| o.available).map(|o| &*o.zone),
            ))),
            _ => None,
        }
    }
    fn order(&self) -> &'static str {
        "price/h ↑"
    }
    fn empty(&self) -> String {
        "no catalogue yet: it comes with the first EC2NodeClass".to_owned()
    }
}
