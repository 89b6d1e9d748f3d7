//! Capacity reservations of a node class (`aws §13`): what its terms select, and the offerings that they make.

use std::time::Duration;

use jiff::Timestamp;

use super::api::{CapacityReservation, Ec2Read, Filter};
use super::images::tag_filters;
use super::node_class::api_error;
use crate::api::ec2nodeclass::ReservationTerm;
use crate::api::names;
use crate::clock::after;
use crate::cloud::port::CloudError;
use crate::cloud::stock::Stock;
use crate::model::node_class::ResolvedReservation;
use crate::model::{CapacityType, Name, Requirement, Requirements};

/// EC2 begins to end the instances of a capacity block half an hour before its end; upstream leaves ten minutes more.
const BLOCK_MARGIN: Duration = Duration::from_secs(40 * 60);

/// Ids and filters of each call: all ids in one, one a term without an id (`aws §13`).
fn calls(terms: &[ReservationTerm]) -> Vec<(Vec<Name>, Vec<Filter>)> {
    let mut out = Vec::new();
    let ids: Vec<Name> = terms
        .iter()
        .filter_map(|t| t.id.as_deref())
        .map(Name::from)
        .collect();
    if !ids.is_empty() {
        out.push((ids, Vec::new()));
    }
    for term in terms.iter().filter(|t| t.id.is_none()) {
        let mut filters = tag_filters(&term.tags);
        let more = [
            ("owner-id", &term.owner_id),
            ("instance-match-criteria", &term.instance_match_criteria),
        ];
        filters.extend(
            more.iter()
                .filter_map(|(name, value)| Some(Filter::new(name, [value.as_deref()?]))),
        );
        if filters.is_empty() {
            continue;
        }
        filters.push(Filter::new("state", ["active"]));
        out.push((Vec::new(), filters));
    }
    out
}

/// What the terms select now, by id. Free instances go to `stock`.
///
/// # Errors
/// A call that EC2 refused; ids that there are not select nothing.
pub(super) async fn resolve(
    read: &dyn Ec2Read,
    terms: &[ReservationTerm],
    stock: &Stock,
    now: Timestamp,
) -> Result<Vec<ResolvedReservation>, CloudError> {
    let mut out: Vec<ResolvedReservation> = Vec::new();
    for (ids, filters) in calls(terms) {
        let found = match read.describe_capacity_reservations(ids, filters).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(api_error("DescribeCapacityReservations")(error)),
        };
        for one in found {
            let over = &*one.state != "active" || one.end_date.is_some_and(|end| end <= now);
            if over || out.iter().any(|r| r.id == one.reservation_id) {
                continue;
            }
            stock.reservation_described(&one.reservation_id, one.available_instance_count, now);
            out.push(resolved(one, now));
        }
    }
    out.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(out)
}

fn resolved(one: CapacityReservation, now: Timestamp) -> ResolvedReservation {
    let block = &*one.reservation_type == "capacity-block";
    ResolvedReservation {
        expiring: block && one.end_date.is_some_and(|end| end < after(now, BLOCK_MARGIN)),
        id: one.reservation_id,
        instance_type: one.instance_type,
        zone: one.availability_zone,
        owner: one.owner_id,
        criteria: one.instance_match_criteria,
        kind: one.reservation_type,
        interruptible: one.interruptible,
        end: one.end_date,
    }
}

/// Labels of a machine in the reservation.
pub fn labels(reservation: &ResolvedReservation) -> [(&'static str, Name); 3] {
    [
        (names::RESERVATION_ID, reservation.id.clone()),
        (names::RESERVATION_TYPE, reservation.kind.clone()),
        (
            names::RESERVATION_INTERRUPTIBLE,
            if reservation.interruptible {
                "true"
            } else {
                "false"
            }
            .into(),
        ),
    ]
}

/// Requirements of its offering.
pub(super) fn pin(reservation: &ResolvedReservation, zone_id: Option<&Name>) -> Requirements {
    [
        Requirement::is_in(names::ZONE, [reservation.zone.clone()]),
        Requirement::is_in(names::CAPACITY_TYPE, [CapacityType::Reserved.as_str()]),
    ]
    .into_iter()
    .chain(labels(reservation).map(|(key, value)| Requirement::is_in(key, [value])))
    .chain(zone_id.map(|id| Requirement::is_in(names::ZONE_ID, [id.clone()])))
    .collect()
}

/// Makes the type's own labels tell of its reservations.
pub(super) fn widen(requirements: &mut Requirements, reservations: &[ResolvedReservation]) {
    if reservations.is_empty() {
        return;
    }
    let mut allow = |key: &str, value: Name| {
        if let Some(requirement) = requirements.0.get_mut(key) {
            requirement.values.insert(value);
        }
    };
    allow(names::CAPACITY_TYPE, CapacityType::Reserved.as_str().into());
    for (key, value) in reservations.iter().flat_map(labels) {
        allow(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_become_calls() {
        let term =
            |value: serde_json::Value| -> ReservationTerm { serde_json::from_value(value).expect("term") };
        let terms = [
            term(serde_json::json!({"id": "cr-1"})),
            term(serde_json::json!({"tags": {"team": "ml"}, "ownerID": "123456789012"})),
            term(serde_json::json!({"id": "cr-2"})),
            term(serde_json::json!({"instanceMatchCriteria": "targeted", "tags": {"x": "*"}})),
        ];
        let active = || Filter::new("state", ["active"]);
        assert_eq!(
            calls(&terms),
            [
                (vec!["cr-1".into(), "cr-2".into()], vec![]),
                (
                    vec![],
                    vec![
                        Filter::new("tag:team", ["ml"]),
                        Filter::new("owner-id", ["123456789012"]),
                        active()
                    ]
                ),
                (
                    vec![],
                    vec![
                        Filter::new("tag-key", ["x"]),
                        Filter::new("instance-match-criteria", ["targeted"]),
                        active()
                    ]
                ),
            ]
        );
    }
}
