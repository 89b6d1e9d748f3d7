//! One pass: ask the rooms of `decide`, let the gate judge, start what may start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::run::{Engine, after};
use crate::decide::{Fuel, Reserved, disruption, lifecycle, scheduling};
use crate::gate::guards::Stop;
use crate::ledger::{Body, Cause};
use crate::model::Name;
use crate::model::decision::{Decision, DecisionId, Evidence, Kind, Proposal, State, Verdict};

/// An open decision is re-validated at most so often while the world moves.
const RECHECK: Duration = Duration::from_secs(1);

/// Decisions whose picture is kept for explanations; pictures share what did not change between them.
const PICTURES_KEPT: usize = 64;

impl Engine {
    /// Everything that is due now.
    pub(super) fn pass(&mut self) {
        let now = self.clock.now();
        self.tick_gate(now);
        if !self.synced {
            // Being synced wakes it.
            self.wake_at = None;
            return;
        }
        if self.next_id == 1 {
            self.continue_numbering();
        }
        self.cool_down(now);
        self.recheck_open(now);
        let reserved = self.reserved();
        let snapshot = self.snapshot();
        let dirty = std::mem::take(&mut self.dirty);
        let mut fuel = Fuel::UNLIMITED;
        let settings = &self.settings;
        let mut outcome = lifecycle::pass(&snapshot, &mut self.lifecycle, &dirty, &reserved, now, settings);
        outcome.merge(scheduling::pass(
            &snapshot,
            &mut self.scheduling,
            &dirty,
            &reserved,
            now,
            settings,
            &mut fuel,
        ));
        let force = self.force.take();
        outcome.merge(disruption::pass(
            &snapshot,
            &mut self.disruption,
            &reserved,
            force.as_ref(),
            now,
            settings,
            &mut fuel,
        ));
        self.record_verdicts(now, outcome.verdicts);
        for proposal in outcome.proposals {
            self.propose(proposal, now);
        }
        for step in outcome.steps {
            self.step(step, now);
        }
        self.start_approved(now);
        let refused = self.go_on_draining(now);
        self.book.view_mut().batch_closes = self.scheduling.batch_closes();
        let cooled = self.cooling.values().map(|(until, _)| *until).min();
        self.wake_at = [outcome.wake_at, cooled, refused]
            .into_iter()
            .flatten()
            .min()
            .map(|t| t.max(now));
        if self.dirty.all {
            // Something was withdrawn on the way: what it leaves open is planned anew.
            let again = after(now, RECHECK);
            self.wake_at = Some(self.wake_at.map_or(again, |t| t.min(again)));
        }
        self.raise_alarms(now);
    }

    /// What rested after an effect is looked at again: a step that was passed over meanwhile is not lost.
    fn cool_down(&mut self, now: Timestamp) {
        let over = |(until, _): &(Timestamp, crate::model::decision::Effect)| *until <= now;
        let rested: Vec<_> = self
            .cooling
            .values()
            .filter(|c| over(c))
            .map(|(_, e)| e.clone())
            .collect();
        self.cooling.retain(|_, c| !over(c));
        for effect in rested {
            self.mark_effect(&effect);
        }
    }

    fn tick_gate(&mut self, now: Timestamp) {
        let (changed, lapsed) = self.gate.tick(now);
        for id in lapsed {
            self.rule(
                id,
                State::Lapsed,
                "engine",
                "the review ran out".to_owned(),
                Cause::Engine,
            );
        }
        if changed {
            self.record_supervision(Cause::Engine);
        }
    }

    /// Withdraws what the world no longer allows. What a person approved and what waits are both asked.
    fn recheck_open(&mut self, now: Timestamp) {
        let due: Vec<Arc<Decision>> = self
            .gate
            .open()
            .filter(|o| matches!(o.state, State::Held | State::Noted | State::Approved))
            .filter(|o| {
                self.checked
                    .get(&o.decision.id)
                    .is_none_or(|t| after(*t, RECHECK) <= now)
            })
            .map(|o| o.decision.clone())
            .collect();
        if due.is_empty() {
            return;
        }
        let snapshot = self.snapshot();
        for decision in due {
            self.checked.insert(decision.id, now);
            if let Err(what) = revalidate(&snapshot, &decision, now, &self.settings) {
                self.withdraw(&decision, what, now);
            }
        }
    }

    pub(super) fn withdraw(&mut self, decision: &Decision, what: String, now: Timestamp) {
        self.gate.set(decision.id, State::Withdrawn, now);
        self.checked.remove(&decision.id);
        self.rule(decision.id, State::Withdrawn, "engine", what, Cause::Engine);
        self.dirty.all = true;
        self.wake_at = Some(now);
    }

    fn reserved(&self) -> Reserved {
        let mut out = Reserved::default();
        let acting = self.acting.values().map(|a| &a.decision);
        for decision in self.gate.open().map(|o| &o.decision).chain(acting) {
            match &decision.evidence {
                Evidence::Provisioning(e) => out
                    .pods
                    .extend(e.claims.iter().flat_map(|c| c.pods.iter().cloned())),
                Evidence::Disruption(e) => {
                    out.nodes
                        .extend(e.candidates.iter().map(|c| (c.node.clone(), e.reason.clone())));
                }
                Evidence::Reason { code, .. } => {
                    out.nodes
                        .extend(decision.subjects.iter().map(|s| (s.clone(), code.clone())));
                }
            }
        }
        out.effects = self
            .under_way
            .iter()
            .chain(self.cooling.keys())
            .cloned()
            .collect();
        out.pods.extend(self.gate.stopped_pods().cloned());
        out.rejected.clone_from(&self.gate.supervision().rejected);
        out.paused_pools = self.gate.pauses().pools.keys().cloned().collect();
        out
    }

    fn propose(&mut self, proposal: Proposal, now: Timestamp) {
        let id = DecisionId(self.next_id);
        self.next_id += 1;
        let decision = Arc::new(Decision {
            id,
            at: now,
            hash: proposal.content_hash(),
            proposal,
        });
        let automatic = !decision.effects.is_empty() && self.gate.judge(&decision) == State::Approved;
        let stop = if automatic {
            self.guard(&decision, now)
        } else {
            None
        };
        if matches!(stop, Some(Stop::Drop(_))) {
            // Not even noted: the alarm says that nothing is disrupted, and it will be proposed again.
            self.next_id -= 1;
            return;
        }
        self.nominate(&decision, now);
        if !decision.evidence.claims().is_empty() {
            self.decided_on.insert(id, self.snapshot());
            while self.decided_on.len() > PICTURES_KEPT {
                self.decided_on.pop_first();
            }
        }
        self.book.append(
            now,
            Cause::Decision(id),
            Body::Proposed {
                decision: decision.clone(),
            },
        );
        if decision.effects.is_empty() {
            // Nothing can be done: it only says why.
            self.rule(
                id,
                State::Noted,
                "engine",
                "nothing to do".to_owned(),
                Cause::Decision(id),
            );
            return;
        }
        let mut state = self.gate.judge(&decision);
        let mut why = None;
        match stop {
            Some(Stop::Pods(_, text)) => return self.stop_pods(&decision, text, now),
            Some(Stop::Ask(guard, text)) => {
                state = State::Held;
                why = Some(format!("guard {}: {text}", guard.as_str()));
            }
            Some(Stop::Drop(_)) | None => {}
        }
        let reason = self.gate.judged_by(&decision);
        self.gate.admit(decision, state, now);
        self.checked.insert(id, now);
        if let Some(why) = why {
            self.rule(id, state, "guard", why, Cause::Decision(id));
            return;
        }
        self.rule(id, state, "policy", reason, Cause::Decision(id));
    }

    /// A node that a pending pod is to use is not taken away meanwhile (`disruption §17`).
    fn nominate(&mut self, decision: &Decision, now: Timestamp) {
        if let Evidence::Provisioning(evidence) = &decision.evidence {
            let until = after(now, (self.settings.batch_max * 2).max(Duration::from_secs(10)));
            for node in evidence.existing.keys() {
                self.disruption.nominate(node, until);
            }
        }
    }

    pub(super) fn rule(&mut self, id: DecisionId, state: State, by: &str, reason: String, cause: Cause) {
        let now = self.clock.now();
        self.book.append(
            now,
            cause,
            Body::Ruled {
                id,
                state,
                by: by.into(),
                reason,
            },
        );
    }

    fn record_verdicts(&mut self, now: Timestamp, verdicts: Vec<Verdict>) {
        let known = &self.book.view().verdicts;
        let changed: BTreeMap<Name, Option<Verdict>> = verdicts
            .into_iter()
            .filter(|v| known.get(&v.node).is_none_or(|k| **k != *v))
            .map(|v| (v.node.clone(), Some(v)))
            .collect();
        if !changed.is_empty() {
            self.book.append(now, Cause::Engine, Body::Verdicts { changed });
        }
    }

    pub(super) fn record_supervision(&mut self, cause: Cause) {
        let now = self.clock.now();
        let (policies, pauses) = (self.gate.policies().clone(), self.gate.pauses().clone());
        self.book
            .append(now, cause, Body::Supervision { policies, pauses });
        self.remember();
    }

    /// The candidates of every open disruption, for the marks on the screen.
    pub(super) fn candidates(decision: &Decision) -> BTreeSet<Name> {
        match &decision.evidence {
            Evidence::Disruption(e) => e.candidates.iter().map(|c| c.node.clone()).collect(),
            _ => BTreeSet::new(),
        }
    }
}

/// house, idea 2: asked just before a warrant is issued, and while a decision waits.
pub(super) fn revalidate(
    snapshot: &crate::model::Snapshot,
    decision: &Decision,
    now: Timestamp,
    settings: &crate::decide::Settings,
) -> Result<(), String> {
    let by_reason = matches!(decision.evidence, Evidence::Reason { .. });
    match decision.kind {
        Kind::Static if by_reason => lifecycle::revalidate(snapshot, &decision.proposal),
        Kind::Provisioning => scheduling::revalidate(snapshot, &decision.proposal, now, settings),
        Kind::Emptiness | Kind::Consolidation | Kind::Drift | Kind::Static => {
            disruption::revalidate(snapshot, &decision.proposal, now, settings)
        }
        Kind::Expiration | Kind::Interruption | Kind::Repair | Kind::Garbage => {
            lifecycle::revalidate(snapshot, &decision.proposal)
        }
    }
}
