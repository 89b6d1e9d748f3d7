//! One pass over the queue: bind what fits, mark what does not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::class::{Class, QueueKey};
use super::fit::blocking_taint;
use super::volume::VolumeRules;
use super::{Scheduler, message};
use crate::api::names;
use crate::model::Name;
use crate::world::cluster::conditions::{Cond, object_at, set};
use crate::world::cluster::rows::Key;
use crate::world::cluster::run::Cluster;

impl Scheduler {
    /// The class whose first pod is first in the queue, among those not refused since.
    fn next(&self) -> Option<(u32, QueueKey)> {
        self.classes
            .iter()
            .filter(|(_, class)| class.failed != Some(self.stamp(class)))
            .filter_map(|(id, class)| Some((*id, class.waiting.first()?.clone())))
            .min_by(|a, b| a.1.cmp(&b.1))
    }
}

impl Cluster {
    /// Places every waiting pod that fits somewhere and says of the others why not. `false` when there was nothing
    /// to look at.
    pub fn schedule(&mut self) -> bool {
        if !std::mem::take(&mut self.scheduler.dirty) {
            return false;
        }
        while let Some((id, first)) = self.scheduler.next() {
            match self.place(id) {
                Some(node) => {
                    if !self.bind(id, &first.pod, &node) {
                        // Gone or bound meanwhile: the change that says so is on its way.
                        self.scheduler.unqueue(&first.pod);
                    }
                    self.drain();
                }
                None => self.refuse(id),
            }
        }
        self.mark_waiting();
        self.drain();
        true
    }

    /// The node that a pod of this class goes to.
    fn place(&mut self, id: u32) -> Option<Name> {
        let limits = self.attach_limits(id);
        let (scheduler, index) = (&mut self.scheduler, &self.index);
        let version = scheduler.volumes;
        let class = scheduler.classes.get_mut(&id)?;
        if !class.key.spec.volume_claims.is_empty()
            && class.volumes.as_ref().is_none_or(|(v, _)| *v != version)
        {
            let rules = VolumeRules::read(&self.api, &class.key.namespace, &class.key.spec.volume_claims);
            class.volumes = Some((version, rules));
        }
        if class
            .volumes
            .as_ref()
            .is_some_and(|(_, rules)| rules.blocked.is_some())
        {
            return None;
        }
        if class.topology.is_none() {
            let mut groups = std::mem::take(&mut class.groups);
            class.topology = Some(
                scheduler
                    .topology
                    .state(&class.key, &mut groups, &scheduler.nodes, index),
            );
            class.groups = groups;
        }
        if let Some(pinned) = class.key.pinned.clone() {
            let slot = scheduler.nodes.slot_of(&pinned)?;
            let node = scheduler.nodes.get(slot)?;
            return takes(class, slot, node, &limits).then_some(pinned);
        }
        scheduler
            .nodes
            .ordered()
            .find(|(slot, node)| takes(class, *slot, node, &limits))
            .map(|(_, node)| node.row.name.clone())
    }

    /// Attach limits by node, only for pods with volumes.
    fn attach_limits(&self, id: u32) -> BTreeMap<Name, usize> {
        let mounts = self
            .scheduler
            .classes
            .get(&id)
            .is_some_and(|c| !c.key.spec.volume_claims.is_empty());
        if !mounts {
            return BTreeMap::new();
        }
        let nodes = self.api.list("csinodes.storage.k8s.io");
        nodes
            .iter()
            .filter_map(|stored| {
                let value = stored.value();
                let drivers = value["spec"]["drivers"].as_array()?;
                let ebs = drivers.iter().find(|d| d["name"] == super::volume::EBS)?;
                let count = ebs["allocatable"]["count"].as_u64()?;
                Some((stored.name.clone(), usize::try_from(count).ok()?))
            })
            .collect()
    }

    fn bind(&mut self, id: u32, pod: &Key, node: &Name) -> bool {
        let unbound = self
            .scheduler
            .classes
            .get(&id)
            .and_then(|c| c.volumes.as_ref())
            .map(|(_, rules)| rules.unbound.clone())
            .unwrap_or_default();
        let Some(row) = self.index.nodes.get(node).cloned() else {
            return false;
        };
        for claim in &unbound {
            self.provision(claim, row.label(names::ZONE), Some(node));
        }
        let now = self.now();
        let topology: Vec<(&str, String)> = [names::ZONE, names::REGION]
            .into_iter()
            .map(|key| (key, row.label(key).to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let bound = self.change("pods", pod, |object| {
            if object["spec"]["nodeName"].as_str().is_some_and(|n| !n.is_empty()) {
                return;
            }
            object_at(object, &["spec"]).insert("nodeName".into(), json!(&**node));
            let labels = object_at(object, &["metadata", "labels"]);
            for (key, value) in &topology {
                labels.entry(*key).or_insert_with(|| Value::String(value.clone()));
            }
            set(
                object,
                Cond {
                    kind: "PodScheduled",
                    status: true,
                    reason: "",
                    message: "",
                },
                now,
            );
        });
        if bound {
            let text = format!("Successfully assigned {}/{} to {node}", pod.0, pod.1);
            self.pod_event(pod, "Normal", "Scheduled", &text, "default-scheduler");
        }
        bound
    }

    /// Notes that the class fits nowhere, and why.
    fn refuse(&mut self, id: u32) {
        let limits = self.attach_limits(id);
        let scheduler = &mut self.scheduler;
        let count = scheduler.nodes.len();
        let Some(class) = scheduler.classes.get(&id) else {
            return;
        };
        let stamp = scheduler.stamp(class);
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for (_, node) in scheduler.nodes.ordered() {
            for reason in refusals(class, node, &limits) {
                *reasons.entry(reason).or_insert(0) += 1;
            }
        }
        let blocked = class
            .volumes
            .as_ref()
            .and_then(|(_, rules)| rules.blocked.clone());
        let text = message::unschedulable(count, &reasons, blocked.as_deref());
        let Some(class) = scheduler.classes.get_mut(&id) else {
            return;
        };
        class.failed = Some(stamp);
        if !message::same_reasons(&class.message, &text) {
            class.unmarked = class.waiting.iter().map(|q| q.pod.clone()).collect();
        }
        class.message = text;
    }

    /// Writes the condition that makes an autoscaler act to every refused pod that lacks it.
    fn mark_waiting(&mut self) {
        let mut todo: Vec<(Key, String)> = Vec::new();
        for class in self.scheduler.classes.values_mut() {
            for pod in std::mem::take(&mut class.unmarked) {
                todo.push((pod, class.message.clone()));
            }
        }
        todo.sort();
        let now = self.now();
        for (pod, text) in todo {
            let known = self.index.pods.get(&pod).and_then(|row| row.unscheduled.clone());
            if known.is_some_and(|known| message::same_reasons(&known, &text)) {
                continue;
            }
            let marked = self.change("pods", &pod, |object| {
                if object["spec"]["nodeName"].is_string() {
                    return;
                }
                let cond = Cond {
                    kind: "PodScheduled",
                    status: false,
                    reason: "Unschedulable",
                    message: &text,
                };
                set(object, cond, now);
            });
            if marked {
                self.pod_event(&pod, "Warning", "FailedScheduling", &text, "default-scheduler");
            }
        }
    }
}

fn takes(
    class: &mut Class,
    slot: usize,
    node: &super::nodes::NodeSlot,
    limits: &BTreeMap<Name, usize>,
) -> bool {
    class.fixed_ok(slot, node)
        && class.room(node)
        && class
            .topology
            .as_ref()
            .is_none_or(|t| t.refusal(node, &class.key.spec).is_none())
        && class
            .volumes
            .as_ref()
            .is_none_or(|(_, rules)| rules.refusal(node, limits).is_none())
}

/// Why a node does not take the class: the first filter that says no, and of resources every one that is short.
fn refusals(class: &Class, node: &super::nodes::NodeSlot, limits: &BTreeMap<Name, usize>) -> Vec<String> {
    let spec = &class.key.spec;
    if let Some(taint) = blocking_taint(&spec.tolerations, node) {
        return vec![taint];
    }
    let elsewhere = class.key.pinned.as_ref().is_some_and(|n| *n != node.row.name);
    if elsewhere || !crate::world::cluster::rows::node_matches(spec, &node.row.labels) {
        return vec!["node(s) didn't match Pod's node affinity/selector".into()];
    }
    if !class.ports_free(node) {
        return vec!["node(s) didn't have free ports for the requested pod ports".into()];
    }
    let short = class.shortages(node);
    if !short.is_empty() {
        return short;
    }
    class
        .volumes
        .as_ref()
        .and_then(|(_, rules)| rules.refusal(node, limits))
        .or_else(|| class.topology.as_ref()?.refusal(node, spec))
        .map(|why| vec![why.to_owned()])
        .unwrap_or_default()
}
