//! What many problems over one snapshot share, compiled once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use fixedbitset::FixedBitSet;
use jiff::{SignedDuration, Timestamp};

use super::daemons::{DaemonPod, daemon_pods, expected_on};
use super::labels::WellKnown;
use super::room::Room;
use super::state::{StateNode, state_nodes};
use super::templates::{self, Templates};
use super::topology::{Bases, CountIndex};
use super::vocabulary::Vocabulary;
use crate::api::names;
use crate::decide::Settings;
use crate::model::pod::HostPort;
use crate::model::taints::{Toleration, untolerated};
use crate::model::{Name, Pod, Requirement, Requirements, Resources, Snapshot, Taint};

/// Nodes with their free room, pods by node, pool templates with their types, limits. Owned: keep it as long as the
/// snapshot's revision stays.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) snapshot: Snapshot,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    pub(crate) well_known: WellKnown,
    pub(crate) templates: Templates,
    pub(crate) daemons: Vec<DaemonPod>,
    /// Every machine in order of trial, those on their way out included.
    pub(crate) nodes: Vec<Target>,
    /// Node or claim name → position in `nodes`.
    pub(crate) node_ids: BTreeMap<Name, usize>,
    pub(crate) node_labels: NodeLabels,
    /// Distinct sets of taints, and the nodes that carry each.
    pub(crate) taint_sets: Vec<(Vec<Taint>, FixedBitSet)>,
    /// Nodes that take pods.
    pub(crate) open: FixedBitSet,
    /// What is free, by blocks of `nodes`.
    pub(crate) room: Vec<Room>,
    resting: OnceLock<FixedBitSet>,
    /// Topology's counts of what runs.
    pub(crate) bases: Bases,
    vocabulary: OnceLock<Vocabulary>,
}

/// A machine with what is left on it.
#[derive(Clone, Debug)]
pub struct Target {
    pub state: StateNode,
    /// Allocatable − bound pods − what daemons will still take (`scheduling §8.5`).
    pub free: Resources,
    /// Bound pods that are not terminal.
    pub pods: Vec<Arc<Pod>>,
    pub ports: Vec<(HostPort, Name)>,
}

/// Label values by node, one column a key.
#[derive(Debug, Default)]
pub struct NodeLabels {
    count: usize,
    columns: BTreeMap<Name, Column>,
}

#[derive(Debug, Default)]
struct Column {
    /// Value → nodes.
    values: BTreeMap<Name, Vec<u32>>,
    defined: FixedBitSet,
}

impl NodeLabels {
    fn new(nodes: &[Target]) -> Self {
        let mut columns: BTreeMap<Name, Column> = BTreeMap::new();
        let mut put = |key: &Name, value: &Name, i: usize| {
            let column = match columns.get_mut(key) {
                Some(c) => c,
                None => columns.entry(key.clone()).or_default(),
            };
            column.defined.grow(nodes.len());
            column.defined.insert(i);
            let id = u32::try_from(i).unwrap_or(u32::MAX);
            match column.values.get_mut(value) {
                Some(list) => list.push(id),
                None => {
                    column.values.insert(value.clone(), vec![id]);
                }
            }
        };
        let hostname: Name = names::HOSTNAME.into();
        for (i, node) in nodes.iter().enumerate() {
            for (key, value) in &node.state.labels {
                if **key != *hostname {
                    put(key, value, i);
                }
            }
            put(&hostname, &node.state.hostname, i);
        }
        Self {
            count: nodes.len(),
            columns,
        }
    }

    /// Nodes whose labels meet a requirement, nothing undefined allowed (`scheduling §5.7`).
    pub fn matching(&self, requirement: &Requirement) -> FixedBitSet {
        let mut out = FixedBitSet::with_capacity(self.count);
        let Some(column) = self.columns.get(&requirement.key) else {
            if requirement.allows_absence() {
                out.insert_range(..);
            }
            return out;
        };
        if requirement.allows_absence() {
            out.insert_range(..);
            out.difference_with(&column.defined);
        }
        if requirement.complement {
            for (value, nodes) in &column.values {
                if requirement.has(value) {
                    out.extend(nodes.iter().map(|i| *i as usize));
                }
            }
        } else {
            for nodes in requirement.values.iter().filter_map(|v| column.values.get(v)) {
                out.extend(nodes.iter().map(|i| *i as usize));
            }
        }
        out
    }

    pub fn all_matching(&self, requirements: &Requirements) -> FixedBitSet {
        let mut out = FixedBitSet::with_capacity(self.count);
        out.insert_range(..);
        for requirement in requirements.iter() {
            out.intersect_with(&self.matching(requirement));
        }
        out
    }
}

impl Prepared {
    /// Revision of the snapshot it was made from.
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// Nodes whose taints are tolerated.
    pub(crate) fn tolerated(&self, tolerations: &[Toleration]) -> FixedBitSet {
        let mut out = FixedBitSet::with_capacity(self.nodes.len());
        for (taints, nodes) in &self.taint_sets {
            if untolerated(taints, tolerations).next().is_none() {
                out.union_with(nodes);
            }
        }
        out
    }

    /// Nodes inside their pool's `consolidateAfter` window: no destination for running pods in simulations
    /// (`scheduling §15.3`).
    pub(crate) fn resting(&self) -> &FixedBitSet {
        self.resting.get_or_init(|| {
            let mut out = FixedBitSet::with_capacity(self.nodes.len());
            for (i, node) in self.nodes.iter().enumerate() {
                out.set(i, rests(&self.snapshot, &node.state, self.now));
            }
            out
        })
    }

    /// Bound pods, ready for topology's counting; made when a problem first needs it.
    pub(crate) fn counts(&self) -> &CountIndex {
        self.bases.counts(self)
    }

    /// Every label key and value that something has; made when the first pod is left over.
    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        self.vocabulary
            .get_or_init(|| Vocabulary::new(&self.snapshot, self.nodes.iter().map(|n| &n.state.labels)))
    }
}

/// Compiles a snapshot.
pub fn prepare(snapshot: &Snapshot, settings: &Settings, now: Timestamp) -> Prepared {
    prepare_without(snapshot, settings, now, &BTreeSet::new())
}

/// As [`prepare`], with pools that take no part.
pub fn prepare_without(
    snapshot: &Snapshot,
    settings: &Settings,
    now: Timestamp,
    paused: &BTreeSet<Name>,
) -> Prepared {
    let well_known = WellKnown::new(snapshot.catalogues.values().flat_map(|c| {
        let index = c.index();
        index
            .label_keys()
            .chain(index.offering_keys.iter())
            .cloned()
            .collect::<Vec<_>>()
    }));
    let mut daemons = daemon_pods(snapshot);
    let states = state_nodes(snapshot);
    let usage = templates::usage(states.iter());
    let templates = templates::build(snapshot, settings, paused, &mut daemons, &usage, &well_known);
    let mut by_node: BTreeMap<&Name, Vec<Arc<Pod>>> = BTreeMap::new();
    for pod in snapshot.pods.values().filter(|p| !p.is_terminal()) {
        if let Some(node) = &pod.node {
            by_node.entry(node).or_default().push(pod.clone());
        }
    }
    let nodes: Vec<Target> = states
        .into_iter()
        .map(|state| {
            let pods = by_node.remove(&state.name).unwrap_or_default();
            target(state, pods, &daemons, settings.parity)
        })
        .collect();
    let mut node_ids = BTreeMap::new();
    let mut taints: BTreeMap<&[Taint], FixedBitSet> = BTreeMap::new();
    let mut open = FixedBitSet::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        if let Some(claim) = &node.state.claim {
            node_ids.insert(claim.name.clone(), i);
        }
        taints
            .entry(&node.state.taints)
            .or_insert_with(|| FixedBitSet::with_capacity(nodes.len()))
            .insert(i);
        open.set(i, !node.state.marked);
    }
    for (i, node) in nodes.iter().enumerate() {
        node_ids.insert(node.state.name.clone(), i);
    }
    let taint_sets = taints.into_iter().map(|(t, bits)| (t.to_vec(), bits)).collect();
    Prepared {
        node_labels: NodeLabels::new(&nodes),
        snapshot: snapshot.clone(),
        settings: settings.clone(),
        now,
        well_known,
        templates,
        daemons,
        node_ids,
        taint_sets,
        open,
        room: Room::blocks(nodes.iter().map(|n| &n.free)),
        resting: OnceLock::new(),
        bases: Bases::default(),
        vocabulary: OnceLock::new(),
        nodes,
    }
}

fn rests(snapshot: &Snapshot, state: &StateNode, now: Timestamp) -> bool {
    let window = state
        .pool
        .as_ref()
        .and_then(|pool| snapshot.pools.get(pool))
        .and_then(|pool| pool.disruption.consolidate_after)
        .filter(|w| !w.is_zero());
    let since = state.claim.as_ref().and_then(|c| {
        c.last_pod_event
            .or_else(|| c.conditions.get(names::INITIALIZED_CONDITION).map(|c| c.since))
    });
    match (state.initialized, window, since) {
        (true, Some(window), Some(since)) => {
            let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
            now.duration_since(since) < window
        }
        _ => false,
    }
}

fn target(state: StateNode, pods: Vec<Arc<Pod>>, daemons: &[DaemonPod], parity: bool) -> Target {
    let mut free = state.allocatable.clone();
    let mut bound_daemons = Resources::default();
    let mut ports: Vec<(HostPort, Name)> = Vec::new();
    for pod in &pods {
        free.sub(&pod.spec.requests);
        if pod.owned_by("DaemonSet") {
            bound_daemons.add(&pod.spec.requests);
        }
    }
    if !daemons.is_empty() {
        let mut labels = Requirements::from_labels(&state.labels);
        labels
            .0
            .entry(names::HOSTNAME.into())
            .or_insert_with(|| Requirement::is_in(names::HOSTNAME, [state.hostname.clone()]));
        let mut expected = Resources::default();
        for daemon in expected_on(daemons, &labels, &state.taints, parity) {
            expected.add(&daemon.spec.requests);
            // Its pod may not be there yet; upstream counts the ports of bound pods only.
            if !parity && !pods.iter().any(|p| daemon.owns(p)) {
                let wanted = daemon.spec.host_ports.iter();
                ports.extend(wanted.map(|port| (port.clone(), daemon.name.clone())));
            }
        }
        let mut missing = expected;
        missing.sub(&bound_daemons);
        Resources::max(&mut missing, &Resources::default());
        missing.extended.retain(|_, v| *v > 0);
        free.sub(&missing);
    }
    ports.extend(
        pods.iter()
            .flat_map(|p| p.spec.host_ports.iter().map(|port| (port.clone(), p.key()))),
    );
    Target {
        state,
        free,
        pods,
        ports,
    }
}
