//! The kubelets of all machines, and the cloud-controller's part: nodes appear when machines have booted, turn Ready,
//! run the pods that are bound to them, and go with their machines.

mod pods;
mod register;
mod user_data;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::rows::PodRow;
use super::run::{Cluster, Work};
use super::timers::Timer;
use crate::clock::after;
use crate::model::Name;
use crate::world::apiserver::DeleteOptions;
use crate::world::ec2::{Machine, MachineEvent};
use crate::world::random;

/// After a restart, how long a node may be without its machine.
const ADOPTION: Duration = Duration::from_secs(10);
/// How often something waits for a node to be registered.
const RETRY: Duration = Duration::from_secs(5);

/// What the kubelets know.
#[derive(Debug, Default)]
pub struct Kubelet {
    /// Running machines by id.
    machines: BTreeMap<Name, Machine>,
    /// Node name to machine id.
    by_node: BTreeMap<Name, Name>,
    /// Nodes whose machine is going or gone: nothing starts or ends there any more.
    down: BTreeSet<Name>,
    /// Pods (by uid) with a timer, and for what.
    busy: BTreeSet<(Name, &'static str)>,
}

impl Kubelet {
    /// Notes that a timer is set; `false` when there is one already.
    pub fn begin(&mut self, pod: &PodRow, what: &'static str) -> bool {
        self.busy.insert((pod.uid.clone(), what))
    }

    fn end(&mut self, uid: &Name, what: &'static str) {
        self.busy.remove(&(uid.clone(), what));
    }

    /// Whether a kubelet still runs on the node.
    pub fn is_up(&self, node: &str) -> bool {
        !self.down.contains(node)
    }
}

impl Cluster {
    pub(super) fn machine(&mut self, event: MachineEvent) {
        match event {
            MachineEvent::Running(machine) => self.booted(*machine),
            MachineEvent::ShuttingDown { id } => self.going_down(&id),
            MachineEvent::Terminated { id } => self.gone(&id),
        }
    }

    fn booted(&mut self, machine: Machine) {
        let (id, node) = (machine.id.clone(), machine.private_dns.clone());
        let known = self.index.nodes.contains_key(&node);
        self.kubelet.by_node.insert(node.clone(), id.clone());
        self.kubelet.down.remove(&node);
        let (register, ready) = (machine.register_after, machine.ready_after);
        self.kubelet.machines.insert(id.clone(), machine);
        // After a restart of the world the node may be there already.
        if known {
            self.timers
                .set(after(self.now(), ready), Timer::NodeReady { machine: id });
            self.mark(Work::Node(node));
        } else {
            self.timers
                .set(after(self.now(), register), Timer::Register { machine: id });
        }
    }

    fn going_down(&mut self, id: &str) {
        let Some(machine) = self.kubelet.machines.get(id) else {
            return;
        };
        let node = machine.private_dns.clone();
        self.kubelet.down.insert(node.clone());
        self.report_shutdown(&node);
    }

    /// The cloud-controller deletes the node of a machine that no longer exists; finalizers may hold it.
    fn gone(&mut self, id: &str) {
        let Some(machine) = self.kubelet.machines.remove(id) else {
            return;
        };
        let node = machine.private_dns;
        self.kubelet.by_node.remove(&node);
        if self.kubelet.down.insert(node.clone()) {
            self.report_shutdown(&node);
        }
        self.delete_node(&node);
    }

    fn delete_node(&mut self, node: &str) {
        if self.index.nodes.contains_key(node)
            && let Err(error) = self.api.delete("nodes", "", node, &DeleteOptions::default())
        {
            tracing::debug!(node, %error.message, "node not deleted");
        }
    }

    /// Nodes that are there at the start belong to machines that EC2 will tell of, or to none.
    pub(super) fn adopt_nodes(&mut self) {
        if !self.index.nodes.is_empty() {
            self.timers.set(after(self.now(), ADOPTION), Timer::AdoptNodes);
        }
    }

    fn drop_strays(&mut self) {
        let nodes = self.api.list("nodes");
        for stored in nodes {
            let stray = !self.kubelet.by_node.contains_key(&stored.name)
                && stored.value()["spec"]["providerID"]
                    .as_str()
                    .is_some_and(|id| id.starts_with("aws:///"));
            if stray {
                let name = stored.name.clone();
                self.kubelet.down.insert(name.clone());
                self.report_shutdown(&name);
                self.delete_node(&name);
            }
        }
    }

    pub(super) fn kubelet_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Register { machine } => {
                if let Some(machine) = self.kubelet.machines.get(&machine).cloned()
                    && self.kubelet.is_up(&machine.private_dns)
                {
                    self.register(&machine);
                    let at = after(self.now(), machine.ready_after);
                    self.timers.set(at, Timer::NodeReady { machine: machine.id });
                }
            }
            Timer::NodeReady { machine } => {
                if let Some(machine) = self.kubelet.machines.get(&machine).cloned()
                    && self.kubelet.is_up(&machine.private_dns)
                {
                    self.turn_ready(&machine.private_dns);
                    let time = random::between(self.config.seed, "startup", &machine.id, 3.0, 10.0);
                    let at = after(self.now(), Duration::from_secs_f64(time));
                    self.timers.set(at, Timer::StartupDone { machine: machine.id });
                }
            }
            Timer::StartupDone { machine } => {
                if let Some(machine) = self.kubelet.machines.get(&machine).cloned()
                    && self.kubelet.is_up(&machine.private_dns)
                    && !self.finish_startup(&machine)
                {
                    let at = after(self.now(), RETRY);
                    self.timers.set(at, Timer::StartupDone { machine: machine.id });
                }
            }
            Timer::PodStart { pod, uid } => self.pod_timer(&pod, &uid, "start"),
            Timer::PodReady { pod, uid } => self.pod_timer(&pod, &uid, "ready"),
            Timer::PodFinish { pod, uid } => self.pod_timer(&pod, &uid, "finish"),
            Timer::PodStop { pod, uid } => self.pod_timer(&pod, &uid, "stop"),
            Timer::PodEvict { pod, uid } => self.pod_timer(&pod, &uid, "evict"),
            Timer::AdoptNodes => self.drop_strays(),
            Timer::Again(work) => self.mark(work),
        }
    }
}
