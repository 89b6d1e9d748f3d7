//! Which subnet of each zone a launch goes to (`aws §12`).

use std::collections::BTreeMap;

use super::filters::Candidate;
use crate::cloud::stock::{Hold, Stock, Unavailable};
use crate::model::node_class::ResolvedSubnet;
use crate::model::{CapacityType, Name};

/// Zone → the chosen subnet, with the addresses set aside there.
pub type Chosen = BTreeMap<Name, Hold>;

/// Chooses the subnet with most free addresses in each zone that some candidate is offered in, and sets aside as
/// many as the smallest of those types has pods. Full subnets come last.
pub fn choose(
    subnets: &[ResolvedSubnet],
    kept: &[Candidate],
    market: CapacityType,
    stock: &Stock,
    unavailable: &Unavailable,
) -> Chosen {
    let mut out = Chosen::new();
    let mut pods: BTreeMap<&Name, i64> = BTreeMap::new();
    for candidate in kept {
        let of = candidate.instance_type.capacity.pods;
        for offering in candidate.offerings().filter(|o| o.capacity_type == market) {
            let least = pods.entry(&offering.zone).or_insert(of);
            *least = of.min(*least);
        }
    }
    for (zone, least) in pods {
        let mut best: Option<(bool, i64, &ResolvedSubnet)> = None;
        for subnet in subnets.iter().filter(|s| s.zone == *zone) {
            let usable = !unavailable.has_subnet(&subnet.id);
            let free = stock.free(&subnet.id).unwrap_or(subnet.free);
            // On equal counts the first seen stays.
            if best.is_none_or(|(ok, most, _)| (usable, free) > (ok, most)) {
                best = Some((usable, free, subnet));
            }
        }
        if let Some((_, _, subnet)) = best {
            out.insert(zone.clone(), stock.hold(&subnet.id, least));
        }
    }
    out
}

/// Gives back what was set aside in subnets that the launch did not use.
pub fn release_unused(chosen: &Chosen, used: Option<&Name>, stock: &Stock) {
    for hold in chosen.values().filter(|h| Some(&h.subnet) != used) {
        stock.release(hold);
    }
}

#[cfg(test)]
#[path = "subnets_tests.rs"]
mod tests;
