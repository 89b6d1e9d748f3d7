//! The options of a decision's claims, cheapest first, with the cheaper ones that could not be taken.

use super::{Data, List};
use crate::model::Name;
use crate::model::decision::EffectResult;
use crate::model::decision::evidence::{CheaperRefused, ClaimEvidence, RankRow};
use crate::ui::digest::claims_of;
use crate::ui::filter::Value;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

enum Choice<'a> {
    Refused(&'a CheaperRefused),
    Kept(usize, &'a RankRow),
}

pub struct Ranking<'a> {
    rows: Vec<(&'a ClaimEvidence, Choice<'a>)>,
    /// Claim → the type that the cloud gave.
    given: std::collections::BTreeMap<&'a str, &'a str>,
    many: bool,
}

impl<'a> Ranking<'a> {
    pub fn new(data: &Data<'a>) -> Self {
        let mut rows = Vec::new();
        let mut given = std::collections::BTreeMap::new();
        let mut many = false;
        if let Some(row) = data.decision() {
            let claims = claims_of(row);
            many = claims.len() > 1;
            for c in claims {
                rows.extend(c.cheaper_refused.iter().map(|r| (c, Choice::Refused(r))));
                rows.extend(
                    c.ranking
                        .iter()
                        .enumerate()
                        .map(|(i, r)| (c, Choice::Kept(i + 1, r))),
                );
            }
            for step in &row.steps {
                if let EffectResult::Launched(l) = &step.result {
                    given.insert(&*l.claim, &*l.instance_type);
                }
            }
        }
        Self { rows, given, many }
    }
}

impl List for Ranking<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        match self.rows.get(i) {
            Some((c, Choice::Refused(r))) => format!("{}/{}", c.claim, r.instance_type).into(),
            Some((c, Choice::Kept(_, r))) => format!("{}/{}", c.claim, r.instance_type).into(),
            None => "".into(),
        }
    }
    fn columns(&self) -> &'static [Column] {
        const ONE: &[Column] = &[
            Column::right("#", "rank", 3),
            Column::left("TYPE", "type", 16),
            Column::left("ARCH", "arch", 6).rank(3),
            Column::right("vCPU", "vcpu", 4).rank(4),
            Column::right("MEM Gi", "mem", 6).rank(5),
            Column::right("ALLOC cpu", "alloccpu", 9).rank(7),
            Column::right("ALLOC mem", "allocmem", 9).rank(7),
            Column::right("FIT cpu", "fitcpu", 7).rank(1),
            Column::right("FIT mem", "fitmem", 7).rank(1),
            Column::left("ZONES", "zone", 12).rank(6),
            Column::right("$/h", "price", 7),
            Column::left("", "why", 10).grows(),
        ];
        const MANY: &[Column] = &[
            Column::left("CLAIM", "claim", 16).rank(2),
            Column::right("#", "rank", 3),
            Column::left("TYPE", "type", 16),
            Column::left("ARCH", "arch", 6).rank(3),
            Column::right("vCPU", "vcpu", 4).rank(4),
            Column::right("MEM Gi", "mem", 6).rank(5),
            Column::right("FIT cpu", "fitcpu", 7).rank(1),
            Column::right("FIT mem", "fitmem", 7).rank(1),
            Column::left("ZONES", "zone", 12).rank(6),
            Column::right("$/h", "price", 7),
            Column::left("", "why", 10).grows(),
        ];
        if self.many { MANY } else { ONE }
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some((claim, option)) = self.rows.get(i) else {
            return Vec::new();
        };
        let mut cells = Vec::new();
        if self.many {
            cells.push(Cell::dim(&*claim.claim));
        }
        match option {
            Choice::Refused(r) => {
                let blanks = if self.many { 6 } else { 8 };
                cells.extend([Cell::dim("–"), Cell::dim(&*r.instance_type)]);
                cells.extend(std::iter::repeat_n(Cell::dim(""), blanks));
                cells.push(Cell::dim(words::price_bare(r.price)));
                cells.push(Cell::Text(format!("✗ {}", words::check_short(&r.why)), Tone::Bad));
            }
            Choice::Kept(rank, r) => {
                let mut need = claim.requests.clone();
                need.add(&claim.daemon_overhead);
                let got = self
                    .given
                    .get(&*claim.claim)
                    .is_some_and(|t| **t == *r.instance_type);
                let fit = |part, whole| Cell::plain(words::percent(words::share(part, whole)));
                cells.extend([
                    Cell::plain(rank.to_string()),
                    Cell::Text(
                        r.instance_type.to_string(),
                        if got { Tone::Strong } else { Tone::Plain },
                    ),
                    Cell::plain(&*r.arch),
                    Cell::plain(r.vcpu.to_string()),
                    Cell::plain((r.memory_mib / 1024).to_string()),
                ]);
                if !self.many {
                    cells.push(Cell::plain(words::cpu(r.allocatable.cpu)));
                    cells.push(Cell::plain(words::memory(r.allocatable.memory)));
                }
                cells.extend([
                    fit(need.cpu, r.allocatable.cpu),
                    fit(need.memory, r.allocatable.memory),
                    Cell::plain(words::zones(r.zones.iter().map(|z| &**z))),
                    Cell::plain(words::price_bare(r.price)),
                    if got {
                        Cell::Text("✓ given".to_owned(), Tone::Good)
                    } else {
                        Cell::dim(words::capacity_short(r.capacity_type.as_str()))
                    },
                ]);
            }
        }
        cells
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let (_, option) = self.rows.get(i)?;
        match (name, option) {
            ("price", Choice::Kept(_, r)) => Some(Value::Number(r.price.as_f64())),
            ("price", Choice::Refused(r)) => Some(Value::Number(r.price.as_f64())),
            ("vcpu", Choice::Kept(_, r)) => Some(Value::Number(f64::from(r.vcpu))),
            _ => None,
        }
    }
    fn order(&self) -> &'static str {
        "price ↑"
    }
    fn empty(&self) -> String {
        "this decision needs no new machine".to_owned()
    }
}
