//! From prices that a solver rounded to a floor that holds: integers, checked and added up without rounding.

use super::dual::{Prices, slots_of_masks};
use crate::decide::packing::market::Market;
use crate::model::UsdPerHour;

/// Binary digits behind the point of a price: a pico-dollar's share a byte of memory would round too coarsely.
const FRACTION: u32 = 24;
/// How often prices are scaled down before they are given up.
const TRIES: i32 = 8;

#[derive(Debug)]
struct Fixed {
    classes: Vec<Vec<i128>>,
    slots: Vec<i128>,
}

#[allow(clippy::cast_possible_truncation)]
fn fixed(price: f64, factor: f64) -> i128 {
    // Saturates; NaN becomes zero.
    (price.max(0.0) * factor * f64::from(1_u32 << FRACTION)).floor() as i128
}

/// The sum of the charges at these prices scaled to feasibility; zero when they cannot be.
pub fn value(m: &Market, prices: &Prices) -> UsdPerHour {
    let mut factor = 1.0;
    for attempt in 0..TRIES {
        let at = Fixed {
            classes: prices
                .classes
                .iter()
                .map(|axes| axes.iter().map(|y| fixed(*y, factor)).collect())
                .collect(),
            slots: prices.slots.iter().map(|y| fixed(*y, factor)).collect(),
        };
        match charge(m, &at) {
            Some(Ok(sum)) => return sum,
            // A bit more than needed, each time more.
            Some(Err(over)) => factor *= over * (1.0 - 1e-12 * 10_f64.powi(attempt)),
            None => return UsdPerHour::ZERO,
        }
    }
    UsdPerHour::ZERO
}

/// The sum of the charges if no offer's room is worth more than its price; else the share of the prices that would
/// be feasible. `None`: the numbers are beyond what is counted exactly.
fn charge(m: &Market, at: &Fixed) -> Option<Result<UsdPerHour, f64>> {
    let dearest: Vec<Vec<i128>> = m
        .masks
        .iter()
        .map(|mask| {
            (0..m.axes.len())
                .map(|axis| mask.ones().map(|c| at.classes[c][axis]).max().unwrap_or(0))
                .collect()
        })
        .collect();
    let mut of_slots = Vec::with_capacity(m.masks.len());
    for list in slots_of_masks(m) {
        let mut sum = 0_i128;
        for slot in list {
            let worth = at.slots[slot].checked_mul(i128::from(m.slots[slot].most))?;
            sum = sum.checked_add(worth)?;
        }
        of_slots.push(sum);
    }
    let mut least = 1.0_f64;
    let mut given_back = 0_i128;
    for offer in &m.offers {
        let mut worth = of_slots[offer.mask];
        for (room, y) in offer.room.iter().zip(&dearest[offer.mask]) {
            worth = worth.checked_add(y.checked_mul(i128::from((*room).max(0)))?)?;
        }
        let price = i128::from(offer.price.0) << FRACTION;
        if let Some(stock) = offer.stock {
            let excess = (worth - price).max(0).checked_mul(i128::from(stock))?;
            given_back = given_back.checked_add(excess)?;
        } else if worth > price {
            #[allow(clippy::cast_precision_loss)]
            let share = price as f64 / worth as f64;
            least = least.min(share);
        }
    }
    if least < 1.0 {
        return Some(Err(least));
    }
    let mut sum = 0_i128;
    for ask in &m.asks {
        let mut one = 0_i128;
        for (want, y) in ask.demand.iter().zip(&at.classes[ask.class]) {
            one = one.checked_add(y.checked_mul(i128::from(*want))?)?;
        }
        for slot in &ask.slots {
            one = one.checked_add(at.slots[*slot])?;
        }
        sum = sum.checked_add(one.checked_mul(i128::from(ask.count))?)?;
    }
    let pico = (sum - given_back).max(0) >> FRACTION;
    Some(Ok(UsdPerHour(i64::try_from(pico).unwrap_or(i64::MAX))))
}
