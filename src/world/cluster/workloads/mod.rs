//! The workload controllers of kube-controller-manager: Deployment, `ReplicaSet`, `StatefulSet`, `DaemonSet`, Job.

mod daemonset;
mod deployment;
mod job;
mod replicaset;
mod rollout;
mod statefulset;
mod template;
