//! Money: now, if approved, the proven floor.

use crate::ui::canvas::{Line, plain};
use crate::ui::lists::Data;
use crate::ui::theme::Tone;
use crate::ui::widgets::spark;
use crate::words;

/// `$1.76/h ─ if approved $1.61/h ─ floor $1.17/h`
pub fn headline(data: &Data<'_>) -> String {
    let c = &data.view.cost;
    let floor = c
        .floor
        .map_or_else(|| "—".to_owned(), |f| words::price_short(f, 2));
    format!(
        "{} ─ if approved {} ─ floor {floor}",
        words::price_short(c.now, 2),
        words::price_short(c.now + c.in_review, 2)
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller builds the texts for it"
)]
fn row(word: &str, price: String, right: String, tone: Tone) -> Line {
    vec![
        (format!("{word:<12}"), Tone::Dim),
        (format!("{price:>9}"), tone),
        (format!("{right:>10}"), Tone::Plain),
    ]
}

pub fn lines(data: &Data<'_>, width: u16) -> Vec<Line> {
    let c = &data.view.cost;
    let t = &data.digest.totals;
    let part = |p: crate::model::UsdPerHour| words::percent(words::share(p.0, c.now.0));
    let approved = c.now + c.in_review;
    let mut out = vec![
        row("now", words::price(c.now), words::monthly(c.now), Tone::Strong),
        row(
            "on-demand",
            words::price(c.on_demand),
            part(c.on_demand),
            Tone::Plain,
        ),
        row("spot", words::price(c.spot), part(c.spot), Tone::Plain),
        row(
            "in review",
            words::price_delta(c.in_review),
            words::monthly(c.in_review),
            Tone::Plain,
        ),
        row(
            "if approved",
            words::price(approved),
            words::monthly(approved),
            Tone::Good,
        ),
    ];
    out.push(match c.floor {
        Some(f) => row("floor", words::price(f), words::monthly(f), Tone::Accent),
        None => vec![
            ("floor".to_owned(), Tone::Dim),
            ("            not known yet".to_owned(), Tone::Dim),
        ],
    });
    if t.nodes > 0 {
        out.push(plain(format!(
            "idle CPU {}   idle mem {}",
            words::percent(1.0 - t.cpu),
            words::percent(1.0 - t.memory)
        )));
    }
    out.push(plain(format!("spent {} since the start", words::money(c.spent))));
    let series: Vec<f64> = c.series.iter().map(|s| s.1.as_f64()).collect();
    if series.len() > 1 {
        let (low, high) = series
            .iter()
            .fold((f64::MAX, 0.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
        out.push(vec![(format!("last {} min, $/h", series.len()), Tone::Dim)]);
        out.push(vec![(spark(&series, usize::from(width.min(60))), Tone::Accent)]);
        out.push(vec![(format!("{high:.2} max  {low:.2} min"), Tone::Dim)]);
    }
    for (name, alarm) in &data.view.alarms {
        out.push(vec![(format!("! {name}: {}", alarm.text), Tone::Bad)]);
    }
    if !data.view.host.prices.is_empty() {
        out.push(vec![(format!("prices: {}", data.view.host.prices), Tone::Dim)]);
    }
    out.push(vec![(
        "not counted: savings plans, EBS, data".to_owned(),
        Tone::Dim,
    )]);
    out
}
