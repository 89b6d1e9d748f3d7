//! Placing on machines that are there or booting (`scheduling §15`).

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::Solver;
use super::form::Form;
use crate::decide::Fuel;
use crate::decide::scheduling::prepare::{Prepared, Target};
use crate::decide::scheduling::room::Room;
use crate::decide::scheduling::{ports, volumes};
use crate::model::pod::HostPort;
use crate::model::{Name, Pod, Resources};

/// What this solve changed on nodes, over what was prepared.
#[derive(Debug)]
pub struct Overlay {
    /// By node.
    touched: Vec<Option<Box<Touched>>>,
    /// No node of a block has more.
    most: Vec<Room>,
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
        let mut out = Self {
            touched: vec![None; p.nodes.len()],
            most: p.room.clone(),
        };
        for (key, pod) in pods {
            let Some(i) = pod.node.as_ref().and_then(|n| p.node_ids.get(n)) else {
                continue;
            };
            let touched = out.touch(p, *i);
            touched.free.add(&pod.spec.requests);
            touched.ports.retain(|(_, owner)| owner != key);
            touched.gone.push(key.clone());
            let free = touched.free.clone();
            if let Some(most) = out.most.get_mut(i / Room::BLOCK) {
                most.raise(&free);
            }
        }
        out
    }

    fn touch(&mut self, p: &Prepared, i: usize) -> &mut Touched {
        self.touched[i].get_or_insert_with(|| Box::new(Touched::of(&p.nodes[i])))
    }

    /// Whether some node of the block may hold that much.
    pub fn may_hold(&self, block: usize, requests: &Resources) -> bool {
        self.most.get(block).is_none_or(|most| most.may_hold(requests))
    }

    pub fn free<'b>(&'b self, p: &'b Prepared, i: usize) -> &'b Resources {
        match &self.touched[i] {
            Some(t) => &t.free,
            None => &p.nodes[i].free,
        }
    }

    pub fn ports<'b>(&'b self, p: &'b Prepared, i: usize) -> &'b [(HostPort, Name)] {
        match &self.touched[i] {
            Some(t) => &t.ports,
            None => &p.nodes[i].ports,
        }
    }

    pub fn mounted(&mut self, p: &Prepared, i: usize) -> &mut volumes::Mounted {
        let target = &p.nodes[i];
        let touched = self.touch(p, i);
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
        let touched = self.touch(p, i);
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

impl Solver<'_> {
    pub(super) fn place_existing(&mut self, item: usize, form: &mut Form, fuel: &mut Fuel) -> Option<bool> {
        let closed = (!form.member.is_free()).then(|| {
            let mut left = form.nodes.clone();
            self.topology.close_nodes(&form.member, &form.strict, &mut left);
            left
        });
        let mut from = 0;
        let mut roomy = None;
        while let Some(i) = next_one(closed.as_ref().unwrap_or(&form.nodes), from) {
            from = i + 1;
            let block = i / Room::BLOCK;
            if roomy != Some(block) {
                if !self.nodes.may_hold(block, &form.requests) {
                    from = (block + 1) * Room::BLOCK;
                    let end = from.min(form.nodes.len());
                    form.nodes.set_range(block * Room::BLOCK..end, false);
                    continue;
                }
                roomy = Some(block);
            }
            if !fuel.take(1) {
                return None;
            }
            if !self.has_room(form, i) {
                form.nodes.remove(i);
                continue;
            }
            let key = self.items[item].key.clone();
            self.nodes.put(self.p, i, &key, form);
            if !self.topology.is_empty() {
                self.topology.record_node(&mut form.member, i);
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
}
