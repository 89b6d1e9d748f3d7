//! One plan that can be asked, and how much an answer may cost.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::decide::Fuel;
use crate::decide::packing::karpenter::{Asked, Finished, places};
use crate::decide::scheduling::prepare::prepare_without;
use crate::decide::scheduling::{Prepared, Solution, batch};
use crate::model::decision::Refusal;
use crate::model::{Name, Pod, Snapshot};

static NONE: BTreeSet<Name> = BTreeSet::new();

/// How much looking an answer is worth.
pub struct Effort<'a> {
    pub fuel: Fuel,
    /// Pods planned at most, all plans together.
    pub pods: usize,
    /// Remedies wanted.
    pub found: usize,
    /// Says true when nobody waits for the answer any more.
    pub stop: &'a dyn Fn() -> bool,
}

/// What a plan costs beside its pods, in pods.
const PLAN: usize = 200;

impl Effort<'_> {
    /// For a person who waits: a second or two.
    pub fn of_a_question() -> Self {
        Self {
            fuel: Fuel(20_000_000),
            pods: 200_000,
            found: 5,
            stop: &|| false,
        }
    }

    /// Asks for one more plan of so many pods.
    pub(super) fn plan(&mut self, pods: usize) -> bool {
        if self.fuel.0 == 0 || (self.stop)() {
            return false;
        }
        match self.pods.checked_sub(pods + PLAN) {
            Some(left) => self.pods = left,
            None => self.pods = 0,
        }
        self.pods > 0
    }
}

impl std::fmt::Debug for Effort<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effort")
            .field("fuel", &self.fuel)
            .field("pods", &self.pods)
            .finish_non_exhaustive()
    }
}

/// A plan with the state that it was made in.
#[derive(Debug)]
pub struct Study<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) batch: Vec<(Name, Arc<Pod>)>,
    finished: Finished<'a>,
}

impl<'a> Study<'a> {
    /// Plans for `pods`, keys of the snapshot that `prepared` was made of.
    pub fn new(prepared: &'a Prepared, pods: &[Name], fuel: &mut Fuel) -> Self {
        let batch: Vec<(Name, Arc<Pod>)> = pods
            .iter()
            .filter_map(|key| Some((key.clone(), prepared.snapshot.pods.get(key)?.clone())))
            .collect();
        Self {
            prepared,
            finished: Finished::new(prepared, batch.clone(), &NONE, fuel),
            batch,
        }
    }

    /// Plans for all pods that wait or must leave their nodes, and for `pod` where it has no node.
    pub fn of_pending(prepared: &'a Prepared, pod: Option<&Name>, fuel: &mut Fuel) -> Self {
        let snapshot = &prepared.snapshot;
        let mut pods = batch::batch(snapshot, prepared.now);
        let waits = |key: &&Name| {
            let row = snapshot.pods.get(*key);
            row.is_some_and(|p| p.node.is_none() && p.is_active()) && !pods.contains(key)
        };
        let more = pod.filter(waits).cloned();
        pods.extend(more);
        Self::new(prepared, &pods, fuel)
    }

    pub fn solution(&self) -> &Solution {
        self.finished.solution()
    }

    pub fn pod(&self, key: &Name) -> Option<&Arc<Pod>> {
        self.batch.iter().find(|(k, _)| k == key).map(|(_, pod)| pod)
    }

    /// Compiles a changed cluster as the studied one was: with the same settings, at the same time, and without the pools
    /// that are paused.
    pub(super) fn again(&self, snapshot: &Snapshot) -> Prepared {
        let paused: BTreeSet<Name> = self
            .prepared
            .templates
            .refused
            .iter()
            .filter(|(_, r)| matches!(r, Refusal::PoolNotReady { reason, .. } if &**reason == "Paused"))
            .map(|(pool, _)| pool.clone())
            .collect();
        prepare_without(snapshot, &self.prepared.settings, self.prepared.now, &paused)
    }

    /// Every place that a pod of the plan was tried at; nodes closest first: those that fit, then by how many checks
    /// they passed and by how little was missing.
    pub fn places(&mut self, pod: &Name) -> Option<Asked> {
        self.finished.ask(pod).map(closest_first)
    }
}

/// Every place against one pod, with nothing planned: as [`Study::places`], also for a pod that has a node.
pub fn places_of(prepared: &Prepared, pod: &Arc<Pod>) -> Asked {
    closest_first(places(prepared, pod))
}

fn closest_first(mut asked: Asked) -> Asked {
    for list in [&mut asked.nodes, &mut asked.claims] {
        list.sort_by(|(a, x), (b, y)| distance(x.as_ref()).cmp(&distance(y.as_ref())).then(a.cmp(b)));
    }
    asked
}

/// How far from fitting: checks left from the first failing one on (`scheduling §15.3`), then the share of the
/// resource that is missing, in thousandths.
fn distance(refusal: Option<&Refusal>) -> (u8, i64) {
    let missing = match refusal {
        Some(Refusal::Resources { wanted, free, .. }) => {
            let gap = wanted.saturating_sub(*free);
            gap.saturating_mul(1000) / wanted.max(&1)
        }
        _ => 0,
    };
    let checks = match refusal {
        None => 0,
        Some(Refusal::Topology { .. }) => 1,
        Some(Refusal::VolumeRequirement { .. }) => 2,
        Some(Refusal::Resources { .. } | Refusal::InstanceTypes { .. }) => 3,
        Some(Refusal::HostPort { .. }) => 4,
        Some(Refusal::VolumeLimit { .. }) => 5,
        Some(Refusal::Requirement { .. }) => 6,
        Some(Refusal::UnknownLabel { .. }) => 7,
        Some(_) => 8,
    };
    (checks, missing)
}
