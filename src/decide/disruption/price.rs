//! Prices of options and the filters that keep a replacement cheaper (`disruption §13`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::names;
use crate::model::decision::effect::ExpectedLaunch;
use crate::model::{CapacityType, InstanceType, Name, Offering, Requirement, Requirements, UsdPerHour};

/// Available offerings of a type that meet the requirements.
pub fn offerings<'a>(
    instance_type: &'a InstanceType,
    requirements: &'a Requirements,
) -> impl Iterator<Item = &'a Offering> {
    instance_type
        .offerings
        .iter()
        .filter(|o| o.available && requirements.intersects(&o.requirements).is_ok())
}

/// What a launch may cost at worst: the dearest offering of the first capacity type that has any, in launch order.
pub fn worst_launch(instance_type: &InstanceType, requirements: &Requirements) -> UsdPerHour {
    let mut worst: Option<(usize, UsdPerHour)> = None;
    for offering in offerings(instance_type, requirements) {
        let rank = CapacityType::ALL
            .iter()
            .position(|c| *c == offering.capacity_type)
            .unwrap_or(usize::MAX);
        worst = Some(match worst {
            Some((first, price)) if first < rank => (first, price),
            Some((first, price)) if first == rank => (first, price.max(offering.price)),
            _ => (rank, offering.price),
        });
    }
    worst.map_or(UsdPerHour::MAX, |(_, price)| price)
}

/// Of types in order of their cheapest offering those whose worst launch costs less than `limit`, and the least that
/// any worst launch costs. Types that cannot be among them are not looked at.
pub fn below(
    types: &[Arc<InstanceType>],
    requirements: &Requirements,
    limit: UsdPerHour,
) -> (Vec<Arc<InstanceType>>, Option<UsdPerHour>) {
    let mut kept = Vec::new();
    let mut best: Option<UsdPerHour> = None;
    for instance_type in types {
        let Some(least) = cheapest(instance_type, requirements).map(|o| o.price) else {
            continue;
        };
        if least >= limit && best.is_some_and(|best| least >= best) {
            break;
        }
        let worst = worst_launch(instance_type, requirements);
        best = Some(best.map_or(worst, |best| best.min(worst)));
        if worst < limit {
            kept.push(instance_type.clone());
        }
    }
    (kept, best)
}

/// The cheapest offering that meets the requirements.
pub fn cheapest<'a>(instance_type: &'a InstanceType, requirements: &'a Requirements) -> Option<&'a Offering> {
    offerings(instance_type, requirements).min_by(|a, b| {
        a.price
            .cmp(&b.price)
            .then(a.capacity_type.cmp(&b.capacity_type))
            .then_with(|| a.zone.cmp(&b.zone))
    })
}

/// By cheapest offering, then by name; types without one come last.
pub fn sort(types: &mut [Arc<InstanceType>], requirements: &Requirements) {
    types.sort_by_cached_key(|t| {
        let price = cheapest(t, requirements).map_or(UsdPerHour::MAX, |o| o.price);
        (price, t.name.clone())
    });
}

/// The launch that the options, cheapest first, would give today.
pub fn expected(types: &[Arc<InstanceType>], requirements: &Requirements) -> Option<ExpectedLaunch> {
    types
        .iter()
        .filter_map(|t| cheapest(t, requirements).map(|o| (t, o)))
        .min_by(|a, b| a.1.price.cmp(&b.1.price).then_with(|| a.0.name.cmp(&b.0.name)))
        .map(|(t, o)| ExpectedLaunch {
            instance_type: t.name.clone(),
            zone: o.zone.clone(),
            capacity_type: o.capacity_type,
            price_per_hour: o.price,
            reservation: o.reservation().cloned(),
        })
}

/// Capacity types that the requirements admit.
pub fn admits(requirements: &Requirements, capacity: CapacityType) -> bool {
    requirements
        .get(names::CAPACITY_TYPE)
        .is_none_or(|r| r.has(capacity.as_str()))
}

/// Narrows to one capacity type.
pub fn pin(requirements: &mut Requirements, capacity: CapacityType) {
    requirements.add(Requirement::is_in(names::CAPACITY_TYPE, [capacity.as_str()]));
}

/// How many of the cheapest types every `minValues` needs; `Err` names a key that even all of them do not serve,
/// as (key, wanted, found).
pub fn needed_for_min_values(
    types: &[Arc<InstanceType>],
    requirements: &Requirements,
) -> Result<usize, (Name, u32, usize)> {
    let wanted: Vec<&Requirement> = requirements.iter().filter(|r| r.min_values.is_some()).collect();
    let mut found: BTreeMap<&Name, BTreeSet<Name>> = BTreeMap::new();
    let short = |found: &BTreeMap<&Name, BTreeSet<Name>>| {
        wanted
            .iter()
            .map(|r| {
                let have = found.get(&r.key).map_or(0, BTreeSet::len);
                (r.key.clone(), r.min_values.unwrap_or(0), have)
            })
            .find(|(_, want, have)| usize::try_from(*want).is_ok_and(|want| *have < want))
    };
    for (taken, instance_type) in types.iter().enumerate() {
        if short(&found).is_none() {
            return Ok(taken);
        }
        for requirement in &wanted {
            if let Some(own) = instance_type.requirements.get(&requirement.key) {
                found
                    .entry(&requirement.key)
                    .or_default()
                    .extend(own.values.iter().cloned());
            }
        }
    }
    match short(&found) {
        None => Ok(types.len()),
        Some(missing) => Err(missing),
    }
}
