//! What waits for a person, and the pods that would move.

use super::{Data, List, seconds};
use crate::gate::command::REVIEW_LAPSES_AFTER;
use crate::ledger::view::DecisionRow;
use crate::model::decision::{Evidence, Kind};
use crate::model::{Name, Pod};
use crate::ui::digest::claims_of;
use crate::ui::filter::Value;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

pub struct Waiting<'a> {
    pub data: &'a Data<'a>,
}

impl Waiting<'_> {
    fn row(&self, i: usize) -> Option<&DecisionRow> {
        let id = self.data.digest.waiting.get(i)?;
        self.data.view.decisions.get(id).map(|row| &**row)
    }
}

/// Time left before a review lapses; `None` for what stays open (screens, rule 4).
pub fn left(data: &Data<'_>, row: &DecisionRow) -> Option<jiff::SignedDuration> {
    if row.decision.kind == Kind::Provisioning {
        return None;
    }
    let all = jiff::SignedDuration::try_from(REVIEW_LAPSES_AFTER).ok()?;
    Some(all - data.since(row.since))
}

/// `m6g.xlarge od 1a|1b|1c`
fn replacement(row: &DecisionRow) -> String {
    let all: Vec<String> = claims_of(row)
        .iter()
        .filter_map(|c| c.ranking.first())
        .map(|r| {
            let zones = words::zones(r.zones.iter().map(|z| &**z)).replace(' ', "|");
            format!(
                "{} {} {zones}",
                r.instance_type,
                words::capacity_short(r.capacity_type.as_str())
            )
        })
        .collect();
    if all.is_empty() {
        "none, delete only".to_owned()
    } else {
        words::list(&all, 1)
    }
}

impl List for Waiting<'_> {
    fn len(&self) -> usize {
        self.data.digest.waiting.len()
    }
    fn id(&self, i: usize) -> Name {
        self.data
            .digest
            .waiting
            .get(i)
            .map_or_else(|| "".into(), |id| id.to_string().into())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("ID", "id", 5),
            Column::left("KIND", "kind", 19),
            Column::left("SUBJECTS", "subject", 22).grows().rank(4),
            Column::left("REPLACEMENT", "new", 26).rank(3),
            Column::right("COST", "cost", 10),
            Column::right("MONTH", "month", 10).rank(5),
            Column::right("PODS", "pods", 4),
            Column::left("BUDGET", "budget", 14).rank(2),
            Column::right("WAITS", "wait", 6).rank(1),
            Column::right("EXPIRES", "expires", 7),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(row) = self.row(i) else { return Vec::new() };
        let d = &row.decision;
        let kind = match &d.evidence {
            Evidence::Disruption(e) if d.kind == Kind::Consolidation => format!("{}-node", e.method),
            _ => words::kind(d.kind).to_owned(),
        };
        let budget = match &d.evidence {
            Evidence::Disruption(e) => e
                .budgets
                .iter()
                .map(|(pool, (all, used))| format!("{pool} {used}/{all}"))
                .collect::<Vec<_>>()
                .join(" "),
            _ => "—".to_owned(),
        };
        let names: Vec<&str> = d.subjects.iter().map(|s| words::node(s)).collect();
        let pods = d.impact.evictions.max(d.impact.pods_placed);
        vec![
            Cell::plain(d.id.to_string()),
            Cell::plain(kind),
            Cell::plain(words::list(&names, 2)),
            Cell::plain(replacement(row)),
            Cell::Text(
                words::price_delta(d.impact.usd_per_hour),
                if d.impact.usd_per_hour.0 < 0 {
                    Tone::Good
                } else {
                    Tone::Plain
                },
            ),
            Cell::plain(words::monthly(d.impact.usd_per_hour)),
            Cell::plain(pods.to_string()),
            Cell::plain(budget),
            Cell::Text(words::clock(self.data.since(row.since)), Tone::Warn),
            Cell::plain(left(self.data, row).map_or_else(|| "—".to_owned(), words::clock)),
        ]
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let row = self.row(i)?;
        match name {
            "cost" | "price" => Some(Value::Number(row.decision.impact.usd_per_hour.as_f64())),
            "wait" | "age" => Some(seconds(self.data.since(row.since))),
            "pods" => Some(Value::Number(f64::from(row.decision.impact.evictions))),
            _ => None,
        }
    }
    fn order(&self) -> &'static str {
        "oldest first"
    }
    fn empty(&self) -> String {
        "nothing waits for you".to_owned()
    }
}

/// Pods that a disruption would move, or that a provisioning would place.
pub struct Moves<'a> {
    data: &'a Data<'a>,
    /// Pod, where it is, where it is expected.
    rows: Vec<(&'a Name, &'a str, Option<&'a Name>)>,
}

impl<'a> Moves<'a> {
    pub fn new(data: &'a Data<'a>) -> Self {
        let mut rows: Vec<(&Name, &str, Option<&Name>)> = Vec::new();
        if let Some(row) = data.decision() {
            match &row.decision.evidence {
                Evidence::Disruption(e) => {
                    for c in &e.candidates {
                        rows.extend(c.pods.iter().map(|pod| (pod, &*c.node, e.moves.get(pod))));
                    }
                }
                Evidence::Provisioning(e) => {
                    for c in &e.claims {
                        rows.extend(c.pods.iter().map(|pod| (pod, "—", Some(&c.claim))));
                    }
                }
                Evidence::Reason { .. } => {}
            }
        }
        rows.sort_by_key(|(pod, _, _)| (*pod).clone());
        Self { data, rows }
    }

    fn pod(&self, i: usize) -> Option<&Pod> {
        self.data
            .view
            .snapshot
            .pods
            .get(self.rows.get(i)?.0)
            .map(|p| &**p)
    }

    /// The budget that covers the pod and how many evictions it allows.
    fn pdb(&self, pod: &Pod) -> (String, Tone) {
        let found = self.data.view.snapshot.pdbs.values().find(|b| {
            b.namespace == pod.namespace && b.selector.as_ref().is_some_and(|s| s.matches(&pod.labels))
        });
        match found.map(|b| b.disruptions_allowed) {
            None => ("—".to_owned(), Tone::Dim),
            Some(Some(n)) if n > 0 => (format!("{n} allowed"), Tone::Plain),
            Some(_) => ("0 allowed ✗".to_owned(), Tone::Bad),
        }
    }
}

impl List for Moves<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows.get(i).map_or_else(|| "".into(), |r| r.0.clone())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("POD", "pod", 24).middle().grows(),
            Column::left("FROM", "from", 15).rank(1),
            Column::left("TO", "to", 15).rank(2),
            Column::right("CPU", "cpu", 6).rank(3),
            Column::right("MEM", "mem", 7).rank(4),
            Column::left("PDB", "pdb", 11),
            Column::left("NOTE", "note", 16).rank(5),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some((key, from, to)) = self.rows.get(i) else {
            return Vec::new();
        };
        let to = to.map_or_else(|| "—".to_owned(), |n| words::node(n).to_owned());
        let pod = self.pod(i);
        let (pdb, tone) = pod.map_or_else(|| ("gone".to_owned(), Tone::Dim), |p| self.pdb(p));
        let note = match pod {
            Some(p) if p.do_not_disrupt.is_some() => "do-not-disrupt".to_owned(),
            Some(p) if p.spec.priority != 0 => format!("priority {}", p.spec.priority),
            _ => String::new(),
        };
        vec![
            Cell::plain(&***key),
            Cell::plain(words::node(from)),
            Cell::plain(to),
            Cell::plain(pod.map_or_else(String::new, |p| words::cpu(p.spec.requests.cpu))),
            Cell::plain(pod.map_or_else(String::new, |p| words::memory(p.spec.requests.memory))),
            Cell::Text(pdb, tone),
            Cell::dim(note),
        ]
    }
    fn order(&self) -> &'static str {
        "by name"
    }
    fn empty(&self) -> String {
        "no pod moves".to_owned()
    }
}
