//! A NodeOverlay as decisions see it: another price or further capacity for the instance types it matches
//! (`scheduling §23`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::condition::Conditions;
use super::{Name, Requirements, UsdPerHour};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    pub name: Name,
    pub uid: Name,
    pub generation: i64,
    pub created: Timestamp,
    pub requirements: Requirements,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceChange>,
    /// Further resources, in the units of [`super::Resources`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity: BTreeMap<Name, i64>,
    /// Absent = 0; heavier first.
    #[serde(default)]
    pub weight: i32,
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
    /// What run-time validation says against it; empty when it may be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<Name>,
}

/// What becomes of an offering's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PriceChange {
    Set(UsdPerHour),
    /// Signed.
    Add(UsdPerHour),
    /// Signed, in billionths of a percent.
    Percent(i64),
}

const PICO: i128 = 1_000_000_000_000;
const BILLIONTHS: i128 = 1_000_000_000;

/// An unsigned decimal in units of `1 / scale`, cut after the last digit that fits.
fn decimal(text: &str, scale: i128) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) || text.ends_with('.') {
        return None;
    }
    let mut value: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse::<i128>().ok()?.checked_mul(scale)?
    };
    let mut weight = scale;
    for digit in part.bytes() {
        weight /= 10;
        value += i128::from(digit - b'0') * weight;
    }
    i64::try_from(value).ok()
}

impl PriceChange {
    /// `spec.price`: an unsigned decimal in $/h.
    pub fn absolute(text: &str) -> Option<Self> {
        Some(Self::Set(UsdPerHour(decimal(text, PICO)?)))
    }

    /// `spec.priceAdjustment`: `+x`, `-x`, `+p%` or `-p%`.
    pub fn adjustment(text: &str) -> Option<Self> {
        let (sign, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        match rest.strip_suffix('%') {
            Some(percent) => Some(Self::Percent(sign * decimal(percent, BILLIONTHS)?)),
            None => Some(Self::Add(UsdPerHour(sign * decimal(rest, PICO)?))),
        }
    }

    /// Never below zero; a percentage is rounded to the nearest pico-dollar.
    pub fn apply(self, price: UsdPerHour) -> UsdPerHour {
        let changed = match self {
            Self::Set(to) => to,
            Self::Add(by) => price + by,
            Self::Percent(by) => {
                let whole = 100 * BILLIONTHS;
                let scaled = i128::from(price.0) * (whole + i128::from(by));
                let rounded = (scaled + whole / 2).div_euclid(whole);
                UsdPerHour(i64::try_from(rounded).unwrap_or(i64::MAX))
            }
        };
        changed.max(UsdPerHour::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(x: f64) -> UsdPerHour {
        UsdPerHour::from_f64(x)
    }

    #[test]
    fn case_136_adjustments() {
        for (text, price, want) in [
            ("-200%", 10.0, 0.0),
            ("+10%", 10.0, 11.0),
            ("+1000", 1.02, 1001.02),
            ("-0.5", 0.4, 0.0),
            ("+.25", 0.5, 0.75),
            ("-12.5%", 0.8, 0.7),
        ] {
            let change = PriceChange::adjustment(text).expect(text);
            assert_eq!(change.apply(usd(price)), usd(want), "{text}");
        }
        assert_eq!(
            PriceChange::absolute("0.05").map(|p| p.apply(usd(3.0))),
            Some(usd(0.05))
        );
        for bad in ["10%", "5", "", "+", "+x", "-1.", "+1.2.3"] {
            assert_eq!(PriceChange::adjustment(bad), None, "{bad}");
        }
        for bad in ["", "-1", "1e3", ".", "1."] {
            assert_eq!(PriceChange::absolute(bad), None, "{bad}");
        }
    }
}
