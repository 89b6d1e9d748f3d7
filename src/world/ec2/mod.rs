//! The embedded EC2: types, prices, subnets, images, fleets, machines that boot and die, and faults on demand.
//! It answers the low port of `cloud::aws::api` and tells the embedded kubelets of machines; everything that it
//! draws comes from (seed, purpose, object), so equal inputs give equal worlds (`aws §28`).

mod config;
mod machine;

pub use config::{Ec2Config, SinkError, StateSink};
pub use machine::{Machine, MachineEvent};
