//! From a catalogue to the types that a launch may use (`aws §9.2`): each filter says what it dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::reserved;
use crate::api::names;
use crate::cloud::stock::Unavailable;
use crate::model::{CapacityType, Catalogue, Claim, InstanceType, Name, Offering, Requirements, UsdPerHour};

/// Types that a fleet request carries at most.
pub const MOST_TYPES: usize = 60;

/// A type with those of its offerings that are still in.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub instance_type: Arc<InstanceType>,
    /// Indexes into the type's offerings, ascending.
    offerings: Vec<usize>,
}

impl Candidate {
    pub fn offerings(&self) -> impl Iterator<Item = &Offering> {
        self.offerings
            .iter()
            .filter_map(|i| self.instance_type.offerings.get(*i))
    }

    /// Of the cheapest offering still in.
    pub fn price(&self) -> UsdPerHour {
        self.offerings().map(|o| o.price).min().unwrap_or(UsdPerHour::MAX)
    }

    pub(super) fn keep(&mut self, wanted: impl Fn(&Offering) -> bool) {
        let offerings = &self.instance_type.offerings;
        self.offerings.retain(|i| offerings.get(*i).is_some_and(&wanted));
    }

    fn has(&self, wanted: impl Fn(&Offering) -> bool) -> bool {
        self.offerings().any(wanted)
    }

    fn size(&self) -> &str {
        let name = &self.instance_type.name;
        name.split_once('.').map_or("", |(_, size)| size)
    }
}

/// The filters, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// Labels, resources, and an available offering that fits the claim.
    CompatibleAvailable,
    /// Not in a reservation of the kind that is cheapest.
    ReservationType,
    /// Not the one capacity block that a fleet may take.
    CapacityBlock,
    /// Its reservations have less left than another of the same type and zone.
    ReservedOffering,
    /// Metal, GPUs and accelerators, unless nothing else is left.
    Exotic,
    /// Spot dearer than the cheapest on-demand.
    SpotOffering,
    /// Beyond the cheapest 60.
    Cut,
}

impl Filter {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CompatibleAvailable => "compatible-available",
            Self::ReservationType => "capacity-reservation-type",
            Self::CapacityBlock => "capacity-block",
            Self::ReservedOffering => "reserved-offering",
            Self::Exotic => "exotic",
            Self::SpotOffering => "spot-offering",
            Self::Cut => "cut",
        }
    }
}

/// A type that a filter dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub instance_type: Name,
    pub filter: Filter,
}

/// What is left, cheapest first, and what went where.
#[derive(Clone, Debug, Default)]
pub struct Filtered {
    pub kept: Vec<Candidate>,
    pub rejected: Vec<Rejected>,
}

/// Why nothing can be launched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingLeft {
    #[error(
        "none of {of} instance types meets the claim's requirements and {requests} with an available offering"
    )]
    CompatibleAvailable { of: usize, requests: String },
    #[error("minValues {wanted} of {key} cannot be met: the {types} cheapest instance types have {have}")]
    MinValues {
        key: Name,
        wanted: u32,
        have: usize,
        types: usize,
    },
}

/// Runs all filters. Availability is judged by `unavailable` too: the catalogue may be minutes old.
///
/// # Errors
/// When nothing is left: insufficient capacity.
pub fn run(
    catalogue: &Catalogue,
    claim: &Claim,
    unavailable: &Unavailable,
    best_effort: bool,
) -> Result<Filtered, NothingLeft> {
    let mut out = Filtered::default();
    let wants_min = claim.requirements.iter().any(|r| r.min_values.is_some());
    compatible_available(catalogue, claim, unavailable, &mut out);
    if out.kept.is_empty() {
        return Err(NothingLeft::CompatibleAvailable {
            of: catalogue.len(),
            requests: claim.requests.to_string(),
        });
    }
    reserved::run(&claim.requirements, &mut out);
    if !wants_min {
        exotic(&mut out);
        spot_offering(&claim.requirements, &mut out);
    }
    out.kept
        .sort_by(|a, b| (a.price(), &a.instance_type.name).cmp(&(b.price(), &b.instance_type.name)));
    let cut = out.kept.split_off(out.kept.len().min(MOST_TYPES));
    drop_all(&mut out.rejected, cut, Filter::Cut);
    if !best_effort {
        min_values(&claim.requirements, &out.kept)?;
    }
    Ok(out)
}

pub(super) fn drop_all(rejected: &mut Vec<Rejected>, dropped: Vec<Candidate>, filter: Filter) {
    rejected.extend(dropped.into_iter().map(|c| Rejected {
        instance_type: c.instance_type.name.clone(),
        filter,
    }));
}

/// Filter 1.
fn compatible_available(catalogue: &Catalogue, claim: &Claim, unavailable: &Unavailable, out: &mut Filtered) {
    // Nearly every claim names its types: the others need no look at their labels.
    let named = claim.requirements.get(names::INSTANCE_TYPE);
    for instance_type in catalogue.types() {
        let fits = named.is_none_or(|r| r.has(&instance_type.name))
            && instance_type.requirements.intersects(&claim.requirements).is_ok()
            && claim.requests.fits(&instance_type.allocatable());
        let offerings: Vec<usize> = instance_type
            .offerings
            .iter()
            .enumerate()
            .filter(|(_, o)| fits && o.available)
            .filter(|(_, o)| !unavailable.has(&instance_type.name, &o.zone, o.capacity_type, &[]))
            .filter(|(_, o)| {
                o.reservation()
                    .is_none_or(|id| unavailable.reserved(id).unwrap_or(o.reservation_capacity) > 0)
            })
            .filter(|(_, o)| {
                claim
                    .requirements
                    .compatible(&o.requirements, names::is_well_known)
                    .is_ok()
            })
            .map(|(i, _)| i)
            .collect();
        if offerings.is_empty() {
            out.rejected.push(Rejected {
                instance_type: instance_type.name.clone(),
                filter: Filter::CompatibleAvailable,
            });
        } else {
            out.kept.push(Candidate {
                instance_type: instance_type.clone(),
                offerings,
            });
        }
    }
}

fn is_exotic(candidate: &Candidate) -> bool {
    candidate.size().contains("metal")
        || [
            "aws.amazon.com/neuron",
            "aws.amazon.com/neuroncore",
            "amd.com/gpu",
            "nvidia.com/gpu",
            "habana.ai/gaudi",
        ]
        .iter()
        .any(|key| candidate.instance_type.capacity.get(key) != 0)
}

/// Filter 5.
fn exotic(out: &mut Filtered) {
    if out.kept.iter().all(is_exotic) {
        return;
    }
    let (dropped, kept) = std::mem::take(&mut out.kept).into_iter().partition(is_exotic);
    out.kept = kept;
    drop_all(&mut out.rejected, dropped, Filter::Exotic);
}

pub(super) fn allows(requirements: &Requirements, market: CapacityType) -> bool {
    requirements
        .get(names::CAPACITY_TYPE)
        .is_none_or(|r| r.has(market.as_str()))
}

/// Filter 6: only where both markets are allowed and offered.
fn spot_offering(requirements: &Requirements, out: &mut Filtered) {
    let spot = |o: &Offering| o.capacity_type == CapacityType::Spot;
    if !allows(requirements, CapacityType::Spot) || !allows(requirements, CapacityType::OnDemand) {
        return;
    }
    let cheapest = out
        .kept
        .iter()
        .flat_map(Candidate::offerings)
        .filter(|o| o.capacity_type == CapacityType::OnDemand)
        .map(|o| o.price)
        .min();
    let Some(cheapest) = cheapest.filter(|_| out.kept.iter().any(|c| c.has(spot))) else {
        return;
    };
    let mut kept = Vec::with_capacity(out.kept.len());
    let mut dropped = Vec::new();
    for mut candidate in std::mem::take(&mut out.kept) {
        candidate.keep(|o| !spot(o) || o.price <= cheapest);
        if candidate.offerings.is_empty() {
            dropped.push(candidate);
        } else {
            kept.push(candidate);
        }
    }
    out.kept = kept;
    drop_all(&mut out.rejected, dropped, Filter::SpotOffering);
}

/// The types left must still have as many values as the claim asks for (`scheduling §14`).
fn min_values(requirements: &Requirements, kept: &[Candidate]) -> Result<(), NothingLeft> {
    for requirement in requirements.iter() {
        let Some(wanted) = requirement.min_values else {
            continue;
        };
        let values: BTreeSet<&Name> = kept
            .iter()
            .filter_map(|c| c.instance_type.requirements.get(&requirement.key))
            .flat_map(|r| &r.values)
            .collect();
        if values.len() < wanted as usize {
            return Err(NothingLeft::MinValues {
                key: requirement.key.clone(),
                wanted,
                have: values.len(),
                types: kept.len(),
            });
        }
    }
    Ok(())
}

/// `aws §9.3`: reserved, else spot, else on-demand, by what is allowed and offered.
pub fn capacity_type(requirements: &Requirements, kept: &[Candidate]) -> CapacityType {
    CapacityType::ALL
        .into_iter()
        .find(|market| {
            allows(requirements, *market) && kept.iter().any(|c| c.has(|o| o.capacity_type == *market))
        })
        .unwrap_or(CapacityType::OnDemand)
}

/// `aws §9.3`: default if allowed, else dedicated, else default.
pub fn tenancy(requirements: &Requirements) -> &'static str {
    let allows = |value| {
        requirements
            .get(names::INSTANCE_TENANCY)
            .is_none_or(|r| r.has(value))
    };
    if !allows("default") && allows("dedicated") {
        "dedicated"
    } else {
        "default"
    }
}

/// How many types each filter dropped, for the record of a launch.
pub fn counts(rejected: &[Rejected]) -> BTreeMap<Filter, usize> {
    let mut out = BTreeMap::new();
    for entry in rejected {
        *out.entry(entry.filter).or_default() += 1;
    }
    out
}

#[cfg(test)]
#[path = "filters_tests.rs"]
mod tests;
