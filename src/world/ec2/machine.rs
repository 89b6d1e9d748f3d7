//! What the embedded kubelets learn of machines.

use std::time::Duration;

use crate::model::{Name, Resources};

/// A running machine, as its own kubelet would find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// `i-…`.
    pub id: Name,
    /// `aws:///<zone>/<id>`.
    pub provider_id: Name,
    /// `ip-10-0-x-y.ec2.internal`; the name of the Node.
    pub private_dns: Name,
    pub private_ip: Name,
    pub instance_type: Name,
    pub zone: Name,
    pub zone_id: Name,
    pub region: Name,
    /// `amd64` or `arm64`.
    pub arch: Name,
    pub image_id: Name,
    /// Decoded text. Labels, taints and kubelet settings reach the Node through this alone.
    pub user_data: String,
    /// As the kubelet reports it: memory 0 to 2 % above the formula of `aws §5.2`.
    pub capacity: Resources,
    pub allocatable: Resources,
    /// From `Running` to the registration of the Node.
    pub register_after: Duration,
    /// From registration to Ready.
    pub ready_after: Duration,
}

/// The life of machines, in the order in which it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineEvent {
    Running(Box<Machine>),
    ShuttingDown { id: Name },
    Terminated { id: Name },
}
