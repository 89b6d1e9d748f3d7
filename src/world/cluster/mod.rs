//! The simulated cluster: what runs around an API server in a real one. One task ([`Cluster::run`]) holds all of it
//! (kube-scheduler, kubelets, cloud-controller, workload controllers, garbage collection), because one loop over one
//! change stream is deterministic and needs no locks. Every part is level-triggered: a change marks work, the work
//! looks at the store and at the [`index`], and writes what is missing.

mod attachments;
mod changes;
mod conditions;
mod events;
mod garbage;
mod index;
mod kubelet;
mod namespaces;
mod node_lifecycle;
mod pdb;
mod rows;
mod run;
mod scheduler;
mod seed;
#[cfg(test)]
mod tests;
mod timers;
mod volumes;
mod workloads;

pub use rows::Key;
pub use run::{Cluster, ClusterConfig};
pub use seed::seed;

/// Reads `30s`, `1m30s`, `500ms` as scenarios and annotations write it.
pub fn parse_duration(text: &str) -> Option<std::time::Duration> {
    rows::duration(text)
}
