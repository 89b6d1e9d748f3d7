//! Settings of the guards, and the flag that changes them.

use serde::{Deserialize, Serialize};

use crate::model::UsdPerHour;

/// Where guards trip. `None` = no such ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Machines bought for a pod that stays pending.
    pub purchases_per_pod: u32,
    /// Nodes of the whole fleet, and of one NodePool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool_nodes: Option<u32>,
    /// Machines bought within an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes_per_hour: Option<u32>,
    /// $/h of the whole fleet, and of one NodePool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<UsdPerHour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool_usd: Option<UsdPerHour>,
    /// Sum of the hourly prices of what is bought within an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_hour: Option<UsdPerHour>,
    /// Nothing is disrupted while more than this share of the nodes, in percent, is not Ready.
    pub not_ready_percent: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            purchases_per_pod: 2,
            nodes: None,
            pool_nodes: None,
            nodes_per_hour: Some(1000),
            usd: None,
            pool_usd: None,
            usd_per_hour: None,
            not_ready_percent: 33,
        }
    }
}

/// `--guard KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardFlag {
    key: Key,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Purchases,
    Nodes,
    PoolNodes,
    NodesPerHour,
    Usd,
    PoolUsd,
    UsdPerHour,
    NotReady,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Count(u32),
    Money(UsdPerHour),
    Off,
}

const KEYS: [(&str, Key); 8] = [
    ("purchases", Key::Purchases),
    ("nodes", Key::Nodes),
    ("pool-nodes", Key::PoolNodes),
    ("nodes-per-hour", Key::NodesPerHour),
    ("usd", Key::Usd),
    ("pool-usd", Key::PoolUsd),
    ("usd-per-hour", Key::UsdPerHour),
    ("not-ready", Key::NotReady),
];

impl Key {
    fn is_money(self) -> bool {
        matches!(self, Self::Usd | Self::PoolUsd | Self::UsdPerHour)
    }

    fn can_be_off(self) -> bool {
        !matches!(self, Self::Purchases | Self::NotReady)
    }
}

impl std::str::FromStr for GuardFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let keys = || KEYS.map(|(name, _)| name).join(", ");
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("write KEY=VALUE, such as nodes=50; KEY is one of {}", keys()))?;
        let (_, key) = KEYS
            .into_iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| format!("unknown ceiling {name:?}; use one of {}", keys()))?;
        let value = if value == "off" && key.can_be_off() {
            Value::Off
        } else if key.is_money() {
            let usd = value.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0);
            Value::Money(UsdPerHour::from_f64(usd.ok_or_else(|| {
                format!("{name}={value}: write $/h such as 12.5, or off")
            })?))
        } else {
            let count = value
                .parse()
                .ok()
                .filter(|n| key != Key::NotReady || *n <= 100)
                .filter(|n| key != Key::Purchases || *n > 0);
            Value::Count(count.ok_or_else(|| match key {
                Key::NotReady => format!("{name}={value}: write a percentage from 0 to 100"),
                Key::Purchases => format!("{name}={value}: write a number from 1"),
                _ => format!("{name}={value}: write a whole number, or off"),
            })?)
        };
        Ok(Self { key, value })
    }
}

impl Limits {
    pub fn set(&mut self, flag: &GuardFlag) {
        let (count, money) = match flag.value {
            Value::Count(n) => (Some(n), None),
            Value::Money(usd) => (None, Some(usd)),
            Value::Off => (None, None),
        };
        match flag.key {
            Key::Purchases => self.purchases_per_pod = count.unwrap_or(self.purchases_per_pod),
            Key::NotReady => self.not_ready_percent = count.unwrap_or(self.not_ready_percent),
            Key::Nodes => self.nodes = count,
            Key::PoolNodes => self.pool_nodes = count,
            Key::NodesPerHour => self.nodes_per_hour = count,
            Key::Usd => self.usd = money,
            Key::PoolUsd => self.pool_usd = money,
            Key::UsdPerHour => self.usd_per_hour = money,
        }
    }
}
