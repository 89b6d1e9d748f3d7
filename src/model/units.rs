//! Money as exact integers: sums and comparisons never round (decisions §3).

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const PICO: i64 = 1_000_000_000_000;

/// A price: pico-dollars per hour. JSON carries it as a plain decimal number of dollars per hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsdPerHour(pub i64);

impl UsdPerHour {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i64::MAX);

    /// Nearest pico-dollar to a float; NaN gives zero, overflow saturates.
    pub fn from_f64(dollars: f64) -> Self {
        // `as` saturates and maps NaN to 0, which is the documented behaviour here.
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        Self((dollars * PICO as f64).round() as i64)
    }

    /// Dollars per hour, for shares and for the screen only.
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / PICO as f64
    }

    /// `price × 730 h`, the field's month.
    pub fn per_month(self) -> f64 {
        self.as_f64() * 730.0
    }

    /// What this price costs over `time`, exact to the pico-dollar (rounded down).
    pub fn over(self, time: Duration) -> UsdSpent {
        UsdSpent(i128::from(self.0) * i128::try_from(time.as_millis()).unwrap_or(i128::MAX) / 3_600_000)
    }

    /// What a reserved instance of that on-demand price counts as: nearly nothing, and still ordered by size
    /// (decisions §3).
    pub fn reserved(self) -> Self {
        Self(self.0 / 10_000_000)
    }

    pub fn saturating_mul(self, n: i64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl fmt::Display for UsdPerHour {
    /// Shortest exact decimal, without a unit: `0.1088`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, abs) = if self.0 < 0 {
            ("-", self.0.unsigned_abs())
        } else {
            ("", self.0.unsigned_abs())
        };
        let (whole, part) = (abs / PICO.unsigned_abs(), abs % PICO.unsigned_abs());
        let digits = format!("{part:012}");
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{digits}")
        }
    }
}

impl Add for UsdPerHour {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self(self.0.saturating_add(o.0))
    }
}
impl Sub for UsdPerHour {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self(self.0.saturating_sub(o.0))
    }
}
impl Neg for UsdPerHour {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}
impl AddAssign for UsdPerHour {
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}
impl SubAssign for UsdPerHour {
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o;
    }
}
impl Sum for UsdPerHour {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for UsdPerHour {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.as_f64())
    }
}
impl<'de> Deserialize<'de> for UsdPerHour {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::from_f64(f64::deserialize(d)?))
    }
}

/// Money spent: pico-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsdSpent(pub i128);

impl UsdSpent {
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / PICO as f64
    }
}
impl AddAssign for UsdSpent {
    fn add_assign(&mut self, o: Self) {
        self.0 = self.0.saturating_add(o.0);
    }
}
impl Serialize for UsdSpent {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.as_f64())
    }
}
impl<'de> Deserialize<'de> for UsdSpent {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        Ok(Self((f64::deserialize(d)? * PICO as f64).round() as i128))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_survives_json_and_prints_shortest() {
        let price: UsdPerHour = serde_json::from_str("0.1088").expect("number");
        assert_eq!(price, UsdPerHour(108_800_000_000));
        assert_eq!(price.to_string(), "0.1088");
        assert_eq!(serde_json::to_string(&price).expect("json"), "0.1088");
        assert_eq!(UsdPerHour(-2 * PICO).to_string(), "-2");
    }

    #[test]
    fn spending_is_price_times_time() {
        assert_eq!(
            UsdPerHour::from_f64(3.6).over(Duration::from_secs(1)),
            UsdSpent(1_000_000_000)
        );
    }
}
