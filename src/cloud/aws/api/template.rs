//! Launch templates (`aws §10`).

use serde::{Deserialize, Serialize};

use super::TagSpecification;
use crate::model::Name;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateLaunchTemplate {
    pub launch_template_name: Name,
    pub data: LaunchTemplateData,
    pub tag_specifications: Vec<TagSpecification>,
}

/// What instances of a template are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplateData {
    pub image_id: Name,
    pub iam_instance_profile_name: Name,
    pub detailed_monitoring: Option<bool>,
    /// Plain text.
    pub user_data: String,
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    pub metadata_options: MetadataOptions,
    pub network_interfaces: Vec<NetworkInterface>,
    /// `default` or `dedicated`.
    pub tenancy: Name,
    /// `none`: on-demand launches never fall into open reservations; `capacity-reservations-only`: from this one.
    pub capacity_reservation_preference: Option<Name>,
    pub capacity_reservation_id: Option<Name>,
    /// `capacity-block` or `interruptible-capacity-reservation`.
    pub market_type: Option<Name>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDeviceMapping {
    pub device_name: Name,
    pub ebs: Option<Ebs>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ebs {
    pub delete_on_termination: Option<bool>,
    pub encrypted: Option<bool>,
    pub iops: Option<i64>,
    pub kms_key_id: Option<Name>,
    pub snapshot_id: Option<Name>,
    pub throughput: Option<i64>,
    pub volume_initialization_rate: Option<i64>,
    /// GiB, rounded up.
    pub volume_size_gib: Option<i64>,
    pub volume_type: Option<Name>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataOptions {
    pub http_endpoint: Name,
    /// Left out in some isolated regions.
    pub http_protocol_ipv6: Option<Name>,
    pub http_put_response_hop_limit: i64,
    pub http_tokens: Name,
    pub instance_metadata_tags: Name,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    pub network_card_index: i64,
    pub device_index: i64,
    /// `interface`, `efa` or `efa-only`; `None` = an ordinary one.
    pub interface_type: Option<Name>,
    pub groups: Vec<Name>,
    pub associate_public_ip_address: Option<bool>,
    pub ipv4_prefix_count: Option<i64>,
}
