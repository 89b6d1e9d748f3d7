//! What the command looks up beside the plan: what would help the pods that have no place, and, when asked for, every
//! place that they were tried at and what constraints cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::Fuel;
use crate::decide::explain::{Asked, Effort, Study};
use crate::decide::scheduling::{Prepared, Solution};
use crate::model::decision::evidence::Unschedulable;
use crate::model::decision::remedy::{ConstraintCost, Remedy};
use crate::model::{Name, PodSpec};
use crate::words;

/// Groups of equal pods that get their remedies looked up without being asked for.
const GROUPS: usize = 12;
/// Pods planned for all of them together: a second or so.
const PODS: usize = 100_000;
/// The same with `--explain`.
const EXPLAINED: usize = 200;
const EXPLAINED_PODS: usize = 2_000_000;
/// The same for what constraints cost.
const COSTS: usize = 500_000;

/// Pods that ask for the same and were told the same.
#[derive(Clone, Debug)]
pub struct Group {
    /// In order of name.
    pub pods: Vec<Name>,
    pub told: Unschedulable,
    /// Smallest change first.
    pub remedies: Vec<Remedy>,
    /// With `--explain`: every place against the first pod.
    pub asked: Option<Asked>,
}

#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// `--explain` was given.
    pub whole: bool,
    pub groups: Vec<Group>,
    /// What constraints of placed pods cost, with one pod that has them; dearest first.
    pub costs: Vec<(Name, ConstraintCost)>,
}

impl Explained {
    pub fn of(&self, pod: &Name) -> Option<&Group> {
        self.groups.iter().find(|g| g.pods.binary_search(pod).is_ok())
    }
}

/// Looks it up. Costs nothing where every pod has a place and nobody asked.
pub fn explained(prepared: &Prepared, pods: &[Name], solution: &Solution, whole: bool) -> Explained {
    let mut groups = groups(prepared, solution);
    let mut out = Explained {
        whole,
        ..Explained::default()
    };
    if groups.is_empty() && !whole {
        return out;
    }
    let mut effort = Effort {
        fuel: Fuel(if whole { 2_000_000_000 } else { 100_000_000 }),
        pods: if whole { EXPLAINED_PODS } else { PODS },
        found: if whole { 5 } else { 2 },
        stop: &|| false,
    };
    let mut study = Study::new(prepared, pods, &mut Fuel::UNLIMITED.clone());
    for group in groups.iter_mut().take(if whole { EXPLAINED } else { GROUPS }) {
        let Some(first) = group.pods.first() else { continue };
        group.remedies = study.remedies(first, &mut effort);
        if whole {
            group.asked = study.places(first);
        }
    }
    if whole {
        out.costs = costs(prepared, &study);
    }
    out.groups = groups;
    out
}

fn groups(prepared: &Prepared, solution: &Solution) -> Vec<Group> {
    let mut known: BTreeMap<(Option<Arc<PodSpec>>, String), usize> = BTreeMap::new();
    let mut out: Vec<Group> = Vec::new();
    for one in &solution.unschedulable {
        let spec = prepared.snapshot.pods.get(&one.pod).map(|p| p.spec.clone());
        let key = (spec, words::unschedulable(one));
        if let Some(group) = known.get(&key).and_then(|i| out.get_mut(*i)) {
            group.pods.push(one.pod.clone());
            continue;
        }
        known.insert(key, out.len());
        out.push(Group {
            pods: vec![one.pod.clone()],
            told: one.clone(),
            remedies: Vec::new(),
            asked: None,
        });
    }
    out
}

/// One look at each kind of placed pod that has constraints, the most numerous first.
fn costs(prepared: &Prepared, study: &Study<'_>) -> Vec<(Name, ConstraintCost)> {
    let mut kinds: BTreeMap<Arc<PodSpec>, (usize, Name)> = BTreeMap::new();
    for pod in study.solution().claims.iter().flat_map(|c| &c.draft.pods) {
        if let Some(row) = prepared.snapshot.pods.get(pod) {
            kinds
                .entry(row.spec.clone())
                .or_insert_with(|| (0, pod.clone()))
                .0 += 1;
        }
    }
    let mut kinds: Vec<(usize, Name)> = kinds.into_values().collect();
    kinds.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut effort = Effort {
        fuel: Fuel(500_000_000),
        pods: COSTS,
        found: 0,
        stop: &|| false,
    };
    let mut out: Vec<(Name, ConstraintCost)> = Vec::new();
    for (_, pod) in kinds {
        for cost in study.costs(&pod, &mut effort) {
            // A pool's requirement costs the same for whoever is asked.
            if out
                .iter()
                .all(|(_, c)| c.change.is_of_pod() || c.change != cost.change)
            {
                out.push((pod.clone(), cost));
            }
        }
    }
    out.sort_by(|(p, a), (q, b)| {
        (b.usd_per_hour, b.more_placed)
            .cmp(&(a.usd_per_hour, a.more_placed))
            .then_with(|| (&a.change, p).cmp(&(&b.change, q)))
    });
    out
}
