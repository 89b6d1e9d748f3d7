//! One entry's effect on the [`View`]: deterministic, and cheap for the entries that come often.

use std::sync::Arc;

use jiff::Timestamp;

use super::entry::{Body, Entry};
use super::view::{Alarm, DecisionRow, PodRefusals, Step, View};
use crate::model::decision::{Decision, Effect, EffectResult, Evidence, Kind, State, WriteClass};
use crate::model::{CapacityType, Delta, Name, Pod, UsdPerHour};

/// Lines kept for the log pane.
const LOG: usize = 5_000;
/// Decisions kept; older final ones leave the view and stay in the recording.
const DECISIONS: usize = 2_000;
const SAMPLE_EVERY: i64 = 60;
const SAMPLES: usize = 24 * 60;

impl View {
    pub fn fold(&mut self, entry: &Arc<Entry>) {
        self.advance(entry.at);
        self.seq = entry.seq;
        match &entry.body {
            Body::Started {
                source,
                region,
                policies,
            } => {
                self.started = entry.at;
                self.source = source.clone();
                self.region = region.clone();
                self.policies = policies.clone();
            }
            Body::Observed { deltas } => self.observed(deltas),
            Body::Proposed { decision } => self.proposed(decision),
            Body::Ruled {
                id,
                state,
                by,
                reason,
            } => self.ruled(entry, *id, *state, by, reason),
            Body::Acted {
                id,
                class,
                effect,
                result,
            } => self.acted(entry, *id, *class, effect, result),
            Body::Verdicts { changed } => {
                for (node, verdict) in changed {
                    match verdict {
                        Some(v) => drop(self.verdicts.insert(node.clone(), Arc::new(v.clone()))),
                        None => drop(self.verdicts.remove(node)),
                    }
                }
            }
            Body::Alarm { name, text, cleared } => {
                if *cleared {
                    self.alarms.remove(name);
                } else {
                    self.alarms
                        .entry(name.clone())
                        .or_insert_with(|| Alarm {
                            since: entry.at,
                            text: String::new(),
                        })
                        .text
                        .clone_from(text);
                }
            }
            Body::Supervision { policies, pauses } => {
                self.policies = policies.clone();
                self.pauses = pauses.clone();
            }
            Body::Command { .. } | Body::Checkpoint { .. } => {}
        }
        if is_log_line(&entry.body) {
            self.log.push_back(entry.clone());
            while self.log.len() > LOG {
                self.log.pop_front();
            }
        }
    }

    /// Moves the clock on: what runs costs, and once a minute the series gets a sample.
    pub fn advance(&mut self, now: Timestamp) {
        if self.now == Timestamp::default() {
            self.now = now;
        }
        if let Ok(passed) = std::time::Duration::try_from(now.duration_since(self.now)) {
            self.cost.spent += self.cost.now.over(passed);
            self.now = now;
        }
        let due = self
            .cost
            .series
            .back()
            .is_none_or(|(at, ..)| now.as_second() - at.as_second() >= SAMPLE_EVERY);
        if due {
            self.pending = count(self.snapshot.pods.values().filter(|p| is_pending(p)).count());
            let most = self.pending.max(self.most_pending);
            self.most_pending = self.pending;
            let nodes = count(self.snapshot.nodes.len());
            self.cost.series.push_back((now, self.cost.now, nodes, most));
            while self.cost.series.len() > SAMPLES {
                self.cost.series.pop_front();
            }
        }
    }

    fn observed(&mut self, deltas: &[Delta]) {
        let mut reprice_all = false;
        let mut touched = Vec::new();
        for delta in deltas {
            match delta {
                Delta::Claim(row) => touched.push(row.name.clone()),
                Delta::ClaimGone(name) => {
                    if self
                        .snapshot
                        .claims
                        .get(name)
                        .is_some_and(|c| !c.provider_id.is_empty())
                    {
                        self.totals.terminated += 1;
                    }
                    touched.push(name.clone());
                }
                Delta::Catalogue { .. }
                | Delta::Offerings { .. }
                | Delta::Overlay(_)
                | Delta::OverlayGone(_) => reprice_all = true,
                Delta::PodGone(key) => {
                    self.refusals.remove(key);
                    self.pending_becomes(key, false);
                }
                Delta::Pod(row) => {
                    let key = row.key();
                    if row.node.is_some() {
                        self.refusals.remove(&key);
                    }
                    self.pending_becomes(&key, is_pending(row));
                }
                Delta::NodeGone(name) => drop(self.verdicts.remove(name)),
                _ => {}
            }
        }
        self.snapshot.apply(deltas);
        if reprice_all {
            touched = self.snapshot.claims.keys().cloned().collect();
            self.claim_prices = imbl::OrdMap::new();
            self.cost.now = UsdPerHour::ZERO;
            self.cost.spot = UsdPerHour::ZERO;
            self.cost.on_demand = UsdPerHour::ZERO;
        }
        for name in touched {
            self.reprice(&name);
        }
    }

    /// Keeps count between the samples of a minute, so that a burst that ends within one is seen.
    fn pending_becomes(&mut self, pod: &Name, now: bool) {
        let before = self.snapshot.pods.get(pod).is_some_and(|p| is_pending(p));
        match (before, now) {
            (false, true) => self.pending += 1,
            (true, false) => self.pending = self.pending.saturating_sub(1),
            _ => {}
        }
        self.most_pending = self.most_pending.max(self.pending);
    }

    /// A claim costs from launch until it is gone.
    fn reprice(&mut self, claim: &Name) {
        let new = self
            .snapshot
            .claims
            .get(claim)
            .filter(|c| !c.provider_id.is_empty())
            .map(|row| {
                let spot = row.capacity_type() == CapacityType::Spot.as_str();
                (self.snapshot.price_of(&row.labels), spot)
            });
        let old = match new {
            Some(price) => self.claim_prices.insert(claim.clone(), price),
            None => self.claim_prices.remove(claim),
        };
        let mut book = |entry: Option<(UsdPerHour, bool)>, sign: i64| {
            let Some((price, spot)) = entry else { return };
            let price = price.saturating_mul(sign);
            self.cost.now += price;
            if spot {
                self.cost.spot += price;
            } else {
                self.cost.on_demand += price;
            }
        };
        book(old, -1);
        book(new, 1);
    }

    fn proposed(&mut self, decision: &Arc<Decision>) {
        self.totals.proposed += 1;
        for effect in &decision.effects {
            if let Effect::CreateClaim(draft) = effect {
                self.claim_decisions.insert(draft.name.clone(), decision.id);
            }
        }
        if let Evidence::Provisioning(evidence) = &decision.evidence {
            for placed in evidence
                .claims
                .iter()
                .flat_map(|c| &c.pods)
                .chain(evidence.existing.values().flatten())
            {
                self.refusals.remove(placed);
            }
            for refused in evidence.unschedulable.iter().chain(&evidence.deferred) {
                let (since, passes) = self
                    .refusals
                    .get(&refused.pod)
                    .map_or((decision.at, 0), |r| (r.since, r.passes));
                let row = PodRefusals {
                    since,
                    passes: passes + 1,
                    pools: refused.pools.clone(),
                };
                self.refusals.insert(refused.pod.clone(), Arc::new(row));
            }
        }
        let row = DecisionRow {
            decision: decision.clone(),
            state: State::Held,
            since: decision.at,
            by: "engine".into(),
            reason: String::new(),
            steps: Vec::new(),
        };
        self.decisions.insert(decision.id, Arc::new(row));
        if self.decisions.len() > DECISIONS
            && let Some(id) = self
                .decisions
                .iter()
                .find(|(_, r)| r.state.is_final())
                .map(|(id, _)| *id)
        {
            self.decisions.remove(&id);
        }
    }

    fn ruled(
        &mut self,
        entry: &Entry,
        id: crate::model::decision::DecisionId,
        state: State,
        by: &Name,
        reason: &str,
    ) {
        let Some(row) = self.decisions.get(&id) else {
            return;
        };
        let mut row = (**row).clone();
        (row.state, row.since, row.by, row.reason) = (state, entry.at, by.clone(), reason.to_owned());
        match state {
            State::Approved => self.totals.approved += 1,
            State::Rejected | State::Lapsed => self.totals.rejected += 1,
            State::Done => self.totals.done += 1,
            State::Failed | State::RolledBack => self.totals.failed += 1,
            State::Held | State::Withdrawn | State::Noted | State::Acting => {}
        }
        self.decisions.insert(id, Arc::new(row));
        self.cost.in_review = self
            .decisions
            .values()
            .filter(|r| r.state == State::Held)
            .map(|r| r.decision.impact.usd_per_hour)
            .sum();
    }

    fn acted(
        &mut self,
        entry: &Entry,
        id: Option<crate::model::decision::DecisionId>,
        class: WriteClass,
        effect: &Effect,
        result: &EffectResult,
    ) {
        if self.pauses.forbids(class) {
            self.totals.writes_while_paused += 1;
        }
        if matches!(result, EffectResult::Launched(_)) {
            self.totals.launched += 1;
        }
        let Some(row) = id.and_then(|id| self.decisions.get(&id)) else {
            return;
        };
        if class == WriteClass::Mirror {
            return;
        }
        let mut row = (**row).clone();
        row.steps.push(Step {
            at: entry.at,
            effect: effect.clone(),
            result: result.clone(),
        });
        self.decisions.insert(row.decision.id, Arc::new(row));
    }
}

fn is_pending(pod: &Pod) -> bool {
    pod.node.is_none() && pod.is_active()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Entries that a person wants to read; rows and verdicts have panes of their own.
pub fn is_log_line(body: &Body) -> bool {
    match body {
        Body::Observed { .. } | Body::Verdicts { .. } | Body::Checkpoint { .. } => false,
        Body::Acted {
            class: WriteClass::Mirror,
            effect,
            ..
        } => matches!(effect, Effect::Event { .. }),
        Body::Acted {
            result: EffectResult::Unchanged,
            ..
        } => false,
        Body::Proposed { decision } => decision.kind != Kind::Provisioning || !decision.effects.is_empty(),
        _ => true,
    }
}
