//! One provisioning pass: triggers, the batch window and what comes of it (`scheduling §2` to `§4`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::state::{StateNode, is_synced, state_nodes};
use super::window::{BUFFER, Window};
use super::{Problem, Purpose, Solution, buffer_status, buffers, solve_prepared};
use crate::api::names;
use crate::decide::pods::is_currently_reschedulable;
use crate::decide::scheduling::prepare::prepare_without;
use crate::decide::{Dirty, Fuel, Outcome, Reserved, Settings};
use crate::model::decision::evidence::{Batch, Provisioning, Unschedulable};
use crate::model::decision::{Effect, Evidence, Impact, Kind, Proposal, Refusal};
use crate::model::{Name, Snapshot, TaintEffect, UsdPerHour};

/// What provisioning remembers between passes.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    window: Window,
    /// Digest of the refusals that were proposed last.
    refusals: Option<[u8; 32]>,
    /// Where the virtual pods of buffers went in the last plan.
    rooms: Option<buffers::Rooms>,
}

impl Memory {
    /// When the open batch closes by itself.
    pub fn batch_closes(&self) -> Option<Timestamp> {
        self.window.closes()
    }
}

/// One turn of provisioning: takes the triggers in, and when the window is ripe plans for all pods that wait.
pub fn pass(
    snapshot: &Snapshot,
    memory: &mut Memory,
    dirty: &Dirty,
    reserved: &Reserved,
    now: Timestamp,
    settings: &Settings,
    fuel: &mut Fuel,
) -> Outcome {
    let mut out = Outcome::default();
    trigger(snapshot, memory, dirty, now);
    if settings.capacity_buffer {
        trigger_buffers(snapshot, memory, now);
    }
    memory
        .window
        .advance(now, settings.batch_idle, settings.batch_max);
    if let Some(opened) = memory.window.close(now)
        && is_synced(snapshot)
    {
        out.proposals
            .extend(plan(snapshot, memory, reserved, (opened, now), settings, fuel));
    }
    if settings.capacity_buffer {
        out.steps = buffer_status::steps(snapshot, memory.rooms.as_ref(), reserved, now);
    }
    if let Some(at) = memory.window.wake_at() {
        out.wake(at);
    }
    out
}

fn is_disrupted(snapshot: &Snapshot, node: &str) -> bool {
    snapshot.nodes.get(node).is_some_and(|n| {
        n.taints
            .iter()
            .any(|t| &*t.key == names::DISRUPTED_TAINT && t.effect == TaintEffect::NoSchedule)
    })
}

fn trigger(snapshot: &Snapshot, memory: &mut Memory, dirty: &Dirty, now: Timestamp) {
    let window = &mut memory.window;
    let mut pod = |key: &Name| {
        let id: Name = format!("pod/{key}").into();
        if snapshot.pods.get(key).is_some_and(|p| p.is_provisionable()) {
            window.waits(&id, now);
        } else {
            window.gone(&id);
        }
    };
    if dirty.all {
        snapshot.pods.keys().for_each(&mut pod);
    } else {
        dirty.pods.iter().for_each(&mut pod);
    }
    let mut node = |name: &Name| {
        let id: Name = format!("node/{name}").into();
        if is_disrupted(snapshot, name) {
            window.waits(&id, now);
        } else {
            window.gone(&id);
        }
    };
    if dirty.all {
        snapshot.nodes.keys().for_each(&mut node);
    } else {
        dirty.nodes.iter().for_each(&mut node);
    }
    if dirty.all {
        // What vanished while nobody looked.
        let stale: Vec<Name> = window
            .ids()
            .filter(|id| match id.split_once('/') {
                Some(("pod", key)) => !snapshot.pods.contains_key(key),
                Some(("buffer", _)) => false,
                Some((_, name)) => !snapshot.nodes.contains_key(name),
                None => true,
            })
            .cloned()
            .collect();
        for id in &stale {
            window.gone(id);
        }
    }
}

/// A buffer that resolves triggers every 30 s.
fn trigger_buffers(snapshot: &Snapshot, memory: &mut Memory, now: Timestamp) {
    let ready: BTreeSet<Name> = snapshot
        .buffers
        .iter()
        .filter(|(_, buffer)| buffers::resolve(snapshot, buffer).is_ok())
        .map(|(key, _)| format!("{BUFFER}{key}").into())
        .collect();
    let known: Vec<Name> = memory
        .window
        .ids()
        .filter(|id| id.starts_with(BUFFER))
        .cloned()
        .collect();
    for gone in known.iter().filter(|id| !ready.contains(*id)) {
        memory.window.gone(gone);
    }
    for id in &ready {
        memory.window.waits(id, now);
    }
}

/// Pending pods, then those that must leave nodes on their way out (`scheduling §4`, 4 and 7).
fn waiting(snapshot: &Snapshot, nodes: &[StateNode], reserved: &Reserved, now: Timestamp) -> Vec<Name> {
    let leaving: BTreeSet<&Name> = nodes
        .iter()
        .filter(|n| n.marked)
        // Until its replacements are there, their room is not known; they were planned for these pods.
        .filter(|n| n.replacements().all(|r| snapshot.claims.contains_key(r)))
        .map(|n| &n.name)
        .collect();
    let pdbs: Vec<_> = snapshot.pdbs.values().map(AsRef::as_ref).collect();
    snapshot
        .pods
        .iter()
        .filter(|(key, _)| !reserved.pods.contains(*key))
        .filter(|(_, pod)| match &pod.node {
            None => pod.is_provisionable(),
            Some(node) => leaving.contains(node) && is_currently_reschedulable(&pdbs, pod, now),
        })
        .map(|(key, _)| key.clone())
        .collect()
}

/// What a pass at `now` would plan for: every pod that waits, and those that must leave nodes on their way out.
pub fn batch(snapshot: &Snapshot, now: Timestamp) -> Vec<Name> {
    waiting(snapshot, &state_nodes(snapshot), &Reserved::default(), now)
}

fn plan(
    snapshot: &Snapshot,
    memory: &mut Memory,
    reserved: &Reserved,
    (opened, now): (Timestamp, Timestamp),
    settings: &Settings,
    fuel: &mut Fuel,
) -> Option<Proposal> {
    let nodes = state_nodes(snapshot);
    let snapshot = &buffers::with_virtual(snapshot, settings);
    let pods = waiting(snapshot, &nodes, reserved, now);
    if pods.is_empty() {
        memory.refusals = None;
        memory.rooms = None;
        return None;
    }
    let prepared = prepare_without(snapshot, settings, now, &reserved.paused_pools);
    let problem = Problem {
        snapshot,
        pods: &pods,
        without: &BTreeSet::new(),
        now,
        settings,
        purpose: Purpose::Provision,
    };
    let mut solution = solve_prepared(&prepared, &problem, fuel);
    memory.rooms = settings
        .capacity_buffer
        .then(|| buffers::rooms(snapshot, &solution));
    buffers::without_virtual(snapshot, &mut solution);
    let digest = digest(&solution.unschedulable);
    let news = digest != memory.refusals;
    if solution.claims.is_empty() && (digest.is_none() || !news) {
        memory.refusals = digest;
        return None;
    }
    memory.refusals = digest;
    let real = pods
        .iter()
        .filter(|key| snapshot.pods.get(*key).is_some_and(|p| !buffers::is_virtual(p)))
        .count();
    let batch = Batch {
        pods: u32::try_from(real).unwrap_or(u32::MAX),
        opened: Some(opened),
        closed: Some(now),
    };
    Some(propose(solution, batch))
}

/// What was refused to whom, without the numbers behind it; `None` when nothing was. Pods that do not want our nodes
/// are left out, as nobody needs to be told.
fn digest(unschedulable: &[Unschedulable]) -> Option<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut any = false;
    for one in unschedulable {
        let silent = one.pools.iter().any(|(_, refusal)| {
            matches!(refusal, Refusal::OutOfFuel)
                || matches!(refusal, Refusal::Ignored { cause, .. } if &**cause == "nodepool_does_not_exist")
        });
        if silent {
            continue;
        }
        any = true;
        hash.update(&*one.pod);
        for (pool, refusal) in &one.pools {
            hash.update([0]);
            hash.update(&**pool);
            hash.update([0]);
            hash.update(refusal.code());
        }
        hash.update([1]);
    }
    any.then(|| hash.finalize().into())
}

/// A solution as a decision: one claim created each.
pub fn propose(solution: Solution, batch: Batch) -> Proposal {
    let mut subjects: Vec<Name> = solution
        .claims
        .iter()
        .flat_map(|c| c.draft.pods.iter().cloned())
        .collect();
    let placed = subjects.len();
    if solution.claims.is_empty() {
        subjects = solution.unschedulable.iter().map(|u| u.pod.clone()).collect();
    }
    subjects.sort();
    let usd: UsdPerHour = solution
        .claims
        .iter()
        .filter_map(|c| c.draft.expected.as_ref())
        .map(|e| e.price_per_hour)
        .sum();
    let mut effects = Vec::new();
    let mut claims = Vec::new();
    for planned in solution.claims {
        effects.push(Effect::CreateClaim(Box::new(planned.draft)));
        claims.push(planned.evidence);
    }
    Proposal {
        kind: Kind::Provisioning,
        subjects,
        impact: Impact {
            usd_per_hour: usd,
            nodes_added: u32::try_from(effects.len()).unwrap_or(u32::MAX),
            nodes_removed: 0,
            pods_placed: u32::try_from(placed).unwrap_or(u32::MAX),
            evictions: 0,
        },
        effects,
        evidence: Evidence::Provisioning(Box::new(Provisioning {
            batch,
            existing: solution.existing,
            claims,
            unschedulable: solution.unschedulable,
            deferred: solution.deferred,
            relaxed: solution.relaxed,
        })),
    }
}
