//! What lifecycle remembers between passes. Losing it costs repeated calls, never correctness.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::index::Index;
use crate::clock::after;
use crate::decide::backoff::Backoffs;
use crate::model::decision::{Effect, EffectResult};
use crate::model::{Name, Status};

/// What a timer is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Claim(Name),
    Node(Name),
    Pool(Name),
    Class(Name),
    /// The fixed number of nodes of a pool.
    Static(Name),
    /// The sweep over claims without instances.
    ClaimGarbage,
    /// The sweep over instances without claims.
    InstanceGarbage,
}

/// Opaque to the engine, which keeps it, hands it to [`super::pass`] and tells it results.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub(super) index: Index,
    timers: BTreeMap<Key, Timestamp>,
    backoffs: Backoffs,
    /// Claim uid → reason and message of the last failed launch.
    pub(super) launch_failures: BTreeMap<Name, (Name, Name)>,
    /// Claim uid → why it must go.
    pub(super) doomed: BTreeMap<Name, Name>,
    /// Instances that the provider said are gone.
    pub(super) gone: BTreeSet<Name>,
    /// Instance → when its termination was last asked for.
    pub(super) terminating: BTreeMap<Name, Timestamp>,
    /// Instances tagged with their node and claim.
    pub(super) tagged: BTreeSet<Name>,
    /// Node uid → when its drain began.
    pub(super) draining: BTreeMap<Name, Timestamp>,
    /// Node uid → the earliest deadline that its drain was given.
    pub(super) deadlines: BTreeMap<Name, Timestamp>,
    /// Node → pod and answer of the last refused eviction.
    pub(super) refused: BTreeMap<Name, (Name, String)>,
    /// Node → the last binding, ending or deletion of a pod on it.
    pub(super) pod_events: BTreeMap<Name, Timestamp>,
    /// Claim uid → condition type → status when last looked at.
    pub(super) seen: BTreeMap<Name, BTreeMap<Name, Status>>,
    /// Pool uid → its last four launches or registrations, oldest first.
    pub(super) rings: BTreeMap<Name, VecDeque<bool>>,
    /// Pool uid → the registration health that was decided last, until the pool shows it.
    pub(super) health: BTreeMap<Name, (Status, Name, String)>,
    /// Claim uids that already counted in a ring.
    pub(super) counted: BTreeSet<Name>,
    /// Class → generation and fingerprint of what was written to its status.
    pub(super) written_classes: BTreeMap<Name, String>,
    /// Pool → generation last fanned out to its claims.
    pub(super) pool_generations: BTreeMap<Name, i64>,
    /// Pool → when its nodes were last counted.
    pub(super) counted_pools: BTreeMap<Name, Timestamp>,
    /// What was proposed, by kind and subject → when.
    pub(super) proposed: BTreeMap<String, Timestamp>,
    /// Claim uid → when its consistency is checked again.
    pub(super) next_scan: BTreeMap<Name, Timestamp>,
    /// Runs of the instance sweep so far.
    pub(super) sweeps: u32,
    events: Vec<Effect>,
    said: BTreeMap<String, Timestamp>,
}

impl Memory {
    /// Looks at `key` again at `at`, or earlier if that was asked for before.
    pub(super) fn wake(&mut self, key: Key, at: Timestamp) {
        self.timers
            .entry(key)
            .and_modify(|t| *t = (*t).min(at))
            .or_insert(at);
    }

    pub(super) fn is_scheduled(&self, key: &Key) -> bool {
        self.timers.contains_key(key)
    }

    /// Takes the keys whose time has come.
    pub(super) fn due(&mut self, now: Timestamp) -> BTreeSet<Key> {
        let due: BTreeSet<Key> = self
            .timers
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(k, _)| k.clone())
            .collect();
        self.timers.retain(|_, at| *at > now);
        due
    }

    /// The earliest timer.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.timers.values().min().copied()
    }

    /// A drain that was given a deadline keeps the earliest one (`lifecycle §5.2`).
    pub(super) fn tightest(&mut self, node: &Name, deadline: Option<Timestamp>) -> Option<Timestamp> {
        let known = self.deadlines.get(node).copied();
        let tightest = [known, deadline].into_iter().flatten().min()?;
        self.deadlines.insert(node.clone(), tightest);
        Some(tightest)
    }

    /// Whether an effect of that key must rest, and until when.
    pub(super) fn rests_until(&self, key: &str, now: Timestamp) -> Option<Timestamp> {
        self.backoffs.rests_until(key, now)
    }

    /// Takes notice of what became of an effect that this room emitted. Gives the time at which the engine has to
    /// call [`super::pass`] again even if nothing in the cluster changes.
    pub fn effect_result(
        &mut self,
        effect: &Effect,
        result: &EffectResult,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let key = effect.key();
        match result {
            EffectResult::Done | EffectResult::Unchanged | EffectResult::Launched(_) => {
                self.backoffs.worked(&key);
                self.succeeded(effect, result, now);
                None
            }
            EffectResult::InsufficientCapacity { message } => {
                self.backoffs.worked(&key);
                if let Effect::Launch { claim, uid } = effect {
                    self.doomed.insert(uid.clone(), "insufficient_capacity".into());
                    self.say_doomed(claim, uid, "InsufficientCapacityError", message, now);
                    self.wake(Key::Claim(claim.clone()), now);
                    return Some(now);
                }
                None
            }
            EffectResult::Stale { .. } => {
                if let Effect::TerminateInstance { provider_id } = effect {
                    self.gone.insert(provider_id.clone());
                }
                self.rest(&key, effect, now, now)
            }
            EffectResult::Retry {
                retry_at, message, ..
            } => {
                if let Effect::Evict {
                    node, namespace, pod, ..
                } = effect
                {
                    let pod = crate::model::pod::pod_key(namespace, pod);
                    self.refused.insert(node.clone(), (pod, message.clone()));
                }
                self.rest(&key, effect, now, *retry_at)
            }
            EffectResult::Failed { message, reason } => {
                if let Effect::Launch { claim, uid } = effect {
                    if &**reason == "NodeClassNotReady" {
                        self.doomed.insert(uid.clone(), "nodeclass_not_ready".into());
                        self.say_doomed(claim, uid, "NodeClassNotReady", message, now);
                    } else {
                        let reason: Name = if reason.is_empty() {
                            "LaunchFailed".into()
                        } else {
                            reason.clone()
                        };
                        self.launch_failures
                            .insert(uid.clone(), (reason, super::conditions::truncate(message)));
                    }
                    self.wake(Key::Claim(claim.clone()), now);
                }
                self.rest(&key, effect, now, now)
            }
        }
    }

    fn succeeded(&mut self, effect: &Effect, result: &EffectResult, now: Timestamp) {
        match effect {
            Effect::Launch { uid, .. } => {
                self.launch_failures.remove(uid);
            }
            Effect::TerminateInstance { provider_id } => {
                if *result == EffectResult::Unchanged {
                    self.gone.insert(provider_id.clone());
                }
                self.terminating.insert(provider_id.clone(), now);
                // Both its claim and its node wait for this answer.
                self.wake_instance(provider_id, now);
            }
            Effect::TagInstance { provider_id, .. } => {
                self.tagged.insert(provider_id.clone());
            }
            Effect::Evict {
                namespace,
                pod,
                uid,
                reason,
                ..
            } if *result == EffectResult::Done => self.say_evicted(namespace, pod, uid, reason, now),
            _ => {}
        }
    }

    /// Doubles the rest of a refused effect: 100 ms to 10 s for evictions and deletions of pods, 1 s to 1 min for
    /// everything else (`lifecycle §16`).
    fn rest(&mut self, key: &str, effect: &Effect, now: Timestamp, at_least: Timestamp) -> Option<Timestamp> {
        let pauses = match effect {
            Effect::Evict { .. } | Effect::DeletePod { .. } => {
                (Duration::from_millis(100), Duration::from_secs(10))
            }
            _ => (Duration::from_secs(1), Duration::from_secs(60)),
        };
        let until = self.backoffs.refused(key.to_owned(), pauses, now, at_least);
        match effect {
            Effect::Launch { claim, .. } | Effect::DeleteClaim { claim, .. } => {
                self.wake(Key::Claim(claim.clone()), until);
            }
            Effect::Evict { node, .. } => self.wake(Key::Node(node.clone()), until),
            Effect::TerminateInstance { provider_id } => self.wake_instance(provider_id, until),
            Effect::DeletePod { namespace, pod, .. } => {
                let pod = crate::model::pod::pod_key(namespace, pod);
                if let Some(node) = self.index.node_of_pod(&pod) {
                    self.wake(Key::Node(node), until);
                }
            }
            Effect::DeleteNode { node, .. } => {
                for claim in self.index.claims_of_node(node) {
                    self.wake(Key::Claim(claim), until);
                }
            }
            Effect::Patch(patch) => self.wake_object(patch, until),
            Effect::CreateClaim(_) | Effect::TagInstance { .. } | Effect::Event { .. } => return None,
        }
        Some(until)
    }

    fn wake_object(&mut self, patch: &crate::model::decision::ObjectPatch, at: Timestamp) {
        use crate::model::decision::effect::ObjectKind;
        let name = patch.name.clone();
        match patch.kind {
            ObjectKind::NodeClaim => self.wake(Key::Claim(name), at),
            ObjectKind::Node => {
                for claim in self.index.claims_of_node(&name) {
                    self.wake(Key::Claim(claim), at);
                }
                self.wake(Key::Node(name), at);
            }
            ObjectKind::NodePool => self.wake(Key::Pool(name), at),
            ObjectKind::NodeClass => {
                // It was not written after all.
                self.written_classes.remove(&name);
                self.wake(Key::Class(name), at);
            }
            ObjectKind::Pod | ObjectKind::NodeOverlay | ObjectKind::CapacityBuffer => {}
        }
    }

    fn wake_instance(&mut self, provider_id: &Name, at: Timestamp) {
        for claim in self.index.claims_with(provider_id) {
            self.wake(Key::Claim(claim), at);
        }
        for node in self.index.nodes_with(provider_id) {
            self.wake(Key::Node(node), at);
        }
    }

    /// Queues an event unless the same was said within `quiet`.
    pub(super) fn say(&mut self, key: String, event: Effect, now: Timestamp, quiet: Duration) {
        if self.said.get(&key).is_some_and(|until| *until > now) {
            return;
        }
        if self.said.len() > 8192 {
            self.said.retain(|_, until| *until > now);
        }
        self.said.insert(key, after(now, quiet));
        self.events.push(event);
    }

    pub(super) fn take_events(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.events)
    }

    /// Forgets a claim that is no more.
    pub(super) fn forget_claim(&mut self, uid: &Name, provider_id: &Name) {
        self.launch_failures.remove(uid);
        self.doomed.remove(uid);
        self.seen.remove(uid);
        self.counted.remove(uid);
        self.next_scan.remove(uid);
        if !provider_id.is_empty() {
            self.terminating.remove(provider_id);
            self.tagged.remove(provider_id);
            self.gone.remove(provider_id);
        }
    }

    /// Forgets refusals that were answered by the world.
    pub(super) fn prune(&mut self, now: Timestamp) {
        self.backoffs.prune(now);
        if self.proposed.len() > 4096 {
            self.proposed
                .retain(|_, at| now.duration_since(*at) < jiff::SignedDuration::from_mins(5));
        }
    }
}
