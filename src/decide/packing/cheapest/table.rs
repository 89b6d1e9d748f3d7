//! A market laid out for filling nodes: flat amounts, charges, offers by price.

use fixedbitset::FixedBitSet;

use super::build::node;
use super::plan::Node;
use crate::decide::packing::bound::Charges;
use crate::decide::packing::market::{Market, Offer};
use crate::model::UsdPerHour;

/// What the search reads all the time.
#[derive(Debug)]
pub struct Table<'a> {
    pub m: &'a Market,
    pub axes: usize,
    /// Axis by axis of ask after ask.
    pub demand: Vec<i64>,
    /// Dollars that the floor charges one pod of the ask.
    pub worth: Vec<f64>,
    /// By offer, by axis: the share of the offer's worth that this axis has, per unit of room squared; what the
    /// alignment of a pod with the free room is weighed by.
    pub weight: Vec<f64>,
    /// By offer: dollars at which its whole room is charged.
    pub full: Vec<f64>,
    /// By offer, by axis: dollars a unit.
    pub prices: Vec<f64>,
    /// Offers that some ask would be worth their price on, nearly.
    pub useful: Vec<usize>,
    /// Nodes that are worth about what they cost.
    pub loads: Vec<Node>,
    /// Offers, cheapest first.
    pub by_price: Vec<usize>,
    /// Class → classes whose pods cannot be on one node with it.
    pub apart: &'a [FixedBitSet],
    /// Most pods that one node may hold.
    pub most_pods: u32,
}

#[allow(clippy::cast_precision_loss)]
pub fn float(n: i64) -> f64 {
    n as f64
}

pub fn dollars(price: UsdPerHour) -> f64 {
    price.as_f64()
}

impl<'a> Table<'a> {
    pub fn new(m: &'a Market, charges: &'a Charges, apart: &'a [FixedBitSet], most_pods: u32) -> Self {
        let axes = m.axes.len();
        let per = |pico: f64| pico / float(UsdPerHour::from_f64(1.0).0);
        let mut prices = Vec::with_capacity(m.offers.len() * axes);
        let mut weight = Vec::with_capacity(m.offers.len() * axes);
        let mut full = Vec::with_capacity(m.offers.len());
        for (i, offer) in m.offers.iter().enumerate() {
            let known = charges.weights.get(i).filter(|w| w.len() >= axes);
            let own: Vec<f64> = if let Some(w) = known {
                w.iter().take(axes).map(|y| per(*y)).collect()
            } else {
                // Nobody looked at it yet: each resource bears an equal part.
                let part = dollars(offer.price) / float(i64::try_from(axes).unwrap_or(1));
                offer.room.iter().map(|r| part / float((*r).max(1))).collect()
            };
            let parts: Vec<f64> = offer
                .room
                .iter()
                .zip(&own)
                .map(|(room, y)| float((*room).max(0)) * y)
                .collect();
            let sum: f64 = parts.iter().sum();
            for (part, room) in parts.iter().zip(&offer.room) {
                let room = float((*room).max(1));
                // What costs nothing still should not run out first.
                let share = if sum > 0.0 { part / sum } else { 0.0 } + 0.02;
                weight.push(share / (room * room));
            }
            prices.extend(own);
            full.push(sum);
        }
        let mut by_price: Vec<usize> = (0..m.offers.len()).collect();
        by_price.sort_by_key(|o| (m.offers[*o].price, *o));
        let mut out = Self {
            m,
            axes,
            demand: m.asks.iter().flat_map(|a| a.demand.iter().copied()).collect(),
            worth: charges.of.iter().map(|c| per(*c)).collect(),
            prices,
            weight,
            full,
            useful: Vec::new(),
            loads: Vec::new(),
            by_price,
            apart,
            most_pods,
        };
        out.useful = out.worthwhile();
        let stock: Vec<i64> = m.offers.iter().map(|o| o.stock.unwrap_or(i64::MAX)).collect();
        let fitting = charges.loads.iter().filter(|(_, load)| {
            let pods: u64 = load.iter().map(|(_, n)| u64::from(*n)).sum();
            pods <= u64::from(most_pods)
        });
        out.loads = fitting
            .filter_map(|(_, load)| node(&out, load.clone(), &stock))
            .collect();
        out
    }

    fn worthwhile(&self) -> Vec<usize> {
        /// Of the price.
        const SHARE: f64 = 0.8;
        let step = self.m.asks.len().div_ceil(400).max(1);
        (0..self.m.offers.len())
            .filter(|o| {
                let offer = self.offer(*o);
                (0..self.m.asks.len()).step_by(step).any(|a| {
                    self.m.suits(&self.m.asks[a], offer)
                        && self.fair(a, *o) * self.full[*o] >= SHARE * dollars(offer.price)
                })
            })
            .collect()
    }

    /// What a pod is charged, as a share of what its room costs on the offer.
    pub fn fair(&self, ask: usize, offer: usize) -> f64 {
        self.worth[ask] / self.weigh(ask, offer).max(1e-30)
    }

    /// Dollars that the pod's room costs on the offer.
    pub fn weigh(&self, ask: usize, offer: usize) -> f64 {
        let prices = &self.prices[offer * self.axes..(offer + 1) * self.axes];
        self.demand(ask)
            .iter()
            .zip(prices)
            .map(|(d, y)| float(*d) * y)
            .sum()
    }

    pub fn demand(&self, ask: usize) -> &[i64] {
        &self.demand[ask * self.axes..(ask + 1) * self.axes]
    }

    pub fn weight(&self, offer: usize) -> &[f64] {
        &self.weight[offer * self.axes..(offer + 1) * self.axes]
    }

    pub fn offer(&self, offer: usize) -> &Offer {
        &self.m.offers[offer]
    }

    /// Every class of the market by mask.
    pub fn mask(&self, offer: usize) -> &FixedBitSet {
        &self.m.masks[self.m.offers[offer].mask]
    }

    /// The cheapest offer that holds a load, among those that are in stock.
    pub fn smallest(&self, load: &[(usize, u32)], stock: &[i64]) -> Option<usize> {
        let mut sum = vec![0_i64; self.axes];
        let mut classes = FixedBitSet::with_capacity(self.m.classes);
        for (ask, n) in load {
            for (total, one) in sum.iter_mut().zip(self.demand(*ask)) {
                *total += one * i64::from(*n);
            }
            classes.insert(self.m.asks[*ask].class);
        }
        self.by_price.iter().copied().find(|o| {
            let offer = self.offer(*o);
            stock[*o] > 0
                && sum.iter().zip(&offer.room).all(|(want, have)| want <= have)
                && classes.is_subset(self.mask(*o))
        })
    }
}

/// A small generator, the same numbers every time (xorshift).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `n`; zero for zero.
    pub fn below(&mut self, n: usize) -> usize {
        let n64 = u64::try_from(n.max(1)).unwrap_or(u64::MAX);
        usize::try_from((self.next() >> 11) % n64).unwrap_or(0)
    }

    /// From 0 to below 1.
    #[allow(clippy::cast_precision_loss)]
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
