//! A market with slots as further axes, as the search for charges a shape sees it.

use crate::decide::packing::market::Market;
use crate::model::UsdPerHour;

/// With more slots than that they are left out, which takes away constraints and keeps a floor a floor.
const MOST_SLOTS: usize = 12;

/// Asks and offers in the same dimensions.
#[derive(Clone, Debug, Default)]
pub struct Space {
    pub dims: usize,
    /// By shape, by dimension.
    pub demand: Vec<Vec<i64>>,
    pub class: Vec<usize>,
    pub count: Vec<f64>,
    /// By offer, by dimension.
    pub room: Vec<Vec<i64>>,
    /// By offer: the classes that it suits.
    pub suits: Vec<fixedbitset::FixedBitSet>,
    /// By offer.
    pub price: Vec<UsdPerHour>,
    pub stock: Vec<Option<i64>>,
}

impl Space {
    pub fn of(m: &Market) -> Self {
        let slots = if m.slots.len() <= MOST_SLOTS {
            m.slots.len()
        } else {
            0
        };
        let mut out = Self {
            dims: m.axes.len() + slots,
            ..Self::default()
        };
        for ask in &m.asks {
            let mut demand = ask.demand.clone();
            demand.extend((0..slots).map(|s| i64::from(ask.slots.contains(&s))));
            out.demand.push(demand);
            out.class.push(ask.class);
            out.count.push(f64::from(ask.count));
        }
        for offer in &m.offers {
            let mut room = offer.room.clone();
            room.extend(m.slots.iter().take(slots).map(|s| s.most));
            out.room.push(room);
            out.suits.push(m.masks[offer.mask].clone());
            out.price.push(offer.price);
            out.stock.push(offer.stock);
        }
        out
    }

    pub fn fits(&self, shape: usize, offer: usize) -> bool {
        self.suits[offer].contains(self.class[shape])
            && self.demand[shape]
                .iter()
                .zip(&self.room[offer])
                .all(|(d, r)| d <= r)
    }

    /// How many pods of the shape alone fit, and no more than there are.
    pub fn copies(&self, shape: usize, offer: usize) -> i64 {
        let per_axis = self.demand[shape].iter().zip(&self.room[offer]);
        per_axis
            .filter(|(d, _)| **d > 0)
            .map(|(d, r)| r / d)
            .min()
            .unwrap_or(1)
    }
}

#[allow(clippy::cast_precision_loss)]
pub fn float(n: i64) -> f64 {
    n as f64
}
