//! Node rows: nodes, and claims that have none yet.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{claims_of, creator};
use crate::ledger::View;
use crate::model::decision::DecisionId;
use crate::model::{Claim, Name, Node, Resources, UsdPerHour};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Node,
    /// A NodeClaim whose machine has not joined.
    Claim,
}

#[derive(Clone, Debug)]
pub struct NodeRow {
    pub role: Role,
    /// Of the node or, without one, of the claim.
    pub name: Name,
    pub claim: Option<Name>,
    pub pool: Name,
    pub kind: Name,
    /// `on-demand`, `spot`, `reserved`, or empty while unknown.
    pub capacity: Name,
    pub zone: Name,
    /// Summed requests; of a claim, what it was planned for.
    pub used: Resources,
    /// Allocatable; of a claim before launch, zero.
    pub room: Resources,
    pub pods: usize,
    pub price: UsdPerHour,
    /// `Ready`, `NotReady`, `Cordoned`, `Draining`, `Terminating`, or a claim's stage.
    pub status: &'static str,
    /// `C1`: candidate of the first waiting disruption.
    pub mark: Option<(usize, DecisionId)>,
    pub drifted: bool,
    /// The cloud said that it will take the machine.
    pub notice: bool,
    pub created: Timestamp,
    /// Since when a claim is in its stage.
    pub since: Timestamp,
}

/// What the pods of one node ask for.
#[derive(Clone, Copy, Default)]
struct Load {
    cpu: i64,
    memory: i64,
    pods: usize,
}

pub fn rows(view: &View, candidates: &BTreeMap<Name, (usize, DecisionId)>) -> Vec<NodeRow> {
    let s = &view.snapshot;
    let mut loads: BTreeMap<&str, Load> = BTreeMap::new();
    for pod in s.pods.values() {
        if let Some(node) = &pod.node
            && !pod.is_terminal()
        {
            let load = loads.entry(node).or_default();
            load.cpu += pod.spec.requests.cpu;
            load.memory += pod.spec.requests.memory;
            load.pods += 1;
        }
    }
    let by_provider: BTreeMap<&str, &Claim> = s
        .claims
        .values()
        .filter(|c| !c.provider_id.is_empty())
        .map(|c| (&*c.provider_id, &**c))
        .collect();
    let joined: std::collections::BTreeSet<&str> = s.nodes.values().map(|n| &*n.provider_id).collect();
    let mut out: Vec<NodeRow> = s
        .nodes
        .values()
        .map(|n| {
            let load = loads.get(&*n.name).copied().unwrap_or_default();
            node_row(
                view,
                n,
                by_provider.get(&*n.provider_id).copied(),
                load,
                candidates,
            )
        })
        .collect();
    out.extend(
        s.claims
            .values()
            .filter(|c| c.provider_id.is_empty() || !joined.contains(&*c.provider_id))
            .map(|c| claim_row(view, c)),
    );
    out.sort_by(|a, b| (Reverse(a.price), &a.name).cmp(&(Reverse(b.price), &b.name)));
    out
}

fn node_row(
    view: &View,
    n: &Node,
    claim: Option<&Claim>,
    load: Load,
    candidates: &BTreeMap<Name, (usize, DecisionId)>,
) -> NodeRow {
    let draining = n.taints.iter().any(|t| &*t.key == "karpenter.sh/disrupted");
    let status = if n.deleting.is_some() || claim.is_some_and(|c| c.deleting.is_some()) {
        "Terminating"
    } else if !n.ready && claim.is_some_and(|c| !c.is("Initialized")) {
        "Starting"
    } else if !n.ready {
        "NotReady"
    } else if draining {
        "Draining"
    } else if n.unschedulable {
        "Cordoned"
    } else {
        "Ready"
    };
    NodeRow {
        role: Role::Node,
        name: n.name.clone(),
        claim: claim.map(|c| c.name.clone()),
        pool: n.pool().into(),
        kind: n.instance_type().into(),
        capacity: n.capacity_type().into(),
        zone: n.zone().into(),
        used: Resources {
            cpu: load.cpu,
            memory: load.memory,
            ..Resources::default()
        },
        room: n.allocatable.clone(),
        pods: load.pods,
        price: view.snapshot.price_of(&n.labels),
        status,
        mark: candidates.get(&n.name).copied(),
        drifted: claim.is_some_and(|c| c.is("Drifted")),
        notice: !n.provider_id.is_empty() && view.snapshot.notices.contains_key(&n.provider_id),
        created: n.created,
        since: n.ready_since.unwrap_or(n.created),
    }
}

fn claim_row(view: &View, c: &Claim) -> NodeRow {
    let row = creator(view, &c.name);
    let evidence = row.and_then(|row| claims_of(row).iter().find(|e| e.claim == c.name));
    let stage = c.stage();
    let since = c.conditions.get(stage).map_or(c.created, |x| x.since);
    // Before launch the cheapest option stands in for the type.
    let best = evidence.and_then(|e| e.ranking.first());
    let launched = !c.instance_type().is_empty();
    let kind: Name = if launched {
        c.instance_type().into()
    } else {
        best.map_or("".into(), |b| b.instance_type.clone())
    };
    let room = if c.allocatable.is_zero() {
        best.map(|b| b.allocatable.clone()).unwrap_or_default()
    } else {
        c.allocatable.clone()
    };
    let price = if launched {
        view.snapshot.price_of(&c.labels)
    } else {
        best.map_or(UsdPerHour::ZERO, |b| b.price)
    };
    NodeRow {
        role: Role::Claim,
        name: c.name.clone(),
        claim: Some(c.name.clone()),
        pool: c.pool().cloned().unwrap_or_else(|| "".into()),
        kind,
        capacity: if launched {
            c.capacity_type().into()
        } else {
            best.map_or("".into(), |b| b.capacity_type.as_str().into())
        },
        zone: if launched { c.zone().into() } else { "".into() },
        used: c.requests.clone(),
        room,
        pods: evidence.map_or(0, |e| e.pods.len()),
        price,
        status: stage,
        mark: None,
        drifted: c.is("Drifted"),
        notice: !c.provider_id.is_empty() && view.snapshot.notices.contains_key(&c.provider_id),
        created: c.created,
        since,
    }
}
