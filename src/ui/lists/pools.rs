//! NodePools in weight order.

use std::collections::BTreeMap;

use super::{Data, List, count, whole};
use crate::model::{Name, NodePool};
use crate::ui::filter::Value;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

/// What a pool has now.
#[derive(Clone, Copy, Default)]
struct Sum {
    nodes: usize,
    pending: usize,
    drifted: usize,
    pico_usd: i64,
}

pub struct Pools<'a> {
    data: &'a Data<'a>,
    rows: Vec<&'a NodePool>,
    sums: BTreeMap<&'a str, Sum>,
}

impl<'a> Pools<'a> {
    pub fn new(data: &'a Data<'a>) -> Self {
        let mut rows: Vec<&NodePool> = data.view.snapshot.pools.values().map(|p| &**p).collect();
        rows.sort_by(|a, b| b.weight.cmp(&a.weight).then(a.name.cmp(&b.name)));
        let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
        for n in &data.digest.nodes {
            let sum = sums.entry(&n.pool).or_default();
            sum.nodes += 1;
            sum.drifted += usize::from(n.drifted);
            sum.pico_usd = sum.pico_usd.saturating_add(n.price.0);
        }
        for p in &data.digest.pending {
            sums.entry(&p.pool).or_default().pending += 1;
        }
        Self { data, rows, sums }
    }

    fn sum(&self, pool: &str) -> Sum {
        self.sums.get(pool).copied().unwrap_or_default()
    }
}

fn of_limit(p: &NodePool, resource: &str) -> Cell {
    match p.limits.get(resource) {
        Some(limit) => Cell::Fill(words::share(p.status_resources.get(resource), *limit)),
        None => Cell::dim(format!(
            "{}, no limit",
            words::amount(resource, p.status_resources.get(resource))
        )),
    }
}

/// `WhenEmptyOrUnderutilized 30s`
pub fn policy(p: &NodePool) -> String {
    use crate::model::nodepool::ConsolidationPolicy as P;
    if p.replicas.is_some() {
        return "static".to_owned();
    }
    let word = match p.disruption.policy {
        P::WhenEmpty => "WhenEmpty",
        P::WhenEmptyOrUnderutilized => "WhenEmptyOrUnderut.",
        P::Balanced => "Balanced",
    };
    format!(
        "{word} {}",
        p.disruption
            .consolidate_after
            .map_or_else(|| "Never".to_owned(), words::duration)
    )
}

impl List for Pools<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows.get(i).map_or_else(|| "".into(), |p| p.name.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("NAME", "name", 12),
            Column::right("WEIGHT", "weight", 6),
            Column::left("READY", "ready", 6),
            Column::left("NODECLASS", "class", 10).rank(6),
            Column::right("NODES", "nodes", 5),
            Column::right("PENDING", "pending", 7).rank(5),
            Column::left("CPU of limit", "cpu", 18).grows(),
            Column::left("MEM of limit", "mem", 18).grows().rank(7),
            Column::right("$/h", "price", 8),
            Column::left("CONSOLIDATION", "policy", 24).rank(2),
            Column::left("EXPIRE", "expire", 6).rank(4),
            Column::right("DRIFTED", "drifted", 7).rank(3),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(p) = self.rows.get(i) else {
            return Vec::new();
        };
        let sum = self.sum(&p.name);
        let paused = self.data.view.pauses.pools.contains_key(&p.name);
        let ready = match (crate::model::condition::is_true(&p.conditions, "Ready"), paused) {
            (_, true) => Cell::Text("PAUSED".to_owned(), Tone::Alert),
            (true, _) => Cell::Text("yes".to_owned(), Tone::Good),
            (false, _) => Cell::Text("no ✗".to_owned(), Tone::Bad),
        };
        let usd = crate::model::UsdPerHour(sum.pico_usd);
        vec![
            Cell::plain(&*p.name),
            Cell::plain(p.weight.to_string()),
            ready,
            Cell::plain(&*p.template.class.name),
            Cell::plain(sum.nodes.to_string()),
            Cell::plain(sum.pending.to_string()),
            of_limit(p, "cpu"),
            of_limit(p, "memory"),
            Cell::plain(words::price_bare(usd)),
            Cell::plain(policy(p)),
            Cell::plain(
                p.template
                    .expire_after
                    .map_or_else(|| "Never".to_owned(), words::duration),
            ),
            Cell::Text(
                sum.drifted.to_string(),
                if sum.drifted > 0 { Tone::Warn } else { Tone::Dim },
            ),
        ]
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let p = self.rows.get(i)?;
        let sum = self.sum(&p.name);
        match name {
            "weight" => Some(whole(p.weight.into())),
            "nodes" => Some(count(sum.nodes)),
            "pending" => Some(count(sum.pending)),
            "drifted" => Some(count(sum.drifted)),
            "price" => Some(Value::Number(crate::model::UsdPerHour(sum.pico_usd).as_f64())),
            "pool" => Some(Value::Text(p.name.to_string())),
            _ => None,
        }
    }
    fn order(&self) -> &'static str {
        "weight ↓"
    }
    fn empty(&self) -> String {
        "no NodePool: nothing can be provisioned until one is applied".to_owned()
    }
}
