//! Answers as `meta.k8s.io/v1` Tables, which is where `kubectl get` takes its columns from (`kube-wire §6`):
//! printers of the built-in kinds, and printer columns of custom resources.

mod age;
mod cells;
mod cluster;
mod core;
mod custom;
mod events;
mod jsonpath;
mod node;
mod pod;
mod pod_status;
mod render;
mod storage;
mod workloads;

pub use age::human as human_age;
pub use jsonpath::find as find_path;
pub use render::{IncludeObject, render, scale};
