//! kube-scheduler: binds pending pods to Ready nodes, and says what is in the way of those that fit nowhere. Pods are
//! grouped into classes (same namespace, spec and labels): a class that fits nowhere is not tried again until
//! something changed that could help it, so a backlog of twenty thousand equal pods costs one look at the nodes.

mod bind;
mod class;
mod domains;
mod fit;
mod message;
mod nodes;
mod topology;
mod volume;

use std::collections::BTreeMap;
use std::sync::Arc;

use class::{Class, ClassKey, QueueKey};
use nodes::Nodes;
use topology::Topology;

use super::index::Index;
use super::rows::{Key, NodeRow, PodRow};

/// Free capacity, waiting pods and topology counts, kept up with every change.
#[derive(Debug, Default)]
pub struct Scheduler {
    nodes: Nodes,
    topology: Topology,
    classes: BTreeMap<u32, Class>,
    ids: BTreeMap<ClassKey, u32>,
    /// Class and place in the queue of every waiting pod.
    waiting: BTreeMap<Key, (u32, QueueKey)>,
    next_id: u32,
    /// Grows when a node came, changed or got free capacity.
    capacity: u64,
    /// Grows when any placed pod changed: what topology rules depend on.
    placements: u64,
    /// Grows when a claim, volume or storage class changed.
    volumes: u64,
    /// Something changed since the last pass.
    dirty: bool,
}

/// What a class's refusal depended on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    capacity: u64,
    placements: u64,
    volumes: u64,
}

impl Scheduler {
    pub fn volumes_changed(&mut self) {
        self.volumes += 1;
        self.dirty = true;
    }

    /// The refusal of `class` holds as long as this stays the same.
    fn stamp(&self, class: &Class) -> Stamp {
        Stamp {
            capacity: self.capacity,
            placements: if class.has_topology() { self.placements } else { 0 },
            volumes: if class.key.spec.volume_claims.is_empty() {
                0
            } else {
                self.volumes
            },
        }
    }

    pub fn pod_changed(&mut self, old: Option<&Arc<PodRow>>, new: Option<&Arc<PodRow>>, index: &Index) {
        if let (Some(old), Some(new)) = (old, new)
            && same_for_scheduling(old, new)
        {
            return;
        }
        self.dirty = true;
        if let Some(old) = old {
            self.unqueue(&old.key);
        }
        if let Some(row) = new.filter(|row| row.is_pending()) {
            self.enqueue(row, index);
        }
        let (was, is) = (
            old.filter(|r| r.occupies().is_some()),
            new.filter(|r| r.occupies().is_some()),
        );
        if was.is_none() && is.is_none() {
            return;
        }
        if let Some(row) = was {
            self.vacate(row, index);
            self.capacity += u64::from(is.is_none_or(|new| new.node != row.node));
        }
        if let Some(row) = is {
            self.occupy(row, index);
        }
        self.placements += 1;
    }

    fn occupy(&mut self, row: &PodRow, index: &Index) {
        if let Some(slot) = row.node.as_ref().and_then(|n| self.nodes.occupy(n, row)) {
            let moved = self.topology.placed(row, slot, 1, index);
            self.count(&moved, slot);
        }
    }

    fn vacate(&mut self, row: &PodRow, index: &Index) {
        if let Some(slot) = row.node.as_ref().and_then(|n| self.nodes.vacate(n, row)) {
            let moved = self.topology.placed(row, slot, -1, index);
            self.count(&moved, slot);
        }
    }

    /// Carries changed counts of groups into the classes that look at them.
    fn count(&mut self, moved: &topology::Moved, slot: usize) {
        if moved.forget_all {
            for class in self.classes.values_mut() {
                class.topology = None;
            }
            return;
        }
        if moved.counts.is_empty() {
            return;
        }
        let Some(node) = self.nodes.get(slot) else { return };
        for class in self.classes.values_mut() {
            if let Some(state) = &mut class.topology {
                state.count(&moved.counts, node, &class.key.spec);
            }
        }
    }

    /// A node came, changed or went.
    pub fn node_changed(&mut self, name: &str, row: Option<&Arc<NodeRow>>, index: &Index) {
        self.dirty = true;
        self.capacity += 1;
        self.placements += 1;
        if let Some(slot) = self.nodes.slot_of(name)
            && row.is_none()
        {
            self.nodes.remove(name);
            self.topology.forget_node(slot);
        }
        if let Some(row) = row {
            let known = self.nodes.slot_of(name).is_some();
            self.nodes.put(row.clone());
            if !known {
                for pod in index.pods_on(name).filter(|p| p.occupies().is_some()) {
                    self.occupy(pod, index);
                }
            }
        }
        for class in self.classes.values_mut() {
            class.topology = None;
        }
    }

    fn enqueue(&mut self, row: &PodRow, index: &Index) {
        let key = ClassKey {
            namespace: row.key.0.clone(),
            spec: row.spec.clone(),
            labels: row.labels.clone(),
            pinned: row.pinned.clone(),
        };
        let id = if let Some(id) = self.ids.get(&key) {
            *id
        } else {
            self.next_id += 1;
            let groups = self.topology.register(&key, &self.nodes, index);
            self.ids.insert(key.clone(), self.next_id);
            self.classes.insert(self.next_id, Class::new(key, groups));
            self.next_id
        };
        let place = QueueKey::of(row);
        if let Some(class) = self.classes.get_mut(&id) {
            class.waiting.insert(place.clone());
            if row.unscheduled.is_none() {
                class.unmarked.insert(row.key.clone());
            }
        }
        self.waiting.insert(row.key.clone(), (id, place));
    }

    fn unqueue(&mut self, key: &Key) {
        let Some((id, place)) = self.waiting.remove(key) else {
            return;
        };
        let Some(class) = self.classes.get_mut(&id) else {
            return;
        };
        class.waiting.remove(&place);
        class.unmarked.remove(key);
        if class.waiting.is_empty()
            && let Some(class) = self.classes.remove(&id)
        {
            self.ids.remove(&class.key);
        }
    }
}

/// Whether nothing that the scheduler looks at differs.
fn same_for_scheduling(old: &PodRow, new: &PodRow) -> bool {
    old.uid == new.uid
        && old.node == new.node
        && old.is_terminal() == new.is_terminal()
        && old.deleting.is_some() == new.deleting.is_some()
        && old.is_pending() == new.is_pending()
        && old.labels == new.labels
        && (Arc::ptr_eq(&old.spec, &new.spec) || old.spec == new.spec)
}
