//! What would happen if some machines were gone (`disruption §12`).

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::Candidate;
use super::cluster::Cluster;
use super::verdicts::Why;
use crate::api::names;
use crate::decide::packing::karpenter::Bounds;
use crate::decide::scheduling::batch::batch;
use crate::decide::scheduling::{Planned, Problem, Purpose, buffers, solve_bounded, solve_prepared};
use crate::decide::{Fuel, Settings};
use crate::model::Name;

/// What-ifs over one cluster: each is an overlay on the same compiled picture.
#[derive(Debug)]
pub struct Simulator<'a> {
    cluster: &'a Cluster<'a>,
    settings: &'a Settings,
    shared: Option<Shared>,
}

/// What every what-if of a pass has in common.
#[derive(Debug)]
struct Shared {
    /// Names of machines on their way out.
    leaving: BTreeSet<Name>,
    on_leaving: BTreeSet<Name>,
    pending: BTreeSet<Name>,
    /// Some node is inside its pool's `consolidateAfter` window.
    cooling: bool,
}

/// Where everything would go.
#[derive(Debug, Default)]
pub struct Simulated {
    pub claims: Vec<Planned>,
    /// Every moving pod → node, or replacement.
    pub moves: BTreeMap<Name, Name>,
    /// The first pod that would lose its place, with why.
    pub failure: Option<Why>,
    /// It was given up because it needs more new machines than were allowed.
    pub too_many: bool,
    /// Fuel ran out.
    pub out_of_fuel: bool,
}

impl<'a> Simulator<'a> {
    pub fn new(cluster: &'a Cluster<'a>, settings: &'a Settings) -> Self {
        Self {
            cluster,
            settings,
            shared: None,
        }
    }

    fn shared(&mut self) -> &Shared {
        let (cluster, settings) = (self.cluster, self.settings);
        self.shared.get_or_insert_with(|| {
            let leaving = || cluster.machines.values().filter(|m| m.is_leaving());
            Shared {
                leaving: leaving().map(|m| m.name.clone()).collect(),
                on_leaving: leaving()
                    .filter(|m| m.is_provided_for(cluster.snapshot))
                    .flat_map(|m| cluster.movers(m))
                    .cloned()
                    .collect(),
                pending: cluster
                    .prepared(settings)
                    .snapshot
                    .pods
                    .iter()
                    .filter(|(_, p)| p.is_provisionable())
                    .map(|(key, _)| key.clone())
                    .collect(),
                cooling: cluster.machines.values().any(|m| cluster.is_cooling(m)),
            }
        })
    }

    /// Given up as soon as `bounds` are passed. `Err`: one of the candidates is on its way out already.
    pub fn run_within(
        &mut self,
        candidates: &[Candidate<'_>],
        bounds: &Bounds<'_>,
        fuel: &mut Fuel,
    ) -> Result<Simulated, Why> {
        let (cluster, settings) = (self.cluster, self.settings);
        let shared = self.shared();
        if candidates.iter().any(|c| shared.leaving.contains(c.name())) {
            return Err(Why::new("candidate_deleting"));
        }
        let moving: BTreeSet<&Name> = candidates.iter().flat_map(|c| &c.movers).collect();
        let all: BTreeSet<&Name> = moving
            .iter()
            .copied()
            .chain(&shared.on_leaving)
            .chain(&shared.pending)
            .collect();
        let all: Vec<Name> = all.into_iter().cloned().collect();
        let without: BTreeSet<Name> = candidates
            .iter()
            .map(Candidate::name)
            .chain(&shared.leaving)
            .cloned()
            .collect();
        let prepared = cluster.prepared(settings);
        let problem = Problem {
            snapshot: &prepared.snapshot,
            pods: &all,
            without: &without,
            now: cluster.now,
            settings,
            purpose: Purpose::Simulate,
        };
        let bounds = Bounds {
            may_fail: &shared.pending,
            ..*bounds
        };
        let bounded = solve_bounded(prepared, &problem, &bounds, fuel);
        let mut solution = bounded.solution;
        buffers::without_virtual(&prepared.snapshot, &mut solution);

        let mut out = Simulated {
            too_many: bounded.too_many,
            out_of_fuel: fuel.0 == 0,
            ..Simulated::default()
        };
        for (target, placed) in &solution.existing {
            let uninitialized = cluster
                .machines
                .get(target)
                .is_some_and(|m| m.claim.is_some() && !m.is_initialized());
            for pod in placed.iter().filter(|p| !shared.pending.contains(*p)) {
                if moving.contains(pod) {
                    out.moves.insert(pod.clone(), target.clone());
                }
                if uninitialized && !shared.on_leaving.contains(pod) && out.failure.is_none() {
                    out.failure = Some(
                        Why::new("uninitialized_target")
                            .pod(pod.clone())
                            .fact("target", target),
                    );
                }
            }
        }
        for planned in &solution.claims {
            for pod in planned.draft.pods.iter().filter(|p| moving.contains(*p)) {
                out.moves.insert(pod.clone(), planned.draft.name.clone());
            }
        }
        let failed = solution
            .unschedulable
            .iter()
            .filter(|u| !shared.pending.contains(&u.pod));
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

    /// Whether the candidates could simply go once the nodes that just got pods take more (`disruption §6.1`).
    pub fn goes_later(&mut self, candidates: &[Candidate<'_>], fuel: &mut Fuel) -> bool {
        let bounds = Bounds {
            most_claims: Some(0),
            ends_at_failure: true,
            windows_open: true,
            ..Bounds::default()
        };
        self.shared().cooling
            && self
                .run_within(candidates, &bounds, fuel)
                .is_ok_and(|s| !s.too_many && s.failure.is_none() && s.claims.is_empty())
    }

    /// Machines on which the virtual pods of buffers stand: they are not empty (`scheduling §24`).
    pub fn holders(&self, fuel: &mut Fuel) -> BTreeSet<Name> {
        let (cluster, settings) = (self.cluster, self.settings);
        if !settings.capacity_buffer || cluster.snapshot.buffers.is_empty() {
            return BTreeSet::new();
        }
        let prepared = cluster.prepared(settings);
        let pods = batch(&prepared.snapshot, cluster.now);
        let problem = Problem {
            snapshot: &prepared.snapshot,
            pods: &pods,
            without: &BTreeSet::new(),
            now: cluster.now,
            settings,
            purpose: Purpose::Provision,
        };
        let solution = solve_prepared(prepared, &problem, fuel);
        buffers::holders(&prepared.snapshot, &solution)
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
