//! The floor of a market: the best of what is known to be one.

use super::columns::{self, Charges};
use super::space::Space;
use super::{dual, exact, spread};
use crate::decide::packing::market::Market;
use crate::model::UsdPerHour;

/// How much work a floor is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// For a number that is shown while the workload changes.
    Quick,
    Full,
}

impl Care {
    /// Shapes looked at in the search for charges; of many shapes, representatives.
    fn work(self, few: bool) -> u64 {
        match (self, few) {
            (Self::Quick, _) => 400_000,
            (Self::Full, true) => 8_000_000,
            (Self::Full, false) => 4_000_000,
        }
    }
}

/// A floor with what it was proven by.
#[derive(Clone, Debug, Default)]
pub struct Floor {
    pub usd_per_hour: UsdPerHour,
    /// By ask of the market.
    pub charges: Charges,
}

/// The floor of a market; asks that no offer suits are dropped from it.
pub fn of_market(m: &mut Market, care: Care) -> Floor {
    let offers = std::mem::take(&mut m.offers);
    let asks = std::mem::take(&mut m.asks);
    m.asks = asks
        .into_iter()
        .filter(|a| a.count > 0 && offers.iter().any(|o| m.suits(a, o)))
        .collect();
    m.offers = offers;
    if m.asks.is_empty() {
        return Floor::default();
    }
    let linear = exact::value(m, &dual::solve(m));
    let (charges, by_shape) = charges(m, care);
    Floor {
        usd_per_hour: linear.max(by_shape).max(alone(m)),
        charges,
    }
}

/// The best charges found for every ask, and the floor that they prove.
pub fn charges(m: &Market, care: Care) -> (Charges, UsdPerHour) {
    let space = Space::of(m);
    let counts: Vec<u32> = m.asks.iter().map(|a| a.count).collect();
    let few = m.asks.len() <= spread::MANY;
    let known = if few {
        space.clone()
    } else {
        spread::representatives(&space)
    };
    let found = columns::charges(&known, care.work(few));
    let mut best = (Charges::default(), UsdPerHour(-1));
    let mut take = |charges: Charges| {
        let value = columns::value(&space, &charges, &counts);
        if value > best.1 {
            best = (charges, value);
        }
    };
    take(spread::spread(&space, &known, &found, true));
    take(spread::spread(&space, &known, &found, false));
    if few {
        take(found);
    } else {
        // Their loads are of representatives.
        best.0.loads.clear();
    }
    best
}

/// A pod needs at least the cheapest node that it fits, and pods that share no node need that each.
fn alone(m: &Market) -> UsdPerHour {
    let least: Vec<UsdPerHour> = m
        .asks
        .iter()
        .map(|a| {
            let suiting = m.offers.iter().filter(|o| m.suits(a, o)).map(|o| o.price);
            suiting.min().unwrap_or_default()
        })
        .collect();
    let mut best = least.iter().copied().max().unwrap_or_default();
    for (slot, _) in m.slots.iter().enumerate().filter(|(_, s)| s.most == 1) {
        let apart = m.asks.iter().zip(&least).filter(|(a, _)| a.slots.contains(&slot));
        best = best.max(
            apart
                .map(|(a, least)| least.saturating_mul(i64::from(a.count)))
                .sum(),
        );
    }
    best
}
