//! Instance types of a class: raw facts into [`InstanceType`] rows, and rows plus prices and stock into a
//! catalogue (`aws §5` to `§7`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::api::{InstanceTypeInfo, TypeOffering};
use super::capacity::{self, Shape};
use super::family::Family;
use super::images;
use super::labels::{self, Around};
use super::pricing::Prices;
use super::reservations;
use super::settings::Settings;
use crate::api::names;
use crate::cloud::port::CloudError;
use crate::cloud::stock::Unavailable;
use crate::facts;
use crate::model::node_class::{ResolvedClass, ResolvedReservation};
use crate::model::{
    CapacityType, Catalogue, InstanceType, Name, NodeClass, Offering, Requirement, Requirements, UsdPerHour,
};

/// What DescribeInstanceTypes and DescribeInstanceTypeOfferings said.
#[derive(Debug)]
pub struct Raw {
    pub types: Vec<InstanceTypeInfo>,
    /// Type → zones that offer it, in name order.
    pub zones: BTreeMap<Name, Vec<Name>>,
}

impl Raw {
    pub fn new(types: Vec<InstanceTypeInfo>, offerings: Vec<TypeOffering>) -> Self {
        let mut zones: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
        for offering in offerings {
            zones
                .entry(offering.instance_type)
                .or_default()
                .push(offering.availability_zone);
        }
        for of in zones.values_mut() {
            of.sort();
            of.dedup();
        }
        Self { types, zones }
    }
}

/// A type without its offerings, and where it is sold.
#[derive(Debug)]
pub struct Row {
    base: InstanceType,
    zones: Vec<Name>,
    markets: Vec<CapacityType>,
    /// Reservations of the type, by id, with the requirements of their offerings.
    reservations: Vec<(ResolvedReservation, Requirements)>,
    /// Whether a node of the class can be such a machine at all.
    compatible: bool,
}

/// What one offering is like at this moment.
struct Terms<'a> {
    zone: &'a Name,
    market: CapacityType,
    price: UsdPerHour,
    available: bool,
    /// Instances that the reservation has left.
    free: i64,
    /// Requirements of a reservation's offering.
    pin: Option<&'a Requirements>,
}

/// All rows of a class, and the offering templates of its zones.
#[derive(Debug)]
pub struct Rows {
    list: Vec<Row>,
    /// (zone, capacity type) → requirements of such an offering.
    pins: BTreeMap<(Name, CapacityType), Requirements>,
    /// Zone → subnets of the class there.
    subnets: BTreeMap<Name, Vec<Name>>,
}

/// Resolves every type for a class; one that fails fails all (`aws §5.2`).
pub fn rows(
    raw: &Raw,
    class: &NodeClass,
    resolved: &ResolvedClass,
    settings: &Settings,
) -> Result<Rows, CloudError> {
    let unreadable = |error: crate::model::resources::BadQuantity| CloudError::Launch {
        reason: "InstanceTypeResolutionFailed".into(),
        message: format!("EC2NodeClass {}: {error}", class.name),
    };
    let shape = Shape::of(&class.spec, settings).map_err(unreadable)?;
    let mut subnets: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    let mut zone_ids: BTreeMap<Name, Name> = BTreeMap::new();
    for subnet in &resolved.subnets {
        subnets
            .entry(subnet.zone.clone())
            .or_default()
            .push(subnet.id.clone());
        zone_ids.insert(subnet.zone.clone(), subnet.zone_id.clone());
    }
    let blank = labels::blank();
    let windows_build = images::windows(class.spec.family()).map(|(_, build)| build);
    let mut out = Vec::with_capacity(raw.types.len());
    for info in &raw.types {
        let zones = raw.zones.get(&info.instance_type).cloned().unwrap_or_default();
        let usable: Vec<(Name, Name)> = zones
            .iter()
            .filter_map(|z| zone_ids.get(z).map(|id| (z.clone(), id.clone())))
            .collect();
        let facts = facts::get().find(&info.instance_type);
        let around = Around {
            region: &settings.region,
            zones: &usable,
            network_mbps: facts.and_then(|f| f.net_label_mbps),
            windows_build,
        };
        let branches = facts.and_then(|f| f.branch_eni).unwrap_or(0);
        let capacity = capacity::capacity(info, &shape, branches);
        let overhead = capacity::overhead(info, &shape, &capacity).map_err(unreadable)?;
        let reserved: Vec<ResolvedReservation> = resolved
            .reservations
            .iter()
            .filter(|r| r.instance_type == info.instance_type)
            .cloned()
            .collect();
        let mut requirements = labels::requirements(&blank, info, &around);
        reservations::widen(&mut requirements, &reserved);
        out.push(Row {
            base: InstanceType {
                name: info.instance_type.clone(),
                requirements,
                capacity,
                overhead,
                offerings: Vec::new(),
            },
            zones,
            markets: [CapacityType::OnDemand, CapacityType::Spot]
                .into_iter()
                .filter(|m| info.supported_usage_classes.iter().any(|u| **u == *m.as_str()))
                .collect(),
            reservations: reserved
                .into_iter()
                .map(|r| {
                    let pin = reservations::pin(&r, zone_ids.get(&r.zone));
                    (r, pin)
                })
                .collect(),
            compatible: fits_class(info, class, shape.family),
        });
    }
    let pins = raw
        .zones
        .values()
        .flatten()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .flat_map(|zone| {
            [CapacityType::OnDemand, CapacityType::Spot]
                .map(|market| ((zone.clone(), market), pin(zone, zone_ids.get(zone), market)))
        })
        .collect();
    Ok(Rows {
        list: out,
        pins,
        subnets,
    })
}

/// `aws §5`: what a class cannot use whatever the claim asks.
fn fits_class(info: &InstanceTypeInfo, class: &NodeClass, family: Family) -> bool {
    let a1_on_al2023 = family == Family::Al2023 && info.instance_type.starts_with("a1.");
    let interfaces_fit = class.spec.network_interfaces.iter().all(|wanted| {
        usize::try_from(wanted.network_card_index)
            .ok()
            .and_then(|card| info.network_cards.get(card))
            .is_some_and(|card| i64::from(wanted.device_index) < card.maximum_network_interfaces)
    });
    let tracked = class.spec.connection_tracking.is_none()
        || info.bare_metal
        || info.hypervisor.as_deref() == Some("nitro");
    !a1_on_al2023 && interfaces_fit && tracked
}

/// Zone, zone id, capacity type, and no reservation.
fn pin(zone: &Name, zone_id: Option<&Name>, market: CapacityType) -> Requirements {
    let none = |key: &str| Requirement::is_in::<Name>(key, []);
    [
        Requirement::is_in(names::ZONE, [zone.clone()]),
        Requirement::is_in(names::CAPACITY_TYPE, [market.as_str()]),
        none(names::RESERVATION_ID),
        none(names::RESERVATION_TYPE),
        none(names::RESERVATION_INTERRUPTIBLE),
    ]
    .into_iter()
    .chain(zone_id.map(|id| Requirement::is_in(names::ZONE_ID, [id.clone()])))
    .collect()
}

impl Rows {
    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Rows with their offerings of this moment. Types of `previous` whose offerings are the same are shared.
    pub fn catalogue(
        &self,
        prices: &Prices,
        unavailable: &Unavailable,
        previous: Option<&Catalogue>,
    ) -> Catalogue {
        Catalogue::new(self.list.iter().map(|row| {
            let held = previous.and_then(|c| c.get(&row.base.name));
            let terms = self.terms(row, prices, unavailable);
            if let Some(held) = held
                && held.offerings.len() == terms.len()
                && held.offerings.iter().zip(&terms).all(|(o, t)| {
                    o.price == t.price && o.available == t.available && o.reservation_capacity == t.free
                })
            {
                return held.clone();
            }
            let mut row = row.base.clone();
            row.offerings = terms
                .into_iter()
                .map(|t| Offering {
                    requirements: t
                        .pin
                        .or_else(|| self.pins.get(&(t.zone.clone(), t.market)))
                        .cloned()
                        .unwrap_or_default(),
                    zone: t.zone.clone(),
                    capacity_type: t.market,
                    price: t.price,
                    available: t.available,
                    reservation_capacity: t.free,
                    overrides: None,
                })
                .collect();
            Arc::new(row)
        }))
    }

    /// The offerings of a row (`aws §7`). A type without a price keeps them, unavailable; a reservation of such a type
    /// costs nothing, and is there.
    fn terms<'a>(&'a self, row: &'a Row, prices: &Prices, unavailable: &Unavailable) -> Vec<Terms<'a>> {
        let mut out = Vec::with_capacity(row.zones.len() * row.markets.len() + row.reservations.len());
        for zone in &row.zones {
            let subnets = self.subnets.get(zone);
            for market in &row.markets {
                let price = prices.of(&row.base.name, zone, *market);
                let available = row.compatible
                    && price.is_some()
                    && subnets.is_some_and(|s| !unavailable.has(&row.base.name, zone, *market, s));
                out.push(Terms {
                    zone,
                    market: *market,
                    price: price.unwrap_or_default(),
                    available,
                    free: 0,
                    pin: None,
                });
            }
        }
        for (reservation, pin) in &row.reservations {
            let free = unavailable.reserved(&reservation.id).unwrap_or(0);
            let on_demand = prices.on_demand(&row.base.name).unwrap_or_default();
            let sold_here =
                row.zones.contains(&reservation.zone) && self.subnets.contains_key(&reservation.zone);
            out.push(Terms {
                zone: &reservation.zone,
                market: CapacityType::Reserved,
                price: on_demand.reserved(),
                available: row.compatible && free > 0 && sold_here && !reservation.expiring,
                free,
                pin: Some(pin),
            });
        }
        out
    }
}

#[cfg(test)]
#[path = "types_tests.rs"]
mod tests;
