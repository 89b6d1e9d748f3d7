//! From charges of some shapes to charges of all: with prices of its own for every offer, `room × W ≤ price`, a pod may
//! be charged the least that its room costs on the offers that it fits. No search is needed to see that this holds.

use super::columns::Charges;
use super::space::{Space, float};
use super::weights::{Weights, weigh, weights};

/// Shapes that are searched on themselves; of more, representatives.
pub const MANY: usize = 150;

/// Charges for `space` from those of `known` (whose offers are the same): `full` makes every offer's room cost exactly
/// the offer's price, otherwise only no less.
pub fn spread(space: &Space, known: &Space, charges: &Charges, full: bool) -> Charges {
    let mut out = Charges {
        of: vec![f64::INFINITY; space.demand.len()],
        weights: vec![Weights::new(); space.room.len()],
        loads: charges.loads.clone(),
    };
    for offer in 0..space.room.len() {
        let price = float(space.price[offer].0);
        let shapes: Vec<usize> = (0..known.demand.len())
            .filter(|s| known.fits(*s, offer))
            .collect();
        if shapes.is_empty() || space.stock[offer].is_some() {
            continue;
        }
        let Some(mut prices) = weights(known, offer, &shapes, &charges.of) else {
            continue;
        };
        let whole = weigh(&space.room[offer], &prices);
        if whole > 0.0 && (full || whole < price) {
            // A hair less, for the rounding.
            for w in &mut prices {
                *w *= price / whole * (1.0 - 1e-9);
            }
        }
        out.weights[offer] = prices;
    }
    for (shape, charge) in out.of.iter_mut().enumerate() {
        for (offer, prices) in out.weights.iter().enumerate() {
            if !prices.is_empty() && space.fits(shape, offer) {
                *charge = charge.min(weigh(&space.demand[shape], prices));
            }
        }
        if !charge.is_finite() {
            *charge = 0.0;
        }
    }
    out
}

/// Few shapes that stand for many: near ones come together, with their mean.
pub fn representatives(space: &Space) -> Space {
    let mut best: Option<Vec<(Vec<u32>, Vec<usize>)>> = None;
    for bits in (0..4).rev() {
        let mut groups: std::collections::BTreeMap<Vec<u32>, Vec<usize>> = std::collections::BTreeMap::new();
        for shape in 0..space.demand.len() {
            let mut key: Vec<u32> = vec![u32::try_from(space.class[shape]).unwrap_or(u32::MAX)];
            key.extend(space.demand[shape].iter().map(|d| step(*d, bits)));
            groups.entry(key).or_default().push(shape);
        }
        let few = groups.len() <= MANY;
        best = Some(groups.into_iter().collect());
        if few {
            break;
        }
    }
    let mut out = Space {
        dims: space.dims,
        room: space.room.clone(),
        suits: space.suits.clone(),
        price: space.price.clone(),
        stock: space.stock.clone(),
        ..Space::default()
    };
    for (_, shapes) in best.unwrap_or_default() {
        let n: f64 = shapes.iter().map(|s| space.count[*s]).sum();
        let mean = (0..space.dims).map(|d| {
            let sum: f64 = shapes
                .iter()
                .map(|s| float(space.demand[*s][d]) * space.count[*s])
                .sum();
            super::columns::whole(sum / n.max(1.0) + 0.5)
        });
        out.demand.push(mean.collect());
        out.class.push(space.class[shapes[0]]);
        out.count.push(n);
    }
    out
}

/// The leading binary digits of an amount: equal for near ones.
fn step(amount: i64, bits: u32) -> u32 {
    let amount = amount.max(0).unsigned_abs();
    let length = u64::BITS - amount.leading_zeros();
    let shift = length.saturating_sub(1 + bits);
    let head = u32::try_from(amount >> shift).unwrap_or(u32::MAX);
    length * 64 + head
}
