//! What the budgets of a pool allow over the coming days: for each reason the spans of equal allowance, with the entry
//! that makes it so. Agrees with asking the budgets at every minute.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::budgets::{Budgets, UNLIMITED, binding};
use super::cluster::Cluster;
use super::cron::Schedule;
use crate::decide::Reserved;
use crate::model::{Name, NodePool, Snapshot};

/// The three reasons that budgets know (`disruption §2`).
pub const REASONS: [&str; 3] = ["Empty", "Drifted", "Underutilized"];

/// A time in which one number holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    pub node_pool: Name,
    pub reason: Name,
    pub from: Timestamp,
    /// Not included.
    pub until: Timestamp,
    /// `None` = no limit.
    pub allowed: Option<u32>,
    /// Place in `spec.disruption.budgets` of the entry that binds, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<usize>,
}

/// Spans of all pools, for as many nodes as count now (`disruption §5.4`).
pub fn timelines(snapshot: &Snapshot, from: Timestamp, length: SignedDuration) -> Vec<Span> {
    let cluster = Cluster::without_pods(snapshot, from);
    let budgets = Budgets::new(&cluster, &Reserved::default(), "", false);
    snapshot
        .pools
        .values()
        .flat_map(|pool| timeline(pool, budgets.room(&pool.name).nodes, from, length))
        .collect()
}

/// Spans of one pool with `nodes` nodes, by reason and time.
pub fn timeline(pool: &NodePool, nodes: u32, from: Timestamp, length: SignedDuration) -> Vec<Span> {
    let end = from.checked_add(length).unwrap_or(Timestamp::MAX);
    let mut changes: BTreeSet<Timestamp> = BTreeSet::from([from]);
    for budget in &pool.disruption.budgets {
        let (Some(schedule), Some(duration)) = (&budget.schedule, budget.duration) else {
            continue;
        };
        let parsed = Schedule::parse(schedule).ok();
        let Some((schedule, duration)) = parsed.zip(SignedDuration::try_from(duration).ok()) else {
            continue;
        };
        let mut at = from.checked_sub(duration).unwrap_or(Timestamp::MIN);
        while let Some(hit) = schedule.next(at).filter(|hit| *hit < end) {
            changes.insert(hit);
            if let Ok(over) = hit.checked_add(duration) {
                changes.insert(over);
            }
            at = hit;
        }
    }
    let changes: Vec<Timestamp> = changes.into_iter().filter(|t| (from..end).contains(t)).collect();
    let mut out: Vec<Span> = Vec::new();
    for reason in REASONS {
        for (i, at) in changes.iter().enumerate() {
            let (allowed, budget) = binding(pool, reason, nodes, *at);
            let span = Span {
                node_pool: pool.name.clone(),
                reason: reason.into(),
                from: *at,
                until: changes.get(i + 1).copied().unwrap_or(end),
                allowed: (allowed != UNLIMITED).then_some(allowed),
                budget,
            };
            match out.last_mut() {
                Some(last)
                    if (&last.reason, last.allowed, last.budget)
                        == (&span.reason, span.allowed, span.budget) =>
                {
                    last.until = span.until;
                }
                _ => out.push(span),
            }
        }
    }
    out
}
