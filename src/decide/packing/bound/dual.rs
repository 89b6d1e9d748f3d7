//! The linear program: a price for each class and resource and for each slot, such that no offer has room worth more
//! than it costs.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};

use crate::decide::packing::market::{Market, Offer};

/// What pods are charged, in pico-dollars per hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// By class, by axis: one unit of the resource.
    pub classes: Vec<Vec<f64>>,
    pub slots: Vec<f64>,
}

/// Rows are added in rounds, the most violated of each mask.
const ROUNDS: usize = 80;
const ROWS_A_ROUND: usize = 24;
const ROWS_A_MASK: usize = 3;
/// A row may be violated by that share; scaling mends it.
const TOLERANCE: f64 = 1e-7;

impl Prices {
    pub fn zero(m: &Market) -> Self {
        Self {
            classes: vec![vec![0.0; m.axes.len()]; m.classes],
            slots: vec![0.0; m.slots.len()],
        }
    }

    /// By mask: the dearest class of each axis.
    pub fn dearest(&self, m: &Market) -> Vec<Vec<usize>> {
        (0..m.masks.len()).map(|mask| self.dearest_of(m, mask)).collect()
    }

    fn dearest_of(&self, m: &Market, mask: usize) -> Vec<usize> {
        (0..m.axes.len())
            .map(|axis| {
                let mut best = m.masks[mask].minimum().unwrap_or(0);
                for class in m.masks[mask].ones() {
                    if self.classes[class][axis] > self.classes[best][axis] {
                        best = class;
                    }
                }
                best
            })
            .collect()
    }
}

/// Slots that pods on a node of each mask may take.
pub fn slots_of_masks(m: &Market) -> Vec<Vec<usize>> {
    m.masks
        .iter()
        .map(|mask| {
            let taken = m
                .slots
                .iter()
                .enumerate()
                .filter(|(_, s)| !s.classes.is_disjoint(mask));
            taken.map(|(i, _)| i).collect()
        })
        .collect()
}

#[allow(clippy::cast_precision_loss)]
fn float(n: i64) -> f64 {
    n as f64
}

/// Where each price is found among the program's variables, and in which unit.
struct Layout {
    /// By class, by axis; `None` where nobody asks.
    classes: Vec<Vec<Option<Variable>>>,
    slots: Vec<Variable>,
    /// By offer: what a counted one may be worth beyond its price.
    excess: Vec<Option<Variable>>,
    /// By axis: pico-dollars per unit that 1 stands for.
    scale: Vec<f64>,
    /// Pico-dollars that 1 stands for, of slots.
    dollar: f64,
    slots_of: Vec<Vec<usize>>,
}

/// Solves the program as far as the rounds go; any prices at all, zero at worst.
pub fn solve(m: &Market) -> Prices {
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let layout = Layout::new(m, &mut problem);
    let Ok(SolveOutcome::Solution(mut solution)) = problem.solve() else {
        return Prices::zero(m);
    };
    let mut best = layout.read(&solution);
    for _ in 0..ROUNDS {
        let rows = layout.violated(m, &best.0, &best.1);
        if rows.is_empty() {
            break;
        }
        for offer in rows {
            let (row, limit) = layout.row(m, &best.0, offer);
            match solution.add_constraint(row.as_slice(), ComparisonOp::Le, limit) {
                Ok(SolveOutcome::Solution(next)) => solution = next,
                _ => return best.0,
            }
        }
        best = layout.read(&solution);
    }
    best.0
}

impl Layout {
    fn new(m: &Market, problem: &mut Problem) -> Self {
        let priced: Vec<&Offer> = m.offers.iter().filter(|o| o.price.0 > 0).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (sum, n) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
            if n > 0.0 && sum > 0.0 { sum / n } else { 1.0 }
        };
        let dollar = mean(&mut priced.iter().map(|o| float(o.price.0)));
        let scale: Vec<f64> = (0..m.axes.len())
            .map(|axis| {
                let rooms = m.offers.iter().map(|o| float(o.room[axis])).filter(|v| *v > 0.0);
                dollar / mean(&mut { rooms })
            })
            .collect();
        let mut demand = vec![vec![0.0; m.axes.len()]; m.classes];
        let mut taken = vec![0.0; m.slots.len()];
        for ask in &m.asks {
            let count = f64::from(ask.count);
            for (sum, want) in demand[ask.class].iter_mut().zip(&ask.demand) {
                *sum += count * float(*want);
            }
            for slot in &ask.slots {
                taken[*slot] += count;
            }
        }
        let classes = (0..m.classes)
            .map(|class| {
                (0..m.axes.len())
                    .map(|axis| {
                        let amount = demand[class][axis] * scale[axis] / dollar;
                        (amount > 0.0).then(|| {
                            // Alone on an offer it can be worth no more than the offer costs.
                            let least = m
                                .offers
                                .iter()
                                .filter(|o| o.stock.is_none() && o.room[axis] > 0)
                                .filter(|o| m.masks[o.mask].contains(class))
                                .map(|o| float(o.price.0) / float(o.room[axis]))
                                .fold(f64::MAX, f64::min);
                            let most = if least < f64::MAX {
                                least / scale[axis]
                            } else {
                                0.0
                            };
                            problem.add_var(amount, (0.0, most))
                        })
                    })
                    .collect()
            })
            .collect();
        let slots = m
            .slots
            .iter()
            .enumerate()
            .map(|(i, slot)| {
                let least = m
                    .offers
                    .iter()
                    .filter(|o| o.stock.is_none() && !m.masks[o.mask].is_disjoint(&slot.classes))
                    .map(|o| float(o.price.0) / float(slot.most.max(1)))
                    .fold(f64::MAX, f64::min);
                let most = if least < f64::MAX { least / dollar } else { 0.0 };
                problem.add_var(taken[i], (0.0, most))
            })
            .collect();
        let excess = m
            .offers
            .iter()
            .map(|o| {
                let stock = o.stock?;
                Some(problem.add_var(-float(stock), (0.0, f64::INFINITY)))
            })
            .collect();
        Self {
            classes,
            slots,
            excess,
            scale,
            dollar,
            slots_of: slots_of_masks(m),
        }
    }

    fn read(&self, solution: &microlp::Solution) -> (Prices, Vec<f64>) {
        let value = |v: Variable| solution.var_value(v).max(0.0);
        let prices = Prices {
            classes: self
                .classes
                .iter()
                .map(|axes| {
                    let priced = axes.iter().zip(&self.scale);
                    priced
                        .map(|(v, scale)| v.map_or(0.0, |v| value(v) * scale))
                        .collect()
                })
                .collect(),
            slots: self.slots.iter().map(|v| value(*v) * self.dollar).collect(),
        };
        let excess = self
            .excess
            .iter()
            .map(|v| v.map_or(0.0, |v| value(v) * self.dollar));
        (prices, excess.collect())
    }

    /// The offers whose room is worth most beyond their price, dearest first.
    fn violated(&self, m: &Market, prices: &Prices, excess: &[f64]) -> Vec<usize> {
        let dearest = prices.dearest(m);
        let slots: Vec<f64> = self
            .slots_of
            .iter()
            .map(|list| {
                list.iter()
                    .map(|s| float(m.slots[*s].most) * prices.slots[*s])
                    .sum()
            })
            .collect();
        let mut over: Vec<(f64, usize)> = Vec::new();
        for (i, offer) in m.offers.iter().enumerate() {
            let mut worth = slots[offer.mask] - excess[i];
            for (axis, class) in dearest[offer.mask].iter().enumerate() {
                worth += float(offer.room[axis].max(0)) * prices.classes[*class][axis];
            }
            let price = float(offer.price.0);
            if worth > price + TOLERANCE * price.max(self.dollar * 1e-6) {
                over.push((worth / price.max(self.dollar * 1e-9), i));
            }
        }
        over.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut of_mask = vec![0_usize; m.masks.len()];
        over.into_iter()
            .map(|(_, i)| i)
            .filter(|i| {
                let n = &mut of_mask[m.offers[*i].mask];
                *n += 1;
                *n <= ROWS_A_MASK
            })
            .take(ROWS_A_ROUND)
            .collect()
    }

    /// The row of an offer at the classes that are dearest now; it holds for all prices that are feasible.
    fn row(&self, m: &Market, prices: &Prices, offer: usize) -> (Vec<(Variable, f64)>, f64) {
        let o = &m.offers[offer];
        let dearest = prices.dearest_of(m, o.mask);
        let limit = float(o.price.0) / self.dollar;
        let unit = if limit > 0.0 { limit } else { 1.0 };
        let mut row = Vec::new();
        for (axis, class) in dearest.iter().enumerate() {
            if let (Some(v), true) = (self.classes[*class][axis], o.room[axis] > 0) {
                row.push((v, float(o.room[axis]) * self.scale[axis] / self.dollar / unit));
            }
        }
        for slot in &self.slots_of[o.mask] {
            row.push((self.slots[*slot], float(m.slots[*slot].most) / unit));
        }
        if let Some(v) = self.excess[offer] {
            row.push((v, -1.0 / unit));
        }
        (row, limit / unit)
    }
}
