//! Whether one node takes a pod of a class, in kube-scheduler's order of filters and its words.

use super::class::Class;
use super::nodes::NodeSlot;
use crate::model::resources::{CPU, MEMORY, PODS};
use crate::model::taints::untolerated;
use crate::model::{Name, TaintEffect};
use crate::world::cluster::rows::node_matches;

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

impl Class {
    /// Taints, selectors and affinity: what changes only with the node. Remembered by the node's epoch.
    pub fn fixed_ok(&mut self, slot: usize, node: &NodeSlot) -> bool {
        if self.fixed.len() <= slot {
            self.fixed.resize(slot + 1, (0, false));
        }
        let Some(entry) = self.fixed.get_mut(slot) else {
            return false;
        };
        if entry.0 != node.epoch {
            let ok = self.key.pinned.as_ref().is_none_or(|n| *n == node.row.name)
                && blocking_taint(&self.key.spec.tolerations, node).is_none()
                && node_matches(&self.key.spec, &node.row.labels);
            *entry = (node.epoch, ok);
        }
        entry.1
    }

    /// Requests and host ports.
    pub fn room(&self, node: &NodeSlot) -> bool {
        let spec = &self.key.spec;
        let (total, used) = (&node.row.allocatable, &node.used);
        let fits = |want: i64, used: i64, total: i64| want == 0 || used.saturating_add(want) <= total;
        fits(spec.requests.cpu, used.cpu, total.cpu)
            && fits(spec.requests.memory, used.memory, total.memory)
            && fits(spec.requests.pods, used.pods, total.pods)
            && fits(spec.requests.ephemeral, used.ephemeral, total.ephemeral)
            && spec
                .requests
                .extended
                .iter()
                .all(|(key, want)| fits(*want, used.get(key), total.get(key)))
            && self.ports_free(node)
    }

    /// `scheduling §10`.
    pub fn ports_free(&self, node: &NodeSlot) -> bool {
        let any = |ip: &Name| matches!(&**ip, "0.0.0.0" | "::");
        !self.key.spec.host_ports.iter().any(|mine| {
            node.ports.keys().any(|theirs| {
                mine.port == theirs.port
                    && mine.protocol == theirs.protocol
                    && (mine.ip == theirs.ip || any(&mine.ip) || any(&theirs.ip))
            })
        })
    }

    /// Every resource that is short.
    pub fn shortages(&self, node: &NodeSlot) -> Vec<String> {
        let (total, used) = (&node.row.allocatable, &node.used);
        self.key
            .spec
            .requests
            .iter()
            .filter(|(key, want)| used.get(key).saturating_add(*want) > total.get(key))
            .map(|(key, _)| match key {
                PODS => "Too many pods".to_owned(),
                CPU | MEMORY => format!("Insufficient {key}"),
                other => format!("Insufficient {other}"),
            })
            .collect()
    }
}

/// The first taint that keeps such pods away.
pub fn blocking_taint(tolerations: &[crate::model::Toleration], node: &NodeSlot) -> Option<String> {
    let cordon = crate::model::Taint {
        key: UNSCHEDULABLE.into(),
        value: "".into(),
        effect: TaintEffect::NoSchedule,
    };
    if node.row.unschedulable && !tolerations.iter().any(|t| t.tolerates(&cordon)) {
        return Some("node(s) were unschedulable".into());
    }
    untolerated(&node.row.taints, tolerations)
        .find(|t| t.effect != TaintEffect::PreferNoSchedule)
        .map(|t| format!("node(s) had untolerated taint {{{}: {}}}", t.key, t.value))
}
