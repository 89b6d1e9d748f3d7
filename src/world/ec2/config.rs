//! Switches of the embedded EC2 (`aws §28`).

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::model::Name;

/// Where instances and launch templates survive a restart: tables of key → bytes.
pub trait StateSink: Send + Sync + std::fmt::Debug {
    fn put(&self, table: &str, key: &str, value: &[u8]) -> Result<(), SinkError>;
    fn remove(&self, table: &str, key: &str) -> Result<(), SinkError>;
    /// Every entry of a table in key order.
    fn load(&self, table: &str) -> Result<Vec<(String, Vec<u8>)>, SinkError>;
}

/// The state could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("state of the embedded EC2: {0}")]
pub struct SinkError(pub String);

/// What an embedded EC2 is like. `Ec2Config::new` gives the defaults of `aws §28`.
#[derive(Clone, Debug)]
pub struct Ec2Config {
    pub seed: u64,
    pub clock: Clock,
    pub region: Name,
    /// Tag `karpenter.sh/discovery` of subnets and the security group.
    pub cluster: Name,
    /// Kubernetes minor of the image aliases, like `1.34`.
    pub kubernetes_version: Name,
    /// From launch to `running`.
    pub pending: Duration,
    /// From running to registration, drawn between the two.
    pub register_after: (Duration, Duration),
    /// From registration to Ready, drawn between the two.
    pub ready_after: (Duration, Duration),
    /// From the termination call to `terminated`, drawn between the two.
    pub shutting_down: (Duration, Duration),
    /// Multiplies `register_after` and `ready_after`: 0.1 boots ten times faster.
    pub boot_scale: f64,
    /// A new id is unknown to describe calls for a time drawn up to this; zero = at once.
    pub consistency: Duration,
    /// Multiplies the published spot interruption rates; 0 = never by itself.
    pub interruptions: f64,
    /// Share of spot interruptions that a rebalance recommendation precedes.
    pub rebalance_share: f64,
    /// Whether spot pools have a depth; without, every pool is endless.
    pub spot_depth: bool,
    /// Whether calls are refused above EC2's rates.
    pub rate_limits: bool,
    pub state: Option<Arc<dyn StateSink>>,
}

impl Ec2Config {
    pub fn new(seed: u64, clock: Clock, cluster: &str) -> Self {
        let seconds = Duration::from_secs;
        Self {
            seed,
            clock,
            region: "us-east-1".into(),
            cluster: cluster.into(),
            kubernetes_version: "1.34".into(),
            pending: seconds(2),
            register_after: (seconds(25), seconds(60)),
            ready_after: (seconds(5), seconds(15)),
            shutting_down: (seconds(5), seconds(20)),
            boot_scale: 1.0,
            consistency: Duration::ZERO,
            interruptions: 1.0,
            rebalance_share: 0.3,
            spot_depth: true,
            rate_limits: false,
            state: None,
        }
    }
}
