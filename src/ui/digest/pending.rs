//! Pods without a node, and the word for what they wait for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::claims_of;
use crate::ledger::View;
use crate::model::decision::{DecisionId, Evidence, Kind, Refusal, State};
use crate::model::{Name, Pod};
use crate::words;

#[derive(Clone, Debug)]
pub struct PendingRow {
    /// `namespace/name`
    pub key: Name,
    pub cpu: i64,
    pub memory: i64,
    /// Pool that will take it, empty while unknown.
    pub pool: Name,
    pub since: Timestamp,
    pub place: Place,
}

/// What a pod waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The scheduler's turn: it has not refused the pod yet.
    Waiting,
    /// In the open batch, which is planned at that time.
    Planned(Timestamp),
    /// Provisioning is paused.
    Paused,
    /// The scheduler may bind it to a node that is there.
    Room(Name),
    /// A claim was made for it; its stage in a word.
    Claim(Name, &'static str),
    Review(DecisionId),
    /// No pool takes it; the closest one's reason.
    Refused(String),
}

impl Place {
    pub fn text(&self, now: Timestamp) -> String {
        match self {
            Self::Waiting => "waits for scheduler".to_owned(),
            Self::Planned(at) => match at.duration_since(now).as_millis() {
                left if left > 0 => format!("planned in {} s", (left + 999) / 1000),
                _ => "being planned".to_owned(),
            },
            Self::Paused => "provisioning is paused".to_owned(),
            Self::Room(node) => format!("room on {}", words::node(node)),
            Self::Claim(claim, stage) => format!("on {claim}, {stage}"),
            Self::Review(id) => format!("in review {id}"),
            Self::Refused(why) => why.clone(),
        }
    }
}

pub fn rows(view: &View) -> Vec<PendingRow> {
    let planned = planned(view);
    let mut out: Vec<PendingRow> = view
        .snapshot
        .pods
        .values()
        .filter(|p| p.node.is_none() && p.is_active())
        .map(|p| row(view, &planned, p))
        .collect();
    out.sort_by(|a, b| (a.since, &a.key).cmp(&(b.since, &b.key)));
    out
}

fn row(view: &View, planned: &BTreeMap<Name, Place>, p: &Pod) -> PendingRow {
    let key = p.key();
    let place = planned
        .get(&key)
        .cloned()
        .or_else(|| refused(view, &key))
        .unwrap_or_else(|| unplanned(view, p));
    let pool = match &place {
        Place::Claim(claim, _) => view.snapshot.claims.get(claim).and_then(|c| c.pool().cloned()),
        Place::Room(node) => view.snapshot.nodes.get(node).map(|n| n.pool().into()),
        _ => None,
    };
    PendingRow {
        key,
        cpu: p.spec.requests.cpu,
        memory: p.spec.requests.memory,
        pool: pool.unwrap_or_else(|| "".into()),
        since: p.created,
        place,
    }
}

/// Where the newest decisions put each pod; later ones win.
fn planned(view: &View) -> BTreeMap<Name, Place> {
    let mut out = BTreeMap::new();
    for row in view.decisions.values() {
        let d = &row.decision;
        if row.state == State::Held && d.kind == Kind::Provisioning {
            out.extend(d.subjects.iter().map(|pod| (pod.clone(), Place::Review(d.id))));
            continue;
        }
        if row.state.is_final() && row.state != State::Done {
            continue;
        }
        for e in claims_of(row) {
            let Some(claim) = view.snapshot.claims.get(&e.claim) else {
                continue;
            };
            let word = match claim.stage() {
                "Created" => "launches",
                "Launched" => "boots",
                "Registered" => "starts",
                "Terminating" => continue,
                _ => "binds",
            };
            out.extend(
                e.pods
                    .iter()
                    .map(|pod| (pod.clone(), Place::Claim(e.claim.clone(), word))),
            );
        }
        if let Evidence::Provisioning(e) = &d.evidence {
            for (target, pods) in &e.existing {
                if view.snapshot.nodes.contains_key(target) {
                    out.extend(pods.iter().map(|pod| (pod.clone(), Place::Room(target.clone()))));
                } else if view.snapshot.claims.contains_key(target) {
                    out.extend(
                        pods.iter()
                            .map(|pod| (pod.clone(), Place::Claim(target.clone(), "boots"))),
                    );
                }
            }
        }
    }
    out
}

/// What a pod waits for that no decision speaks of.
fn unplanned(view: &View, pod: &Pod) -> Place {
    if view.pauses.everything.is_some() || view.pauses.provisioning.is_some() {
        return Place::Paused;
    }
    match view.batch_closes.filter(|_| pod.is_provisionable()) {
        Some(at) => Place::Planned(at),
        None => Place::Waiting,
    }
}

fn refused(view: &View, key: &Name) -> Option<Place> {
    let refusals = view.refusals.get(key)?;
    let closest = closest(&refusals.pools)?;
    Some(Place::Refused(format!(
        "no pool: {}",
        words::refusal_short(closest)
    )))
}

/// The refusal that got furthest: a pool that is ready, the heaviest first.
pub fn closest(pools: &[(Name, Refusal)]) -> Option<&Refusal> {
    pools
        .iter()
        .map(|(_, r)| r)
        .find(|r| !matches!(r, Refusal::PoolNotReady { .. } | Refusal::NoInstanceTypes))
        .or_else(|| pools.first().map(|(_, r)| r))
}
