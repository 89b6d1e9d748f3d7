//! Every option of a planned claim at the prices of a picture.

use crate::decide::scheduling::labels::WellKnown;
use crate::decide::scheduling::reserved;
use crate::model::Snapshot;
use crate::model::decision::ClaimDraft;
use crate::model::decision::effect::ExpectedLaunch;

/// The cheapest offering of each instance type that a claim carries, cheapest first; types without one are left out.
pub fn options(snapshot: &Snapshot, draft: &ClaimDraft) -> Vec<ExpectedLaunch> {
    let Some(catalogue) = snapshot.types_of(&draft.pool, &draft.class.name) else {
        return Vec::new();
    };
    let index = catalogue.index();
    let well_known = WellKnown::new(index.label_keys().chain(index.offering_keys.iter()).cloned());
    let groups = index.compatible_groups(&draft.requirements, |k| well_known.has(k));
    let mut out: Vec<ExpectedLaunch> = draft
        .instance_types
        .iter()
        .filter_map(|name| {
            let offers = catalogue
                .positions(name)
                .filter_map(|i| index.cheapest(i, &groups));
            let (price, group) = offers.min_by_key(|(price, _)| *price)?;
            Some(ExpectedLaunch {
                instance_type: name.clone(),
                zone: group.zone.clone(),
                capacity_type: group.capacity_type,
                price_per_hour: price,
                reservation: reserved::id_of(group),
            })
        })
        .collect();
    out.sort_by(|a, b| (a.price_per_hour, &a.instance_type).cmp(&(b.price_per_hour, &b.instance_type)));
    out
}
