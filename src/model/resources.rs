//! Resource amounts (`scheduling §8`): cpu in milli-cores, memory and ephemeral storage in bytes, the rest in
//! units, all rounded up like Kubernetes does.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Name;

pub const CPU: &str = "cpu";
pub const MEMORY: &str = "memory";
pub const PODS: &str = "pods";
pub const EPHEMERAL: &str = "ephemeral-storage";

/// Amounts by resource. The four that every node has are fields; the rest is a map without zero entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resources {
    /// Milli-cores.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Count.
    pub pods: i64,
    /// Bytes.
    pub ephemeral: i64,
    /// Units of every other resource, `nodes` included where a limit names it.
    pub extended: BTreeMap<Name, i64>,
}

/// A quantity that Kubernetes would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a quantity: write a number with an optional suffix (m, k, M, G, Ki, Mi, Gi, …), like 500m or 1.5Gi"
)]
pub struct BadQuantity(pub String);

impl Resources {
    pub fn get(&self, key: &str) -> i64 {
        match key {
            CPU => self.cpu,
            MEMORY => self.memory,
            PODS => self.pods,
            EPHEMERAL => self.ephemeral,
            other => self.extended.get(other).copied().unwrap_or(0),
        }
    }

    pub fn set(&mut self, key: &str, value: i64) {
        match key {
            CPU => self.cpu = value,
            MEMORY => self.memory = value,
            PODS => self.pods = value,
            EPHEMERAL => self.ephemeral = value,
            other if value == 0 => {
                self.extended.remove(other);
            }
            other => {
                self.extended.insert(other.into(), value);
            }
        }
    }

    /// Sets `key` from a Kubernetes quantity.
    pub fn set_quantity(&mut self, key: &str, quantity: &str) -> Result<(), BadQuantity> {
        self.set(key, parse_quantity(key, quantity)?);
        Ok(())
    }

    /// Every non-zero entry, the four fixed ones first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        [
            (CPU, self.cpu),
            (MEMORY, self.memory),
            (PODS, self.pods),
            (EPHEMERAL, self.ephemeral),
        ]
        .into_iter()
        .chain(self.extended.iter().map(|(k, v)| (&**k, *v)))
        .filter(|(_, v)| *v != 0)
    }

    pub fn is_zero(&self) -> bool {
        self.iter().next().is_none()
    }

    pub fn add(&mut self, other: &Self) {
        self.combine(other, i64::saturating_add);
    }

    pub fn sub(&mut self, other: &Self) {
        self.combine(other, i64::saturating_sub);
    }

    /// Elementwise maximum.
    pub fn max(&mut self, other: &Self) {
        self.combine(other, Ord::max);
    }

    /// Elementwise minimum; an entry that one side lacks counts as zero.
    pub fn min(&mut self, other: &Self) {
        for key in self.extended.keys().cloned().collect::<Vec<_>>() {
            let value = self.get(&key).min(other.get(&key));
            self.set(&key, value);
        }
        self.combine(other, Ord::min);
    }

    fn combine(&mut self, other: &Self, f: fn(i64, i64) -> i64) {
        self.cpu = f(self.cpu, other.cpu);
        self.memory = f(self.memory, other.memory);
        self.pods = f(self.pods, other.pods);
        self.ephemeral = f(self.ephemeral, other.ephemeral);
        for (key, value) in &other.extended {
            let mine = self.extended.get(key).copied().unwrap_or(0);
            self.set(key, f(mine, *value));
        }
    }

    /// `scheduling §8.2`: false when any entry of `total` is negative or smaller than ours.
    pub fn fits(&self, total: &Self) -> bool {
        let enough = |want: i64, have: i64| have >= 0 && want <= have;
        enough(self.cpu, total.cpu)
            && enough(self.memory, total.memory)
            && enough(self.pods, total.pods)
            && enough(self.ephemeral, total.ephemeral)
            && total.extended.values().all(|have| *have >= 0)
            && self.extended.iter().all(|(key, want)| *want <= total.get(key))
    }

    /// The first resource that does not fit, with what is wanted and what is there.
    pub fn first_misfit(&self, total: &Self) -> Option<(Name, i64, i64)> {
        for (key, have) in [
            (CPU, total.cpu),
            (MEMORY, total.memory),
            (PODS, total.pods),
            (EPHEMERAL, total.ephemeral),
        ] {
            let want = self.get(key);
            if have < 0 || want > have {
                return Some((key.into(), want, have));
            }
        }
        for (key, have) in &total.extended {
            if *have < 0 {
                return Some((key.clone(), self.get(key), *have));
            }
        }
        self.extended
            .iter()
            .map(|(key, want)| (key.clone(), *want, total.get(key)))
            .find(|(_, want, have)| want > have)
    }

    /// `key` → quantity text, as written to Kubernetes objects.
    pub fn to_quantities(&self) -> BTreeMap<String, String> {
        self.iter()
            .map(|(k, v)| (k.to_owned(), format_quantity(k, v)))
            .collect()
    }
}

impl Serialize for Resources {
    /// A map of resource to integer in this type's units.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.iter())
    }
}
impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut out = Self::default();
        for (key, value) in BTreeMap::<String, i64>::deserialize(d)? {
            out.set(&key, value);
        }
        Ok(out)
    }
}

/// A quantity in the unit of `key`: milli for cpu, whole units otherwise, rounded up.
pub fn parse_quantity(key: &str, text: &str) -> Result<i64, BadQuantity> {
    let nano = parse_nano(text).ok_or_else(|| BadQuantity(text.to_owned()))?;
    let unit: i128 = if key == CPU { 1_000_000 } else { 1_000_000_000 };
    let value = if nano >= 0 {
        (nano + unit - 1) / unit
    } else {
        nano / unit
    };
    Ok(i64::try_from(value).unwrap_or(if value > 0 { i64::MAX } else { i64::MIN }))
}

fn parse_nano(text: &str) -> Option<i128> {
    const NANO: i128 = 1_000_000_000;
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let end = body
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(body.len());
    let (number, suffix) = body.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (numerator, denominator): (i128, i128) = match suffix {
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "" => (1, 1),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (NANO, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        other => {
            let exponent: i32 = other.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent >= 0 { (power, 1) } else { (1, power) }
        }
    };
    let mut value = if whole.is_empty() {
        0
    } else {
        whole.parse::<i128>().ok()?.checked_mul(NANO)?
    };
    let mut weight = NANO / 10;
    for digit in fraction.bytes() {
        value += i128::from(digit - b'0') * weight;
        // Digits below a nano still round up.
        if weight == 0 && digit != b'0' {
            value += 1;
        }
        weight /= 10;
    }
    let scaled = value.checked_mul(numerator)?;
    Some(sign * ((scaled + denominator - 1) / denominator))
}

/// The canonical text of an amount: `1500m`, `2`, `4Gi`, `100Mi`, `110`.
pub fn format_quantity(key: &str, value: i64) -> String {
    if key == CPU {
        return if value % 1000 == 0 {
            (value / 1000).to_string()
        } else {
            format!("{value}m")
        };
    }
    if matches!(key, MEMORY | EPHEMERAL) || key.starts_with("hugepages-") {
        for (suffix, shift) in [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)] {
            if value != 0 && value % (1_i64 << shift) == 0 {
                return format!("{}{suffix}", value >> shift);
            }
        }
    }
    value.to_string()
}

impl fmt::Display for Resources {
    /// `cpu 500m, memory 1Gi`, for logs and tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (key, value)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{key} {}", format_quantity(key, value))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_round_up_and_refuse_nonsense() {
        for (key, text, want) in [
            (CPU, "500m", 500),
            (CPU, "1", 1000),
            (CPU, "0.1", 100),
            (CPU, "100u", 1),
            (CPU, "1e3", 1_000_000),
            (MEMORY, "1Gi", 1 << 30),
            (MEMORY, "1.5Gi", 3 << 29),
            (MEMORY, "128974848", 128_974_848),
            (MEMORY, "123m", 1),
            (MEMORY, "129e6", 129_000_000),
            (PODS, "110", 110),
        ] {
            assert_eq!(parse_quantity(key, text), Ok(want), "{key} {text}");
        }
        for bad in ["", "1.5.Gi", "Gi", "one", "1 Gi", "1gi", "--1", "1e", "."] {
            assert!(parse_quantity(CPU, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fitting_treats_missing_as_zero_and_negative_as_full() {
        let mut want = Resources {
            cpu: 500,
            ..Resources::default()
        };
        let mut total = Resources {
            cpu: 1000,
            ..Resources::default()
        };
        assert!(want.fits(&total));
        want.set("nvidia.com/gpu", 1);
        assert_eq!(want.first_misfit(&total), Some(("nvidia.com/gpu".into(), 1, 0)));
        total.set("nvidia.com/gpu", -1);
        assert!(!Resources::default().fits(&total));
    }
}
