//! Nodes as scheduling sees them: a Node with its claim, or a claim whose Node is still to come
//! (`scheduling §15.1`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::names;
use crate::model::{
    Claim, Labels, Name, Node, Requirement, Requirements, Resources, Snapshot, Taint, TaintEffect,
};

/// Condition of a claim whose machine is going.
const TERMINATING: &str = names::INSTANCE_TERMINATING;
/// Resource of limits that counts nodes.
pub const NODES: &str = "nodes";

/// One machine that is there or coming.
#[derive(Clone, Debug)]
pub struct StateNode {
    /// The Node's name, or the claim's while there is no Node.
    pub name: Name,
    /// What orders it (`scheduling §15.2`).
    pub order: Name,
    pub node: Option<Arc<Node>>,
    pub claim: Option<Arc<Claim>>,
    pub labels: Labels,
    pub hostname: Name,
    /// Taints that count (`scheduling §9.3`).
    pub taints: Vec<Taint>,
    pub initialized: bool,
    pub capacity: Resources,
    pub allocatable: Resources,
    pub pool: Option<Name>,
    /// It is on its way out: no target, its pods need a place.
    pub marked: bool,
}

impl StateNode {
    fn new(node: Option<&Arc<Node>>, claim: Option<&Arc<Claim>>) -> Option<Self> {
        let managed = claim.is_some();
        let has = |key: &str| node.and_then(|n| n.label(key)).is_some_and(|v| &**v == "true");
        let registered = !managed || has(names::REGISTERED);
        let initialized = !managed || (registered && has(names::INITIALIZED));
        let (labels, order) = match (node, claim) {
            (Some(n), _) if registered => (n.labels.clone(), n.name.clone()),
            (_, Some(c)) => (c.labels.clone(), c.name.clone()),
            (Some(n), None) => (n.labels.clone(), n.name.clone()),
            (None, None) => return None,
        };
        let name = node.map_or_else(|| order.clone(), |n| n.name.clone());
        let hostname = labels.get(names::HOSTNAME).unwrap_or(&order).clone();
        let of_node = |f: fn(&Node) -> &Resources| node.map(|n| f(n).clone()).unwrap_or_default();
        let mut capacity = of_node(|n| &n.capacity);
        let mut allocatable = of_node(|n| &n.allocatable);
        if !initialized && let Some(c) = claim {
            fill(&mut capacity, &c.capacity);
            fill(&mut allocatable, &c.allocatable);
        }
        let marked = match claim {
            Some(c) => {
                c.deleting.is_some()
                    || c.is(TERMINATING)
                    || c.is(names::DISRUPTION_REASON)
                    || node.is_some_and(|n| n.annotations.contains_key(names::KERF_REPLACED_BY))
            }
            None => node.is_some_and(|n| n.deleting.is_some()),
        };
        Some(Self {
            pool: labels.get(names::NODEPOOL).cloned(),
            taints: effective_taints(node, claim, registered, initialized),
            name,
            order,
            node: node.cloned(),
            claim: claim.cloned(),
            labels,
            hostname,
            initialized,
            capacity,
            allocatable,
            marked,
        })
    }

    /// Labels as requirements, hostname included.
    pub fn label_requirements(&self) -> Requirements {
        let mut out = Requirements::from_labels(&self.labels);
        out.0
            .entry(names::HOSTNAME.into())
            .or_insert_with(|| Requirement::is_in(names::HOSTNAME, [self.hostname.clone()]));
        out
    }

    /// Claims that shall replace it, as its annotation says; empty when it goes without replacement.
    pub fn replacements(&self) -> impl Iterator<Item = &str> {
        self.node
            .as_ref()
            .and_then(|n| n.annotations.get(names::KERF_REPLACED_BY))
            .into_iter()
            .flat_map(|text| text.split(','))
            .filter(|name| !name.is_empty() && *name != "-")
    }
}

fn fill(mine: &mut Resources, from: &Resources) {
    for (key, value) in from.iter() {
        if mine.get(key) == 0 {
            mine.set(key, value);
        }
    }
}

/// `scheduling §9.3`.
fn effective_taints(
    node: Option<&Arc<Node>>,
    claim: Option<&Arc<Claim>>,
    registered: bool,
    initialized: bool,
) -> Vec<Taint> {
    let mut taints = match (node, claim) {
        (Some(n), _) if registered => n.taints.clone(),
        (_, Some(c)) => c.taints.clone(),
        (Some(n), None) => n.taints.clone(),
        (None, None) => Vec::new(),
    };
    if let Some(c) = claim
        && !initialized
    {
        taints.retain(|t| !is_ephemeral(t) && !c.startup_taints.iter().any(|s| s.same(t)));
    }
    taints
}

/// Taints that a node is expected to lose while it starts.
pub fn is_ephemeral(taint: &Taint) -> bool {
    let hard = matches!(taint.effect, TaintEffect::NoSchedule | TaintEffect::NoExecute);
    match &*taint.key {
        "node.kubernetes.io/not-ready" => hard,
        "node.kubernetes.io/unreachable" | "node.cloudprovider.kubernetes.io/uninitialized" => {
            taint.effect == TaintEffect::NoSchedule
        }
        names::UNREGISTERED_TAINT => taint.effect == TaintEffect::NoExecute,
        key => key.starts_with("readiness.k8s.io/"),
    }
}

/// All machines, initialised ones first, then by name (`scheduling §15.2`).
pub fn state_nodes(snapshot: &Snapshot) -> Vec<StateNode> {
    let by_id: BTreeMap<&str, &Arc<Claim>> = snapshot
        .claims
        .values()
        .filter(|c| !c.provider_id.is_empty())
        .map(|c| (&*c.provider_id, c))
        .collect();
    let mut out = Vec::new();
    let mut seen: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
    for node in snapshot.nodes.values() {
        let claim = by_id.get(&*node.provider_id).copied();
        let of_pool = node.label(names::NODEPOOL).is_some();
        let ready_to_take = if node.provider_id.is_empty() {
            !of_pool
        } else {
            !of_pool
                || node.label(names::INSTANCE_TYPE).is_some()
                || node.label(names::INITIALIZED).is_some_and(|v| &**v == "true")
        };
        if claim.is_some() {
            seen.insert(&node.provider_id);
        }
        if ready_to_take || claim.is_some() {
            out.extend(StateNode::new(Some(node), claim));
        }
    }
    for (id, claim) in &by_id {
        if !seen.contains(id) {
            out.extend(StateNode::new(None, Some(claim)));
        }
    }
    out.sort_by(|a, b| (!a.initialized, &a.order).cmp(&(!b.initialized, &b.order)));
    out
}

/// No known claim lacks a provider id (`scheduling §15.5`).
pub fn is_synced(snapshot: &Snapshot) -> bool {
    snapshot
        .claims
        .values()
        .all(|c| !c.provider_id.is_empty() || c.deleting.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_28_ephemeral_taints() {
        use TaintEffect::{NoExecute, NoSchedule, PreferNoSchedule};
        for (key, effect, want) in [
            ("node.kubernetes.io/not-ready", NoSchedule, true),
            ("node.kubernetes.io/not-ready", NoExecute, true),
            ("node.kubernetes.io/not-ready", PreferNoSchedule, false),
            ("node.kubernetes.io/unreachable", NoSchedule, true),
            ("node.kubernetes.io/unreachable", NoExecute, false),
            ("karpenter.sh/unregistered", NoExecute, true),
            ("readiness.k8s.io/cni", PreferNoSchedule, true),
            ("node.kubernetes.io/unschedulable", NoSchedule, false),
        ] {
            let taint = Taint {
                key: key.into(),
                value: "".into(),
                effect,
            };
            assert_eq!(is_ephemeral(&taint), want, "{taint}");
        }
    }
}
