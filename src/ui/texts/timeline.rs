//! The last hour in lanes: cost, nodes, pending pods, and what was decided when.

use jiff::Timestamp;

use crate::ledger::Body;
use crate::model::decision::{Kind, State};
use crate::ui::canvas::{Line, plain};
use crate::ui::frame::time_of_day;
use crate::ui::lists::{Data, sign};
use crate::ui::theme::Tone;
use crate::ui::widgets::spark;

const LABEL: usize = 14;

fn span(data: &Data<'_>) -> (Timestamp, Timestamp) {
    let from = data.view.cost.series.front().map_or(data.view.started, |s| s.0);
    (from, data.now)
}

pub fn title(data: &Data<'_>) -> (String, String) {
    let (from, to) = span(data);
    let record = data
        .view
        .host
        .recording
        .as_ref()
        .map_or_else(|| "not recording".to_owned(), |f| format!("recording to {f}"));
    (
        format!("Timeline {} – {}", time_of_day(from), time_of_day(to)),
        record,
    )
}

fn lane(word: &str, values: &[f64], columns: usize, tone: Tone) -> Vec<Line> {
    let (low, high) = values
        .iter()
        .fold((f64::MAX, 0.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
    // Stretched, so that all lanes share one axis.
    let wide: Vec<f64> = if values.is_empty() {
        Vec::new()
    } else {
        (0..columns)
            .filter_map(|i| values.get(i * values.len() / columns.max(1)).copied())
            .collect()
    };
    let decimals = usize::from(high < 10.0 && high.fract() != 0.0) * 2;
    let range = if values.is_empty() {
        "no sample yet".to_owned()
    } else {
        format!("{low:.decimals$} … {high:.decimals$}")
    };
    vec![
        vec![
            (format!("{word:<LABEL$}"), Tone::Plain),
            (spark(&wide, columns), tone),
        ],
        vec![(format!("  {range}"), Tone::Dim)],
    ]
}

/// A lane of signs at their times.
fn marks(
    word: &str,
    at: &[(Timestamp, &'static str)],
    (from, to): (Timestamp, Timestamp),
    columns: usize,
    tone: Tone,
) -> Line {
    let whole = to.duration_since(from).as_secs_f64().max(1.0);
    let mut cells: Vec<&str> = vec![" "; columns];
    for (t, sign) in at {
        let share = t.duration_since(from).as_secs_f64() / whole;
        if !(0.0..=1.0).contains(&share) || columns == 0 {
            continue;
        }
        // Between 0 and columns - 1.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let i = (share * (columns - 1) as f64).round() as usize;
        if let Some(cell) = cells.get_mut(i) {
            *cell = sign;
        }
    }
    vec![(format!("{word:<LABEL$}"), Tone::Plain), (cells.concat(), tone)]
}

pub fn lanes(data: &Data<'_>, width: u16) -> Vec<Line> {
    let columns = usize::from(width).saturating_sub(LABEL + 1);
    let series = &data.view.cost.series;
    let of = |f: fn(&(Timestamp, crate::model::UsdPerHour, u32, u32)) -> f64| {
        series.iter().map(f).collect::<Vec<f64>>()
    };
    let mut out = lane("cost $/h", &of(|s| s.1.as_f64()), columns, Tone::Accent);
    out.extend(lane("nodes", &of(|s| f64::from(s.2)), columns, Tone::Good));
    out.extend(lane("pending pods", &of(|s| f64::from(s.3)), columns, Tone::Warn));
    out.push(Vec::new());
    let times = |keep: &dyn Fn(Kind, State) -> bool| -> Vec<(Timestamp, &'static str)> {
        data.view
            .decisions
            .values()
            .filter(|r| keep(r.decision.kind, r.state))
            .map(|r| (r.decision.at, sign(r.decision.kind)))
            .collect()
    };
    let range = span(data);
    let lost = |s: State| matches!(s, State::Rejected | State::Lapsed | State::Withdrawn);
    out.push(marks(
        "provision",
        &times(&|k, s| k == Kind::Provisioning && !lost(s)),
        range,
        columns,
        Tone::Good,
    ));
    out.push(marks(
        "consolidate",
        &times(&|k, s| matches!(k, Kind::Consolidation | Kind::Emptiness) && !lost(s)),
        range,
        columns,
        Tone::Accent,
    ));
    let rejected: Vec<(Timestamp, &'static str)> = data
        .view
        .decisions
        .values()
        .filter(|r| lost(r.state))
        .map(|r| (r.since, "x"))
        .collect();
    out.push(marks("rejected", &rejected, range, columns, Tone::Dim));
    out.push(marks(
        "drift",
        &times(&|k, s| matches!(k, Kind::Drift | Kind::Expiration) && !lost(s)),
        range,
        columns,
        Tone::Warn,
    ));
    out.push(marks(
        "interruption",
        &times(&|k, _| matches!(k, Kind::Interruption | Kind::Repair)),
        range,
        columns,
        Tone::Bad,
    ));
    let operator: Vec<(Timestamp, &'static str)> = data
        .view
        .log
        .iter()
        .filter(|e| matches!(e.body, Body::Command { .. }))
        .map(|e| (e.at, "a"))
        .collect();
    out.push(marks("operator", &operator, range, columns, Tone::Strong));
    out.push(Vec::new());
    let t = &data.view.totals;
    out.push(plain(format!(
        "decisions {} proposed, {} approved, {} rejected, {} done, {} failed     machines {} launched, {} terminated",
        t.proposed, t.approved, t.rejected, t.done, t.failed, t.launched, t.terminated
    )));
    out
}
