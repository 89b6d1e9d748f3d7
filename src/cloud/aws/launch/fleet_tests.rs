use super::super::{filters, subnets, template};
use super::*;
use crate::cloud::aws::testing::{catalogue, claim, class, resolved, settings};
use crate::cloud::stock::{Stock, Unavailable};
use serde_json::json;

fn asked(market: CapacityType, annotations: &[(&str, &str)]) -> CreateFleet {
    let class =
        class(json!({"amiFamily": "AL2023", "context": "ctx-1", "tags": {"team": "shop", "Name": "mine"}}));
    let mut claim = claim([], 100, 100);
    claim.annotations = annotations
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let tags = tags(&settings(), &class, &claim);
    request(Vec::new(), market, None, &class, &claim, &tags, "token-1")
}

/// `aws §26` case 65.
#[test]
fn case_65_an_overlaid_price_makes_priorities_count() {
    let overlaid = [(names::PRICE_OVERLAY_APPLIED, "true")];
    for (market, annotations, spot, on_demand) in [
        (
            CapacityType::Spot,
            &[][..],
            Some("price-capacity-optimized"),
            None,
        ),
        (
            CapacityType::Spot,
            &overlaid,
            Some("capacity-optimized-prioritized"),
            None,
        ),
        (CapacityType::OnDemand, &[], None, Some("lowest-price")),
        (CapacityType::OnDemand, &overlaid, None, Some("prioritized")),
    ] {
        let asked = asked(market, annotations);
        assert_eq!(asked.spot_allocation_strategy.as_deref(), spot);
        assert_eq!(asked.on_demand_allocation_strategy.as_deref(), on_demand);
        assert_eq!(&*asked.default_target_capacity_type, market.as_str());
    }
}

/// `aws §26` case 66.
#[test]
fn case_66_the_context_goes_along_unless_min_values_were_relaxed() {
    assert_eq!(asked(CapacityType::Spot, &[]).context.as_deref(), Some("ctx-1"));
    let relaxed = |value| asked(CapacityType::Spot, &[(names::MIN_VALUES_RELAXED, value)]).context;
    assert_eq!(relaxed("true"), None);
    assert_eq!(relaxed("false").as_deref(), Some("ctx-1"));
}

/// `aws §9.5`: the same on instance, volume and fleet; ours win; the token is on the instance.
#[test]
fn tags_are_on_everything_that_a_fleet_makes() {
    let asked = asked(CapacityType::Spot, &[]);
    let kinds: Vec<&str> = asked
        .tag_specifications
        .iter()
        .map(|s| &*s.resource_type)
        .collect();
    assert_eq!(kinds, ["instance", "volume", "fleet"]);
    for specification in &asked.tag_specifications {
        for (key, value) in [
            ("team", "shop"),
            ("kubernetes.io/cluster/demo", "owned"),
            (names::TAG_CLUSTER, "demo"),
            (names::TAG_NODEPOOL, "web"),
            (names::TAG_NODECLASS, "general"),
            (names::TAG_TOKEN, "token-1"),
        ] {
            assert_eq!(specification.tags.get(key).map(|v| &**v), Some(value), "{key}");
        }
    }
    assert_eq!(
        (&*asked.client_token, asked.total_target_capacity),
        ("token-1", 1)
    );
}

/// `aws §9.4`: one override a type and zone that has a subnet, with the offering's price as priority.
#[test]
fn overrides_are_of_zones_with_a_subnet() {
    let (class, claim, mut resolved) = (
        class(json!({"amiFamily": "AL2023"})),
        claim([], 100, 100),
        resolved(),
    );
    resolved.subnets.truncate(2);
    let all = catalogue(&["m5.large", "m6g.large"]);
    let kept = filters::run(&all, &claim, &Unavailable::default(), false)
        .expect("left")
        .kept;
    let chosen = subnets::choose(
        &resolved.subnets,
        &kept,
        CapacityType::OnDemand,
        &Stock::default(),
        &Unavailable::default(),
    );
    let groups = template::groups(&kept, &resolved, &claim, CapacityType::OnDemand);
    assert_eq!(groups.len(), 2, "one an image");
    for group in &groups {
        let config = config(&"t".into(), group, &kept, CapacityType::OnDemand, &chosen).expect("overrides");
        assert_eq!(config.overrides.len(), 2);
        for one in &config.overrides {
            assert_eq!(one.image_id, group.image.id);
            let offering = all
                .get(&one.instance_type)
                .and_then(|t| t.offering(&one.availability_zone, "on-demand"));
            assert_eq!(offering.map(|o| o.price), Some(one.priority));
            assert!(one.availability_zone.ends_with('a') || one.availability_zone.ends_with('b'));
        }
    }
    assert!(
        config(
            &"t".into(),
            &groups[0],
            &kept,
            CapacityType::OnDemand,
            &subnets::Chosen::new()
        )
        .is_none()
    );
    assert_eq!(&*class.name, "general");
}
