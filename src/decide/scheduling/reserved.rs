//! Rationing reserved capacity (`scheduling §20`): every claim of a plan sets one instance aside in each reservation that
//! it may still use, so that two claims never count on the same one.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use crate::api::names;
use crate::model::index::{Index, OfferingGroup};
use crate::model::{CapacityType, Name};

/// Free instances by reservation id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rations(BTreeMap<Name, i64>);

/// Reserved offerings within a claim's reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Some offering suits, whether anything of it is left or not.
    pub any: bool,
    /// Reservations in which an instance can be set aside, or is already.
    pub ids: BTreeSet<Name>,
}

/// The reservation of an offering group; `None` for other capacity types.
pub fn id_of(group: &OfferingGroup) -> Option<Name> {
    (group.capacity_type == CapacityType::Reserved).then(|| {
        group
            .requirements
            .get(names::RESERVATION_ID)
            .and_then(|r| r.values.first().cloned())
            .unwrap_or_default()
    })
}

impl Rations {
    /// What is free at the start: the least that any pool reports of a reservation. `None` when nothing is reserved.
    pub fn new<'a>(indexes: impl Iterator<Item = &'a Index>) -> Option<Self> {
        let mut out = Self::default();
        for group in indexes.flat_map(|i| &i.groups) {
            let Some(id) = id_of(group) else { continue };
            for free in group.reservation.values() {
                let least = out.0.entry(id.clone()).or_insert(*free);
                *least = (*least).min(*free);
            }
        }
        (!out.0.is_empty()).then_some(out)
    }

    /// What a claim of `types` may use, `groups` being the offerings that suit it and `held` what it has.
    pub fn reach(
        &self,
        index: &Index,
        groups: &FixedBitSet,
        types: &FixedBitSet,
        held: &BTreeSet<Name>,
    ) -> Reach {
        let mut out = Reach::default();
        for group in groups.ones().filter_map(|g| index.groups.get(g)) {
            let Some(id) = id_of(group) else { continue };
            if group.available.is_disjoint(types) {
                continue;
            }
            out.any = true;
            if held.contains(&id) || self.0.get(&id).is_some_and(|free| *free > 0) {
                out.ids.insert(id);
            }
        }
        out
    }

    /// Replaces what a claim holds.
    pub fn hold(&mut self, held: &mut BTreeSet<Name>, now: BTreeSet<Name>) {
        for id in now.difference(held) {
            if let Some(free) = self.0.get_mut(id) {
                *free -= 1;
            }
        }
        for id in held.difference(&now) {
            if let Some(free) = self.0.get_mut(id) {
                *free += 1;
            }
        }
        *held = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[&str]) -> BTreeSet<Name> {
        ids.iter().map(|i| Name::from(*i)).collect()
    }

    #[test]
    fn item_68_what_is_held_is_given_back_when_it_no_longer_suits() {
        let mut left = Rations([("a".into(), 1), ("b".into(), 2)].into());
        let mut held = BTreeSet::new();
        left.hold(&mut held, set(&["a", "b"]));
        assert_eq!(left.0, [("a".into(), 0), ("b".into(), 1)].into());
        left.hold(&mut held, set(&["b"]));
        assert_eq!(left.0, [("a".into(), 1), ("b".into(), 1)].into());
        assert_eq!(held, set(&["b"]));
    }
}
