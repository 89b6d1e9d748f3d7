//! Nodes, claims and pods joined once for a pass (`lifecycle §13`).

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::names;
use crate::decide::scheduling::{Prepared, buffers, prepare};
use crate::decide::{Settings, pods};
use crate::model::storage::Pdb;
use crate::model::{Claim, Labels, Name, Node, Pod, Snapshot, UsdPerHour};

/// A Node and its NodeClaim; at least one of them is there.
#[derive(Debug)]
pub struct Machine<'a> {
    /// The node's name, or the claim's while there is no node.
    pub name: Name,
    pub node: Option<&'a Node>,
    pub claim: Option<&'a Claim>,
    /// Every pod bound to it, in key order.
    pub pods: Vec<&'a Pod>,
    /// Their keys, in the same order.
    pub keys: Vec<&'a Name>,
}

impl<'a> Machine<'a> {
    /// The claim's until the node is registered, then the node's.
    pub fn labels(&self) -> &'a Labels {
        static NONE: Labels = Labels::new();
        let registered = |n: &&Node| n.label(names::REGISTERED).is_some_and(|v| &**v == "true");
        match (self.node, self.claim) {
            (Some(node), Some(claim)) if !registered(&node) && !claim.is(names::REGISTERED_CONDITION) => {
                &claim.labels
            }
            (Some(node), _) => &node.labels,
            (None, Some(claim)) => &claim.labels,
            (None, None) => &NONE,
        }
    }

    pub fn label(&self, key: &str) -> Option<&'a Name> {
        self.labels().get(key)
    }

    pub fn is_initialized(&self) -> bool {
        self.label(names::INITIALIZED).is_some_and(|v| &**v == "true")
    }

    /// Part of a command that acts: its node says by what it is replaced.
    pub fn is_queued(&self) -> bool {
        self.node
            .is_some_and(|n| n.annotations.contains_key(names::KERF_REPLACED_BY))
    }

    /// The claims that shall replace it are there; until then the room for its pods is not known.
    pub fn is_provided_for(&self, snapshot: &Snapshot) -> bool {
        let value = self.node.and_then(|n| n.annotations.get(names::KERF_REPLACED_BY));
        value
            .filter(|v| &***v != "-")
            .is_none_or(|v| v.split(',').all(|name| snapshot.claims.contains_key(name)))
    }

    /// Deleting, or about to.
    pub fn is_leaving(&self) -> bool {
        match self.claim {
            Some(claim) => {
                claim.deleting.is_some() || claim.is(names::INSTANCE_TERMINATING) || self.is_queued()
            }
            None => self.node.is_some_and(|n| n.deleting.is_some()),
        }
    }

    /// Pods that must find a new home when it goes.
    pub fn reschedulable(&self) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().copied().filter(|p| p.is_reschedulable())
    }

    /// `1 + Σ max(0, eviction cost)` (`disruption §3`).
    pub fn disruption_cost(&self) -> f64 {
        1.0 + self
            .reschedulable()
            .map(|p| pods::eviction_cost(p).max(0.0))
            .sum::<f64>()
    }
}

/// Everything a pass looks at.
#[derive(Debug)]
pub struct Cluster<'a> {
    pub snapshot: &'a Snapshot,
    pub now: Timestamp,
    /// By [`Machine::name`].
    pub machines: BTreeMap<Name, Machine<'a>>,
    pub pdbs: Vec<&'a Pdb>,
    prepared: OnceCell<Prepared>,
}

impl<'a> Cluster<'a> {
    pub fn new(snapshot: &'a Snapshot, now: Timestamp) -> Self {
        let mut cluster = Self::without_pods(snapshot, now);
        for (key, pod) in &snapshot.pods {
            if let Some(machine) = pod.node.as_ref().and_then(|n| cluster.machines.get_mut(n)) {
                machine.pods.push(pod);
                machine.keys.push(key);
            }
        }
        cluster
    }

    /// Nodes and claims alone, for looks that need no more.
    pub fn without_pods(snapshot: &'a Snapshot, now: Timestamp) -> Self {
        let mut by_id: BTreeMap<&str, &Claim> = BTreeMap::new();
        for claim in snapshot.claims.values().filter(|c| !c.provider_id.is_empty()) {
            by_id.entry(&claim.provider_id).or_insert(claim);
        }
        let mut machines = BTreeMap::new();
        for node in snapshot.nodes.values() {
            let claim = if node.provider_id.is_empty() {
                None
            } else {
                by_id.remove(&*node.provider_id)
            };
            machines.insert(
                node.name.clone(),
                Machine {
                    name: node.name.clone(),
                    node: Some(node),
                    claim,
                    pods: Vec::new(),
                    keys: Vec::new(),
                },
            );
        }
        let unlaunched = snapshot.claims.values().filter(|c| c.provider_id.is_empty());
        for claim in by_id.into_values().chain(unlaunched.map(AsRef::as_ref)) {
            machines.entry(claim.name.clone()).or_insert_with(|| Machine {
                name: claim.name.clone(),
                node: None,
                claim: Some(claim),
                pods: Vec::new(),
                keys: Vec::new(),
            });
        }
        Self {
            snapshot,
            now,
            machines,
            pdbs: snapshot.pdbs.values().map(AsRef::as_ref).collect(),
            prepared: OnceCell::new(),
        }
    }

    /// The picture compiled for the solver, on first use: every what-if of a pass is an overlay on this one.
    pub fn prepared(&self, settings: &Settings) -> &Prepared {
        self.prepared.get_or_init(|| {
            let with_buffers = buffers::with_virtual(self.snapshot, settings);
            prepare(&with_buffers, settings, self.now)
        })
    }

    /// Keys of the pods on a machine that a simulation places (`disruption §4.4`).
    pub fn movers<'m>(&'m self, machine: &'m Machine<'a>) -> impl Iterator<Item = &'a Name> + 'm {
        machine
            .pods
            .iter()
            .zip(&machine.keys)
            .filter(|(pod, _)| pods::is_currently_reschedulable(&self.pdbs, pod, self.now))
            .map(|(_, key)| *key)
    }

    /// It got or lost a pod within its pool's `consolidateAfter`: no destination yet (`disruption §6.1`).
    pub fn is_cooling(&self, machine: &Machine<'_>) -> bool {
        let wait = machine
            .label(names::NODEPOOL)
            .and_then(|p| self.snapshot.pools.get(p))
            .and_then(|p| p.disruption.consolidate_after)
            .filter(|w| !w.is_zero() && machine.is_initialized());
        let since = machine.claim.and_then(|c| {
            let initialized = c.conditions.get(names::INITIALIZED_CONDITION).map(|c| c.since);
            c.last_pod_event.or(initialized)
        });
        wait.zip(since)
            .is_some_and(|(wait, since)| self.now < crate::clock::after(since, wait))
    }

    /// `lifecycle §13`: no method runs while a claim is not launched yet.
    pub fn is_synced(&self) -> bool {
        self.snapshot
            .claims
            .values()
            .all(|c| !c.provider_id.is_empty() || c.deleting.is_some())
    }

    /// What the machine costs now; zero when its type or offering is unknown.
    pub fn price(&self, machine: &Machine<'_>) -> UsdPerHour {
        let label = |key: &str| machine.label(key).map_or("", |v| &**v);
        let class = machine.claim.map_or("", |c| &*c.class.name);
        self.snapshot
            .types_of(label(names::NODEPOOL), class)
            .and_then(|c| c.get(label(names::INSTANCE_TYPE)))
            .and_then(|t| t.offering(label(names::ZONE), label(names::CAPACITY_TYPE)))
            .map_or(UsdPerHour::ZERO, |o| o.price)
    }
}
