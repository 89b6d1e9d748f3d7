//! One NodePool: what its requirements leave, its budgets and conditions.

use crate::model::requirements::Requirements;
use crate::model::{InstanceType, NodePool};
use crate::ui::canvas::{Line, labelled, plain};
use crate::ui::lists::{Data, policy};
use crate::ui::theme::Tone;
use crate::words;

fn pool<'a>(data: &Data<'a>) -> Option<&'a NodePool> {
    data.chosen
        .as_ref()
        .and_then(|name| data.view.snapshot.pools.get(name))
        .map(|p| &**p)
}

/// Whether a type can satisfy one requirement, by its own labels or those of an offering.
fn passes(t: &InstanceType, r: &crate::model::Requirement) -> bool {
    let own = t
        .requirements
        .get(&r.key)
        .is_none_or(|have| have.has_intersection(r));
    own && t.offerings.iter().any(|o| {
        o.requirements
            .get(&r.key)
            .is_none_or(|have| have.has_intersection(r))
    })
}

fn funnel(data: &Data<'_>, p: &NodePool) -> Vec<Line> {
    let Some(catalogue) = data.view.snapshot.catalogue(&p.template.class.name) else {
        return vec![plain(format!(
            "no catalogue for EC2NodeClass {} yet",
            p.template.class.name
        ))];
    };
    let mut left: Vec<&InstanceType> = catalogue.distinct().map(|t| &**t).collect();
    let mut out = vec![vec![
        (format!("{:<58}", "types that the NodeClass allows"), Tone::Plain),
        (format!("{:>12}", left.len()), Tone::Strong),
    ]];
    let Requirements(all) = &p.template.requirements;
    for r in all.values() {
        let before = left.len();
        left.retain(|t| passes(t, r));
        let text = words::requirement(r);
        out.push(vec![
            (format!("{:<58}", words::fit(&text, 57)), Tone::Plain),
            (
                format!("{before:>5} → {:>4}", left.len()),
                if left.is_empty() { Tone::Bad } else { Tone::Plain },
            ),
        ]);
    }
    out
}

pub fn sums(data: &Data<'_>) -> Vec<Line> {
    let Some(p) = pool(data) else {
        return vec![plain("no NodePool is selected")];
    };
    let mut out = funnel(data, p);
    out.push(Vec::new());
    let taints = |all: &[crate::model::Taint]| {
        words::list(&all.iter().map(ToString::to_string).collect::<Vec<_>>(), 3)
    };
    out.push(labelled(
        "taints",
        12,
        format!(
            "{}   startup {}",
            taints(&p.template.taints),
            taints(&p.template.startup_taints)
        ),
    ));
    let limits: Vec<String> = p
        .limits
        .iter()
        .map(|(k, v)| {
            format!(
                "{k} {} of {}",
                words::amount(k, p.status_resources.get(k)),
                words::amount(k, *v)
            )
        })
        .collect();
    out.push(labelled("limits", 12, words::list(&limits, 4)));
    let expire = p
        .template
        .expire_after
        .map_or_else(|| "Never".to_owned(), words::duration);
    out.push(labelled("policy", 12, format!("{}   expire {expire}", policy(p))));
    for problem in &p.invalid {
        out.push(vec![(format!("✗ {problem}"), Tone::Bad)]);
    }
    for (kind, c) in &p.conditions {
        let good = c.status == crate::model::Status::True;
        let message = if good || c.message.is_empty() {
            String::new()
        } else {
            format!(": {}", c.message)
        };
        let (sign, tone) = match c.status {
            crate::model::Status::True => ("✓ ", Tone::Good),
            crate::model::Status::False => ("✗ ", Tone::Bad),
            crate::model::Status::Unknown => ("· ", Tone::Dim),
        };
        out.push(vec![
            (sign.to_owned(), tone),
            (format!("{kind}{message}"), Tone::Plain),
        ]);
    }
    out
}

pub fn budgets(data: &Data<'_>) -> Vec<Line> {
    let Some(p) = pool(data) else { return Vec::new() };
    let mut out = vec![vec![(
        format!("{:<8}{:<26}{:<18}{}", "NODES", "REASONS", "SCHEDULE", "DURATION"),
        Tone::Dim,
    )]];
    for b in &p.disruption.budgets {
        let reasons = b
            .reasons
            .as_ref()
            .map_or_else(|| "all".to_owned(), |r| words::list(r, 3));
        out.push(plain(format!(
            "{:<8}{:<26}{:<18}{}",
            b.nodes,
            reasons,
            b.schedule.as_deref().unwrap_or("—"),
            b.duration.map_or_else(|| "always".to_owned(), words::duration)
        )));
    }
    if p.disruption.budgets.is_empty() {
        out.push(plain(
            "10%     all                       —                 always   (default)",
        ));
    }
    out.push(Vec::new());
    let waiting: Vec<String> = data
        .digest
        .candidates
        .iter()
        .filter(|(node, _)| {
            data.view
                .snapshot
                .nodes
                .get(*node)
                .is_some_and(|n| n.pool() == &*p.name)
        })
        .map(|(node, (_, id))| format!("{id} {}", words::node(node)))
        .collect();
    out.push(labelled("waiting", 9, words::list(&waiting, 4)));
    let blocked = data.view.verdicts.iter().filter(|(node, v)| {
        &*v.code == "budget_exhausted"
            && data
                .view
                .snapshot
                .nodes
                .get(*node)
                .is_some_and(|n| n.pool() == &*p.name)
    });
    for (node, v) in blocked.take(4) {
        out.push(plain(format!("{} {}", words::node(node), words::verdict(v))));
    }
    out
}
