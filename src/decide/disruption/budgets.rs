//! How many nodes of a pool may go now (`disruption §5`). Fails closed: one bad entry means none.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::cluster::Cluster;
use super::cron::Schedule;
use super::verdicts::Why;
use crate::api::names;
use crate::decide::Reserved;
use crate::model::nodepool::Budget;
use crate::model::{Name, NodePool};

/// Allowed and used of one pool for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    pub allowed: u32,
    pub used: u32,
    /// Initialized nodes of the pool.
    pub nodes: u32,
}

impl Room {
    pub fn left(self) -> u32 {
        self.allowed.saturating_sub(self.used)
    }
}

/// No limit.
pub const UNLIMITED: u32 = i32::MAX.unsigned_abs();

/// `disruption §5.3`: the least of the budgets that list `reason`; nothing when any of them cannot be read.
pub fn allowed(pool: &NodePool, reason: &str, nodes: u32, now: Timestamp) -> u32 {
    binding(pool, reason, nodes, now).0
}

/// As [`allowed`], with the place of the first entry that makes it so; `None` when nothing limits.
pub fn binding(pool: &NodePool, reason: &str, nodes: u32, now: Timestamp) -> (u32, Option<usize>) {
    let mut least = UNLIMITED;
    let mut place = None;
    for (i, budget) in pool.disruption.budgets.iter().enumerate() {
        let Some(value) = value(budget, nodes, now) else {
            return (0, Some(i));
        };
        let listed = budget
            .reasons
            .as_ref()
            .is_none_or(|r| r.iter().any(|r| &**r == reason));
        if listed && value < least {
            least = value;
            place = Some(i);
        }
    }
    (least, place)
}

/// `None` when the entry cannot be read.
fn value(budget: &Budget, nodes: u32, now: Timestamp) -> Option<u32> {
    if !is_active(budget, now)? {
        return Some(UNLIMITED);
    }
    match budget.nodes.strip_suffix('%') {
        Some(percent) => {
            let percent = digits(percent).filter(|p| *p <= 100)?;
            Some((percent * nodes).div_ceil(100))
        }
        None => digits(&budget.nodes),
    }
}

fn digits(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// `disruption §5.2`: within `duration` after a hit of the schedule.
fn is_active(budget: &Budget, now: Timestamp) -> Option<bool> {
    match (&budget.schedule, budget.duration) {
        (None, None) => Some(true),
        (Some(schedule), Some(duration)) => {
            let schedule = Schedule::parse(schedule).ok()?;
            let checkpoint = now.checked_sub(SignedDuration::try_from(duration).ok()?).ok()?;
            Some(schedule.next(checkpoint).is_some_and(|hit| hit <= now))
        }
        _ => None,
    }
}

/// What is left to every pool for one reason; taken from as a method picks.
#[derive(Clone, Debug, Default)]
pub struct Budgets {
    rooms: BTreeMap<Name, Room>,
    reason: &'static str,
    ignored: bool,
}

impl Budgets {
    /// `disruption §5.4`. Candidates of held decisions count as in use.
    pub fn new(cluster: &Cluster<'_>, reserved: &Reserved, reason: &'static str, ignored: bool) -> Self {
        let mut rooms: BTreeMap<Name, Room> = BTreeMap::new();
        for machine in cluster.machines.values() {
            let (Some(claim), Some(node)) = (machine.claim, machine.node) else {
                continue;
            };
            let Some(pool) = machine.label(names::NODEPOOL) else {
                continue;
            };
            if !machine.is_initialized() || claim.is(names::INSTANCE_TERMINATING) {
                continue;
            }
            let room = rooms.entry(pool.clone()).or_default();
            room.nodes += 1;
            if !node.ready || machine.is_leaving() || reserved.nodes.contains_key(&machine.name) {
                room.used += 1;
            }
        }
        for (name, pool) in &cluster.snapshot.pools {
            let room = rooms.entry(name.clone()).or_default();
            room.allowed = allowed(pool, reason, room.nodes, cluster.now);
        }
        Self {
            rooms,
            reason,
            ignored,
        }
    }

    pub fn room(&self, pool: &str) -> Room {
        self.rooms.get(pool).copied().unwrap_or_default()
    }

    /// Takes one of the pool's allowance, or says why not.
    pub fn take(&mut self, pool: &Name) -> Result<(), Why> {
        self.check(pool)?;
        let room = self.rooms.entry(pool.clone()).or_default();
        room.used = room.used.saturating_add(1);
        Ok(())
    }

    /// Like [`Self::take`] without taking.
    pub fn check(&self, pool: &Name) -> Result<(), Why> {
        let room = self.room(pool);
        if room.left() == 0 && !self.ignored {
            return Err(Why::new("budget_exhausted")
                .fact("pool", pool)
                .fact("reason", self.reason)
                .fact("allowed", room.allowed)
                .fact("used", room.used));
        }
        Ok(())
    }
}
