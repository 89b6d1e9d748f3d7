//! The loop: changes of the store, events of machines and timers mark work; work is done until nothing is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::events::Events;
use super::index::Index;
use super::kubelet::Kubelet;
use super::rows::Key;
use super::scheduler::Scheduler;
use super::timers::{Timer, Timers};
use crate::clock::Clock;
use crate::clock::after;
use crate::model::Name;
use crate::world::apiserver::{ApiServer, Change, ChangeKind, Stored};
use crate::world::ec2::MachineEvent;

/// Kinds whose changes the cluster follows: those with a controller, and those that may own or be owned.
const KINDS: &[&str] = &[
    "namespaces",
    "nodes",
    "pods",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "controllerrevisions.apps",
    "jobs.batch",
    "cronjobs.batch",
    "poddisruptionbudgets.policy",
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses.storage.k8s.io",
    "volumeattachments.storage.k8s.io",
    "csinodes.storage.k8s.io",
    "configmaps",
    "secrets",
    "services",
    "serviceaccounts",
    "leases.coordination.k8s.io",
    "endpointslices.discovery.k8s.io",
    "nodepools.karpenter.sh",
    "nodeclaims.karpenter.sh",
    "ec2nodeclasses.karpenter.k8s.aws",
];

/// What the simulated cluster is like.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    pub seed: u64,
    /// Seconds from binding to running, drawn a pod.
    pub image_pull: (f64, f64),
    /// Zones for volumes that bind before their pod has a node.
    pub zones: Vec<Name>,
    /// `status.nodeInfo.kubeletVersion`.
    pub kubelet_version: String,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            image_pull: (1.0, 4.0),
            zones: ["a", "b", "c"]
                .iter()
                .map(|z| format!("us-east-1{z}").into())
                .collect(),
            kubelet_version: "v1.36.2-eks-7b6c1f4".into(),
        }
    }
}

/// A thing to look at. The order of the variants is the order of the work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    Namespace(Name),
    /// An object whose owners or deletion call for the garbage collector.
    Collect(super::index::Place),
    Deployment(Key),
    ReplicaSet(Key),
    StatefulSet(Key),
    DaemonSet(Key),
    Job(Key),
    Claim(Key),
    Budget(Key),
    Node(Name),
    /// Volumes of the pods on a node.
    Attachments(Name),
    Pod(Key),
}

/// The simulated cluster around an API server.
#[derive(Debug)]
pub struct Cluster {
    pub(super) api: ApiServer,
    pub(super) clock: Clock,
    pub(super) config: ClusterConfig,
    pub(super) index: Index,
    pub(super) scheduler: Scheduler,
    pub(super) kubelet: Kubelet,
    pub(super) timers: Timers,
    pub(super) events: Events,
    work: BTreeSet<Work>,
    /// Work that has a timer already.
    again: BTreeMap<Work, Timestamp>,
    changes: UnboundedReceiver<Change>,
    machines: Option<UnboundedReceiver<MachineEvent>>,
}

impl Cluster {
    /// Follows `api` from now on and takes in what it holds already.
    pub fn new(
        api: ApiServer,
        machines: UnboundedReceiver<MachineEvent>,
        clock: Clock,
        config: ClusterConfig,
    ) -> Self {
        let changes = api.subscribe(KINDS);
        let mut out = Self {
            clock,
            index: Index::default(),
            scheduler: Scheduler::default(),
            kubelet: Kubelet::default(),
            timers: Timers::default(),
            events: Events::default(),
            work: BTreeSet::new(),
            again: BTreeMap::new(),
            changes,
            machines: Some(machines),
            config,
            api,
        };
        for kind in KINDS {
            for object in out.api.list(kind) {
                out.apply(&Change {
                    event: ChangeKind::Added,
                    object,
                    previous: None,
                });
            }
        }
        out.adopt_events();
        out.adopt_nodes();
        out
    }

    /// Runs until the API server is gone.
    pub async fn run(mut self) {
        loop {
            self.settle();
            let next = self.timers.next();
            let clock = self.clock;
            let timer = async move {
                match next {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let machines = &mut self.machines;
            let machine = async {
                match machines.as_mut() {
                    Some(receiver) => receiver.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                change = self.changes.recv() => match change {
                    Some(change) => self.apply(&change),
                    None => return,
                },
                event = machine => match event {
                    Some(event) => self.machine(event),
                    None => self.machines = None,
                },
                () = timer => self.fire(),
            }
        }
    }

    /// Does all work that is there, and what it gives rise to.
    pub(super) fn settle(&mut self) {
        loop {
            self.drain();
            if let Some(work) = self.work.pop_first() {
                self.perform(&work);
            } else if !self.schedule() {
                return;
            }
        }
    }

    /// Takes in every change that has been committed.
    pub(super) fn drain(&mut self) {
        while let Ok(change) = self.changes.try_recv() {
            self.apply(&change);
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn mark(&mut self, work: Work) {
        self.work.insert(work);
    }

    /// Looks at `work` again after `time`; an earlier appointment stays.
    pub(super) fn mark_after(&mut self, work: Work, time: Duration) {
        let at = after(self.now(), time);
        if self.again.get(&work).is_some_and(|known| *known <= at) {
            return;
        }
        self.again.insert(work.clone(), at);
        self.timers.set(at, Timer::Again(work));
    }

    fn fire(&mut self) {
        let now = self.now();
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Again(work) => {
                    self.again.remove(&work);
                    self.work.insert(work);
                }
                other => self.kubelet_timer(other),
            }
        }
    }

    fn perform(&mut self, work: &Work) {
        match work {
            Work::Namespace(name) => self.sync_namespace(name),
            Work::Collect(place) => self.collect(place),
            Work::Deployment(key) => self.sync_deployment(key),
            Work::ReplicaSet(key) => self.sync_replica_set(key),
            Work::StatefulSet(key) => self.sync_stateful_set(key),
            Work::DaemonSet(key) => self.sync_daemon_set(key),
            Work::Job(key) => self.sync_job(key),
            Work::Claim(key) => self.sync_claim(key),
            Work::Budget(key) => self.sync_budget(key),
            Work::Node(name) => self.sync_node(name),
            Work::Attachments(name) => self.sync_attachments(name),
            Work::Pod(key) => self.sync_pod(key),
        }
    }

    /// Reads an object of the store.
    pub(super) fn read(&self, kind: &str, key: &Key) -> Option<(Arc<Stored>, Value)> {
        let stored = self.api.get(kind, &key.0, &key.1)?;
        let value = stored.value();
        Some((stored, value))
    }

    /// Changes an object; one that is gone or refuses is not our concern, the next change calls again.
    pub(super) fn change(&self, kind: &str, key: &Key, mut change: impl FnMut(&mut Value)) -> bool {
        match self
            .api
            .update(kind, &key.0, &key.1, &mut |object| change(object))
        {
            Ok(changed) => changed.is_some(),
            Err(error) => {
                tracing::debug!(kind, object = super::rows::text(key), %error.message, "not changed");
                false
            }
        }
    }

    /// Creates an object. `false` when it was refused.
    pub(super) fn make(&self, kind: &str, namespace: &str, object: Value) -> bool {
        match self.api.create(kind, namespace, object) {
            Ok(_) => true,
            Err(error) => {
                if error.code != 409 {
                    tracing::warn!(kind, namespace, %error.message, "not created");
                }
                false
            }
        }
    }
}
