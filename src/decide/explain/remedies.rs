//! The smallest change that gives a pod a place, found by planning again with each candidate.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::apply;
use super::candidates::candidates;
use super::study::{Effort, Study};
use crate::decide::packing::karpenter::solve_pods;
use crate::decide::scheduling::{Prepared, Purpose, Solution};
use crate::model::decision::remedy::{Change, Landing, Remedy};
use crate::model::{Name, Pod};

/// Candidates that are combined when no single one is enough.
const PAIRED: usize = 8;

impl Study<'_> {
    /// Changes after which the pod has a place and no other pod loses its own; smallest first. Pairs only where no
    /// single change is enough. Empty when it has a place already, when nothing helps, or when the effort is spent.
    pub fn remedies(&mut self, pod: &Name, effort: &mut Effort<'_>) -> Vec<Remedy> {
        let left_over = self.solution().unschedulable.iter().any(|u| u.pod == *pod);
        let (Some(row), Some(asked)) = (self.pod(pod).cloned(), self.places(pod)) else {
            return Vec::new();
        };
        if !left_over {
            return Vec::new();
        }
        let all = candidates(self.prepared, &row, &asked);
        let mut found = Vec::new();
        for change in &all {
            found.extend(self.with_change(&row, change, effort));
            if found.len() >= effort.found {
                break;
            }
        }
        if found.is_empty() {
            found = self.pairs(&row, &all, effort);
        }
        let size = |r: &Remedy| -> u32 { r.changes.iter().map(Change::size).sum() };
        found.sort_by(|a, b| {
            (size(a), a.added)
                .cmp(&(size(b), b.added))
                .then_with(|| a.changes.cmp(&b.changes))
        });
        found
    }

    fn pairs(&self, pod: &Arc<Pod>, all: &[Change], effort: &mut Effort<'_>) -> Vec<Remedy> {
        let few: Vec<&Change> = all.iter().take(PAIRED).collect();
        let mut pairs: Vec<[Change; 2]> = Vec::new();
        for (i, a) in few.iter().enumerate() {
            pairs.extend(few.iter().skip(i + 1).map(|b| [(*a).clone(), (*b).clone()]));
        }
        pairs.sort_by_key(|[a, b]| a.size() + b.size());
        let mut found = Vec::new();
        for pair in pairs {
            let lifts = pair.iter().any(|c| matches!(c, Change::RaiseLimit { .. }));
            if !lifts {
                found.extend(self.with(pod, &pair, effort));
            }
            if found.len() >= effort.found.min(2) {
                break;
            }
        }
        found
    }

    fn with_change(&self, pod: &Arc<Pod>, change: &Change, effort: &mut Effort<'_>) -> Option<Remedy> {
        match change {
            Change::RaiseLimit {
                pool, resource, from, ..
            } => self.with_limit(pod, pool, resource, *from, effort),
            _ => self.with(pod, std::slice::from_ref(change), effort),
        }
    }

    fn with(&self, pod: &Arc<Pod>, changes: &[Change], effort: &mut Effort<'_>) -> Option<Remedy> {
        self.planned_with(pod, changes, effort).map(|(remedy, _)| remedy)
    }

    /// The lowest limit that does: what the nodes have, and what the plan without the limit buys; a claim counts with
    /// its largest type, so more than the cheapest may be needed.
    fn with_limit(
        &self,
        pod: &Arc<Pod>,
        pool: &Name,
        resource: &Name,
        from: i64,
        effort: &mut Effort<'_>,
    ) -> Option<Remedy> {
        let raised = |to: i64| {
            [Change::RaiseLimit {
                pool: pool.clone(),
                resource: resource.clone(),
                from,
                to,
            }]
        };
        let (_, lifted) = self.planned_with(pod, &raised(i64::MAX), effort)?;
        for dearest in [false, true] {
            let to = self.used(pool, resource).saturating_add(bought(
                self.prepared,
                &lifted,
                pool,
                resource,
                dearest,
            ));
            if to > from
                && let Some(remedy) = self.with(pod, &raised(to), effort)
            {
                return Some(remedy);
            }
        }
        None
    }

    fn used(&self, pool: &Name, resource: &Name) -> i64 {
        let template = self
            .prepared
            .templates
            .usable
            .iter()
            .find(|t| t.pool.name == *pool);
        template.and_then(|t| t.used.get(resource).copied()).unwrap_or(0)
    }

    /// The plan with changes, when the pod has a place in it that no other pod pays for.
    fn planned_with(
        &self,
        pod: &Arc<Pod>,
        changes: &[Change],
        effort: &mut Effort<'_>,
    ) -> Option<(Remedy, Solution)> {
        if !effort.plan(1) {
            return None;
        }
        let mut spec = (*pod.spec).clone();
        for c in changes {
            apply::to_pod(c, &mut spec);
        }
        let spec = Arc::new(spec);
        // Who edits a pod edits its workload: its equals change with it.
        let changed = |p: &Arc<Pod>| {
            Arc::new(Pod {
                spec: spec.clone(),
                ..(**p).clone()
            })
        };
        let equal = |p: &Pod| p.spec == pod.spec && p.namespace == pod.namespace;
        let other;
        let prepared = if changes.iter().all(Change::is_of_pod) {
            self.prepared
        } else {
            let mut snapshot = self.prepared.snapshot.clone();
            for c in changes {
                apply::to_cluster(c, &mut snapshot);
            }
            other = self.again(&snapshot);
            &other
        };
        let key = pod.key();
        let without = BTreeSet::new();
        // Alone it is soon seen whether a change is worth the whole plan, unless the pod follows others.
        let follows = spec.affinity.iter().any(|t| t.weight.is_none());
        if self.batch.len() > 1 && !follows {
            let alone = vec![(key.clone(), changed(pod))];
            let solution = solve_pods(prepared, alone, &without, Purpose::Simulate, &mut effort.fuel);
            if !solution.unschedulable.is_empty() || !effort.plan(self.batch.len()) {
                return None;
            }
        }
        let batch = self
            .batch
            .iter()
            .map(|(k, p)| (k.clone(), if equal(p) { changed(p) } else { p.clone() }))
            .collect();
        let solution = solve_pods(prepared, batch, &without, Purpose::Simulate, &mut effort.fuel);
        let before: BTreeSet<&Name> = self.solution().unschedulable.iter().map(|u| &u.pod).collect();
        let fair = solution
            .unschedulable
            .iter()
            .all(|u| u.pod != key && before.contains(&u.pod));
        if !fair {
            return None;
        }
        let remedy = Remedy {
            changes: changes.to_vec(),
            landing: landing(&solution, &key)?,
            added: solution.price() - self.solution().price(),
        };
        Some((remedy, solution))
    }
}

fn landing(solution: &Solution, pod: &Name) -> Option<Landing> {
    if let Some((node, _)) = solution.existing.iter().find(|(_, pods)| pods.contains(pod)) {
        return Some(Landing::Node { node: node.clone() });
    }
    let planned = solution.claims.iter().find(|c| c.draft.pods.contains(pod))?;
    Some(Landing::Claim {
        pool: planned.draft.pool.clone(),
        launch: planned.draft.expected.clone(),
        pods: u32::try_from(planned.draft.pods.len()).unwrap_or(u32::MAX),
    })
}

/// How much of a pool's limit its new claims take: by the cheapest type of each, or by the largest.
fn bought(prepared: &Prepared, solution: &Solution, pool: &Name, resource: &Name, largest: bool) -> i64 {
    let claims = solution.claims.iter().filter(|c| c.draft.pool == *pool);
    if &**resource == "nodes" {
        return i64::try_from(claims.count()).unwrap_or(i64::MAX);
    }
    let template = prepared.templates.usable.iter().find(|t| t.pool.name == *pool);
    let size = |kind: &Name| {
        let kind = template.and_then(|t| t.catalogue.get(kind));
        kind.map_or(0, |k| k.capacity.get(resource))
    };
    claims
        .map(|c| {
            let options = &c.draft.instance_types;
            if largest {
                options.iter().map(size).max().unwrap_or(0)
            } else {
                c.draft.expected.as_ref().map_or(0, |e| size(&e.instance_type))
            }
        })
        .sum()
}
