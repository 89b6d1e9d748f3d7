//! What DaemonSets take on nodes (`scheduling §8.4`, `§8.5`).

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::demand::strict_requirements;
use super::labels::WellKnown;
use crate::model::index::Index;
use crate::model::pod::HostPort;
use crate::model::taints::{TaintEffect, Toleration, TolerationOperator, untolerated};
use crate::model::{Name, Pod, PodSpec, Requirements, Resources, Snapshot, Taint};

/// The pod that a DaemonSet would put on a node.
#[derive(Clone, Debug)]
pub struct DaemonPod {
    /// `namespace/name` of the DaemonSet.
    pub name: Name,
    pub spec: Arc<PodSpec>,
    /// One a required node-affinity term; any may match (Q28).
    pub terms: Vec<Requirements>,
}

/// Instance types of a template that get the same daemons.
#[derive(Clone, Debug)]
pub struct DaemonGroup {
    pub types: FixedBitSet,
    pub daemons: Vec<usize>,
    pub overhead: Resources,
    pub ports: Vec<HostPort>,
}

/// One representative a DaemonSet: its newest pod, whose required node affinity is the template's where the template
/// has one, or else a pod of the template.
pub fn daemon_pods(snapshot: &Snapshot) -> Vec<DaemonPod> {
    if snapshot.daemons.is_empty() {
        return Vec::new();
    }
    let mut newest: BTreeMap<&Name, &Arc<Pod>> = BTreeMap::new();
    for pod in snapshot.pods.values() {
        let Some(owner) = pod.owners.iter().find(|o| &*o.kind == "DaemonSet") else {
            continue;
        };
        let slot = newest.entry(&owner.uid).or_insert(pod);
        if (pod.created, &pod.name) > (slot.created, &slot.name) {
            *slot = pod;
        }
    }
    let mut out = Vec::new();
    for (name, daemon) in &snapshot.daemons {
        let mut spec = daemon.spec.clone();
        if let Some(live) = newest.get(&daemon.uid) {
            let mut seen = (*live.spec).clone();
            if !daemon.spec.required_terms.is_empty() {
                seen.required_terms.clone_from(&daemon.spec.required_terms);
            }
            spec = Arc::new(seen);
        }
        if spec.uses_resource_claims {
            continue;
        }
        out.push(DaemonPod {
            name: name.clone(),
            terms: strict_requirements(&spec),
            spec,
        });
    }
    out
}

/// Whether a daemon tolerates taints; `PreferNoSchedule` never keeps it away.
fn tolerates(daemon: &DaemonPod, taints: &[Taint]) -> bool {
    let any_preference = Toleration {
        operator: TolerationOperator::Exists,
        effect: Some(TaintEffect::PreferNoSchedule),
        ..Toleration::default()
    };
    untolerated(taints, &daemon.spec.tolerations).all(|t| any_preference.tolerates(t))
}

/// Splits a template's types by the exact set of daemons that run on them.
pub fn group(
    daemons: &[DaemonPod],
    requirements: &Requirements,
    taints: &[Taint],
    types: &FixedBitSet,
    index: &Index,
    well_known: &WellKnown,
) -> Vec<DaemonGroup> {
    let mut groups = vec![DaemonGroup {
        types: types.clone(),
        daemons: Vec::new(),
        overhead: Resources::default(),
        ports: Vec::new(),
    }];
    for (id, daemon) in daemons.iter().enumerate() {
        if !tolerates(daemon, taints) {
            continue;
        }
        let mut on = index.none();
        for term in &daemon.terms {
            if requirements.compatible(term, |k| well_known.has(k)).is_ok() {
                let mut some = index.all();
                for requirement in term.iter() {
                    some.intersect_with(&index.matching(requirement));
                }
                on.union_with(&some);
            }
        }
        let mut split = Vec::new();
        for group in groups {
            let mut with = group.clone();
            with.types.intersect_with(&on);
            let mut without = group;
            without.types.difference_with(&on);
            if !without.types.is_clear() {
                split.push(without);
            }
            if !with.types.is_clear() {
                with.daemons.push(id);
                with.overhead.add(&daemon.spec.requests);
                with.ports.extend(daemon.spec.host_ports.iter().cloned());
                split.push(with);
            }
        }
        groups = split;
    }
    groups
}

/// Daemons that belong on a node that is there: they tolerate its taints and its labels suit one of their terms.
pub fn expected_on<'a>(
    daemons: &'a [DaemonPod],
    labels: &Requirements,
    taints: &[Taint],
) -> impl Iterator<Item = &'a DaemonPod> {
    daemons.iter().filter(move |d| {
        untolerated(taints, &d.spec.tolerations).next().is_none()
            && d.terms.iter().any(|t| labels.compatible(t, |_| false).is_ok())
    })
}
