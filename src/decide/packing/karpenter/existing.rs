//! Placing on machines that are there or booting (`scheduling §15`).

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use jiff::SignedDuration;

use super::Solver;
use super::claims::No;
use super::form::Form;
use crate::api::names;
use crate::decide::Fuel;
use crate::decide::scheduling::prepare::{Prepared, Target};
use crate::decide::scheduling::topology::Place;
use crate::decide::scheduling::{Purpose, ports, volumes};
use crate::model::pod::HostPort;
use crate::model::{Name, Pod, Requirement, Requirements, Resources};

/// What this solve changed on nodes, over what was prepared.
#[derive(Debug, Default)]
pub struct Overlay {
    touched: BTreeMap<usize, Touched>,
}

#[derive(Clone, Debug)]
struct Touched {
    free: Resources,
    ports: Vec<(HostPort, Name)>,
    /// Filled when a pod with volumes first looks.
    mounted: Option<volumes::Mounted>,
    gone: Vec<Name>,
}

impl Touched {
    fn of(target: &Target) -> Self {
        Self {
            free: target.free.clone(),
            ports: target.ports.clone(),
            mounted: None,
            gone: Vec::new(),
        }
    }
}

impl Overlay {
    /// Pods of the batch that are bound leave their nodes.
    pub fn new(p: &Prepared, pods: &[(Name, Arc<Pod>)]) -> Self {
        let mut out = Self::default();
        for (key, pod) in pods {
            let Some(i) = pod.node.as_ref().and_then(|n| p.node_ids.get(n)) else {
                continue;
            };
            let touched = out.touched.entry(*i).or_insert_with(|| Touched::of(&p.nodes[*i]));
            touched.free.add(&pod.spec.requests);
            touched.ports.retain(|(_, owner)| owner != key);
            touched.gone.push(key.clone());
        }
        out
    }

    pub fn free<'b>(&'b self, p: &'b Prepared, i: usize) -> &'b Resources {
        match self.touched.get(&i) {
            Some(t) => &t.free,
            None => &p.nodes[i].free,
        }
    }

    pub fn ports<'b>(&'b self, p: &'b Prepared, i: usize) -> &'b [(HostPort, Name)] {
        match self.touched.get(&i) {
            Some(t) => &t.ports,
            None => &p.nodes[i].ports,
        }
    }

    pub fn mounted(&mut self, p: &Prepared, i: usize) -> &mut volumes::Mounted {
        let target = &p.nodes[i];
        let touched = self.touched.entry(i).or_insert_with(|| Touched::of(target));
        let gone = &touched.gone;
        touched.mounted.get_or_insert_with(|| {
            let mut out = volumes::Mounted::new();
            for pod in target.pods.iter().filter(|p| !gone.contains(&p.key())) {
                volumes::mount(&p.snapshot, pod, &mut out);
            }
            out
        })
    }

    fn put(&mut self, p: &Prepared, i: usize, key: &Name, form: &Form) {
        let touched = self.touched.entry(i).or_insert_with(|| Touched::of(&p.nodes[i]));
        touched.free.sub(&form.requests);
        touched.ports.extend(
            form.spec
                .host_ports
                .iter()
                .map(|port| (port.clone(), key.clone())),
        );
        if !form.mounted.is_empty() {
            for (driver, claims) in &form.mounted {
                self.mounted(p, i)
                    .entry(driver.clone())
                    .or_default()
                    .extend(claims.iter().cloned());
            }
        }
    }
}

/// Nodes inside their pool's `consolidateAfter` window: no destination for running pods in simulations.
pub fn resting(p: &Prepared, purpose: Purpose, open: &FixedBitSet) -> FixedBitSet {
    let mut out = FixedBitSet::with_capacity(p.nodes.len());
    if purpose != Purpose::Simulate {
        return out;
    }
    for i in open.ones() {
        let state = &p.nodes[i].state;
        let window = state
            .pool
            .as_ref()
            .and_then(|pool| p.snapshot.pools.get(pool))
            .and_then(|pool| pool.disruption.consolidate_after)
            .filter(|w| !w.is_zero());
        let since = state.claim.as_ref().and_then(|c| {
            c.last_pod_event
                .or_else(|| c.conditions.get(names::INITIALIZED_CONDITION).map(|c| c.since))
        });
        if let (true, Some(window), Some(since)) = (state.initialized, window, since) {
            let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
            out.set(i, p.now.duration_since(since) < window);
        }
    }
    out
}

/// The first set bit at or after `from`.
pub fn next_one(bits: &FixedBitSet, from: usize) -> Option<usize> {
    const BITS: usize = usize::BITS as usize;
    let words = bits.as_slice();
    let mut at = from / BITS;
    let mut word = *words.get(at)? & (usize::MAX << (from % BITS));
    while word == 0 {
        at += 1;
        word = *words.get(at)?;
    }
    Some(at * BITS + word.trailing_zeros() as usize)
}

/// Labels of a node as requirements, hostname included.
pub fn label_requirements(target: &Target) -> Requirements {
    let mut out = Requirements::from_labels(&target.state.labels);
    out.0
        .entry(names::HOSTNAME.into())
        .or_insert_with(|| Requirement::is_in(names::HOSTNAME, [target.state.hostname.clone()]));
    out
}

impl Solver<'_> {
    pub(super) fn place_existing(&mut self, item: usize, form: &mut Form, fuel: &mut Fuel) -> Option<bool> {
        let mut from = 0;
        while let Some(i) = next_one(&form.nodes, from) {
            from = i + 1;
            if !fuel.take(1) {
                return None;
            }
            if !self.has_room(form, i) {
                form.nodes.remove(i);
                continue;
            }
            match self.admits(form, i) {
                Ok(()) => {}
                Err(No::Ever) => {
                    form.nodes.remove(i);
                    continue;
                }
                Err(No::Now | No::Reserved) => continue,
            }
            let key = self.items[item].key.clone();
            self.nodes.put(self.p, i, &key, form);
            if !self.topology.is_empty() {
                let target = &self.p.nodes[i];
                let requirements = label_requirements(target);
                self.topology.record(
                    &mut form.member,
                    &Place {
                        requirements: &requirements,
                        hostname: &target.state.hostname,
                        taints: &target.state.taints,
                    },
                );
            }
            let name = self.p.nodes[i].state.name.clone();
            self.existing.entry(name).or_default().push(key);
            return Some(true);
        }
        Some(false)
    }

    /// Checks that only ever turn worse: attach limits, host ports, resources (`scheduling §15.3`, 3 to 5).
    fn has_room(&mut self, form: &Form, i: usize) -> bool {
        if !form.requests.fits(self.nodes.free(self.p, i)) {
            return false;
        }
        if !form.spec.host_ports.is_empty() {
            let taken = self.nodes.ports(self.p, i).iter().map(|(port, _)| port);
            if ports::first_conflict(&form.spec.host_ports, taken).is_some() {
                return false;
            }
        }
        if !form.mounted.is_empty() {
            let name = &self.p.nodes[i].state.name;
            let mounted = self.nodes.mounted(self.p, i);
            if volumes::over_limit(&self.p.snapshot, name, mounted, &form.mounted).is_some() {
                return false;
            }
        }
        true
    }

    /// Volume alternatives and topology (`scheduling §15.3`, 7).
    fn admits(&self, form: &Form, i: usize) -> Result<(), No> {
        if form.volumes.is_empty() && form.member.is_free() {
            return Ok(());
        }
        let target = &self.p.nodes[i];
        let labels = label_requirements(target);
        let suits = form.volumes.is_empty()
            || form
                .volumes
                .iter()
                .any(|(_, v)| labels.compatible(v, |_| false).is_ok());
        if !suits {
            return Err(No::Ever);
        }
        if form.member.is_free() {
            return Ok(());
        }
        self.topology_admits(form, target, &labels).map_err(|group| {
            if self.topology.group(group).refuses_for_good() {
                No::Ever
            } else {
                No::Now
            }
        })
    }

    /// `Err`: the group that refuses.
    pub(super) fn topology_admits(
        &self,
        form: &Form,
        target: &Target,
        labels: &Requirements,
    ) -> Result<(), usize> {
        let place = Place {
            requirements: labels,
            hostname: &target.state.hostname,
            taints: &target.state.taints,
        };
        self.topology.evaluate(&form.member, &form.strict, &place)?;
        // A node without the label has no domain.
        match form
            .member
            .groups()
            .find(|g| !labels.0.contains_key(&self.topology.group(*g).key))
        {
            Some(group) => Err(group),
            None => Ok(()),
        }
    }
}
