//! Instance types and offerings (`scheduling §13.1`).

use serde::{Deserialize, Serialize};

use super::{Name, Requirements, Resources, UsdPerHour};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityType {
    Reserved,
    Spot,
    OnDemand,
}

impl CapacityType {
    /// Launch precedence (`scheduling §13.5`).
    pub const ALL: [Self; 3] = [Self::Reserved, Self::Spot, Self::OnDemand];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Spot => "spot",
            Self::OnDemand => "on-demand",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceType {
    pub name: Name,
    /// A value, a set, or DoesNotExist for every well-known label.
    pub requirements: Requirements,
    pub capacity: Resources,
    /// kube-reserved + system-reserved + eviction threshold.
    pub overhead: Resources,
    pub offerings: Vec<Offering>,
}

impl InstanceType {
    /// capacity − overhead, hugepages taken from memory (`scheduling §13.1`).
    pub fn allocatable(&self) -> Resources {
        let mut out = self.capacity.clone();
        out.sub(&self.overhead);
        let huge: i64 = self
            .capacity
            .extended
            .iter()
            .filter(|(k, _)| k.starts_with("hugepages-"))
            .map(|(_, v)| *v)
            .sum();
        out.memory = if huge > 0 {
            (out.memory - huge).max(0)
        } else {
            out.memory
        };
        out
    }

    /// The first offering of that zone and capacity type, whether available or not (`disruption §3`, price).
    pub fn offering(&self, zone: &str, capacity_type: &str) -> Option<&Offering> {
        self.offerings
            .iter()
            .find(|o| &*o.zone == zone && o.capacity_type.as_str() == capacity_type)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offering {
    pub zone: Name,
    pub capacity_type: CapacityType,
    pub price: UsdPerHour,
    pub available: bool,
    /// Zone, capacity type and everything else the offering pins (zone id, reservation id, tenancy …).
    pub requirements: Requirements,
    /// Free instances of a reservation; 0 for the other capacity types.
    #[serde(default)]
    pub reservation_capacity: i64,
}
