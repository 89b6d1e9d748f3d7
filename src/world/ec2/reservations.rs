//! Capacity reservations: instances set aside, and what of them is in use.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::account::{Ec2, State};
use super::query::{matches, tag_values};
use crate::cloud::aws::api::{CapacityReservation, Ec2Error, Filter};
use crate::model::Name;

/// Reservations by id; their count is of all instances, used or not.
pub(super) type Reservations = BTreeMap<Name, CapacityReservation>;

/// Active, and not at its end.
fn holds(one: &CapacityReservation, now: Timestamp) -> bool {
    &*one.state == "active" && one.end_date.is_none_or(|end| end > now)
}

impl State {
    /// Instances that a reservation has left.
    pub fn reserved_room(&self, id: &str, now: Timestamp) -> i64 {
        let Some(one) = self.reservations.get(id).filter(|r| holds(r, now)) else {
            return 0;
        };
        let used = self
            .records
            .values()
            .filter(|r| r.is_live() && r.instance.capacity_reservation_id.as_deref() == Some(id))
            .count();
        one.available_instance_count - i64::try_from(used).unwrap_or(i64::MAX)
    }

    /// Whether an instance still runs in its reservation; one whose reservation is over runs on demand.
    pub fn is_reserved(&self, id: &str, now: Timestamp) -> bool {
        self.reservations.get(id).is_some_and(|r| holds(r, now))
    }

    pub(super) fn described_reservations(
        &self,
        ids: &[Name],
        filters: &[Filter],
        now: Timestamp,
    ) -> Result<Vec<CapacityReservation>, Ec2Error> {
        if let Some(unknown) = ids.iter().find(|id| !self.reservations.contains_key(*id)) {
            let message = format!("The capacity reservation '{unknown}' does not exist");
            return Err(Ec2Error::new("InvalidCapacityReservationId.NotFound", message));
        }
        let mut out = Vec::new();
        for one in self
            .reservations
            .values()
            .filter(|r| ids.is_empty() || ids.contains(&r.reservation_id))
        {
            let state = if holds(one, now) { "active" } else { "expired" };
            let wanted = matches(filters, |name| match name {
                "state" => Some(vec![state]),
                "owner-id" => Some(vec![&*one.owner_id]),
                "instance-type" => Some(vec![&*one.instance_type]),
                "availability-zone" => Some(vec![&*one.availability_zone]),
                "instance-match-criteria" => Some(vec![&*one.instance_match_criteria]),
                other => tag_values(&one.tags, other),
            })?;
            if wanted {
                out.push(CapacityReservation {
                    state: state.into(),
                    available_instance_count: self.reserved_room(&one.reservation_id, now).max(0),
                    ..one.clone()
                });
            }
        }
        Ok(out)
    }
}

impl Ec2 {
    /// Sets instances aside, as many as `available_instance_count` says; in place of one of the same id.
    pub fn reserve(&self, reservation: CapacityReservation) {
        self.lock()
            .reservations
            .insert(reservation.reservation_id.clone(), reservation);
    }

    /// Ends a reservation: its instances run on, on demand.
    pub fn cancel_reservation(&self, id: &str) {
        if let Some(one) = self.lock().reservations.get_mut(id) {
            one.state = "cancelled".into();
        }
    }
}
