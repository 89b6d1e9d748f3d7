//! What the screen shows: a fold over ledger entries (house, idea 3).

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, Vector};
use jiff::Timestamp;

use super::entry::Entry;
use crate::gate::{Pauses, Policies};
use crate::model::decision::{Decision, DecisionId, Effect, EffectResult, State, Verdict};
use crate::model::{Name, Snapshot, UsdPerHour, UsdSpent};

/// Cheap to clone; the engine publishes a new one at most 30 times a second.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Sequence number of the last folded entry.
    pub seq: u64,
    pub started: Timestamp,
    /// Time of the last folded entry or clock tick.
    pub now: Timestamp,
    /// `demo:burst`, or a kubeconfig context.
    pub source: Name,
    pub region: Name,
    pub policies: Policies,
    pub pauses: Pauses,
    pub snapshot: Snapshot,
    /// In order of proposal.
    pub decisions: OrdMap<DecisionId, Arc<DecisionRow>>,
    /// By node name.
    pub verdicts: OrdMap<Name, Arc<Verdict>>,
    /// By alarm name.
    pub alarms: BTreeMap<Name, Alarm>,
    /// The latest entries worth a line on the screen, oldest first; bounded.
    pub log: Vector<Arc<Entry>>,
    pub cost: Cost,
    /// What each launched claim costs and whether it is spot; kept so that one change is one step.
    pub claim_prices: OrdMap<Name, (UsdPerHour, bool)>,
    /// Pods without a node now, and the most of them since the last sample.
    pub pending: u32,
    pub most_pending: u32,
    /// Claim name → decision that created it.
    pub claim_decisions: OrdMap<Name, DecisionId>,
    /// Pod key → latest refusals, from the newest provisioning decision that left it out.
    pub refusals: OrdMap<Name, Arc<PodRefusals>>,
    pub totals: Totals,
    /// When the open batch of pending pods closes by itself and is planned; not part of the ledger.
    pub batch_closes: Option<Timestamp>,
    /// Facts about the run that are not part of the ledger: speed, connection, recording file, kubeconfig.
    pub host: Host,
}

/// A decision with everything that happened to it.
#[derive(Clone, Debug)]
pub struct DecisionRow {
    pub decision: Arc<Decision>,
    pub state: State,
    /// When the state was entered.
    pub since: Timestamp,
    pub by: Name,
    pub reason: String,
    pub steps: Vec<Step>,
}

/// One effect that was carried out.
#[derive(Clone, Debug)]
pub struct Step {
    pub at: Timestamp,
    pub effect: Effect,
    pub result: EffectResult,
}

#[derive(Clone, Debug)]
pub struct PodRefusals {
    pub since: Timestamp,
    /// How many passes gave the same answer.
    pub passes: u32,
    pub pools: Vec<(Name, crate::model::decision::Refusal)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub since: Timestamp,
    pub text: String,
}

/// Money (screens, pane Cost).
#[derive(Clone, Debug, Default)]
pub struct Cost {
    pub now: UsdPerHour,
    pub on_demand: UsdPerHour,
    pub spot: UsdPerHour,
    /// Sum of the impacts of everything that waits.
    pub in_review: UsdPerHour,
    /// Proven lower bound for the running pods; `None` until computed.
    pub floor: Option<UsdPerHour>,
    pub spent: UsdSpent,
    /// One sample a minute of the last hour: time, $/h, nodes, the most pods that were pending in that minute.
    pub series: Vector<(Timestamp, UsdPerHour, u32, u32)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub launched: u64,
    pub terminated: u64,
    pub proposed: u64,
    pub approved: u64,
    pub rejected: u64,
    pub done: u64,
    pub failed: u64,
    pub writes_while_paused: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Simulated seconds a second; 0 = as fast as it goes; `None` on a real cluster.
    pub speed: Option<u32>,
    pub demo: bool,
    /// Where the kubeconfig for the loopback port lies.
    pub kubeconfig: Option<String>,
    pub recording: Option<String>,
    /// Set when a watch has been down: since when.
    pub disconnected: Option<Timestamp>,
    pub prices: String,
    /// Every kind was listed and every class looked up: decisions are made.
    pub synced: bool,
    /// Who leads, where several may run.
    pub lead: Option<crate::gate::Lead>,
}
