//! What disruption remembers between passes. Losing it costs time, never correctness: what acts is on the objects.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Method;
use super::balanced::Score;
use super::cluster::Cluster;
use super::memo::{Fingerprint, fingerprint_of};
use crate::decide::backoff::Backoffs;
use crate::decide::pods;
use crate::decide::scheduling::Planned;
use crate::model::Name;
use crate::model::decision::{Effect, EffectResult};

/// A command that waits out its validation.
#[derive(Clone, Debug)]
pub struct Pending {
    pub method: Method,
    pub due: Timestamp,
    /// Node and claim uid of every candidate.
    pub candidates: BTreeMap<Name, Name>,
    pub replacements: Vec<Planned>,
    pub moves: BTreeMap<Name, Name>,
    pub scores: BTreeMap<Name, Score>,
    /// As large as a replacement may be, where several replace the candidates.
    pub largest_cpu: Option<i64>,
}

/// Opaque to the engine, which keeps it and hands it to [`super::pass`].
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub(super) next_poll: Option<Timestamp>,
    pub(super) pending: Option<Pending>,
    /// Method → what it last looked at in vain.
    pub(super) memos: BTreeMap<Method, (Fingerprint, Timestamp)>,
    pub(super) unseen: BTreeSet<Name>,
    pub(super) nominated: BTreeMap<Name, Timestamp>,
    /// Node → its pods as last seen.
    marks: BTreeMap<Name, Fingerprint>,
    /// Node → last pod event that its claim does not tell.
    pub(super) pod_events: BTreeMap<Name, Timestamp>,
    last_look: Option<Timestamp>,
    /// Replacements that were seen in the cluster.
    pub(super) seen_replacements: BTreeSet<Name>,
    /// Value of the queue annotation → when it was first seen.
    pub(super) queued: BTreeMap<Name, Timestamp>,
    backoffs: Backoffs,
    /// Event keys → until when they are quiet.
    said: BTreeMap<String, Timestamp>,
    /// Joined candidates → when they were last proposed.
    pub(super) proposed: BTreeMap<String, Timestamp>,
}

/// A stamp on the claim that is at most so much older than our last look covers what we noticed since.
const SLACK: SignedDuration = SignedDuration::from_secs(10);

impl Memory {
    /// A pod was planned onto a node that is there: the node is no candidate until then (`disruption §17`).
    pub fn nominate(&mut self, node: &Name, until: Timestamp) {
        self.nominated
            .entry(node.clone())
            .and_modify(|at| *at = (*at).max(until))
            .or_insert(until);
    }

    /// Takes notice of what became of a step that this room emitted. Gives the time at which [`super::pass`] has to
    /// be called again even if nothing changes.
    pub fn effect_result(
        &mut self,
        effect: &Effect,
        result: &EffectResult,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let pauses = (Duration::from_secs(1), Duration::from_secs(60));
        let at_least = match result {
            EffectResult::Retry { retry_at, .. } => *retry_at,
            EffectResult::Failed { .. } | EffectResult::Stale { .. } => now,
            _ => {
                self.backoffs.worked(&effect.key());
                return None;
            }
        };
        Some(self.backoffs.refused(effect.key(), pauses, now, at_least))
    }

    /// Whether an event of that key may be told now; notes that it is.
    pub(super) fn may_say(&mut self, key: String, now: Timestamp, quiet: Duration) -> bool {
        if self.said.get(&key).is_some_and(|until| *until > now) {
            return false;
        }
        if self.said.len() > 8192 {
            self.said.retain(|_, until| *until > now);
        }
        self.said.insert(key, crate::clock::after(now, quiet));
        true
    }

    pub(super) fn rests_until(&self, effect: &Effect, now: Timestamp) -> Option<Timestamp> {
        self.backoffs.rests_until(&effect.key(), now)
    }

    /// Notices pods that came, ended or left since the last look, for clusters where nobody writes
    /// `lastPodEventTime`.
    pub(super) fn notice_pods(&mut self, cluster: &Cluster<'_>) {
        let now = cluster.now;
        self.nominated.retain(|_, until| *until > now);
        self.backoffs.prune(now);
        let mut marks = BTreeMap::new();
        for machine in cluster.machines.values() {
            let pods = machine.pods.iter().filter(|p| !pods::is_daemon(p));
            let mark = fingerprint_of(pods.map(|p| {
                let state = u8::from(p.is_terminal()) * 2 + u8::from(p.deleting.is_some());
                (&*p.uid, u64::from(state))
            }));
            let known = self.marks.get(&machine.name);
            let told = machine
                .claim
                .and_then(|c| c.last_pod_event)
                .zip(self.last_look)
                .is_some_and(|(at, look)| look.duration_since(at) <= SLACK);
            if known.is_some_and(|k| *k != mark) && !told {
                self.pod_events.insert(machine.name.clone(), now);
            }
            marks.insert(machine.name.clone(), mark);
        }
        self.pod_events.retain(|node, _| marks.contains_key(node));
        self.marks = marks;
        self.last_look = Some(now);
    }
}
