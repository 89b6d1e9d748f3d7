//! What a constraint costs: the plan with it against the plan without.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::apply;
use super::study::{Effort, Study};
use crate::decide::packing::karpenter::solve_pods;
use crate::decide::scheduling::{Purpose, Solution, ports};
use crate::model::decision::remedy::{Change, ConstraintCost};
use crate::model::{Name, Pod, PodSpec};

impl Study<'_> {
    /// For every constraint of the pods with the same demands as `pod`, and every requirement of the pool that takes
    /// it; dearest first. Those that the effort does not reach are left out.
    pub fn costs(&self, pod: &Name, effort: &mut Effort<'_>) -> Vec<ConstraintCost> {
        let Some(row) = self.pod(pod) else {
            return Vec::new();
        };
        let mut changes: BTreeSet<Change> = constraints(&row.spec);
        let claim = self.solution().claims.iter().find(|c| c.draft.pods.contains(pod));
        if let Some(pool) = claim.and_then(|c| self.prepared.snapshot.pools.get(&c.draft.pool)) {
            changes.extend(pool.template.requirements.iter().map(|r| Change::WidenPool {
                pool: pool.name.clone(),
                existing: r.clone(),
                to: None,
            }));
        }
        let mut out: Vec<ConstraintCost> = changes
            .iter()
            .filter_map(|change| self.cost(&row.spec, change, effort))
            .collect();
        out.sort_by(|a, b| {
            (b.usd_per_hour, b.more_placed, b.nodes)
                .cmp(&(a.usd_per_hour, a.more_placed, a.nodes))
                .then_with(|| a.change.cmp(&b.change))
        });
        out
    }

    fn cost(&self, spec: &Arc<PodSpec>, change: &Change, effort: &mut Effort<'_>) -> Option<ConstraintCost> {
        if !effort.plan(self.batch.len()) {
            return None;
        }
        let mut freed = (**spec).clone();
        apply::to_pod(change, &mut freed);
        let freed = Arc::new(freed);
        let mut pods = 0;
        let of_pod = change.is_of_pod();
        let batch: Vec<(Name, Arc<Pod>)> = self
            .batch
            .iter()
            .map(|(key, pod)| {
                if pod.spec != *spec {
                    return (key.clone(), pod.clone());
                }
                pods += 1;
                let changed = Pod {
                    spec: freed.clone(),
                    ..(**pod).clone()
                };
                (key.clone(), if of_pod { Arc::new(changed) } else { pod.clone() })
            })
            .collect();
        let other;
        let prepared = if of_pod {
            self.prepared
        } else {
            let mut snapshot = self.prepared.snapshot.clone();
            apply::to_cluster(change, &mut snapshot);
            other = self.again(&snapshot);
            &other
        };
        let none = BTreeSet::new();
        let after = solve_pods(prepared, batch, &none, Purpose::Simulate, &mut effort.fuel);
        let before = self.solution();
        let count = |s: &Solution| i64::try_from(s.claims.len()).unwrap_or(i64::MAX);
        Some(ConstraintCost {
            change: change.clone(),
            pods,
            usd_per_hour: before.price() - after.price(),
            nodes: count(before) - count(&after),
            more_placed: u32::try_from(after.placed().saturating_sub(before.placed())).unwrap_or(u32::MAX),
        })
    }
}

/// Everything about a pod that narrows its choice, preferences included.
fn constraints(spec: &PodSpec) -> BTreeSet<Change> {
    let mut out = BTreeSet::new();
    out.extend(
        spec.node_selector
            .iter()
            .map(|(key, value)| Change::DropSelector {
                key: key.clone(),
                value: value.clone(),
            }),
    );
    out.extend(
        spec.required_terms
            .iter()
            .flatten()
            .map(|r| Change::DropRequirement {
                requirement: r.clone(),
            }),
    );
    out.extend(spec.spread.iter().map(|s| Change::DropSpread {
        key: s.topology_key.clone(),
    }));
    out.extend(spec.affinity.iter().map(|t| Change::DropAffinity {
        key: t.topology_key.clone(),
    }));
    out.extend(spec.anti_affinity.iter().map(|t| Change::DropAntiAffinity {
        key: t.topology_key.clone(),
    }));
    out.extend(spec.host_ports.iter().map(|p| Change::DropHostPort {
        port: ports::text(p).into(),
    }));
    out
}
