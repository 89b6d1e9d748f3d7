//! Instance types in use or being launched, each with its place in the decision that chose it last.

use std::collections::BTreeMap;

use super::nodes::{NodeRow, Role};
use super::{claims_of, creator};
use crate::ledger::View;
use crate::model::decision::{DecisionId, EffectResult};
use crate::model::{Name, UsdPerHour};
use crate::words;

#[derive(Clone, Debug)]
pub struct ChosenRow {
    /// `c7g.xlarge/on-demand`
    pub id: Name,
    pub kind: Name,
    pub capacity: Name,
    pub nodes: usize,
    pub booting: usize,
    pub zones: String,
    /// Of one node.
    pub price: UsdPerHour,
    pub cpu: f64,
    pub memory: f64,
    /// (place by price, types sent, types considered) in the latest decision that chose it.
    pub rank: Option<(u32, u32, u32)>,
    pub decision: Option<DecisionId>,
    /// The nearest cheaper type and why it was not taken.
    pub cheaper: String,
}

pub fn rows(view: &View, nodes: &[NodeRow]) -> Vec<ChosenRow> {
    let mut groups: BTreeMap<(&str, &str), Vec<&NodeRow>> = BTreeMap::new();
    for row in nodes.iter().filter(|r| !r.kind.is_empty()) {
        groups.entry((&row.kind, &row.capacity)).or_default().push(row);
    }
    let mut out: Vec<ChosenRow> = groups
        .into_iter()
        .map(|((kind, capacity), rows)| group(view, kind, capacity, &rows))
        .collect();
    out.sort_by(|a, b| (std::cmp::Reverse(a.price), &a.id).cmp(&(std::cmp::Reverse(b.price), &b.id)));
    out
}

fn group(view: &View, kind: &str, capacity: &str, rows: &[&NodeRow]) -> ChosenRow {
    let sum = |of: fn(&NodeRow) -> i64| rows.iter().map(|r| of(r)).sum::<i64>();
    let booting = rows.iter().filter(|r| r.role == Role::Claim).count();
    // The newest claim tells the latest choice.
    let choice = rows
        .iter()
        .filter_map(|r| r.claim.as_ref())
        .filter_map(|claim| creator(view, claim).map(|row| (row.decision.id, claim, row)))
        .max_by_key(|(id, claim, _)| (*id, (*claim).clone()));
    let mut out = ChosenRow {
        id: format!("{kind}/{capacity}").into(),
        kind: kind.into(),
        capacity: capacity.into(),
        nodes: rows.len() - booting,
        booting,
        zones: words::zones(rows.iter().map(|r| &*r.zone).filter(|z| !z.is_empty())),
        price: rows.iter().map(|r| r.price).max().unwrap_or_default(),
        cpu: words::share(sum(|r| r.used.cpu), sum(|r| r.room.cpu)),
        memory: words::share(sum(|r| r.used.memory), sum(|r| r.room.memory)),
        rank: None,
        decision: None,
        cheaper: String::new(),
    };
    let Some((id, claim, row)) = choice else {
        return out;
    };
    out.decision = Some(id);
    let evidence = claims_of(row).iter().find(|e| e.claim == *claim);
    let considered = evidence.map_or(0, |e| e.funnel.considered);
    out.rank = row.steps.iter().find_map(|step| match &step.result {
        EffectResult::Launched(l) if l.claim == *claim => Some((l.rank, l.types_sent, considered)),
        _ => None,
    });
    if let Some(e) = evidence {
        // Dearest last, so the last one below our price is the nearest.
        let price = out.price;
        if let Some(near) = e.cheaper_refused.iter().rev().find(|c| c.price < price) {
            out.cheaper = format!("{} {}", near.instance_type, words::check_short(&near.why));
        } else if let Some(near) = e
            .ranking
            .iter()
            .rev()
            .find(|r| r.price < price && *r.instance_type != *kind)
        {
            out.cheaper = format!("{} sent, not given", near.instance_type);
        }
    }
    out
}
