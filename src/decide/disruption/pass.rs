//! One turn of the disruption loop (`disruption §1`).

use std::time::Duration;

use jiff::Timestamp;

use super::cluster::Cluster;
use super::memory::Memory;
use super::turn::Turn;
use super::verdicts::Verdicts;
use super::{Force, events, queue};
use crate::clock::after;
use crate::decide::{Fuel, Outcome, Reserved, Settings};
use crate::model::Snapshot;

const UNSYNCED_RETRY: Duration = Duration::from_secs(1);

/// One turn. Completions and roll-backs of what acts come at every call; the methods run every 10 s, or at once for
/// a force.
pub fn pass(
    snapshot: &Snapshot,
    memory: &mut Memory,
    reserved: &Reserved,
    force: Option<&Force>,
    now: Timestamp,
    settings: &Settings,
    fuel: &mut Fuel,
) -> Outcome {
    let mut out = Outcome::default();
    if queue::has_work(snapshot) {
        queue::steps(&Cluster::without_pods(snapshot, now), memory, reserved, &mut out);
    }
    if let Some(at) = memory.next_poll.filter(|at| force.is_none() && now < *at) {
        out.wake(at);
        return out;
    }
    let cluster = Cluster::new(snapshot, now);
    memory.notice_pods(&cluster);
    if !cluster.is_synced() {
        let retry = after(now, UNSYNCED_RETRY);
        memory.next_poll = Some(retry);
        out.wake(retry);
        return out;
    }
    let mut turn = Turn {
        cluster: &cluster,
        reserved,
        settings,
        force,
        waits: true,
        fuel,
        verdicts: Verdicts::default(),
    };
    if force.is_none() && memory.pending.is_some() {
        turn.pending(memory, &mut out);
    } else {
        turn.methods(memory, None, &mut out);
    }
    out.verdicts = turn.verdicts.into_vec();
    let verdicts = std::mem::take(&mut out.verdicts);
    for verdict in &verdicts {
        events::verdict(memory, &cluster, verdict, &mut out);
    }
    out.verdicts = verdicts;
    out
}

/// The decision for one picture, without poll, memo and validation wait: for files, previews and comparisons.
/// `consolidateAfter` and budgets hold. Every machine gets a verdict.
pub fn once(snapshot: &Snapshot, now: Timestamp, settings: &Settings, fuel: &mut Fuel) -> Outcome {
    once_forced(snapshot, None, now, settings, fuel)
}

/// As [`once`], asked for by a person.
pub fn once_forced(
    snapshot: &Snapshot,
    force: Option<&Force>,
    now: Timestamp,
    settings: &Settings,
    fuel: &mut Fuel,
) -> Outcome {
    let cluster = Cluster::new(snapshot, now);
    let reserved = Reserved::default();
    let mut out = Outcome::default();
    let mut turn = Turn {
        cluster: &cluster,
        reserved: &reserved,
        settings,
        force,
        waits: false,
        fuel,
        verdicts: Verdicts::default(),
    };
    turn.methods(&mut Memory::default(), None, &mut out);
    out.verdicts = turn.verdicts.into_vec();
    out.wake_at = None;
    out
}
