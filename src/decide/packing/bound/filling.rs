//! The most that pods on one node of an offer are charged, by branch and bound in integers: whatever is cut off is
//! bounded by what its free room is worth at prices per resource.

use super::space::Space;
use super::weights::Weights;

/// Shapes of one offer.
#[derive(Debug)]
pub struct Filling<'a> {
    space: &'a Space,
    offer: usize,
    /// Shape, charge, weight.
    items: Vec<(usize, i64, i128)>,
    /// Weight of the whole room, below 2^64.
    whole: i128,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// No node holds more than that, in pico-dollars.
    pub most: i64,
    pub worth: i64,
    /// The best loads seen with what they are charged, all above the floor.
    pub loads: Vec<(i64, Vec<(usize, u32)>)>,
}

/// Loads kept of one search.
const KEPT: usize = 3;

struct Search<'a, 'b> {
    f: &'a Filling<'b>,
    free: Vec<i64>,
    /// What the free room weighs.
    weight: i128,
    taken: Vec<u32>,
    best: i64,
    loads: Vec<(i64, Vec<(usize, u32)>)>,
    /// Nothing below is of interest.
    floor: i64,
    /// The greatest bound of what was not looked at.
    open: i64,
    steps: u32,
}

impl<'a> Filling<'a> {
    /// `charges` in pico-dollars by shape, never negative; `weights` any prices. `None` beyond exact arithmetic.
    pub fn new(
        space: &'a Space,
        offer: usize,
        shapes: &[usize],
        charges: &[i64],
        weights: &Weights,
    ) -> Option<Self> {
        // Prices as integers such that a whole node weighs some 2^60.
        let whole = super::weights::weigh(&space.room[offer], weights);
        let scale = if whole > 0.0 { 1.15e18 / whole } else { return None };
        #[allow(clippy::cast_possible_truncation)]
        let weights: Vec<i128> = weights.iter().map(|w| (w * scale).ceil() as i128).collect();
        let mut items = Vec::new();
        for shape in shapes.iter().copied().filter(|s| charges[*s] > 0) {
            let weight = product(&space.demand[shape], &weights)?;
            if weight <= 0 {
                return None;
            }
            items.push((shape, charges[shape], weight));
        }
        let whole = product(&space.room[offer], &weights)?;
        Some(Self {
            space,
            offer,
            items,
            whole,
        })
    }

    /// The bound without any search.
    pub fn root(&self) -> i64 {
        let mut best: Option<&(usize, i64, i128)> = None;
        for item in &self.items {
            // a/b > c/d as a·d > c·b.
            if best.is_none_or(|b| i128::from(item.1) * b.2 > i128::from(b.1) * item.2) {
                best = Some(item);
            }
        }
        best.map_or(0, |item| most(item, self.whole))
    }

    /// Searches until nothing above `floor` is left or `limit` steps are done.
    pub fn search(&mut self, floor: i64, limit: u32) -> Found {
        self.items
            .sort_by(|(s, v, w), (t, x, y)| (i128::from(*x) * w).cmp(&(i128::from(*v) * y)).then(s.cmp(t)));
        let mut s = Search {
            f: self,
            free: self.space.room[self.offer].clone(),
            weight: self.whole,
            taken: vec![0; self.items.len()],
            best: 0,
            loads: Vec::new(),
            floor,
            open: 0,
            steps: limit,
        };
        s.deeper(0, 0);
        Found {
            most: s.best.max(s.open).max(floor),
            worth: s.best,
            loads: s.loads,
        }
    }
}

/// What room of some weight is worth at most if only this shape and none that is denser is left.
fn most((_, charge, weight): &(usize, i64, i128), room: i128) -> i64 {
    let more = room.saturating_mul(i128::from(*charge)) / weight;
    i64::try_from(more).unwrap_or(i64::MAX)
}

fn product(amounts: &[i64], prices: &[i128]) -> Option<i128> {
    let mut sum = 0_i128;
    for (a, p) in amounts.iter().zip(prices) {
        sum = sum.checked_add(i128::from(*a).checked_mul(*p)?)?;
    }
    // Room for a charge beside it.
    (sum < 1 << 64).then_some(sum)
}

impl Search<'_, '_> {
    fn deeper(&mut self, from: usize, worth: i64) {
        if worth > self.best {
            self.best = worth;
            if worth > self.floor {
                let taken = self.taken.iter().enumerate().filter(|(_, n)| **n > 0);
                let load = taken.map(|(i, n)| (self.f.items[i].0, *n)).collect();
                if self.loads.len() == KEPT {
                    self.loads.remove(0);
                }
                self.loads.push((worth, load));
            }
        }
        for i in from..self.f.items.len() {
            let item = self.f.items[i];
            let (shape, charge, weight) = item;
            // worth + weight·charge/weight' ≤ the best, without a division.
            let more = i128::from(self.floor.max(self.best)) - i128::from(worth);
            if self.weight * i128::from(charge) < (more + 1) * weight {
                return;
            }
            let bound = |s: &Self| worth.saturating_add(most(&item, s.weight));
            let demand = &self.f.space.demand[shape];
            if demand.iter().zip(&self.free).any(|(d, f)| d > f) {
                continue;
            }
            if self.steps == 0 {
                self.open = self.open.max(bound(self));
                return;
            }
            self.steps -= 1;
            // As many as fit, then fewer: the first way down is the greedy one.
            let fits = demand.iter().zip(&self.free).filter(|(d, _)| **d > 0);
            let copies = fits.map(|(d, f)| f / d).min().unwrap_or(1).max(1);
            for n in (1..=copies).rev() {
                self.take(i, n);
                let with = worth.saturating_add(charge.saturating_mul(n));
                self.deeper(i + 1, with);
                self.take(i, -n);
                if self.steps == 0 {
                    // What was not tried at this shape is within its bound.
                    self.open = self.open.max(bound(self));
                    return;
                }
            }
        }
    }

    fn take(&mut self, i: usize, n: i64) {
        let (shape, _, weight) = self.f.items[i];
        self.weight -= weight * i128::from(n);
        for (free, d) in self.free.iter_mut().zip(&self.f.space.demand[shape]) {
            *free -= d * n;
        }
        let count = i64::from(self.taken[i]) + n;
        self.taken[i] = u32::try_from(count.max(0)).unwrap_or(0);
    }
}
