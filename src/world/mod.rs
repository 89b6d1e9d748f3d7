//! The embedded outside: a Kubernetes API, a scheduler, kubelets, workload controllers and EC2. The autoscaler
//! cannot tell it from the real thing.

pub mod apiserver;
mod chaos;
pub mod cluster;
pub mod ec2;
mod embedded;
mod orders;
pub mod pace;
pub mod random;
pub mod scenario;

pub use embedded::{Embedded, EmbeddedConfig, WorldError, kept_time};
pub use pace::pace;
