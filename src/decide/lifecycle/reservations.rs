//! Machines in a capacity reservation that is about to end go in time (`aws §13`): EC2 would take them without a word.

use std::collections::BTreeMap;

use super::expiration::{Removal, propose_deletion};
use super::memory::Memory;
use super::plan::{Context, Plan};
use crate::api::names;
use crate::model::decision::Kind;
use crate::model::node_class::ResolvedReservation;
use crate::model::{CapacityType, Claim, Name};

/// Looks at the claims of every reservation that is expiring; mostly there is none.
pub fn step(context: &Context<'_>, memory: &mut Memory, plan: &mut Plan) {
    let ending: BTreeMap<&Name, &ResolvedReservation> = context
        .snapshot
        .classes
        .values()
        .filter_map(|c| c.resolved.as_ref())
        .flat_map(|r| &r.reservations)
        .filter(|r| r.expiring)
        .map(|r| (&r.id, r))
        .collect();
    if ending.is_empty() {
        return;
    }
    let of = |c: &Claim| {
        let reserved = c.capacity_type() == CapacityType::Reserved.as_str() && c.deleting.is_none();
        c.labels
            .get(names::RESERVATION_ID)
            .filter(|_| reserved)
            .and_then(|id| ending.get(id).copied())
    };
    for claim in context.snapshot.claims.values() {
        let Some(reservation) = of(claim) else { continue };
        let mut facts = BTreeMap::from([("reservation".into(), reservation.id.clone())]);
        if let Some(end) = reservation.end {
            facts.insert("end".into(), end.to_string().into());
        }
        let removal = Removal::plain(Kind::Interruption, "capacity_reservation_expiring", facts);
        propose_deletion(context, memory, claim, removal, plan);
    }
}
