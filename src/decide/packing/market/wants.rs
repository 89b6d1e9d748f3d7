//! What pods must have, everything given up that they can give up: the least that any placement grants them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Want;
use crate::api::names;
use crate::decide::scheduling::arena::Arena;
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::{demand, volumes};
use crate::model::pod::{AffinityTerm, HostPort};
use crate::model::taints::{TaintEffect, untolerated};
use crate::model::{LabelSelector, Name, Pod, PodSpec, Requirements};

/// What only one pod of a node can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Single {
    Port(HostPort),
    /// Pods of the namespace that the selector matches and that carry it as required anti-affinity over hostnames.
    Apart(Name, LabelSelector),
}

/// The wants of pods that are to find place on new nodes, and how many slots they name (a node has one of each).
/// Topology over anything but single nodes, limits of pools and minValues are left out: each only takes places away.
/// A pod that no type suits is left out too.
pub fn wants<'a>(
    p: &Prepared,
    arena: &mut Arena<'_>,
    pods: impl Iterator<Item = &'a Arc<Pod>>,
) -> (Vec<Want>, usize) {
    let mut singles: BTreeMap<Single, usize> = BTreeMap::new();
    let mut by_spec: BTreeMap<usize, (Vec<u32>, Arc<PodSpec>)> = BTreeMap::new();
    let mut out: BTreeMap<(usize, Vec<usize>), Want> = BTreeMap::new();
    let mut single_wants: Vec<Want> = Vec::new();
    for pod in pods {
        let mut slots: Vec<usize> = slots_of(pod)
            .into_iter()
            .map(|s| {
                let next = singles.len();
                *singles.entry(s).or_insert(next)
            })
            .collect();
        slots.sort_unstable();
        slots.dedup();
        if !pod.spec.volume_claims.is_empty() {
            single_wants.push(Want {
                rows: rows(p, arena, pod),
                requests: pod.spec.requests.clone(),
                slots,
                count: 1,
            });
            continue;
        }
        let address = Arc::as_ptr(&pod.spec) as usize;
        let (rows, _) = by_spec
            .entry(address)
            .or_insert_with(|| (rows(p, arena, pod), pod.spec.clone()));
        let want = out.entry((address, slots.clone())).or_insert_with(|| Want {
            rows: rows.clone(),
            requests: pod.spec.requests.clone(),
            slots,
            count: 0,
        });
        want.count += 1;
    }
    let mut wants: Vec<Want> = out.into_values().chain(single_wants).collect();
    wants.retain(|w| !w.rows.is_empty());
    // Addresses are no order.
    wants.sort_by(|a, b| (&a.rows, &a.requests, &a.slots).cmp(&(&b.rows, &b.requests, &b.slots)));
    (wants, singles.len())
}

fn slots_of(pod: &Pod) -> Vec<Single> {
    let mut out: Vec<Single> = pod.spec.host_ports.iter().cloned().map(Single::Port).collect();
    for term in &pod.spec.anti_affinity {
        if let Some(selector) = keeps_apart(term, pod) {
            out.push(Single::Apart(pod.namespace.clone(), selector.clone()));
        }
    }
    out
}

/// The selector of a required term by which equal pods do not share a node.
fn keeps_apart<'t>(term: &'t AffinityTerm, pod: &Pod) -> Option<&'t LabelSelector> {
    let own = term.namespaces.is_empty() || term.namespaces.contains(&pod.namespace);
    let selector = term.selector.as_ref()?;
    (term.weight.is_none()
        && &*term.topology_key == names::HOSTNAME
        && term.namespace_selector.is_none()
        && own
        && selector.matches(&pod.labels))
    .then_some(selector)
}

fn rows(p: &Prepared, arena: &mut Arena<'_>, pod: &Pod) -> Vec<u32> {
    let volumes: Vec<u32> = volumes::alternatives(&p.snapshot, pod)
        .into_iter()
        .map(|v| arena.demand(v))
        .collect();
    let terms: Vec<u32> = demand::strict_requirements(&pod.spec)
        .into_iter()
        .map(|mut term: Requirements| {
            term.0.remove(names::HOSTNAME);
            arena.demand(term)
        })
        .collect();
    let mut out = Vec::new();
    for (t, template) in p.templates.usable.iter().enumerate() {
        let hard = template
            .pool
            .template
            .taints
            .iter()
            .filter(|taint| taint.effect != TaintEffect::PreferNoSchedule);
        let hard: Vec<_> = hard.cloned().collect();
        if untolerated(&hard, &pod.spec.tolerations).next().is_some() {
            continue;
        }
        let base = u32::try_from(t).unwrap_or(u32::MAX);
        for term in &terms {
            let Ok(row) = arena.join(base, *term) else {
                continue;
            };
            if volumes.is_empty() {
                out.push(row);
            }
            out.extend(volumes.iter().filter_map(|v| arena.join(row, *v).ok()));
        }
    }
    out
}
