//! What would happen if some machines were gone (`disruption §12`).

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::Candidate;
use super::cluster::Cluster;
use super::verdicts::Why;
use crate::api::names;
use crate::decide::scheduling::batch::batch;
use crate::decide::scheduling::{Planned, Prepared, Problem, Purpose, buffers, prepare, solve_prepared};
use crate::decide::{Fuel, Settings, pods};
use crate::model::{Name, Pod, Snapshot};

/// The cluster compiled for the solver, on first use: passes that simulate nothing pay nothing.
#[derive(Debug)]
pub struct Simulator<'a> {
    cluster: &'a Cluster<'a>,
    settings: &'a Settings,
    /// With the virtual pods of buffers.
    snapshot: Snapshot,
    prepared: Option<Prepared>,
}

/// Where everything would go.
#[derive(Debug, Default)]
pub struct Simulated {
    pub claims: Vec<Planned>,
    /// Every moving pod → node, or replacement.
    pub moves: BTreeMap<Name, Name>,
    /// The first pod that would lose its place, with why.
    pub failure: Option<Why>,
}

impl<'a> Simulator<'a> {
    pub fn new(cluster: &'a Cluster<'a>, settings: &'a Settings) -> Self {
        Self {
            cluster,
            settings,
            snapshot: buffers::with_virtual(cluster.snapshot, settings),
            prepared: None,
        }
    }

    /// `Err`: one of the candidates is on its way out already.
    pub fn run(&mut self, candidates: &[Candidate<'_>], fuel: &mut Fuel) -> Result<Simulated, Why> {
        let cluster = self.cluster;
        let leaving: Vec<_> = cluster.machines.values().filter(|m| m.is_leaving()).collect();
        let names: BTreeSet<&Name> = candidates.iter().map(Candidate::name).collect();
        if leaving.iter().any(|m| names.contains(&m.name)) {
            return Err(Why::new("candidate_deleting"));
        }
        let moves_now = |p: &&Pod| pods::is_currently_reschedulable(&cluster.pdbs, p, cluster.now);
        let on_candidates: BTreeSet<Name> = candidates
            .iter()
            .flat_map(|c| c.pods.iter().copied())
            .filter(moves_now)
            .map(Pod::key)
            .collect();
        let on_leaving: BTreeSet<Name> = leaving
            .iter()
            .flat_map(|m| m.pods.iter().copied())
            .filter(moves_now)
            .map(Pod::key)
            .collect();
        let pending: BTreeSet<Name> = self
            .snapshot
            .pods
            .iter()
            .filter(|(_, p)| p.is_provisionable())
            .map(|(key, _)| key.clone())
            .collect();
        let all: BTreeSet<Name> = on_candidates
            .iter()
            .chain(&on_leaving)
            .chain(&pending)
            .cloned()
            .collect();
        let all: Vec<Name> = all.into_iter().collect();
        let without: BTreeSet<Name> = names
            .into_iter()
            .cloned()
            .chain(leaving.iter().map(|m| m.name.clone()))
            .collect();
        let problem = Problem {
            snapshot: &self.snapshot,
            pods: &all,
            without: &without,
            now: cluster.now,
            settings: self.settings,
            purpose: Purpose::Simulate,
        };
        let prepared = self
            .prepared
            .get_or_insert_with(|| prepare(&self.snapshot, self.settings, cluster.now));
        let mut solution = solve_prepared(prepared, &problem, fuel);
        buffers::without_virtual(&self.snapshot, &mut solution);

        let mut out = Simulated::default();
        for (target, placed) in &solution.existing {
            let uninitialized = cluster
                .machines
                .get(target)
                .is_some_and(|m| m.claim.is_some() && !m.is_initialized());
            for pod in placed.iter().filter(|p| !pending.contains(*p)) {
                if on_candidates.contains(pod) {
                    out.moves.insert(pod.clone(), target.clone());
                }
                if uninitialized && !on_leaving.contains(pod) && out.failure.is_none() {
                    out.failure = Some(
                        Why::new("uninitialized_target")
                            .pod(pod.clone())
                            .fact("target", target),
                    );
                }
            }
        }
        for planned in &solution.claims {
            for pod in planned.draft.pods.iter().filter(|p| on_candidates.contains(*p)) {
                out.moves.insert(pod.clone(), planned.draft.name.clone());
            }
        }
        let failed = solution
            .unschedulable
            .iter()
            .filter(|u| !pending.contains(&u.pod));
        let mut failed = failed.peekable();
        if let Some(first) = failed.peek() {
            let reason = first
                .pools
                .first()
                .map_or("no_pools", |(_, refusal)| refusal.code());
            out.failure = Some(
                Why::new("pods_unschedulable")
                    .pod(first.pod.clone())
                    .fact("why", reason)
                    .fact("pods", failed.count()),
            );
        }
        out.claims = solution.claims;
        Ok(out)
    }

    /// Machines on which the virtual pods of buffers stand: they are not empty (`scheduling §24`).
    pub fn holders(&mut self, fuel: &mut Fuel) -> BTreeSet<Name> {
        if !self.settings.capacity_buffer || self.snapshot.buffers.is_empty() {
            return BTreeSet::new();
        }
        let pods = batch(&self.snapshot, self.cluster.now);
        let without = BTreeSet::new();
        let problem = Problem {
            snapshot: &self.snapshot,
            pods: &pods,
            without: &without,
            now: self.cluster.now,
            settings: self.settings,
            purpose: Purpose::Provision,
        };
        let prepared = self
            .prepared
            .get_or_insert_with(|| prepare(&self.snapshot, self.settings, self.cluster.now));
        let solution = solve_prepared(prepared, &problem, fuel);
        buffers::holders(&self.snapshot, &solution)
    }

    pub fn cluster(&self) -> &'a Cluster<'a> {
        self.cluster
    }

    pub fn settings(&self) -> &'a Settings {
        self.settings
    }
}

/// The nodeclass of a planned claim, for its catalogue.
pub fn class_of(planned: &Planned) -> &str {
    planned
        .draft
        .labels
        .get(names::EC2_NODECLASS)
        .unwrap_or(&planned.draft.class.name)
}
