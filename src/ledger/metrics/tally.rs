//! Counters and histograms: what happened since the start.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::gauges::seconds;
use super::page::{Page, whole};
use crate::ledger::{Body, Entry};
use crate::model::decision::{Decision, DecisionId, Effect, EffectResult, Evidence, State};
use crate::model::{Claim, Delta, Name, Pod};

/// Edges of duration histograms in seconds (`scheduling §27.4`).
const DURATIONS: [f64; 15] = [
    0.005, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
];
/// Edges of `nodeclaims_termination_duration_seconds`.
const TERMINATIONS: [f64; 12] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0,
];

type Labels = Vec<(&'static str, Name)>;

#[derive(Debug)]
struct Histogram {
    edges: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    count: u64,
}

/// An open disruption, in the words of the metrics.
#[derive(Clone, Debug)]
struct Why {
    decision: &'static str,
    reason: Name,
    /// `multi`, `single`, or empty.
    consolidation: Name,
}

/// Folds ledger entries into counters.
#[derive(Debug, Default)]
pub struct Tally {
    counters: BTreeMap<(&'static str, Labels), u64>,
    histograms: BTreeMap<(&'static str, Labels), Histogram>,
    /// Rows whose end is counted under the labels they had.
    claims: BTreeMap<Name, (Name, Name, Name, Option<Timestamp>)>,
    nodes: BTreeMap<Name, (Name, Name)>,
    /// Pods without a node, and pods that do not run yet.
    unbound: BTreeMap<Name, Timestamp>,
    unstarted: BTreeMap<Name, Timestamp>,
    /// Why each open disruption was decided.
    reasons: BTreeMap<DecisionId, Why>,
    started: Timestamp,
}

fn help(name: &str) -> &'static str {
    match name {
        "karpenter_nodeclaims_created_total" => "NodeClaims created, by reason.",
        "karpenter_nodeclaims_terminated_total" => "NodeClaims that are gone.",
        "karpenter_nodeclaims_disrupted_total" => "NodeClaims deleted by a decision, by reason.",
        "karpenter_nodes_created_total" => "Nodes that joined.",
        "karpenter_nodes_terminated_total" => "Nodes that are gone.",
        "karpenter_pods_eviction_requests_total" => "Evictions asked for, by the answer's code.",
        "karpenter_cloudprovider_errors_total" => "Calls of the cloud that failed.",
        "karpenter_voluntary_disruption_decisions_total" => "Disruptions begun.",
        "karpenter_interruption_received_messages_total" => "Interruption notices received.",
        "karpenter_pods_bound_duration_seconds" => "From a pod's creation to its node.",
        "karpenter_pods_startup_duration_seconds" => "From a pod's creation to its readiness.",
        "karpenter_nodeclaims_termination_duration_seconds" => "From a NodeClaim's deletion to its end.",
        "kerf_writes_total" => "Writes tried, by what came of them.",
        _ => "Decisions by kind and state entered.",
    }
}

impl Tally {
    fn add(&mut self, name: &'static str, labels: Labels) {
        *self.counters.entry((name, labels)).or_default() += 1;
    }

    fn observe(&mut self, name: &'static str, labels: Labels, edges: &'static [f64], value: f64) {
        let h = self
            .histograms
            .entry((name, labels))
            .or_insert_with(|| Histogram {
                edges,
                counts: vec![0; edges.len()],
                sum: 0.0,
                count: 0,
            });
        for (edge, n) in h.edges.iter().zip(&mut h.counts) {
            *n += u64::from(value <= *edge);
        }
        h.sum += value;
        h.count += 1;
    }

    /// Counts what an entry tells.
    pub fn fold(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Started { .. } => self.started = entry.at,
            Body::Observed { deltas } => {
                for delta in deltas {
                    self.delta(delta, entry.at);
                }
            }
            Body::Proposed { decision } => self.proposed(decision),
            Body::Ruled { id, state, .. } => self.ruled(*id, *state),
            Body::Acted {
                id, effect, result, ..
            } => self.acted(*id, effect, result),
            _ => {}
        }
    }

    fn proposed(&mut self, decision: &Decision) {
        self.add(
            "kerf_decisions_total",
            vec![("kind", decision.kind.as_str().into())],
        );
        if let Evidence::Disruption(e) = &decision.evidence {
            let why = Why {
                decision: if e.replacements.is_empty() {
                    "delete"
                } else {
                    "replace"
                },
                reason: e.reason.to_lowercase().into(),
                consolidation: match &*e.method {
                    "multi" | "single" => e.method.clone(),
                    _ => Name::default(),
                },
            };
            self.reasons.insert(decision.id, why);
        }
    }

    fn ruled(&mut self, id: DecisionId, state: State) {
        if state == State::Acting
            && let Some(why) = self.reasons.get(&id).cloned()
        {
            let labels = vec![
                ("decision", why.decision.into()),
                ("reason", why.reason),
                ("consolidation_type", why.consolidation),
            ];
            self.add("karpenter_voluntary_disruption_decisions_total", labels);
        } else if state.is_final() && state != State::Noted {
            self.reasons.remove(&id);
        }
    }

    fn acted(&mut self, id: Option<DecisionId>, effect: &Effect, result: &EffectResult) {
        let outcome = match result {
            EffectResult::Done | EffectResult::Launched(_) => "done",
            EffectResult::Unchanged => "unchanged",
            EffectResult::InsufficientCapacity { .. } => "insufficient_capacity",
            EffectResult::Stale { .. } => "stale",
            EffectResult::Retry { .. } => "retry",
            EffectResult::Failed { .. } => "failed",
        };
        self.add("kerf_writes_total", vec![("outcome", outcome.into())]);
        let done = *result == EffectResult::Done;
        match effect {
            Effect::CreateClaim(draft) if done => {
                let why = id.and_then(|id| self.reasons.get(&id));
                let relaxed = draft.annotations.get("karpenter.sh/nodeclaim-min-values-relaxed");
                let labels = vec![
                    (
                        "reason",
                        why.map_or_else(|| "provisioned".into(), |w| w.reason.clone()),
                    ),
                    ("nodepool", draft.pool.clone()),
                    (
                        "min_values_relaxed",
                        relaxed.cloned().unwrap_or_else(|| "false".into()),
                    ),
                ];
                self.add("karpenter_nodeclaims_created_total", labels);
            }
            Effect::DeleteClaim { claim, reason, .. } if done => {
                let (pool, capacity, ..) = self.claims.get(claim).cloned().unwrap_or_default();
                let labels = vec![
                    ("reason", reason.to_lowercase().into()),
                    ("nodepool", pool),
                    ("capacity_type", capacity),
                ];
                self.add("karpenter_nodeclaims_disrupted_total", labels);
            }
            Effect::Evict { .. } => {
                let code = match result {
                    EffectResult::Done | EffectResult::Unchanged => "200",
                    EffectResult::Retry { reason, .. } if &**reason == "TooManyRequests" => "429",
                    EffectResult::Stale { .. } => "404",
                    _ => "500",
                };
                self.add(
                    "karpenter_pods_eviction_requests_total",
                    vec![("code", code.into())],
                );
            }
            Effect::Launch { .. } => {
                let error = match result {
                    EffectResult::InsufficientCapacity { .. } => "InsufficientCapacityError",
                    EffectResult::Retry { reason, .. } if &**reason == "NodeClassNotReady" => {
                        "NodeClassNotReadyError"
                    }
                    EffectResult::Retry { .. } | EffectResult::Failed { .. } => "",
                    _ => return,
                };
                self.cloud_error("nodeclaim.lifecycle", "Create", error);
            }
            Effect::TerminateInstance { .. }
                if matches!(result, EffectResult::Retry { .. } | EffectResult::Failed { .. }) =>
            {
                self.cloud_error("nodeclaim.lifecycle", "Delete", "");
            }
            _ => {}
        }
    }

    fn cloud_error(&mut self, controller: &str, method: &str, error: &str) {
        let labels = vec![
            ("controller", controller.into()),
            ("method", method.into()),
            ("provider", "aws".into()),
            ("error", error.into()),
        ];
        self.add("karpenter_cloudprovider_errors_total", labels);
    }

    fn delta(&mut self, delta: &Delta, at: Timestamp) {
        match delta {
            Delta::Claim(row) => self.claim(row),
            Delta::ClaimGone(name) => {
                if let Some((pool, capacity, zone, deleting)) = self.claims.remove(name) {
                    if let Some(since) = deleting {
                        let labels = vec![("nodepool", pool.clone())];
                        let name = "karpenter_nodeclaims_termination_duration_seconds";
                        self.observe(name, labels, &TERMINATIONS, seconds(since, at));
                    }
                    let labels = vec![("nodepool", pool), ("capacity_type", capacity), ("zone", zone)];
                    self.add("karpenter_nodeclaims_terminated_total", labels);
                }
            }
            Delta::Node(row) => {
                let place: (Name, Name) = (row.pool().into(), row.zone().into());
                let old = self.nodes.insert(row.name.clone(), place.clone());
                // What was there before the start is no news.
                if old.is_none() && row.created >= self.started {
                    let labels = vec![("nodepool", place.0), ("zone", place.1)];
                    self.add("karpenter_nodes_created_total", labels);
                }
            }
            Delta::NodeGone(name) => {
                if let Some((pool, zone)) = self.nodes.remove(name) {
                    let labels = vec![("nodepool", pool), ("zone", zone)];
                    self.add("karpenter_nodes_terminated_total", labels);
                }
            }
            Delta::Pod(row) => self.pod(row, at),
            Delta::PodGone(key) => {
                self.unbound.remove(key);
                self.unstarted.remove(key);
            }
            Delta::Notice(row) => {
                let kind = format!("{:?}", row.kind);
                let labels = vec![("message_type", kind.as_str().into())];
                self.add("karpenter_interruption_received_messages_total", labels);
            }
            _ => {}
        }
    }

    fn claim(&mut self, row: &Claim) {
        let pool = row.pool().cloned().unwrap_or_default();
        let place = (pool, row.capacity_type().into(), row.zone().into(), row.deleting);
        self.claims.insert(row.name.clone(), place);
    }

    fn pod(&mut self, row: &Pod, at: Timestamp) {
        let key = row.key();
        if row.node.is_none() {
            self.unbound.insert(key.clone(), row.created);
        } else if let Some(created) = self.unbound.remove(&key) {
            let name = "karpenter_pods_bound_duration_seconds";
            self.observe(name, Vec::new(), &DURATIONS, seconds(created, at));
        }
        if row.ready {
            if let Some(created) = self.unstarted.remove(&key) {
                let name = "karpenter_pods_startup_duration_seconds";
                self.observe(name, Vec::new(), &DURATIONS, seconds(created, at));
            }
        } else if row.is_active() {
            self.unstarted.insert(key, row.created);
        }
    }

    pub fn put(&self, page: &mut Page) {
        for ((name, labels), n) in &self.counters {
            let labels: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (*k, &**v)).collect();
            page.counter(name, help(name), &labels, whole(*n));
        }
        for ((name, labels), h) in &self.histograms {
            let labels: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (*k, &**v)).collect();
            let buckets: Vec<(f64, u64)> = h.edges.iter().copied().zip(h.counts.iter().copied()).collect();
            page.histogram(name, help(name), &labels, &buckets, (h.sum, h.count));
        }
    }
}
