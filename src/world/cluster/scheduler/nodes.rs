//! Free capacity of nodes, kept incrementally, and nodes in the order in which they are tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::pod::HostPort;
use crate::model::{Name, Resources};
use crate::world::cluster::rows::{Key, NodeRow, PodRow};

#[derive(Debug)]
pub struct NodeSlot {
    pub row: Arc<NodeRow>,
    pub used: Resources,
    pub ports: BTreeMap<HostPort, u32>,
    /// Volume claims of its pods, with the number of pods that mount them.
    pub claims: BTreeMap<Key, u32>,
    /// Grows when the row changes.
    pub epoch: u64,
    share: u32,
}

impl NodeSlot {
    /// Allocated share of cpu and memory, in ten-thousandths: the least allocated node is tried first.
    fn share(&self) -> u32 {
        let part = |used: i64, total: i64| -> i64 {
            if total <= 0 {
                10_000
            } else {
                // Saturation only flattens the order of absurdly large nodes.
                (used.saturating_mul(10_000) / total).clamp(0, 10_000)
            }
        };
        let total = &self.row.allocatable;
        let sum = part(self.used.cpu, total.cpu) + part(self.used.memory, total.memory);
        u32::try_from(sum / 2).unwrap_or(10_000)
    }
}

#[derive(Debug, Default)]
pub struct Nodes {
    slots: Vec<Option<NodeSlot>>,
    free: Vec<usize>,
    index: BTreeMap<Name, usize>,
    /// Least allocated first, then by name.
    order: BTreeSet<(u32, Name, usize)>,
    epochs: u64,
}

impl Nodes {
    pub fn slot_of(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    pub fn get(&self, slot: usize) -> Option<&NodeSlot> {
        self.slots.get(slot)?.as_ref()
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// In the order in which they are tried.
    pub fn ordered(&self) -> impl Iterator<Item = (usize, &NodeSlot)> {
        self.order
            .iter()
            .filter_map(|(_, _, slot)| Some((*slot, self.get(*slot)?)))
    }

    pub fn put(&mut self, row: Arc<NodeRow>) {
        self.epochs += 1;
        let epoch = self.epochs;
        let name = row.name.clone();
        if let Some(slot) = self.slot_of(&name) {
            self.reorder(slot, |node| {
                node.row = row;
                node.epoch = epoch;
            });
            return;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let mut node = NodeSlot {
            row,
            used: Resources::default(),
            ports: BTreeMap::new(),
            claims: BTreeMap::new(),
            epoch,
            share: 0,
        };
        node.share = node.share();
        self.order.insert((node.share, name.clone(), slot));
        self.index.insert(name, slot);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(node);
        }
    }

    pub fn remove(&mut self, name: &str) {
        let Some(slot) = self.index.remove(name) else {
            return;
        };
        if let Some(node) = self.slots.get_mut(slot).and_then(Option::take) {
            self.order.remove(&(node.share, node.row.name.clone(), slot));
        }
        self.free.push(slot);
    }

    /// Counts a pod in; gives the slot, if the node exists.
    pub fn occupy(&mut self, node: &str, pod: &PodRow) -> Option<usize> {
        let slot = self.slot_of(node)?;
        self.reorder(slot, |node| {
            node.used.add(&pod.spec.requests);
            for port in &pod.spec.host_ports {
                *node.ports.entry(port.clone()).or_insert(0) += 1;
            }
            for claim in &pod.spec.volume_claims {
                *node.claims.entry((pod.key.0.clone(), claim.clone())).or_insert(0) += 1;
            }
        });
        Some(slot)
    }

    /// Counts a pod out.
    pub fn vacate(&mut self, node: &str, pod: &PodRow) -> Option<usize> {
        let slot = self.slot_of(node)?;
        self.reorder(slot, |node| {
            node.used.sub(&pod.spec.requests);
            for port in &pod.spec.host_ports {
                release(&mut node.ports, port);
            }
            for claim in &pod.spec.volume_claims {
                release(&mut node.claims, &(pod.key.0.clone(), claim.clone()));
            }
        });
        Some(slot)
    }

    fn reorder(&mut self, slot: usize, change: impl FnOnce(&mut NodeSlot)) {
        let Some(node) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        let before = (node.share, node.row.name.clone(), slot);
        change(node);
        node.share = node.share();
        if node.share != before.0 {
            let after = (node.share, before.1.clone(), slot);
            self.order.remove(&before);
            self.order.insert(after);
        }
    }
}

fn release<K: Ord>(map: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = map.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            map.remove(key);
        }
    }
}
