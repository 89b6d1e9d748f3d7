//! Starting effects. Each runs as a task of its own on the engine's thread and reports back over one channel.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::progress::Acting;
use super::run::{Engine, Report, after};
use crate::act::{Actor, Context};
use crate::api::names;
use crate::decide::Step;
use crate::gate::Warrant;
use crate::gate::approval::class_of;
use crate::ledger::{Body, Cause};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Decision, DecisionId, Effect, EffectResult, State, WriteClass};

/// How long a finished effect is not repeated: its own watch event must have come by then.
const COOL: Duration = Duration::from_millis(3);
const COOL_REAL: Duration = Duration::from_secs(1);

/// The same effect is counted as a repeat within this time.
const FORGET: Duration = Duration::from_secs(120);

/// The last time an effect was carried out, and how often in a row.
#[derive(Debug)]
pub(super) struct Repeat {
    effect: Effect,
    at: Timestamp,
    count: u32,
}

impl Engine {
    /// Issues warrants for what is approved and not paused.
    pub(super) fn start_approved(&mut self, now: Timestamp) {
        let ready: Vec<DecisionId> = self
            .gate
            .open()
            .filter(|o| o.state == State::Approved)
            .map(|o| o.decision.id)
            .collect();
        for id in ready {
            let Some(warrant) = self.gate.warrant(id, now) else {
                continue;
            };
            let Some(decision) = self.gate.get(id).map(|o| o.decision.clone()) else {
                continue;
            };
            let Some(actor) = self.actor.clone() else { continue };
            let snapshot = self.snapshot();
            if let Err(what) = super::pass::revalidate(&snapshot, &decision, now, &self.settings) {
                self.withdraw(&decision, what, now);
                continue;
            }
            self.gate.set(id, State::Acting, now);
            self.checked.remove(&id);
            self.rule(
                id,
                State::Acting,
                warrant.approver(),
                String::new(),
                Cause::Decision(id),
            );
            self.guard_begun(&decision, now);
            self.acting.insert(id, Acting::new(decision.clone()));
            let effects: Vec<Effect> = decision.effects.iter().map(|e| signed(e, &decision)).collect();
            self.under_way.extend(effects.iter().map(Effect::key));
            let context = Context { snapshot, now };
            tokio::task::spawn_local(carry(actor, warrant, effects, context, self.results.clone()));
        }
    }

    /// A step of something begun, or housekeeping.
    pub(super) fn step(&mut self, step: Step, now: Timestamp) {
        let key = step.effect.key();
        if self.under_way.contains(&key) || self.cooling.contains_key(&key) {
            return;
        }
        let id = step.decision.or_else(|| self.owner_of(&step.effect));
        let class = class_of(&step.effect, true);
        if let Some(warrant) = self.gate.step_warrant(id, class, now) {
            self.send(id, warrant, class, step.effect);
        }
    }

    /// Carries one effect out in a task of its own; its result comes back as a report.
    pub(super) fn send(
        &mut self,
        id: Option<DecisionId>,
        warrant: crate::gate::Warrant,
        class: WriteClass,
        effect: Effect,
    ) {
        let Some(actor) = self.actor.clone() else { return };
        self.under_way.insert(effect.key());
        let context = Context {
            snapshot: self.snapshot(),
            now: self.clock.now(),
        };
        let results = self.results.clone();
        tokio::task::spawn_local(async move {
            let result = actor.act(&warrant, &effect, &context).await;
            let _ = results.send(Report::Effect {
                id,
                class,
                effect,
                result,
            });
        });
    }

    /// Which decision a step belongs to: the one that made or takes away the object it is about.
    fn owner_of(&self, effect: &Effect) -> Option<DecisionId> {
        let view = self.book.view();
        let taking = |claim: &str, node: &str| {
            self.acting
                .iter()
                .find(|(_, a)| a.takes(claim, node))
                .map(|(id, _)| *id)
        };
        match effect {
            Effect::CreateClaim(d) => view.claim_decisions.get(&d.name).copied(),
            Effect::Launch { claim, .. } => view.claim_decisions.get(claim).copied(),
            Effect::DeleteClaim { claim, .. } => taking(claim, ""),
            Effect::DeleteNode { node, .. } | Effect::Evict { node, .. } => taking("", node),
            Effect::TerminateInstance { provider_id } => view
                .snapshot
                .claim_of(provider_id)
                .and_then(|c| taking(&c.name, &c.node_name)),
            Effect::Patch(p) => match p.kind {
                ObjectKind::NodeClaim => {
                    taking(&p.name, "").or_else(|| view.claim_decisions.get(&p.name).copied())
                }
                ObjectKind::Node => taking("", &p.name),
                _ => None,
            },
            Effect::DeletePod { .. } | Effect::TagInstance { .. } | Effect::Event { .. } => None,
        }
    }

    pub(super) fn report(&mut self, report: Report) {
        let now = self.clock.now();
        match report {
            Report::Effect {
                id,
                class,
                effect,
                result,
            } => {
                let key = effect.key();
                self.under_way.remove(&key);
                self.rest(&key, &effect, &result, now);
                let again = [
                    self.lifecycle.effect_result(&effect, &result, now),
                    self.disruption.effect_result(&effect, &result, now),
                ];
                self.wake_at = again.into_iter().flatten().chain(self.wake_at).min();
                self.mark_effect(&effect);
                self.drain_result(&effect, &result);
                // What changed nothing is no entry: level-triggered steps may repeat.
                if result != EffectResult::Unchanged || class < WriteClass::Mirror {
                    let cause = id.map_or(Cause::Engine, Cause::Decision);
                    self.acted(id, &effect, &result);
                    self.book.append(
                        now,
                        cause,
                        Body::Acted {
                            id,
                            class,
                            effect,
                            result,
                        },
                    );
                }
            }
            Report::Finished { id, failed } => self.finished(id, failed),
        }
        self.follow_progress();
    }

    /// How long that effect is not tried again. Its own watch event must have come first; what fails, or is done over
    /// and over without making a difference, waits longer each time.
    fn rest(&mut self, key: &str, effect: &Effect, result: &EffectResult, now: Timestamp) {
        let base = if self.speed.is_some() { COOL } else { COOL_REAL };
        let failed = matches!(result, EffectResult::Failed { .. } | EffectResult::Stale { .. });
        let before = self
            .repeats
            .get(key)
            .filter(|r| r.effect == *effect && now <= after(r.at, FORGET));
        let count = before.map_or(0, |r| r.count + 1);
        let wait = match (failed, count) {
            (false, 0) => base,
            (_, n) => Duration::from_secs(1 << n.min(6)),
        };
        self.repeats.retain(|_, r| now <= after(r.at, FORGET));
        self.repeats.insert(
            key.to_owned(),
            Repeat {
                effect: effect.clone(),
                at: now,
                count,
            },
        );
        // What is refused for now has its own time in the memory of the room that asked for it.
        if !matches!(
            result,
            EffectResult::Retry { .. } | EffectResult::InsufficientCapacity { .. }
        ) {
            self.cooling
                .insert(key.to_owned(), (after(now, wait), effect.clone()));
        }
    }

    /// The object of an effect is looked at again, whatever came of it.
    pub(super) fn mark_effect(&mut self, effect: &Effect) {
        match effect {
            Effect::CreateClaim(d) => drop(self.dirty.claims.insert(d.name.clone())),
            Effect::Launch { claim, .. } | Effect::DeleteClaim { claim, .. } => {
                self.dirty.claims.insert(claim.clone());
            }
            Effect::DeleteNode { node, .. } | Effect::Evict { node, .. } => {
                self.dirty.nodes.insert(node.clone());
            }
            Effect::TerminateInstance { provider_id } => {
                let snapshot = self.snapshot();
                self.dirty
                    .claims
                    .extend(snapshot.claim_of(provider_id).map(|c| c.name.clone()));
                self.dirty
                    .nodes
                    .extend(snapshot.node_of(provider_id).map(|n| n.name.clone()));
            }
            Effect::Patch(p) => match p.kind {
                ObjectKind::NodeClaim => drop(self.dirty.claims.insert(p.name.clone())),
                ObjectKind::Node => drop(self.dirty.nodes.insert(p.name.clone())),
                ObjectKind::NodePool => drop(self.dirty.pools.insert(p.name.clone())),
                ObjectKind::NodeClass => drop(self.dirty.classes.insert(p.name.clone())),
                ObjectKind::Pod | ObjectKind::NodeOverlay | ObjectKind::CapacityBuffer => {}
            },
            Effect::DeletePod { .. } | Effect::TagInstance { .. } | Effect::Event { .. } => {}
        }
    }

    /// Pauses and rulings go where a restart finds them; nothing is written in observe.
    pub(super) fn remember(&mut self) {
        let now = self.clock.now();
        let Some(actor) = self.actor.clone() else { return };
        let Some(warrant) = self.gate.step_warrant(None, WriteClass::Supervise, now) else {
            return;
        };
        let supervision = self.gate.supervision().clone();
        tokio::task::spawn_local(async move {
            if let Err(error) = actor.remember(&warrant, &supervision).await {
                tracing::warn!(%error, "pauses and rulings could not be stored: a restart will not know them");
            }
        });
    }
}

/// The decision's number and hash go onto what it writes (decisions §6).
fn signed(effect: &Effect, decision: &Decision) -> Effect {
    let mut effect = effect.clone();
    let (id, hash) = (decision.id.0.to_string(), decision.hash.to_string());
    match &mut effect {
        Effect::CreateClaim(draft) => {
            draft.annotations.insert(names::KERF_DECISION.into(), id.into());
            draft.annotations.insert(names::KERF_HASH.into(), hash.into());
        }
        Effect::Patch(patch) if matches!(patch.kind, ObjectKind::Node | ObjectKind::NodeClaim) => {
            patch
                .annotations
                .insert(names::KERF_DECISION.into(), Some(id.into()));
            patch
                .annotations
                .insert(names::KERF_HASH.into(), Some(hash.into()));
        }
        _ => {}
    }
    effect
}

/// All effects of a decision in order; claims that stand side by side are created side by side. The first failure
/// ends it: what is left undone is seen from the cluster's state.
async fn carry(
    actor: Rc<Actor>,
    warrant: Warrant,
    effects: Vec<Effect>,
    context: Context,
    results: UnboundedSender<Report>,
) {
    let Some(id) = warrant.decision() else { return };
    let mut failed = None;
    let mut rest = effects.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut group = vec![first];
        while matches!(group[0], Effect::CreateClaim(_))
            && let Some(next) = rest.next_if(|e| matches!(e, Effect::CreateClaim(_)))
        {
            group.push(next);
        }
        let acts = group.iter().map(|effect| actor.act(&warrant, effect, &context));
        let done = futures::future::join_all(acts).await;
        for (effect, result) in group.into_iter().zip(done) {
            if let EffectResult::Failed { message, .. }
            | EffectResult::Stale { message }
            | EffectResult::Retry { message, .. } = &result
            {
                failed.get_or_insert_with(|| message.clone());
            }
            let _ = results.send(Report::Effect {
                id: Some(id),
                class: warrant.class(),
                effect,
                result,
            });
        }
        if failed.is_some() {
            break;
        }
    }
    // Keys of what was given up must be free again.
    for effect in rest {
        let result = EffectResult::Stale {
            message: "not tried: an earlier effect failed".into(),
        };
        let _ = results.send(Report::Effect {
            id: Some(id),
            class: warrant.class(),
            effect,
            result,
        });
    }
    let _ = results.send(Report::Finished { id, failed });
}
