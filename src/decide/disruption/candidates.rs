//! Who may be a candidate at all (`disruption §3`), and what a candidate is worth.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::cluster::{Cluster, Machine};
use super::verdicts::Why;
use crate::api::names;
use crate::decide::Reserved;
use crate::decide::lifecycle::is_managed;
use crate::decide::pods::{self, PdbBlock, Protection};
use crate::model::decision::evidence::CandidateEvidence;
use crate::model::{Claim, Name, Node, NodePool, Pod, UsdPerHour};

/// A machine that passed every check.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    pub node: &'a Node,
    pub claim: &'a Claim,
    pub pool: &'a NodePool,
    pub instance_type: Name,
    pub zone: Name,
    pub capacity_type: Name,
    /// Zero when it cannot be worked out.
    pub price: UsdPerHour,
    /// Pods that must move, in key order.
    pub pods: Vec<&'a Pod>,
    /// Keys of those that a simulation places, in key order (`disruption §4.4`).
    pub movers: Vec<Name>,
    /// `1 + Σ max(0, eviction cost)`.
    pub cost: f64,
    /// The last pod event that is known, if any.
    pub last_pod_event: Option<Timestamp>,
}

impl Candidate<'_> {
    pub fn name(&self) -> &Name {
        &self.node.name
    }

    /// Price per unit of disruption.
    pub fn ratio(&self) -> f64 {
        self.price.as_f64() / self.cost
    }

    /// Cost based: pods whose eviction costs nothing do not count (`disruption §7`).
    pub fn is_empty(&self) -> bool {
        self.cost <= 1.0
    }

    pub fn evidence(&self) -> CandidateEvidence {
        CandidateEvidence {
            node: self.node.name.clone(),
            claim: self.claim.name.clone(),
            pool: self.pool.name.clone(),
            instance_type: self.instance_type.clone(),
            zone: self.zone.clone(),
            capacity_type: self.capacity_type.clone(),
            price: self.price,
            pods: self.pods.iter().map(|p| p.key()).collect(),
            disruption_cost: self.cost,
        }
    }
}

/// What the checks need beside the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Checks<'a> {
    pub reserved: &'a Reserved,
    /// Node → until when pods are expected there (`disruption §17`).
    pub nominated: &'a BTreeMap<Name, Timestamp>,
    /// Node → last pod event beyond what its claim says.
    pub pod_events: &'a BTreeMap<Name, Timestamp>,
    /// Drift: pod blockers are waived where the claim has a termination grace period.
    pub eventual: bool,
}

/// The first check that fails, in the order of the reference.
pub fn candidate<'a>(
    cluster: &Cluster<'a>,
    machine: &Machine<'a>,
    checks: &Checks<'_>,
) -> Result<Candidate<'a>, Why> {
    let now = cluster.now;
    if machine.is_queued() {
        return Err(Why::new("in_queue"));
    }
    if let Some(reason) = checks.reserved.nodes.get(&machine.name) {
        return Err(Why::new("in_queue").fact("reason", reason));
    }
    let claim = machine
        .claim
        .filter(|c| is_managed(&c.class))
        .ok_or_else(|| Why::new("unmanaged"))?;
    let node = machine.node.ok_or_else(|| Why::new("no_node"))?;
    if !machine.is_initialized() {
        return Err(Why::new("not_initialized"));
    }
    if machine.is_leaving() {
        return Err(Why::new("deleting"));
    }
    if let Some(until) = checks.nominated.get(&machine.name).filter(|u| **u > now) {
        return Err(Why::new("nominated").fact("until", until));
    }
    if node
        .annotations
        .get(names::DO_NOT_DISRUPT)
        .is_some_and(|v| &**v == "true")
    {
        return Err(Why::new("node_do_not_disrupt"));
    }
    let pool_name = machine
        .label(names::NODEPOOL)
        .ok_or_else(|| Why::new("no_nodepool_label"))?;
    let pool = cluster
        .snapshot
        .pools
        .get(pool_name)
        .filter(|p| is_managed(&p.template.class) && has_types(cluster, p))
        .ok_or_else(|| Why::new("nodepool_missing").fact("pool", pool_name))?;
    let waived = checks.eventual && claim.termination_grace.is_some();
    if !waived {
        pod_blocker(cluster, machine)?;
    }
    let label = |key: &str| machine.label(key).cloned().unwrap_or_else(|| "".into());
    Ok(Candidate {
        node,
        claim,
        pool,
        instance_type: label(names::INSTANCE_TYPE),
        zone: label(names::ZONE),
        capacity_type: label(names::CAPACITY_TYPE),
        price: cluster.price(machine),
        pods: machine.reschedulable().collect(),
        movers: cluster.movers(machine).cloned().collect(),
        cost: machine.disruption_cost(),
        last_pod_event: claim
            .last_pod_event
            .max(checks.pod_events.get(&machine.name).copied()),
    })
}

fn has_types(cluster: &Cluster<'_>, pool: &NodePool) -> bool {
    cluster
        .snapshot
        .catalogue(&pool.template.class.name)
        .is_some_and(|c| !c.is_empty())
}

/// Checks 10 and 11: annotations of all pods first, then budgets.
fn pod_blocker(cluster: &Cluster<'_>, machine: &Machine<'_>) -> Result<(), Why> {
    for pod in machine.pods.iter().filter(|p| p.is_active()) {
        match pods::protection(pod, cluster.now) {
            Protection::Forever | Protection::Until(None) => {
                return Err(Why::new("pod_do_not_disrupt").pod(pod.key()));
            }
            Protection::Until(Some(until)) => {
                return Err(Why::new("pod_do_not_disrupt").pod(pod.key()).fact("until", until));
            }
            _ => {}
        }
    }
    for pod in &machine.pods {
        match pods::pdb_block(&cluster.pdbs, pod, cluster.now) {
            Some(PdbBlock::Exhausted(pdb)) => {
                return Err(Why::new("pdb_blocked").pod(pod.key()).fact("pdb", pdb));
            }
            Some(PdbBlock::Several(pdbs)) => {
                let pdbs: Vec<&str> = pdbs.iter().map(|p| &**p).collect();
                return Err(Why::new("multi_pdb").pod(pod.key()).fact("pdbs", pdbs.join(", ")));
            }
            None => {}
        }
    }
    Ok(())
}

/// Savings ratio descending, then by node name (`disruption §9`).
pub fn sort(candidates: &mut [Candidate<'_>]) {
    candidates.sort_by(|a, b| {
        b.ratio()
            .total_cmp(&a.ratio())
            .then_with(|| a.name().cmp(b.name()))
    });
}
