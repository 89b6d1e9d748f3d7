//! Why one node stays, in full: where each of its pods could go, the first check that fails there, the nearest miss and
//! the money that its going would save. Worked out on request (`disruption §23`, decisions §4).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::cluster::Cluster;
use super::once;
use crate::decide::explain::why_pending_prepared;
use crate::decide::{Fuel, Settings};
use crate::model::decision::{Refusal, Verdict};
use crate::model::{Name, Pod, PodSpec, Snapshot, UsdPerHour};

/// The answer for one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stays {
    pub verdict: Option<Verdict>,
    /// What the node costs now: saved if it went without replacement.
    pub saves: UsdPerHour,
    /// One entry a kind of pod that would have to move, those with the fewest destinations first.
    pub pods: Vec<Moves>,
}

/// Where pods of one kind could go, each looked at on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Moves {
    /// The first of its kind, `namespace/name`.
    pub pod: Name,
    /// Pods of that kind on the node.
    pub count: usize,
    /// Other nodes that would take it.
    pub room_on: Vec<Name>,
    /// Those that would not, closest first, with the first check that fails.
    pub refused: Vec<(Name, Refusal)>,
    /// NodePools in weight order; `None`: a new node of it would do.
    pub pools: Vec<(Name, Option<Refusal>)>,
}

impl Moves {
    /// The nearest miss, where no node takes it.
    pub fn nearest_miss(&self) -> Option<&(Name, Refusal)> {
        self.refused.first().filter(|_| self.room_on.is_empty())
    }
}

/// `None`: there is no such machine.
pub fn stays(snapshot: &Snapshot, node: &str, now: Timestamp, settings: &Settings) -> Option<Stays> {
    let outcome = once(snapshot, now, settings, &mut Fuel::UNLIMITED.clone());
    let verdict = outcome.verdicts.into_iter().find(|v| *v.node == *node);
    destinations(&Cluster::new(snapshot, now), node, settings).map(|mut stays| {
        stays.verdict = verdict;
        stays
    })
}

/// As [`stays`], for many nodes of one cluster and without the verdict.
pub fn destinations(cluster: &Cluster<'_>, node: &str, settings: &Settings) -> Option<Stays> {
    let machine = cluster.machines.get(node)?;
    let prepared = cluster.prepared(settings);
    let mut kinds: BTreeMap<Kind<'_>, (Name, &Pod, usize)> = BTreeMap::new();
    for key in cluster.movers(machine) {
        let Some(pod) = cluster.snapshot.pods.get(key) else {
            continue;
        };
        kinds
            .entry((&pod.namespace, &pod.spec, &pod.labels))
            .or_insert_with(|| (key.clone(), pod, 0))
            .2 += 1;
    }
    let mut pods: Vec<Moves> = kinds
        .into_values()
        .map(|(pod, row, count)| {
            let places = why_pending_prepared(prepared, row);
            let mut moves = Moves {
                pod,
                count,
                room_on: Vec::new(),
                refused: Vec::new(),
                pools: places.pools,
            };
            for (name, refusal) in places.nodes.into_iter().filter(|(n, _)| **n != *node) {
                match refusal {
                    None => moves.room_on.push(name),
                    Some(refusal) => moves.refused.push((name, refusal)),
                }
            }
            moves
        })
        .collect();
    pods.sort_by(|a, b| (a.room_on.len(), &a.pod).cmp(&(b.room_on.len(), &b.pod)));
    Some(Stays {
        verdict: None,
        saves: cluster.price(machine),
        pods,
    })
}

/// Pods that no rule tells apart.
type Kind<'a> = (&'a Name, &'a Arc<PodSpec>, &'a Arc<crate::model::Labels>);
