//! Following a decision from its first effect to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::run::{Engine, after};
use crate::api::names;
use crate::ledger::Cause;
use crate::model::decision::{Decision, DecisionId, Effect, EffectResult, Evidence, State};
use crate::model::{Name, Node, Snapshot};

/// A claim that was created and is not in the cluster after this time is taken for gone (`lifecycle §7`, state).
const SEEN_WITHIN: Duration = Duration::from_secs(15);

/// A decision under way.
#[derive(Debug)]
pub(super) struct Acting {
    pub decision: Arc<Decision>,
    /// When all of its own effects were tried.
    effects_done: Option<Timestamp>,
    failed: Option<String>,
    /// Claims it makes that are not launched yet, and whether each was seen in the cluster.
    launching: BTreeMap<Name, bool>,
    launched: u32,
    /// Candidates: node → claim, until both are gone.
    leaving: BTreeMap<Name, Name>,
    /// Our taint was seen on a candidate: from here on its absence means something.
    marked: bool,
    /// An eviction has begun: no undo any more.
    pub evicting: bool,
}

impl Acting {
    pub fn new(decision: Arc<Decision>) -> Self {
        let launching = decision
            .effects
            .iter()
            .filter_map(|e| match e {
                Effect::CreateClaim(d) => Some((d.name.clone(), false)),
                _ => None,
            })
            .collect();
        let leaving = match &decision.evidence {
            Evidence::Disruption(e) => e
                .candidates
                .iter()
                .map(|c| (c.node.clone(), c.claim.clone()))
                .collect(),
            _ => BTreeMap::new(),
        };
        Self {
            decision,
            effects_done: None,
            failed: None,
            launching,
            launched: 0,
            leaving,
            marked: false,
            evicting: false,
        }
    }

    /// Whether it takes that claim or node away.
    pub fn takes(&self, claim: &str, node: &str) -> bool {
        self.leaving
            .iter()
            .any(|(n, c)| (!node.is_empty() && &**n == node) || (!claim.is_empty() && &**c == claim))
    }

    fn leaves(&self) -> bool {
        matches!(self.decision.evidence, Evidence::Disruption(_))
    }

    /// A candidate that was given back: alive, not deleting, and without the taint that it carried.
    fn given_back(&mut self, snapshot: &Snapshot) -> bool {
        let tainted = |node: &Node| node.taints.iter().any(|t| &*t.key == names::DISRUPTED_TAINT);
        self.marked |= self
            .leaving
            .keys()
            .any(|name| snapshot.nodes.get(name).is_some_and(|n| tainted(n)));
        self.marked
            && self.leaving.iter().any(|(node, claim)| {
                let deleting = snapshot.claims.get(claim).is_some_and(|c| c.deleting.is_some());
                snapshot
                    .nodes
                    .get(node)
                    .is_some_and(|n| !deleting && n.deleting.is_none() && !tainted(n))
            })
    }
}

impl Engine {
    pub(super) fn acted(&mut self, id: Option<DecisionId>, effect: &Effect, result: &EffectResult) {
        let decision = id.and_then(|id| self.acting.get(&id)).map(|a| a.decision.clone());
        if let (Some(decision), EffectResult::Launched(launched)) = (decision, result) {
            self.bought(&decision, launched, self.clock.now());
        }
        let Some(acting) = id.and_then(|id| self.acting.get_mut(&id)) else {
            return;
        };
        match (effect, result) {
            (Effect::Launch { claim, .. }, EffectResult::Launched(_)) => {
                acting.launching.remove(claim);
                acting.launched += 1;
            }
            (Effect::Launch { claim, .. }, EffectResult::InsufficientCapacity { message }) => {
                acting.launching.remove(claim);
                acting.failed.get_or_insert_with(|| message.clone());
            }
            (Effect::Evict { .. } | Effect::DeletePod { .. }, _) => acting.evicting = true,
            _ => {}
        }
    }

    pub(super) fn finished(&mut self, id: DecisionId, failed: Option<String>) {
        let now = self.clock.now();
        if let Some(acting) = self.acting.get_mut(&id) {
            acting.effects_done = Some(now);
            if failed.is_some() {
                acting.failed = failed;
                acting.launching.clear();
            }
        }
    }

    /// Closes decisions whose outcome the cluster now shows.
    pub(super) fn follow_progress(&mut self) {
        if self.acting.is_empty() {
            return;
        }
        let snapshot = self.snapshot();
        let now = self.clock.now();
        let mut wake = None;
        let mut ended = Vec::new();
        for (id, acting) in &mut self.acting {
            let Some(done) = acting.effects_done else { continue };
            let patience = after(done, SEEN_WITHIN);
            acting
                .launching
                .retain(|name, seen| match snapshot.claims.get(name) {
                    Some(claim) => {
                        *seen = true;
                        claim.provider_id.is_empty() && claim.deleting.is_none()
                    }
                    // Created a moment ago and not yet watched; or gone again, perhaps before anybody saw it.
                    None => !*seen && now < patience,
                });
            if acting.given_back(&snapshot) {
                let why = acting
                    .failed
                    .clone()
                    .unwrap_or_else(|| "its candidates were given back".into());
                ended.push((*id, State::RolledBack, why));
                continue;
            }
            acting.leaving.retain(|node, claim| {
                snapshot.nodes.contains_key(node) || snapshot.claims.contains_key(claim)
            });
            if acting.launching.values().any(|seen| !seen) {
                wake = [wake, Some(patience)].into_iter().flatten().min();
            }
            if !acting.launching.is_empty() || !acting.leaving.is_empty() {
                continue;
            }
            let nothing_came = acting.launched == 0 && !acting.leaves();
            match acting.failed.take() {
                Some(why) if nothing_came => ended.push((*id, State::Failed, why)),
                Some(why) => ended.push((*id, State::Done, why)),
                None => ended.push((*id, State::Done, String::new())),
            }
        }
        self.wake_at = [self.wake_at, wake].into_iter().flatten().min();
        for (id, state, reason) in ended {
            self.acting.remove(&id);
            self.gate.set(id, state, now);
            self.rule(id, state, "engine", reason, Cause::Decision(id));
        }
    }
}
