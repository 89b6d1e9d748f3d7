//! Prices of a region (`aws §8`): shipped ones first, then what AWS answers, merged and never taken away.

use std::collections::BTreeMap;

use super::api::SpotPrice;
use crate::facts;
use crate::model::{CapacityType, Name, UsdPerHour};

/// Where a type's on-demand price is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceSource {
    /// Answered by AWS.
    Live,
    /// Shipped with the program.
    Shipped,
    /// Shipped, and inferred from another region.
    Inferred,
}

#[derive(Clone, Debug)]
pub struct Prices {
    on_demand: BTreeMap<Name, (UsdPerHour, PriceSource)>,
    /// Type → zone → price.
    spot: BTreeMap<Name, BTreeMap<Name, UsdPerHour>>,
    /// Before the first spot answer, spot costs what on-demand does; afterwards a pool without a price has none.
    spot_known: bool,
    /// Steps with each change.
    pub revision: u64,
}

impl Prices {
    /// The shipped prices of the region, else those of us-east-1.
    pub fn shipped(region: &str) -> Self {
        let facts = facts::get();
        let known = if facts.zones(region).is_empty() {
            "us-east-1"
        } else {
            region
        };
        let on_demand = facts
            .types()
            .iter()
            .filter_map(|t| {
                let price = t.on_demand(known)?;
                let source = if price.inferred {
                    PriceSource::Inferred
                } else {
                    PriceSource::Shipped
                };
                Some((t.name.clone(), (price.per_hour, source)))
            })
            .collect();
        Self {
            on_demand,
            spot: BTreeMap::new(),
            spot_known: false,
            revision: 0,
        }
    }

    /// Takes an on-demand answer in; an empty one is an error of the caller's.
    pub fn merge_on_demand(&mut self, prices: Vec<(Name, UsdPerHour)>) {
        for (name, price) in prices.into_iter().filter(|(_, p)| *p > UsdPerHour::ZERO) {
            let new = (price, PriceSource::Live);
            if self.on_demand.insert(name, new) != Some(new) {
                self.revision += 1;
            }
        }
    }

    /// Takes a spot answer in.
    pub fn merge_spot(&mut self, prices: Vec<SpotPrice>) {
        if prices.is_empty() {
            return;
        }
        if !self.spot_known {
            self.spot_known = true;
            self.revision += 1;
        }
        for entry in prices {
            let zones = self.spot.entry(entry.instance_type).or_default();
            if zones.insert(entry.availability_zone, entry.price) != Some(entry.price) {
                self.revision += 1;
            }
        }
    }

    pub fn on_demand(&self, instance_type: &str) -> Option<UsdPerHour> {
        self.on_demand.get(instance_type).map(|(price, _)| *price)
    }

    pub fn source(&self, instance_type: &str) -> Option<PriceSource> {
        self.on_demand.get(instance_type).map(|(_, source)| *source)
    }

    pub fn spot(&self, instance_type: &str, zone: &str) -> Option<UsdPerHour> {
        if self.spot_known {
            self.spot.get(instance_type)?.get(zone).copied()
        } else {
            self.on_demand(instance_type)
        }
    }

    pub fn of(&self, instance_type: &str, zone: &str, market: CapacityType) -> Option<UsdPerHour> {
        match market {
            CapacityType::Spot => self.spot(instance_type, zone),
            CapacityType::OnDemand | CapacityType::Reserved => self.on_demand(instance_type),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(zone: &str, price: f64) -> SpotPrice {
        SpotPrice {
            instance_type: "m5.large".into(),
            availability_zone: zone.into(),
            price: UsdPerHour::from_f64(price),
        }
    }

    /// `aws §26` case 49.
    #[test]
    fn case_49_spot_costs_on_demand_until_the_first_answer() {
        let mut prices = Prices::shipped("us-east-1");
        assert_eq!(
            prices.spot("m5.large", "us-east-1a"),
            prices.on_demand("m5.large")
        );
        prices.merge_spot(vec![quote("us-east-1a", 0.04)]);
        assert_eq!(
            prices.spot("m5.large", "us-east-1a"),
            Some(UsdPerHour::from_f64(0.04))
        );
        assert_eq!(prices.spot("m5.large", "us-east-1b"), None);
    }

    /// `aws §26` case 50.
    #[test]
    fn case_50_partial_answers_are_merged_and_empty_ones_change_nothing() {
        let mut prices = Prices::shipped("us-east-1");
        assert_eq!(prices.source("m5.large"), Some(PriceSource::Shipped));
        prices.merge_on_demand(vec![("m5.large".into(), UsdPerHour::from_f64(0.1))]);
        assert_eq!(prices.on_demand("m5.large"), Some(UsdPerHour::from_f64(0.1)));
        assert_eq!(prices.source("m5.large"), Some(PriceSource::Live));
        assert_eq!(prices.on_demand("c5.large"), Some(UsdPerHour::from_f64(0.085)));
        let before = prices.revision;
        prices.merge_on_demand(vec![("m5.large".into(), UsdPerHour::ZERO)]);
        prices.merge_spot(Vec::new());
        assert_eq!(prices.revision, before);
        assert_eq!(
            prices.spot("c5.large", "us-east-1a"),
            prices.on_demand("c5.large")
        );
    }

    #[test]
    fn an_unknown_region_falls_back_on_us_east_1() {
        let prices = Prices::shipped("ap-south-2");
        assert_eq!(prices.on_demand("m5.large"), Some(UsdPerHour::from_f64(0.096)));
        assert_eq!(
            Prices::shipped("us-west-2").source("p5.48xlarge"),
            Some(PriceSource::Inferred)
        );
    }
}
