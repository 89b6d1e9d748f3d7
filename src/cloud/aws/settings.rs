//! What the provider needs to know of its cluster and how it shall behave (`aws §20`).

use std::time::Duration;

use crate::model::Name;

#[derive(Clone, Debug)]
pub struct Settings {
    pub cluster_name: Name,
    pub region: Name,
    /// Absolute URL of the API server.
    pub cluster_endpoint: String,
    /// Base64 of the PEM bundle.
    pub cluster_ca: String,
    /// Service CIDR; AL2023 nodes need it. Empty = not known.
    pub cluster_cidr: String,
    /// ClusterIP of kube-dns; empty = not known.
    pub dns_ip: String,
    /// Minor like `1.34`, for image aliases.
    pub kubernetes_version: Name,
    /// Share of memory that the hypervisor takes.
    pub vm_memory_overhead: f64,
    pub reserved_enis: i64,
    /// No calls to services without private endpoints (pricing, IAM).
    pub isolated_vpc: bool,
    /// Capacity reservations are used (gate ReservedCapacity).
    pub reserved_capacity: bool,
    /// `minValues` may be broken at launch (`MIN_VALUES_POLICY=BestEffort`).
    pub min_values_best_effort: bool,
    /// How old subnets, security groups and images of a class may be.
    pub class_refresh: Duration,
    /// How old the raw list of instance types may be.
    pub types_refresh: Duration,
    /// How old on-demand and spot prices may be.
    pub price_refresh: Duration,
}

impl Settings {
    /// The defaults of `aws §20` for a cluster of that name.
    pub fn new(cluster_name: &str, region: &str) -> Self {
        let hours = |n: u64| Duration::from_secs(n * 3600);
        Self {
            cluster_name: cluster_name.into(),
            region: region.into(),
            cluster_endpoint: String::new(),
            cluster_ca: String::new(),
            cluster_cidr: String::new(),
            dns_ip: String::new(),
            kubernetes_version: "1.34".into(),
            vm_memory_overhead: 0.075,
            reserved_enis: 0,
            isolated_vpc: false,
            reserved_capacity: true,
            min_values_best_effort: false,
            class_refresh: Duration::from_secs(60),
            types_refresh: hours(12),
            price_refresh: hours(12),
        }
    }
}
