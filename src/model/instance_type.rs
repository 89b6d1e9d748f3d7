//! Instance types and offerings (`scheduling §13.1`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Name, Requirements, Resources, UsdPerHour};
use crate::api::names;

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

    /// One row an allocatable group (`scheduling §13.1`): offerings that make the same machine of it, those without
    /// overrides first. `None` when there is but one.
    pub fn split(&self) -> Option<Vec<Self>> {
        let mut groups: BTreeMap<Option<Arc<Overrides>>, Vec<Offering>> = BTreeMap::new();
        for offering in &self.offerings {
            groups
                .entry(offering.overrides.clone())
                .or_default()
                .push(offering.clone());
        }
        if groups.keys().all(Option::is_none) {
            return None;
        }
        let rows = groups.into_iter().map(|(overrides, offerings)| {
            let mut row = Self {
                offerings,
                ..self.clone()
            };
            for (key, value) in overrides.iter().flat_map(|o| &o.capacity) {
                row.capacity.set(key, *value);
            }
            for (key, value) in overrides.iter().flat_map(|o| &o.overhead) {
                row.overhead.set(key, *value);
            }
            row
        });
        Some(rows.collect())
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
    /// How machines of this offering differ from the type's others; `None`: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Arc<Overrides>>,
}

/// Entries that replace those of the type (`scheduling §13.1`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Overrides {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity: BTreeMap<Name, i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overhead: BTreeMap<Name, i64>,
}

impl Offering {
    /// The reservation that it takes its instances from.
    pub fn reservation(&self) -> Option<&Name> {
        self.requirements
            .get(names::RESERVATION_ID)
            .and_then(|r| r.values.first())
            .filter(|_| self.capacity_type == CapacityType::Reserved)
    }
}
