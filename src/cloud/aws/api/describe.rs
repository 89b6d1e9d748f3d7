//! What the describe calls answer with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;
use crate::model::{Name, UsdPerHour};

/// Values of one filter are ORed, filters are ANDed. Values may hold `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub name: Name,
    pub values: Vec<Name>,
}

impl Filter {
    pub fn new<V: Into<Name>>(name: &str, values: impl IntoIterator<Item = V>) -> Self {
        Self {
            name: name.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }
}

/// An entry of DescribeInstanceTypes: what labels and capacity need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceTypeInfo {
    pub instance_type: Name,
    pub bare_metal: bool,
    /// `nitro` or `xen`; bare metal has none.
    pub hypervisor: Option<Name>,
    /// `on-demand`, `spot`, `capacity-block`.
    pub supported_usage_classes: Vec<Name>,
    /// `x86_64`, `arm64`, `i386`, `x86_64_mac`, `arm64_mac`.
    pub supported_architectures: Vec<Name>,
    /// `Intel`, `AMD`, `AWS`, `Apple`.
    pub processor_manufacturer: Option<Name>,
    pub sustained_clock_mhz: Option<i64>,
    pub default_vcpus: i64,
    pub memory_mib: i64,
    /// Only where EBS optimisation is on by default.
    pub ebs_maximum_bandwidth_mbps: Option<i64>,
    pub network_cards: Vec<NetworkCard>,
    pub default_network_card_index: usize,
    pub ipv4_addresses_per_interface: i64,
    pub maximum_efa_interfaces: i64,
    pub encryption_in_transit_supported: bool,
    pub nitro_enclaves_supported: Option<bool>,
    pub instance_storage: Option<InstanceStorage>,
    pub gpus: Vec<Gpu>,
    pub inference_accelerators: Vec<InferenceAccelerator>,
    pub neuron_devices: Vec<NeuronDevice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkCard {
    pub maximum_network_interfaces: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceStorage {
    /// 10⁹ bytes each.
    pub total_size_gb: i64,
    /// `required`, `supported` or `unsupported`.
    pub nvme_support: Name,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    pub name: Name,
    pub manufacturer: Name,
    pub count: i64,
    pub memory_mib: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferenceAccelerator {
    pub name: Name,
    pub manufacturer: Name,
    pub count: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronDevice {
    pub name: Name,
    pub count: i64,
    pub cores: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeOffering {
    pub instance_type: Name,
    pub availability_zone: Name,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    pub subnet_id: Name,
    pub vpc_id: Name,
    pub availability_zone: Name,
    pub availability_zone_id: Name,
    pub available_ip_address_count: i64,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    pub group_id: Name,
    pub group_name: Name,
    pub vpc_id: Name,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub image_id: Name,
    pub name: Name,
    /// `x86_64` or `arm64`; others are of no use to us.
    pub architecture: Name,
    pub owner_id: Name,
    pub creation_date: Timestamp,
    pub deprecation_time: Option<Timestamp>,
    pub tags: Tags,
}

impl Image {
    pub fn is_deprecated(&self, now: Timestamp) -> bool {
        self.deprecation_time.is_some_and(|t| t <= now)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotPrice {
    pub instance_type: Name,
    pub availability_zone: Name,
    pub price: UsdPerHour,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub instance_id: Name,
    pub instance_type: Name,
    pub image_id: Name,
    /// `pending`, `running`, `stopping`, `stopped`, `shutting-down` or `terminated`.
    pub state: Name,
    pub launch_time: Timestamp,
    pub availability_zone: Name,
    pub subnet_id: Name,
    pub security_group_ids: Vec<Name>,
    pub private_dns_name: Name,
    pub private_ip_address: Name,
    /// Present on spot instances.
    pub spot_instance_request_id: Option<Name>,
    /// The reservation that it was launched for (preference `capacity-reservations-only`). An instance that merely fell
    /// into an open one is an on-demand instance and shows none here.
    pub capacity_reservation_id: Option<Name>,
    /// `default` or `dedicated`.
    pub tenancy: Name,
    pub tags: Tags,
}

/// What the status checks and the schedule say of an instance; volumes are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceStatus {
    pub instance_id: Name,
    /// Since when the check of the instance fails.
    pub instance_impaired_since: Option<Timestamp>,
    /// Since when the check of its host fails.
    pub system_impaired_since: Option<Timestamp>,
    /// Codes of scheduled events that are not over.
    pub events: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityReservation {
    pub reservation_id: Name,
    pub instance_type: Name,
    pub availability_zone: Name,
    pub owner_id: Name,
    /// `open` or `targeted`.
    pub instance_match_criteria: Name,
    /// `default` or `capacity-block`.
    pub reservation_type: Name,
    /// Its owner may take instances back.
    pub interruptible: bool,
    /// `active`, `expired`, `cancelled` …
    pub state: Name,
    pub end_date: Option<Timestamp>,
    pub available_instance_count: i64,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchTemplate {
    pub launch_template_id: Name,
    pub launch_template_name: Name,
    pub tags: Tags,
}
