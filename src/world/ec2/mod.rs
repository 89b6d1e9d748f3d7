//! The embedded EC2: types, prices, subnets, images, fleets, machines that boot and die, and faults on demand.
//! It answers the low port of `cloud::aws::api` and tells the embedded kubelets of machines; everything that it
//! draws comes from (seed, purpose, object), so equal inputs give equal worlds (`aws §28`).
//!
//! Spot prices are synthetic: published savings, a zone factor and a slow walk, nothing observed.

mod account;
mod calls;
mod config;
mod faults;
mod fleet;
mod iam;
mod images;
mod kubelet;
mod life;
mod machine;
mod maths;
mod network;
mod query;
mod record;
mod reservations;
mod spot;

pub use account::Ec2;
pub use config::{Ec2Config, SinkError, StateSink};
pub use machine::{Machine, MachineEvent};
