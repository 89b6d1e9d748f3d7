//! The fleet request (`aws §9.4`, `§9.5`).

use std::collections::BTreeSet;

use super::filters::Candidate;
use super::reserved::Kind;
use super::subnets::Chosen;
use super::template::Group;
use crate::api::names;
use crate::cloud::aws::api::{CreateFleet, FleetConfig, FleetOverride, TagSpecification, Tags};
use crate::cloud::aws::settings::Settings;
use crate::cloud::aws::tags::tags_of_class;
use crate::model::{CapacityType, Claim, Name, NodeClass, Offering};

/// Tags of everything that a launch makes.
pub fn tags(settings: &Settings, class: &NodeClass, claim: &Claim) -> Tags {
    let mut out = tags_of_class(settings, class);
    if let Some(pool) = claim.pool() {
        out.insert(names::TAG_NODEPOOL.into(), pool.clone());
    }
    out
}

/// One template with the overrides of its types: one each (type, zone) that has a subnet.
pub fn config(
    template: &Name,
    group: &Group,
    kept: &[Candidate],
    market: CapacityType,
    subnets: &Chosen,
) -> Option<FleetConfig> {
    let in_group: BTreeSet<&Name> = group.types.iter().map(|t| &t.name).collect();
    let mut overrides = Vec::new();
    let mut seen = BTreeSet::new();
    for candidate in kept.iter().filter(|c| in_group.contains(&c.instance_type.name)) {
        // A template is of one reservation at most.
        let mine = |o: &&Offering| o.capacity_type == market && o.reservation() == group.reservation();
        for offering in candidate.offerings().filter(mine) {
            let Some(subnet) = subnets.get(&offering.zone) else {
                continue;
            };
            if seen.insert((candidate.instance_type.name.clone(), offering.zone.clone())) {
                overrides.push(FleetOverride {
                    instance_type: candidate.instance_type.name.clone(),
                    subnet_id: subnet.subnet.clone(),
                    availability_zone: offering.zone.clone(),
                    image_id: group.image.id.clone(),
                    priority: offering.price,
                });
            }
        }
    }
    (!overrides.is_empty()).then(|| FleetConfig {
        launch_template_name: template.clone(),
        overrides,
    })
}

/// The request for one instance; `reserved` is the kind of the reservations that it may take it from.
pub fn request(
    configs: Vec<FleetConfig>,
    market: CapacityType,
    reserved: Option<Kind>,
    class: &NodeClass,
    claim: &Claim,
    tags: &Tags,
    token: &str,
) -> CreateFleet {
    let annotated = |key: &str| claim.annotations.get(key).is_some_and(|v| &**v == "true");
    let spot = market == CapacityType::Spot;
    let (target, has_strategy) = match (spot, reserved) {
        (true, _) => ("spot", true),
        (false, None | Some(Kind::Default)) => ("on-demand", true),
        (false, Some(Kind::Block)) => ("capacity-block", false),
        (false, Some(Kind::Interruptible)) => ("reserved-capacity", false),
    };
    let strategy = match (spot, annotated(names::PRICE_OVERLAY_APPLIED)) {
        (true, false) => "price-capacity-optimized",
        (true, true) => "capacity-optimized-prioritized",
        (false, false) => "lowest-price",
        (false, true) => "prioritized",
    };
    let context = class.spec.context.as_deref().map(Name::from);
    let mut tags = tags.clone();
    tags.insert(names::TAG_TOKEN.into(), token.into());
    CreateFleet {
        client_token: token.into(),
        total_target_capacity: 1,
        default_target_capacity_type: target.into(),
        spot_allocation_strategy: spot.then(|| strategy.into()),
        on_demand_allocation_strategy: (!spot && has_strategy).then(|| strategy.into()),
        reservation_types: match reserved {
            Some(Kind::Interruptible) => vec!["interruptible-capacity-reservation".into()],
            _ => Vec::new(),
        },
        context: context.filter(|_| !annotated(names::MIN_VALUES_RELAXED)),
        launch_template_configs: configs,
        tag_specifications: ["instance", "volume", "fleet"]
            .into_iter()
            .map(|kind| TagSpecification {
                resource_type: kind.into(),
                tags: tags.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
#[path = "fleet_tests.rs"]
mod tests;
