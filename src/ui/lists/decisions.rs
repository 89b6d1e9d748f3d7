//! Decisions, newest first.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{Data, List, seconds};
use crate::ledger::view::DecisionRow;
use crate::model::Name;
use crate::model::decision::{Effect, EffectResult, Evidence, Kind, State};
use crate::ui::filter::Value;
use crate::ui::theme::Tone;
use crate::ui::widgets::{Cell, Column};
use crate::words;

pub struct Decisions<'a> {
    data: &'a Data<'a>,
    rows: Vec<&'a Arc<DecisionRow>>,
}

impl<'a> Decisions<'a> {
    pub fn new(data: &'a Data<'a>) -> Self {
        Self {
            data,
            rows: data.view.decisions.values().rev().collect(),
        }
    }
}

/// How long a decision has been in its state.
pub fn waited(data: &Data<'_>, row: &DecisionRow) -> SignedDuration {
    data.since(row.since)
}

/// A provisioning decision that found neither a new machine nor room for any pod.
fn places_nothing(row: &DecisionRow) -> bool {
    matches!(&row.decision.evidence, Evidence::Provisioning(e) if row.decision.effects.is_empty() && e.existing.is_empty())
}

/// The state as the column shows it: `REVIEW 0:29`, `done 94s`, `acting 2/5`.
pub fn outcome(data: &Data<'_>, row: &DecisionRow) -> (String, Tone) {
    let word = words::state(row.state);
    let d = &row.decision;
    match row.state {
        State::Held => (format!("{word} {}", words::clock(waited(data, row))), Tone::Warn),
        State::Acting => {
            let all = d.effects.len();
            let done = row.steps.len().min(all);
            (
                if all > 1 {
                    format!("{word} {done}/{all}")
                } else {
                    word.to_owned()
                },
                Tone::Accent,
            )
        }
        State::Done => {
            if places_nothing(row) {
                return ("blocked".to_owned(), Tone::Bad);
            }
            // From its first step: what came before was waiting for an approval.
            let begun = row.steps.first().map_or(d.at, |step| step.at);
            let took = row.since.duration_since(begun);
            let time = if took.as_secs() == 0 {
                String::new()
            } else {
                format!(" {}", words::age(took))
            };
            (format!("{word}{time}"), Tone::Good)
        }
        State::Noted if places_nothing(row) => ("blocked".to_owned(), Tone::Bad),
        State::Approved => (word.to_owned(), Tone::Good),
        State::Failed | State::RolledBack => (word.to_owned(), Tone::Bad),
        State::Rejected | State::Lapsed | State::Withdrawn | State::Noted => (word.to_owned(), Tone::Dim),
    }
}

/// What a decision is about; once its one machine has come, with what came instead of what was expected.
fn what(row: &DecisionRow) -> String {
    let text = words::headline(&row.decision);
    let mut drafts = row.decision.effects.iter().filter_map(|e| match e {
        Effect::CreateClaim(draft) => draft.expected.as_ref(),
        _ => None,
    });
    let (Some(expected), None) = (drafts.next(), drafts.next()) else {
        return text;
    };
    let got = row.steps.iter().find_map(|step| match &step.result {
        EffectResult::Launched(got) => Some(got),
        _ => None,
    });
    let Some(got) = got else { return text };
    text.replace(
        &format!("{} {}", expected.instance_type, words::zone(&expected.zone)),
        &format!("{} {}", got.instance_type, words::zone(&got.zone)),
    )
}

/// The sign of a kind, for a lane or a mono screen.
pub fn sign(kind: Kind) -> &'static str {
    match kind {
        Kind::Provisioning => "▲",
        Kind::Drift => "◆",
        Kind::Interruption | Kind::Repair => "!",
        _ => "▼",
    }
}

impl List for Decisions<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn id(&self, i: usize) -> Name {
        self.rows
            .get(i)
            .map_or_else(|| "".into(), |r| r.decision.id.to_string().into())
    }
    fn columns(&self) -> &'static [Column] {
        const ALL: &[Column] = &[
            Column::left("ID", "id", 5),
            Column::left("TIME", "time", 8).rank(4),
            Column::left("KIND", "kind", 11),
            Column::left("WHAT", "what", 24).grows(),
            Column::right("COST", "cost", 10),
            Column::left("OUTCOME", "state", 12),
        ];
        ALL
    }
    fn cells(&self, i: usize) -> Vec<Cell> {
        let Some(row) = self.rows.get(i) else {
            return Vec::new();
        };
        let d = &row.decision;
        let (state, tone) = outcome(self.data, row);
        let saves = d.impact.usd_per_hour.0 < 0;
        vec![
            Cell::plain(d.id.to_string()),
            Cell::dim(super::super::frame::time_of_day(d.at)),
            Cell::plain(words::kind(d.kind)),
            Cell::plain(what(row)),
            Cell::Text(words::money_of(d), if saves { Tone::Good } else { Tone::Plain }),
            Cell::Text(state, tone),
        ]
    }
    fn field(&self, i: usize, name: &str) -> Option<Value> {
        let row = self.rows.get(i)?;
        match name {
            "id" => Some(Value::Number(f64::from(
                u32::try_from(row.decision.id.0).unwrap_or(u32::MAX),
            ))),
            "cost" | "price" => Some(Value::Number(row.decision.impact.usd_per_hour.as_f64())),
            "age" => Some(seconds(self.data.since(row.decision.at))),
            "kind" => Some(Value::Text(format!(
                "{} {}",
                words::kind(row.decision.kind),
                row.decision.kind.as_str()
            ))),
            "state" => Some(Value::Text(outcome(self.data, row).0)),
            _ => None,
        }
    }
    fn order(&self) -> &'static str {
        "newest first"
    }
    fn empty(&self) -> String {
        "no decision yet".to_owned()
    }
}
