//! What the cloud said it had no room for: unavailable offerings and, per subnet, the addresses that launches
//! under way will take (`aws §11`, `§12`). Shared by the reading and the writing half.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{CapacityType, Name};

/// How long an offering stays unavailable after the last failure.
pub const MEMORY_OF_FAILURE: Duration = Duration::from_secs(180);

/// What is unavailable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Offering {
        instance_type: Name,
        zone: Name,
        capacity_type: CapacityType,
    },
    /// Everything of a capacity type.
    CapacityType(CapacityType),
    /// Its zone is unavailable once every subnet there is.
    Subnet(Name),
}

#[derive(Debug, Default)]
struct Inner {
    marks: BTreeMap<Mark, Timestamp>,
    revision: u64,
    subnets: BTreeMap<Name, Addresses>,
    reservations: BTreeMap<Name, Left>,
}

/// What a reservation has left.
#[derive(Clone, Copy, Debug)]
struct Left {
    count: i64,
    described: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
struct Addresses {
    described: i64,
    in_flight: Option<i64>,
    /// Counts descriptions, so that an address given back after a fresh one is not counted twice.
    version: u64,
}

/// The memory. All methods take the time of now; nothing here reads a clock.
#[derive(Debug, Default)]
pub struct Stock(Mutex<Inner>);

/// Addresses set aside for a launch; given back with [`Stock::release`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub subnet: Name,
    pods: i64,
    version: u64,
}

impl Stock {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below is complete before the guard drops: a poisoned value is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks as unavailable for [`MEMORY_OF_FAILURE`], anew if it was marked.
    pub fn mark(&self, mark: Mark, now: Timestamp) {
        let until = now.checked_add(MEMORY_OF_FAILURE).unwrap_or(Timestamp::MAX);
        let mut inner = self.lock();
        let fresh = inner.marks.insert(mark, until).is_none_or(|old| old <= now);
        if fresh {
            inner.revision += 1;
        }
    }

    /// Marks one offering.
    pub fn mark_offering(&self, instance_type: &Name, zone: &Name, market: CapacityType, now: Timestamp) {
        self.mark(
            Mark::Offering {
                instance_type: instance_type.clone(),
                zone: zone.clone(),
                capacity_type: market,
            },
            now,
        );
    }

    /// Steps when something is marked and when a mark lapses.
    pub fn revision(&self, now: Timestamp) -> u64 {
        let mut inner = self.lock();
        let before = inner.marks.len();
        inner.marks.retain(|_, until| *until > now);
        if inner.marks.len() != before {
            inner.revision += 1;
        }
        inner.revision
    }

    /// Everything unavailable now, with the end of each mark.
    pub fn marks(&self, now: Timestamp) -> BTreeMap<Mark, Timestamp> {
        let inner = self.lock();
        inner
            .marks
            .iter()
            .filter(|(_, until)| **until > now)
            .map(|(mark, until)| (mark.clone(), *until))
            .collect()
    }

    /// The fresh count of a subnet; forgets what was in flight.
    pub fn described(&self, subnet: &Name, free: i64) {
        let mut inner = self.lock();
        let entry = inner.subnets.entry(subnet.clone()).or_default();
        entry.described = free;
        entry.in_flight = None;
        entry.version += 1;
    }

    /// Free addresses as far as known, launches under way taken off.
    pub fn free(&self, subnet: &str) -> Option<i64> {
        let inner = self.lock();
        inner
            .subnets
            .get(subnet)
            .map(|a| a.in_flight.unwrap_or(a.described))
    }

    /// Sets addresses aside for `pods` pods.
    pub fn hold(&self, subnet: &Name, pods: i64) -> Hold {
        let mut inner = self.lock();
        let entry = inner.subnets.entry(subnet.clone()).or_default();
        entry.in_flight = Some(entry.in_flight.unwrap_or(entry.described) - pods);
        Hold {
            subnet: subnet.clone(),
            pods,
            version: entry.version,
        }
    }

    /// Gives addresses back, unless the subnet was described since.
    pub fn release(&self, hold: &Hold) {
        let mut inner = self.lock();
        if let Some(entry) = inner.subnets.get_mut(&hold.subnet)
            && entry.version == hold.version
            && let Some(free) = &mut entry.in_flight
        {
            *free += hold.pods;
        }
    }

    /// The fresh count of a reservation.
    pub fn reservation_described(&self, id: &Name, count: i64, now: Timestamp) {
        let mut inner = self.lock();
        let described = Left {
            count,
            described: now,
        };
        let old = inner.reservations.insert(id.clone(), described);
        if old.is_none_or(|old| old.count != count) {
            inner.revision += 1;
        }
    }

    /// An instance was taken from a reservation at `launched`; a count described later knows of it.
    pub fn reservation_used(&self, id: &Name, launched: Timestamp) {
        let mut inner = self.lock();
        if let Some(left) = inner.reservations.get_mut(id)
            && left.described <= launched
            && left.count > 0
        {
            left.count -= 1;
            inner.revision += 1;
        }
    }

    /// EC2 says that nothing is left of it.
    pub fn reservation_exhausted(&self, id: &Name, now: Timestamp) {
        self.reservation_described(id, 0, now);
    }

    /// EC2 says that the subnet is full.
    pub fn exhausted(&self, subnet: &Name, now: Timestamp) {
        self.mark(Mark::Subnet(subnet.clone()), now);
        let mut inner = self.lock();
        let entry = inner.subnets.entry(subnet.clone()).or_default();
        entry.described = 0;
        entry.in_flight = None;
        entry.version += 1;
    }
}

/// Marks of one moment, for asking often, and what reservations have left.
#[derive(Clone, Debug, Default)]
pub struct Unavailable(BTreeMap<Mark, Timestamp>, BTreeMap<Name, i64>);

impl Unavailable {
    pub fn at(stock: &Stock, now: Timestamp) -> Self {
        let left = stock
            .lock()
            .reservations
            .iter()
            .map(|(id, left)| (id.clone(), left.count))
            .collect();
        Self(stock.marks(now), left)
    }

    /// Instances that a reservation has left; `None` while nobody asked.
    pub fn reserved(&self, id: &str) -> Option<i64> {
        self.1.get(id).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has_subnet(&self, subnet: &Name) -> bool {
        !self.0.is_empty() && self.0.contains_key(&Mark::Subnet(subnet.clone()))
    }

    /// An offering is out when it, its capacity type, or every subnet of its zone is marked.
    pub fn has(&self, instance_type: &Name, zone: &Name, market: CapacityType, subnets: &[Name]) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let offering = Mark::Offering {
            instance_type: instance_type.clone(),
            zone: zone.clone(),
            capacity_type: market,
        };
        self.0.contains_key(&offering)
            || self.0.contains_key(&Mark::CapacityType(market))
            || (!subnets.is_empty()
                && subnets
                    .iter()
                    .all(|s| self.0.contains_key(&Mark::Subnet(s.clone()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + second).expect("time")
    }

    fn has(stock: &Stock, second: i64) -> bool {
        let subnets = ["s-1".into(), "s-2".into()];
        Unavailable::at(stock, at(second)).has(
            &"m5.large".into(),
            &"us-east-1a".into(),
            CapacityType::Spot,
            &subnets,
        )
    }

    /// `aws §26` case 73.
    #[test]
    fn case_73_a_failure_is_forgotten_after_three_minutes() {
        let stock = Stock::default();
        let before = stock.revision(at(0));
        stock.mark_offering(
            &"m5.large".into(),
            &"us-east-1a".into(),
            CapacityType::Spot,
            at(0),
        );
        let marked = stock.revision(at(0));
        assert!(marked > before);
        assert!(has(&stock, 179));
        assert_eq!(stock.revision(at(179)), marked, "nothing changed in between");
        assert!(!has(&stock, 180));
        assert!(stock.revision(at(180)) > marked, "the end of a mark is a change");
    }

    #[test]
    fn a_renewed_failure_counts_from_the_last_one() {
        let stock = Stock::default();
        let mark = |t| {
            stock.mark_offering(
                &"m5.large".into(),
                &"us-east-1a".into(),
                CapacityType::Spot,
                at(t),
            );
        };
        mark(0);
        mark(100);
        assert!(has(&stock, 200));
        assert!(!has(&stock, 280));
    }

    /// `aws §26` case 74, the memory's part.
    #[test]
    fn case_74_a_whole_capacity_type_can_be_out() {
        let stock = Stock::default();
        stock.mark(Mark::CapacityType(CapacityType::OnDemand), at(0));
        assert!(!has(&stock, 0));
        stock.mark(Mark::CapacityType(CapacityType::Spot), at(0));
        assert!(has(&stock, 0));
    }

    /// `aws §26` case 70, second half.
    #[test]
    fn case_70_a_zone_is_out_once_all_its_subnets_are() {
        let stock = Stock::default();
        stock.exhausted(&"s-1".into(), at(0));
        assert!(!has(&stock, 0));
        assert_eq!(stock.free("s-1"), Some(0));
        stock.exhausted(&"s-2".into(), at(0));
        assert!(has(&stock, 0));
    }

    #[test]
    fn addresses_come_back_unless_counted_anew() {
        let stock = Stock::default();
        let subnet: Name = "s-1".into();
        stock.described(&subnet, 100);
        let hold = stock.hold(&subnet, 29);
        assert_eq!(stock.free("s-1"), Some(71));
        stock.release(&hold);
        assert_eq!(stock.free("s-1"), Some(100));
        let hold = stock.hold(&subnet, 29);
        stock.described(&subnet, 80);
        stock.release(&hold);
        assert_eq!(stock.free("s-1"), Some(80));
    }
}
