//! The filters that look at capacity reservations (`aws §9.2`, 2 to 4), for claims that may be reserved.

use std::collections::BTreeMap;

use super::filters::{Candidate, Filter, Filtered, allows, drop_all};
use crate::api::names;
use crate::model::{CapacityType, Name, Offering, Requirements};

/// What a reservation is like; on equal prices the first is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Default,
    /// Bought for a time; a fleet takes a single one.
    Block,
    /// Its owner may take instances back.
    Interruptible,
}

impl Kind {
    /// `None` for offerings that are not reserved.
    pub fn of(offering: &Offering) -> Option<Self> {
        let says = |key: &str, value: &str| {
            offering
                .requirements
                .get(key)
                .is_some_and(|r| r.values.iter().any(|v| &**v == value))
        };
        (offering.capacity_type == CapacityType::Reserved).then(|| {
            if says(names::RESERVATION_TYPE, "capacity-block") {
                Self::Block
            } else if says(names::RESERVATION_INTERRUPTIBLE, "true") {
                Self::Interruptible
            } else {
                Self::Default
            }
        })
    }
}

/// Filters 2, 3 and 4. Nothing reserved within reach: nothing changes.
pub(super) fn run(requirements: &Requirements, out: &mut Filtered) {
    if !allows(requirements, CapacityType::Reserved) {
        return;
    }
    let cheapest = out
        .kept
        .iter()
        .flat_map(Candidate::offerings)
        .filter_map(|o| Kind::of(o).map(|kind| (o.price, kind)))
        .min();
    let Some((_, kind)) = cheapest else { return };
    narrow(out, Filter::ReservationType, |_, o| Kind::of(o) == Some(kind));
    if kind == Kind::Block {
        let one = out
            .kept
            .iter()
            .flat_map(|c| {
                c.offerings()
                    .map(|o| (o.price, c.instance_type.name.clone(), id(o)))
            })
            .min();
        if let Some((_, name, reservation)) = one {
            narrow(out, Filter::CapacityBlock, |c, o| {
                c.instance_type.name == name && id(o) == reservation
            });
        }
    }
    // The fullest reservation of each type and zone.
    let mut fullest: BTreeMap<(Name, Name), (i64, Name)> = BTreeMap::new();
    for candidate in &out.kept {
        for offering in candidate.offerings() {
            let (free, mine) = (offering.reservation_capacity, id(offering));
            let best = fullest
                .entry((candidate.instance_type.name.clone(), offering.zone.clone()))
                .or_insert_with(|| (free, mine.clone()));
            if free > best.0 || (free == best.0 && mine < best.1) {
                *best = (free, mine);
            }
        }
    }
    narrow(out, Filter::ReservedOffering, |c, o| {
        fullest
            .get(&(c.instance_type.name.clone(), o.zone.clone()))
            .is_some_and(|(_, best)| *best == id(o))
    });
}

fn id(offering: &Offering) -> Name {
    offering.reservation().cloned().unwrap_or_default()
}

/// Keeps the offerings that are wanted, and the types that still have some; unchanged when none would be left.
fn narrow(out: &mut Filtered, filter: Filter, wanted: impl Fn(&Candidate, &Offering) -> bool) {
    let any = |c: &Candidate| c.offerings().any(|o| wanted(c, o));
    if !out.kept.iter().any(any) {
        return;
    }
    let (kept, dropped): (Vec<_>, Vec<_>) = std::mem::take(&mut out.kept).into_iter().partition(any);
    out.kept = kept;
    for candidate in &mut out.kept {
        let whole = candidate.clone();
        candidate.keep(|o| wanted(&whole, o));
    }
    drop_all(&mut out.rejected, dropped, filter);
}

/// What a reserved machine is called beside its own price (`aws §13`): its labels.
pub fn labels(offering: &Offering) -> impl Iterator<Item = (Name, Name)> + '_ {
    [
        names::RESERVATION_ID,
        names::RESERVATION_TYPE,
        names::RESERVATION_INTERRUPTIBLE,
    ]
    .into_iter()
    .filter(|_| offering.capacity_type == CapacityType::Reserved)
    .filter_map(|key| {
        let value = offering.requirements.get(key)?.values.first()?;
        Some((key.into(), value.clone()))
    })
}

#[cfg(test)]
#[path = "reserved_tests.rs"]
mod tests;
