//! What the screens need to know about a `View` and would otherwise work out for every frame: made once for each
//! published view.

mod chosen;
mod nodes;
mod pending;

use std::collections::BTreeMap;

use crate::ledger::View;
use crate::ledger::view::DecisionRow;
use crate::model::decision::{DecisionId, Kind, State};
use crate::model::{Name, Resources};
use crate::words;

pub use chosen::ChosenRow;
pub use nodes::{NodeRow, Role};
pub use pending::{PendingRow, Place, closest};

#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// Of the view it was made from.
    pub seq: u64,
    /// Dearest first; claims without a node are among them.
    pub nodes: Vec<NodeRow>,
    /// Oldest first.
    pub pending: Vec<PendingRow>,
    /// Dearest first.
    pub chosen: Vec<ChosenRow>,
    /// Decisions that wait for a person, oldest first.
    pub waiting: Vec<DecisionId>,
    /// Candidate node → its place among the waiting disruptions (from 1) and the decision.
    pub candidates: BTreeMap<Name, (usize, DecisionId)>,
    pub totals: Totals,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    pub nodes: usize,
    pub claims: usize,
    pub on_demand: usize,
    pub spot: usize,
    pub pods: usize,
    pub cpu: f64,
    pub memory: f64,
}

impl Digest {
    pub fn of(view: &View) -> Self {
        let waiting: Vec<DecisionId> = view
            .decisions
            .iter()
            .filter(|(_, row)| row.state == State::Held)
            .map(|(id, _)| *id)
            .collect();
        let candidates = candidates(view, &waiting);
        let nodes = nodes::rows(view, &candidates);
        let pending = pending::rows(view);
        let chosen = chosen::rows(view, &nodes);
        let totals = totals(view, &nodes);
        Self {
            seq: view.seq,
            nodes,
            pending,
            chosen,
            waiting,
            candidates,
            totals,
        }
    }

    /// The waiting disruptions with their marks: `C1` → `#141`.
    pub fn marks(&self) -> BTreeMap<usize, DecisionId> {
        self.candidates.values().copied().collect()
    }
}

fn candidates(view: &View, waiting: &[DecisionId]) -> BTreeMap<Name, (usize, DecisionId)> {
    let mut out = BTreeMap::new();
    let disruptions = waiting
        .iter()
        .filter_map(|id| view.decisions.get(id))
        .filter(|row| row.decision.kind != Kind::Provisioning);
    for (i, row) in disruptions.enumerate() {
        for node in &row.decision.subjects {
            out.insert(node.clone(), (i + 1, row.decision.id));
        }
    }
    out
}

fn totals(view: &View, nodes: &[NodeRow]) -> Totals {
    let mut sum = Totals {
        pods: view.snapshot.pods.len(),
        ..Totals::default()
    };
    let (mut used, mut room) = (Resources::default(), Resources::default());
    for row in nodes {
        match row.role {
            Role::Node => sum.nodes += 1,
            Role::Claim => sum.claims += 1,
        }
        match &*row.capacity {
            "spot" => sum.spot += 1,
            "on-demand" => sum.on_demand += 1,
            _ => {}
        }
        if row.role == Role::Node {
            used.cpu += row.used.cpu;
            used.memory += row.used.memory;
            room.cpu += row.room.cpu;
            room.memory += row.room.memory;
        }
    }
    sum.cpu = words::share(used.cpu, room.cpu);
    sum.memory = words::share(used.memory, room.memory);
    sum
}

/// The claims that a decision planned, with their evidence.
pub fn claims_of(row: &DecisionRow) -> &[crate::model::decision::evidence::ClaimEvidence] {
    row.decision.evidence.claims()
}

/// The decision that created a claim.
pub fn creator<'a>(view: &'a View, claim: &str) -> Option<&'a DecisionRow> {
    view.claim_decisions
        .get(claim)
        .and_then(|id| view.decisions.get(id))
        .map(|row| &**row)
}
