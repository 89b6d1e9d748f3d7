//! One decision: what was tried, what was rejected, what was done.

use std::collections::BTreeMap;

use crate::model::decision::EffectResult;
use crate::ui::canvas::{Line, labelled, plain};
use crate::ui::digest::claims_of;
use crate::ui::frame::time_of_day;
use crate::ui::lists::{self, Data};
use crate::ui::theme::Tone;
use crate::ui::widgets::bar;
use crate::words;

pub fn title(data: &Data<'_>) -> (String, String) {
    let Some(row) = data.decision() else {
        return (data.screen.title(), "gone".to_owned());
    };
    let d = &row.decision;
    let (state, _) = lists::outcome(data, row);
    (
        format!("Decision {}  {}", d.id, words::kind(d.kind)),
        format!("{state} · {} · proposed {}", row.by, time_of_day(d.at)),
    )
}

pub fn head(data: &Data<'_>) -> Vec<Line> {
    let Some(row) = data.decision() else {
        return vec![plain("this decision is not in memory any more")];
    };
    let mut out: Vec<Line> = vec![vec![
        (format!("{:<11}", "what"), Tone::Dim),
        (words::headline(&row.decision), Tone::Strong),
        (format!("   {}", words::money_of(&row.decision)), Tone::Good),
    ]];
    if !row.reason.is_empty() {
        out.push(labelled(
            "ruling",
            11,
            format!(
                "{} by {}: {}",
                words::state(row.state),
                row.by,
                words::short(&row.reason)
            ),
        ));
    }
    for step in &row.steps {
        if let EffectResult::Launched(_) = step.result {
            out.push(labelled("got", 11, words::outcome(&step.result)));
        }
    }
    out.extend(
        words::sentences(&row.decision)
            .into_iter()
            .map(|(word, text)| labelled(word, 11, text)),
    );
    out
}

pub fn ranking_title(data: &Data<'_>) -> (String, String) {
    let claims = data.decision().map_or(&[][..], claims_of);
    if claims.is_empty() {
        return ("Instance types: none asked for".to_owned(), String::new());
    }
    let considered: u32 = claims.iter().map(|c| c.funnel.considered).sum();
    let kept: u32 = claims.iter().map(|c| c.options).sum();
    (
        format!("Instance types: {considered} considered, {kept} kept"),
        "price ↑".to_owned(),
    )
}

pub fn rejected_title(data: &Data<'_>) -> (String, String) {
    let claims = data.decision().map_or(&[][..], claims_of);
    if claims.is_empty() {
        return ("Rejected types".to_owned(), String::new());
    }
    let n: u32 = claims
        .iter()
        .flat_map(|c| &c.funnel.steps)
        .map(|s| s.removed)
        .sum();
    (
        format!("Rejected: {}", words::plural(n as usize, "type")),
        String::new(),
    )
}

pub fn rejected(data: &Data<'_>, width: u16) -> Vec<Line> {
    let Some(row) = data.decision() else {
        return Vec::new();
    };
    let room = usize::from(width.clamp(20, 60));
    let mut sums: BTreeMap<String, u32> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for step in claims_of(row).iter().flat_map(|c| &c.funnel.steps) {
        let text = words::check(&step.check);
        if !sums.contains_key(&text) {
            order.push(text.clone());
        }
        *sums.entry(text).or_default() += step.removed;
    }
    if order.is_empty() {
        return vec![vec![("no type was filtered".to_owned(), Tone::Dim)]];
    }
    let mut out: Vec<Line> = order
        .iter()
        .map(|text| {
            let n = sums.get(text).copied().unwrap_or(0);
            let cut = words::fit(text, room.saturating_sub(6)).into_owned();
            vec![
                (format!("{cut:<w$}", w = room.saturating_sub(6)), Tone::Plain),
                (format!("{n:>6}"), Tone::Strong),
            ]
        })
        .collect();
    out.push(vec![(
        "Each type is counted at its first failing check.".to_owned(),
        Tone::Dim,
    )]);
    if let Some((claim, best)) = claims_of(row)
        .first()
        .and_then(|c| c.ranking.first().map(|r| (c, r)))
    {
        let mut need = claim.requests.clone();
        need.add(&claim.daemon_overhead);
        out.push(Vec::new());
        out.push(vec![(
            format!("Bin-packing of {}", best.instance_type),
            Tone::Strong,
        )]);
        for (word, part, whole) in [
            ("cpu ", need.cpu, best.allocatable.cpu),
            ("mem ", need.memory, best.allocatable.memory),
            ("pods", need.pods, best.allocatable.pods),
        ] {
            let share = words::share(part, whole);
            out.push(vec![
                (format!("{word} "), Tone::Dim),
                (bar(share, room.saturating_sub(11)), crate::ui::theme::load(share)),
                (format!(" {:>4}", words::percent(share)), Tone::Plain),
            ]);
        }
    }
    out
}

pub fn steps(data: &Data<'_>) -> Vec<Line> {
    let Some(row) = data.decision() else {
        return Vec::new();
    };
    let d = &row.decision;
    let mut out = vec![vec![
        (format!("{}  ", time_of_day(d.at)), Tone::Dim),
        (
            format!("proposed, {}", words::plural(d.effects.len(), "effect")),
            Tone::Plain,
        ),
    ]];
    for step in &row.steps {
        let (sign, tone) = match &step.result {
            EffectResult::Done | EffectResult::Unchanged | EffectResult::Launched(_) => ("✓ ", Tone::Good),
            EffectResult::Retry { .. } | EffectResult::Stale { .. } => ("· ", Tone::Warn),
            _ => ("✗ ", Tone::Bad),
        };
        let result = match &step.result {
            EffectResult::Done => String::new(),
            other => format!(": {}", words::outcome(other)),
        };
        out.push(vec![
            (format!("{}  ", time_of_day(step.at)), Tone::Dim),
            (sign.to_owned(), tone),
            (format!("{}{result}", words::effect(&step.effect)), Tone::Plain),
        ]);
    }
    if row.steps.is_empty() && !d.effects.is_empty() {
        out.push(vec![("to do:".to_owned(), Tone::Dim)]);
        out.extend(d.effects.iter().map(|e| {
            vec![
                ("          · ".to_owned(), Tone::Dim),
                (words::effect(e), Tone::Plain),
            ]
        }));
    }
    if row.state.is_final() {
        let (text, tone) = lists::outcome(data, row);
        out.push(vec![
            (format!("{}  ", time_of_day(row.since)), Tone::Dim),
            (text, tone),
        ]);
    }
    out
}
