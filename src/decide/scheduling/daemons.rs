//! What DaemonSets take on nodes (`scheduling §8.4`, `§8.5`).

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::demand::strict_requirements;
use super::labels::WellKnown;
use crate::model::index::Index;
use crate::model::pod::{HostPort, pod_key};
use crate::model::taints::{TaintEffect, Toleration, TolerationOperator, untolerated};
use crate::model::{Name, Pod, PodSpec, Requirements, Resources, Snapshot, Taint};

/// The pod that a DaemonSet would put on a node.
#[derive(Clone, Debug)]
pub struct DaemonPod {
    /// `namespace/name` of the DaemonSet.
    pub name: Name,
    pub spec: Arc<PodSpec>,
    /// One a required node-affinity term; any may match. With parity the first must, and those before it that matched no
    /// type are gone (Q28).
    pub terms: Vec<Requirements>,
    /// Tolerates `PreferNoSchedule` on nodes that are there, as upstream's does once a template has asked (Q28).
    pub eased: bool,
}

impl DaemonPod {
    /// Whether the pod is one of the DaemonSet's.
    pub fn owns(&self, pod: &Pod) -> bool {
        let mine = |o: &crate::model::pod::Owner| {
            &*o.kind == "DaemonSet" && pod_key(&pod.namespace, &o.name) == self.name
        };
        pod.owners.iter().any(mine)
    }
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
            eased: false,
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

/// Types that suit one term of a daemon of a template.
fn suiting(
    term: &Requirements,
    requirements: &Requirements,
    index: &Index,
    well_known: &WellKnown,
) -> FixedBitSet {
    if requirements.compatible(term, |k| well_known.has(k)).is_err() {
        return index.none();
    }
    let mut out = index.all();
    for requirement in term.iter() {
        out.intersect_with(&index.matching(requirement));
    }
    out
}

impl DaemonPod {
    /// As upstream does it (Q28): a term that a type does not match is dropped from the one pod that stands for all, so
    /// that what later types, pools and nodes see depends on the earlier ones.
    fn asked_in_place(&mut self, by_term: &[FixedBitSet], types: &FixedBitSet) -> FixedBitSet {
        let mut on = FixedBitSet::with_capacity(types.len());
        let mut at = 0;
        for kind in types.ones() {
            while at + 1 < by_term.len() && !by_term[at].contains(kind) {
                at += 1;
            }
            on.set(kind, by_term.get(at).is_some_and(|bits| bits.contains(kind)));
        }
        self.terms.drain(..at);
        on
    }
}

/// Splits a template's types by the exact set of daemons that run on them. `parity` changes the daemons, as upstream
/// does.
pub fn group(
    daemons: &mut [DaemonPod],
    requirements: &Requirements,
    taints: &[Taint],
    types: &FixedBitSet,
    index: &Index,
    well_known: &WellKnown,
    parity: bool,
) -> Vec<DaemonGroup> {
    let mut groups = vec![DaemonGroup {
        types: types.clone(),
        daemons: Vec::new(),
        overhead: Resources::default(),
        ports: Vec::new(),
    }];
    for (id, daemon) in daemons.iter_mut().enumerate() {
        daemon.eased = parity;
        if !tolerates(daemon, taints) {
            continue;
        }
        let by_term: Vec<FixedBitSet> = daemon
            .terms
            .iter()
            .map(|t| suiting(t, requirements, index, well_known))
            .collect();
        let on = if parity {
            daemon.asked_in_place(&by_term, types)
        } else {
            let mut on = index.none();
            for bits in &by_term {
                on.union_with(bits);
            }
            on
        };
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

/// Daemons that belong on a node that is there: they tolerate its taints and its labels suit one of their terms. With
/// `parity` the first term, and `PreferNoSchedule` keeps them away.
pub fn expected_on<'a>(
    daemons: &'a [DaemonPod],
    labels: &Requirements,
    taints: &[Taint],
    parity: bool,
) -> impl Iterator<Item = &'a DaemonPod> {
    let terms = if parity { 1 } else { usize::MAX };
    daemons.iter().filter(move |d| {
        let tolerated = if d.eased || !parity {
            tolerates(d, taints)
        } else {
            untolerated(taints, &d.spec.tolerations).next().is_none()
        };
        let mut asked = d.terms.iter().take(terms);
        tolerated && asked.any(|t| labels.compatible(t, |_| false).is_ok())
    })
}
