//! CreateFleet and tags.

use jiff::Timestamp;

use crate::model::{Labels, Name, UsdPerHour};

/// Tags of a resource.
pub type Tags = Labels;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSpecification {
    /// `instance`, `volume`, `fleet`, `launch-template`, `network-interface`, `spot-instances-request`.
    pub resource_type: Name,
    pub tags: Tags,
}

/// A fleet of type `instant` (`aws §9.4`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateFleet {
    /// Makes the call exactly-once.
    pub client_token: Name,
    pub total_target_capacity: u32,
    /// `on-demand`, `spot`, `capacity-block` or `reserved-capacity`.
    pub default_target_capacity_type: Name,
    pub spot_allocation_strategy: Option<Name>,
    pub on_demand_allocation_strategy: Option<Name>,
    /// `interruptible-capacity-reservation`, where the target is `reserved-capacity`.
    pub reservation_types: Vec<Name>,
    pub context: Option<Name>,
    pub launch_template_configs: Vec<FleetConfig>,
    pub tag_specifications: Vec<TagSpecification>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetConfig {
    /// By name, version `$Latest`.
    pub launch_template_name: Name,
    pub overrides: Vec<FleetOverride>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetOverride {
    pub instance_type: Name,
    pub subnet_id: Name,
    pub availability_zone: Name,
    pub image_id: Name,
    /// The offering's price; smaller is wanted more.
    pub priority: UsdPerHour,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetResult {
    pub fleet_id: Name,
    pub instances: Vec<FleetInstance>,
    pub errors: Vec<FleetError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetInstance {
    pub instance_ids: Vec<Name>,
    /// `spot` or `on-demand`.
    pub lifecycle: Name,
    pub chosen: FleetOverride,
    pub launched: Timestamp,
}

/// One pool that gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetError {
    pub error_code: Name,
    pub error_message: String,
    pub lifecycle: Name,
    /// The override tried; `None` for an error of the whole fleet.
    pub tried: Option<FleetOverride>,
}
