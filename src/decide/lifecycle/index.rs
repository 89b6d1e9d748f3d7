//! Which pods are on a node and what shares a provider id, kept up to date from what is dirty, so that no pass
//! walks tables. Also notices the pod events that restart a node's `consolidateAfter` (`disruption §6`).

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::{Dirty, pods};
use crate::model::{Claim, Name, Node, Pod, Snapshot};

/// What was last known of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PodMark {
    uid: Name,
    node: Option<Name>,
    ended: bool,
    deleting: bool,
    daemon: bool,
}

impl PodMark {
    fn of(pod: &Pod) -> Self {
        Self {
            uid: pod.uid.clone(),
            node: pod.node.clone(),
            ended: pod.is_terminal(),
            deleting: pod.deleting.is_some(),
            daemon: pods::is_daemon(pod),
        }
    }
}

/// Names by what they share. Rebuilt from the snapshot when everything is dirty.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pods: BTreeMap<Name, PodMark>,
    on_node: BTreeMap<Name, BTreeSet<Name>>,
    node_ids: BTreeMap<Name, Name>,
    claim_ids: BTreeMap<Name, Name>,
    nodes: BTreeMap<Name, BTreeSet<Name>>,
    claims: BTreeMap<Name, BTreeSet<Name>>,
    /// Claim name → uid, to forget a claim that left.
    uids: BTreeMap<Name, Name>,
}

/// What an update found out.
#[derive(Debug, Default)]
pub struct Touched {
    /// Nodes with a changed set of pods.
    pub nodes: BTreeSet<Name>,
    /// Nodes on which a pod that is no DaemonSet's was bound, ended or left.
    pub events: BTreeSet<Name>,
    /// Claims whose provider id a changed node carries or carried.
    pub claims: BTreeSet<Name>,
    /// Claims that are gone: uid and provider id.
    pub gone: Vec<(Name, Name)>,
}

impl Index {
    /// Brings the index up to date with the dirty rows.
    pub fn update(&mut self, snapshot: &Snapshot, dirty: &Dirty) -> Touched {
        let mut touched = Touched::default();
        let first = self.pods.is_empty() && self.claim_ids.is_empty() && self.node_ids.is_empty();
        if dirty.all {
            // A relist may hide changes: compare every row that is or was known.
            let pods: BTreeSet<Name> = snapshot.pods.keys().chain(self.pods.keys()).cloned().collect();
            let nodes: BTreeSet<Name> = snapshot
                .nodes
                .keys()
                .chain(self.node_ids.keys())
                .cloned()
                .collect();
            let claims: BTreeSet<Name> = snapshot.claims.keys().chain(self.uids.keys()).cloned().collect();
            self.update_rows(snapshot, &pods, &nodes, &claims, &mut touched);
        } else {
            self.update_rows(snapshot, &dirty.pods, &dirty.nodes, &dirty.claims, &mut touched);
        }
        if first {
            // Q15: the initial list is no event.
            touched.events.clear();
        }
        touched
    }

    fn update_rows(
        &mut self,
        snapshot: &Snapshot,
        pods: &BTreeSet<Name>,
        nodes: &BTreeSet<Name>,
        claims: &BTreeSet<Name>,
        touched: &mut Touched,
    ) {
        for name in claims {
            self.claim(name, snapshot.claims.get(name).map(AsRef::as_ref), touched);
        }
        for name in nodes {
            self.node(name, snapshot.nodes.get(name).map(AsRef::as_ref), touched);
        }
        for key in pods {
            self.pod(key, snapshot.pods.get(key).map(AsRef::as_ref), touched);
        }
    }

    fn pod(&mut self, key: &Name, pod: Option<&Pod>, touched: &mut Touched) {
        let new = pod.map(PodMark::of);
        let old = self.pods.get(key).cloned();
        if old == new {
            // Labels, readiness or protection changed, which a drain looks at.
            touched.nodes.extend(new.and_then(|p| p.node));
            return;
        }
        for mark in [&old, &new].into_iter().flatten() {
            touched.nodes.extend(mark.node.clone());
        }
        let was_here = |now: &PodMark| {
            old.as_ref()
                .is_some_and(|o| o.uid == now.uid && o.node == now.node)
        };
        if let Some(now) = new.as_ref().filter(|n| !n.daemon) {
            let bound = now.node.is_some() && !was_here(now);
            let ended = was_here(now) && now.ended && !old.as_ref().is_some_and(|o| o.ended);
            let leaving = was_here(now) && now.deleting && !old.as_ref().is_some_and(|o| o.deleting);
            if bound || ended || leaving {
                touched.events.extend(now.node.clone());
            }
        }
        if let Some(was) = old.as_ref().filter(|o| !o.daemon) {
            let left = new
                .as_ref()
                .is_none_or(|n| n.uid != was.uid || n.node != was.node);
            // A pod that was seen terminating has stamped already.
            if left && !was.deleting && !was.ended {
                touched.events.extend(was.node.clone());
            }
        }
        if let Some(node) = old.and_then(|o| o.node)
            && let Some(set) = self.on_node.get_mut(&node)
        {
            set.remove(key);
            if set.is_empty() {
                self.on_node.remove(&node);
            }
        }
        match new {
            Some(mark) => {
                if let Some(node) = mark.node.clone() {
                    self.on_node.entry(node).or_default().insert(key.clone());
                }
                self.pods.insert(key.clone(), mark);
            }
            None => {
                self.pods.remove(key);
            }
        }
    }

    fn node(&mut self, name: &Name, node: Option<&Node>, touched: &mut Touched) {
        let new = node.map(|n| n.provider_id.clone()).filter(|id| !id.is_empty());
        let old = self.node_ids.get(name).cloned();
        for id in [&old, &new].into_iter().flatten() {
            touched.claims.extend(self.claims_with(id));
        }
        relink(&mut self.node_ids, &mut self.nodes, name, old, new);
        touched.nodes.insert(name.clone());
    }

    fn claim(&mut self, name: &Name, claim: Option<&Claim>, touched: &mut Touched) {
        let new = claim.map(|c| c.provider_id.clone()).filter(|id| !id.is_empty());
        let old = self.claim_ids.get(name).cloned();
        for id in [&old, &new].into_iter().flatten() {
            touched.nodes.extend(self.nodes_with(id));
        }
        let uid = claim.map(|c| c.uid.clone());
        if let Some(was) = self.uids.get(name).filter(|was| uid.as_ref() != Some(*was)) {
            touched
                .gone
                .push((was.clone(), old.clone().unwrap_or_else(|| "".into())));
        }
        match uid {
            Some(uid) => self.uids.insert(name.clone(), uid),
            None => self.uids.remove(name),
        };
        relink(&mut self.claim_ids, &mut self.claims, name, old, new);
        touched.claims.insert(name.clone());
    }

    /// Names of the nodes with that provider id.
    pub fn nodes_with(&self, provider_id: &str) -> Vec<Name> {
        names_in(&self.nodes, provider_id)
    }

    /// Names of the claims with that provider id.
    pub fn claims_with(&self, provider_id: &str) -> Vec<Name> {
        names_in(&self.claims, provider_id)
    }

    pub fn claims_of_node(&self, node: &str) -> Vec<Name> {
        self.node_ids
            .get(node)
            .map(|id| self.claims_with(id))
            .unwrap_or_default()
    }

    pub fn node_of_pod(&self, pod: &str) -> Option<Name> {
        self.pods.get(pod).and_then(|p| p.node.clone())
    }

    /// Keys of the pods bound to a node.
    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &Name> {
        self.on_node.get(node).into_iter().flatten()
    }
}

fn names_in(map: &BTreeMap<Name, BTreeSet<Name>>, id: &str) -> Vec<Name> {
    map.get(id)
        .map(|set| set.iter().cloned().collect())
        .unwrap_or_default()
}

fn relink(
    ids: &mut BTreeMap<Name, Name>,
    sets: &mut BTreeMap<Name, BTreeSet<Name>>,
    name: &Name,
    old: Option<Name>,
    new: Option<Name>,
) {
    if old == new {
        return;
    }
    if let Some(old) = old {
        ids.remove(name);
        if let Some(set) = sets.get_mut(&old) {
            set.remove(name);
            if set.is_empty() {
                sets.remove(&old);
            }
        }
    }
    if let Some(new) = new {
        ids.insert(name.clone(), new.clone());
        sets.entry(new).or_default().insert(name.clone());
    }
}
