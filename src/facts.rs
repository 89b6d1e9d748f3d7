//! EC2 instance types, zones and on-demand prices shipped in `assets/facts` (sources and licenses in the NOTICE
//! there). The embedded EC2 answers from them; a real cluster falls back on them where AWS gives no answer.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::model::{Name, UsdPerHour};

/// The facts, decoded at first use.
pub fn get() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    FACTS.get_or_init(|| {
        #[expect(
            clippy::expect_used,
            reason = "the bytes are part of the program and a unit test decodes them"
        )]
        decode(include_bytes!("../assets/facts/ec2.json.zst")).expect("the shipped facts decode")
    })
}

fn decode(bytes: &[u8]) -> Result<Facts, std::io::Error> {
    let text = zstd::decode_all(bytes)?;
    let mut facts: Facts = serde_json::from_slice(&text)?;
    facts.types.sort_by(|a, b| a.name.cmp(&b.name));
    facts.medians = medians(&facts.types);
    Ok(facts)
}

/// Everything that is known.
#[derive(Debug, Deserialize)]
pub struct Facts {
    /// Day of the snapshot, `YYYY-MM-DD`.
    pub built: Name,
    /// Region → its zones, in name order.
    pub regions: BTreeMap<Name, Vec<Zone>>,
    /// By name.
    types: Vec<TypeFacts>,
    /// (region, category) → median published spot saving, hundredths of a percent.
    #[serde(skip)]
    medians: BTreeMap<(Name, Name), i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Zone {
    #[serde(rename = "zone")]
    pub name: Name,
    pub id: Name,
}

/// One instance type. An absent number is unknown, never zero.
#[derive(Debug, Deserialize)]
pub struct TypeFacts {
    #[serde(rename = "n")]
    pub name: Name,
    pub family: Name,
    pub size: Name,
    /// `c`, `m`, `r` …
    pub category: Name,
    pub generation: Option<i64>,
    #[serde(default, deserialize_with = "flag")]
    pub metal: bool,
    #[serde(default, deserialize_with = "flag")]
    pub flex: bool,
    /// AWS calls it "current generation".
    #[serde(default, deserialize_with = "flag")]
    pub current: bool,
    #[serde(default, deserialize_with = "flag")]
    pub burstable: bool,
    #[serde(default, rename = "enc_transit", deserialize_with = "flag")]
    pub encryption_in_transit: bool,
    /// `nitro`, `xen`; bare metal has none.
    pub hypervisor: Option<Name>,
    /// Kubernetes names; also `386`, `amd64_mac`, `arm64_mac`.
    pub arch: Vec<Name>,
    /// `intel`, `amd`, `aws`, `apple`.
    pub cpu_maker: Name,
    pub vcpu: i64,
    /// As sold, before any overhead.
    pub mem_mib: i64,
    pub clock_ghz: Option<f64>,
    pub eni: Interfaces,
    /// Branch interfaces, where trunking is supported.
    pub branch_eni: Option<i64>,
    /// Baseline bandwidth label, Mbit/s.
    pub net_label_mbps: Option<i64>,
    /// Greatest EBS bandwidth, Mbit/s, where EBS optimisation is the default.
    pub ebs_mbps: Option<i64>,
    /// Local disks in all, 10⁹ bytes each.
    pub disk_gb: Option<i64>,
    /// `required`, `supported`, `unsupported`.
    pub disk_nvme: Option<Name>,
    #[serde(default)]
    pub gpu: Vec<Gpu>,
    #[serde(default)]
    pub accel: Vec<Accelerator>,
    #[serde(default)]
    pub neuron: Vec<Neuron>,
    #[serde(default)]
    pub efa_max: i64,
    /// `on-demand`, `spot`, `capacity-block`.
    pub usage: Vec<Name>,
    /// Region → letters of the zones that offer it.
    #[serde(default)]
    pub zones: BTreeMap<Name, Vec<Name>>,
    #[serde(default)]
    od: BTreeMap<Name, (f64, Name)>,
    #[serde(default)]
    spot_adv: BTreeMap<Name, (i64, u8)>,
}

/// Network interface limits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "(i64, i64, i64, i64)")]
pub struct Interfaces {
    /// On the default network card: decides the ENI-limited pod count.
    pub default_card: i64,
    pub max: i64,
    pub cards: i64,
    pub ipv4_each: i64,
}

impl From<(i64, i64, i64, i64)> for Interfaces {
    fn from((default_card, max, cards, ipv4_each): (i64, i64, i64, i64)) -> Self {
        Self {
            default_card,
            max,
            cards,
            ipv4_each,
        }
    }
}

/// `count` 0 = a fraction of one.
#[derive(Clone, Debug, Deserialize)]
pub struct Gpu {
    pub name: Name,
    pub maker: Name,
    pub count: i64,
    /// Of one.
    pub mem_mib: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Accelerator {
    /// `InferenceAccelerator`, `Fpga`, `MediaAccelerator`.
    pub kind: Name,
    pub name: Name,
    pub maker: Name,
    pub count: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Neuron {
    pub name: Name,
    pub count: i64,
    /// Of one.
    pub cores: i64,
}

/// An on-demand price and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub per_hour: UsdPerHour,
    /// Not observed, but taken from the rule that us-west-2 costs what us-east-1 does.
    pub inferred: bool,
}

fn flag<'de, D: serde::Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    Ok(u8::deserialize(d)? != 0)
}

/// Mean published saving of a region, for categories without any: hundredths of a percent.
fn mean_saving(region: &str) -> i64 {
    match region {
        "us-west-2" => 6_380,
        "eu-west-1" => 5_390,
        _ => 6_470,
    }
}

fn medians(types: &[TypeFacts]) -> BTreeMap<(Name, Name), i64> {
    let mut all: BTreeMap<(Name, Name), Vec<i64>> = BTreeMap::new();
    for t in types {
        for (region, (saving, _)) in t.spot_adv.iter().filter(|(_, (saving, _))| *saving > 0) {
            all.entry((region.clone(), t.category.clone()))
                .or_default()
                .push(*saving);
        }
    }
    all.into_iter()
        .map(|(key, mut savings)| {
            savings.sort_unstable();
            let (low, high) = (savings.len().saturating_sub(1) / 2, savings.len() / 2);
            (key, (savings[low] + savings[high]) * 50)
        })
        .collect()
}

impl Facts {
    /// Every type, in name order.
    pub fn types(&self) -> &[TypeFacts] {
        &self.types
    }

    pub fn find(&self, name: &str) -> Option<&TypeFacts> {
        let at = self.types.binary_search_by(|t| (*t.name).cmp(name)).ok()?;
        self.types.get(at)
    }

    /// The zones of a region; empty for one that is not in the snapshot.
    pub fn zones(&self, region: &str) -> &[Zone] {
        self.regions.get(region).map_or(&[], Vec::as_slice)
    }

    /// Expected spot saving against on-demand, hundredths of a percent: the published one, else the median of the
    /// region and category, else the region's mean.
    pub fn spot_saving(&self, t: &TypeFacts, region: &str) -> i64 {
        match t.spot_adv.get(region) {
            Some((saving, _)) if *saving > 0 => saving * 100,
            _ => self
                .medians
                .get(&(region.into(), t.category.clone()))
                .copied()
                .unwrap_or_else(|| mean_saving(region)),
        }
    }
}

impl TypeFacts {
    /// Names of the zones that offer it in a region.
    pub fn zone_names(&self, region: &str) -> Vec<Name> {
        self.zones
            .get(region)
            .into_iter()
            .flatten()
            .map(|letter| format!("{region}{letter}").into())
            .collect()
    }

    /// On-demand, Linux. `None` = no price known, hence no offering.
    pub fn on_demand(&self, region: &str) -> Option<Price> {
        let (dollars, code) = self.od.get(region)?;
        Some(Price {
            per_hour: UsdPerHour::from_f64(*dollars),
            inferred: &**code == "I",
        })
    }

    /// Published interruption frequency, 0 (under 5 % a month) to 4 (over 20 %).
    pub fn interruption_band(&self, region: &str) -> Option<u8> {
        self.spot_adv.get(region).map(|(_, band)| *band)
    }

    pub fn offers(&self, usage: &str) -> bool {
        self.usage.iter().any(|u| &**u == usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_facts_decode_and_count() {
        let facts = get();
        assert_eq!(facts.types().len(), 1395);
        for (region, zones, offered, priced) in [
            ("us-east-1", 6, 1375, 1340),
            ("us-west-2", 4, 1354, 1310),
            ("eu-west-1", 3, 1184, 776),
        ] {
            let here: Vec<_> = facts
                .types()
                .iter()
                .filter(|t| t.zones.contains_key(region))
                .collect();
            assert_eq!(facts.zones(region).len(), zones, "{region}");
            assert_eq!(here.len(), offered, "{region}");
            let with_price = here.iter().filter(|t| t.on_demand(region).is_some()).count();
            assert_eq!(with_price, priced, "{region}");
        }
    }

    #[test]
    fn prices_follow_the_rules() {
        let facts = get();
        let price = |name: &str, region: &str| facts.find(name).and_then(|t| t.on_demand(region));
        // Observed.
        let m5 = price("m5.large", "us-east-1").expect("price");
        assert_eq!((m5.per_hour.to_string().as_str(), m5.inferred), ("0.096", false));
        assert_eq!(
            price("m5.large", "eu-west-1")
                .expect("price")
                .per_hour
                .to_string(),
            "0.107"
        );
        // Out of date in us-west-2 (98.32): the rule replaces it.
        let p5 = price("p5.48xlarge", "us-west-2").expect("price");
        assert_eq!((p5.per_hour.to_string().as_str(), p5.inferred), ("55.04", true));
        // Unknown.
        assert_eq!(price("mac1.metal", "us-east-1"), None);
        assert_eq!(price("t8i.large", "us-east-1"), None);
    }

    #[test]
    fn spot_savings_fall_back_on_the_category_then_the_region() {
        let facts = get();
        let saving = |name: &str| facts.spot_saving(facts.find(name).expect("type"), "us-east-1");
        assert_eq!(saving("m5.large"), 6_600);
        // Not in the feed: the median of its category, which is 64 for m.
        assert_eq!(saving("m8a.large"), 6_400);
        // Listed with no discount and alone in its category: the region's mean.
        assert_eq!(saving("a1.large"), 6_470);
    }
}
