//! Charges a shape instead of prices a resource: a node's pods need all their resources on that node, and only whole
//! pods. The master program maximises the charges under the loads known so far; loads that are charged more than their
//! offer costs are searched and added, until there are none or the work is done.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};

use super::filling::Filling;
use super::space::{Space, float};
use super::weights::{Weights, weigh, weights};
use crate::model::UsdPerHour;

/// Charges, and what was learnt on the way.
#[derive(Clone, Debug, Default)]
pub struct Charges {
    /// By shape, pico-dollars.
    pub of: Vec<f64>,
    /// By offer; empty where no shape fits.
    pub weights: Vec<Weights>,
    /// Loads that are worth about what they cost: offer, shapes.
    pub loads: Vec<(usize, Vec<(usize, u32)>)>,
}

/// A load that is charged too much: by what factor, on which offer, which shapes.
type Excess = (f64, usize, Vec<(usize, f64)>);

const ROUNDS: usize = 120;
const LOADS_A_ROUND: usize = 16;
/// Steps of one search for a load.
const STEPS: u32 = 300;
const MOST_STEPS: u32 = 10_800;
/// With fewer loads than that in a round the search goes on in another way.
const FEW: usize = 4;
const TOLERANCE: f64 = 1e-6;
/// How much of the best charges so far is in those that are tried next.
const SMOOTH: f64 = 0.5;

#[allow(clippy::cast_possible_truncation)]
pub fn whole(charge: f64) -> i64 {
    // Saturates.
    charge.max(0.0).floor() as i64
}

/// What is worth most on a node of the offer if pods could be cut: few shapes, as many as there are dimensions.
fn in_parts(
    space: &Space,
    offer: usize,
    shapes: &[usize],
    charges: &[f64],
    weights: &[f64],
) -> Vec<(usize, f64)> {
    /// Of what its room costs, a shape must be charged so much to have a part in it.
    const NEARLY: f64 = 0.9;
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let unit = float(space.price[offer].0).max(1.0);
    let near: Vec<usize> = shapes
        .iter()
        .copied()
        .filter(|s| charges[*s] > 0.0 && charges[*s] >= NEARLY * weigh(&space.demand[*s], weights))
        .collect();
    let vars: Vec<Variable> = near
        .iter()
        .map(|s| problem.add_var(charges[*s] / unit, (0.0, f64::INFINITY)))
        .collect();
    for (dim, room) in space.room[offer].iter().enumerate() {
        let row: Vec<(Variable, f64)> = vars
            .iter()
            .zip(&near)
            .filter(|(_, s)| space.demand[**s][dim] > 0)
            .map(|(v, s)| (*v, float(space.demand[*s][dim]) / float((*room).max(1))))
            .collect();
        if !row.is_empty() {
            problem.add_constraint(row.as_slice(), ComparisonOp::Le, 1.0);
        }
    }
    let Ok(SolveOutcome::Solution(solution)) = problem.solve() else {
        return Vec::new();
    };
    let parts = vars.iter().zip(near).map(|(v, s)| (s, solution.var_value(*v)));
    parts.filter(|(_, n)| *n > 1e-9).collect()
}

/// `work`: rounds are worth about the number of shapes times the number of offers.
pub fn charges(space: &Space, work: u64) -> Charges {
    let fitting: Vec<Vec<usize>> = (0..space.room.len())
        .map(|o| (0..space.demand.len()).filter(|s| space.fits(*s, o)).collect())
        .collect();
    let most: Vec<f64> = alone(space);
    let mut out = Charges {
        of: vec![0.0; space.demand.len()],
        weights: vec![Weights::new(); space.room.len()],
        loads: Vec::new(),
    };
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let total: f64 = most.iter().zip(&space.count).map(|(m, n)| m * n).sum();
    if total <= 0.0 {
        return out;
    }
    // A variable is the share of what the shape costs alone.
    let vars: Vec<Variable> = most
        .iter()
        .zip(&space.count)
        .map(|(m, n)| problem.add_var(m * n / total * 1e3, (0.0, 1.0)))
        .collect();
    let Ok(SolveOutcome::Solution(mut solution)) = problem.solve() else {
        return out;
    };
    let mut best = 0.0;
    let mut smooth = 0.0;
    let mut left = work;
    let mut steps = STEPS;
    let mut hot: Vec<bool> = vec![true; space.room.len()];
    for round in 0..ROUNDS {
        let master: Vec<f64> = vars
            .iter()
            .zip(&most)
            .map(|(v, m)| solution.var_value(*v).clamp(0.0, 1.0) * m)
            .collect();
        let at: Vec<f64> = master
            .iter()
            .zip(&out.of)
            .map(|(new, old)| smooth * old + (1.0 - smooth) * new)
            .collect();
        let whole_charges: Vec<i64> = at.iter().map(|c| whole(*c)).collect();
        let mut found: Vec<Excess> = Vec::new();
        let mut unproven: Vec<(f64, usize)> = Vec::new();
        let mut share = 1.0_f64;
        for (offer, shapes) in fitting.iter().enumerate() {
            if shapes.is_empty() || space.stock[offer].is_some() || space.price[offer].0 <= 0 {
                continue;
            }
            let price = float(space.price[offer].0);
            left = left.saturating_sub(shapes.len() as u64);
            let mut worth = worth(space, offer, shapes, &at, &out.weights[offer]);
            if worth > price * (1.0 + TOLERANCE) {
                left = left.saturating_sub(10 * shapes.len() as u64 + 2000);
                if let Some(new) = weights(space, offer, shapes, &at) {
                    out.weights[offer] = new;
                    worth = self::worth(space, offer, shapes, &at, &out.weights[offer]);
                }
            }
            if worth > price * (1.0 + TOLERANCE)
                && let Some(mut f) = Filling::new(space, offer, shapes, &whole_charges, &out.weights[offer])
            {
                let limit = if hot[offer] { steps } else { steps / 8 };
                left = left.saturating_sub(u64::from(limit));
                let got = f.search(space.price[offer].0, limit);
                worth = worth.min(float(got.most));
                hot[offer] = float(got.worth) > price * (1.0 + TOLERANCE);
                for (worth, load) in got.loads {
                    let parts = load.iter().map(|(s, n)| (*s, f64::from(*n))).collect();
                    found.push((float(worth) / price, offer, parts));
                    out.loads.push((offer, load));
                }
            }
            if worth > price * (1.0 + TOLERANCE) && !hot[offer] {
                unproven.push((worth / price, offer));
            }
            share = share.min(price / worth.max(1e-9));
        }
        let sum: f64 = at.iter().zip(&space.count).map(|(c, n)| c * n).sum();
        if sum * share > best {
            best = sum * share;
            out.of = at.iter().map(|c| c * share).collect();
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(LOADS_A_ROUND);
        let top: f64 = master.iter().zip(&space.count).map(|(c, n)| c * n).sum();
        if best >= top * (1.0 - 1e-4) || left == 0 {
            break;
        }
        let few = found.len() < FEW && smooth == 0.0;
        if few {
            if found.is_empty() && share >= 1.0 - TOLERANCE {
                break;
            }
            // Whole pods that are charged too much are hard to find, or there are none: look longer, and in the end
            // take what fits in parts for what fits.
            if steps < MOST_STEPS {
                steps *= 6;
                hot.fill(true);
            } else {
                unproven.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                for (over, offer) in unproven.into_iter().take(FEW) {
                    let load = in_parts(space, offer, &fitting[offer], &at, &out.weights[offer]);
                    found.push((over, offer, load));
                }
                if found.is_empty() {
                    break;
                }
            }
        }
        // Charges that nothing cuts off are tried nearer to the master's.
        smooth = if found.is_empty() || round < 3 {
            0.0
        } else {
            SMOOTH
        };
        for (_, offer, load) in found {
            let price = float(space.price[offer].0);
            let row: Vec<(Variable, f64)> = load
                .iter()
                .map(|(s, n)| (vars[*s], n * most[*s] / price))
                .collect();
            match solution.add_constraint(row.as_slice(), ComparisonOp::Le, 1.0) {
                Ok(SolveOutcome::Solution(next)) => solution = next,
                _ => return out,
            }
        }
    }
    out
}

/// What a node of the offer is worth at most at these prices; infinite while there are none.
fn worth(space: &Space, offer: usize, shapes: &[usize], charges: &[f64], weights: &[f64]) -> f64 {
    if weights.is_empty() {
        return f64::INFINITY;
    }
    let mut ratio = 0.0_f64;
    for s in shapes {
        if charges[*s] > 0.0 {
            ratio = ratio.max(charges[*s] / weigh(&space.demand[*s], weights).max(1e-300));
        }
    }
    ratio * weigh(&space.room[offer], weights)
}

/// By shape: what a pod of it costs on nodes of its own.
fn alone(space: &Space) -> Vec<f64> {
    (0..space.demand.len())
        .map(|s| {
            let offers = (0..space.room.len()).filter(|o| space.fits(s, *o) && space.stock[*o].is_none());
            offers
                .map(|o| float(space.price[o].0) / float(space.copies(s, o).max(1)))
                .fold(f64::INFINITY, f64::min)
        })
        .map(|least| if least.is_finite() { least } else { 0.0 })
        .collect()
}

/// So many shapes are not searched: what fits is nearly what fits in parts.
const MANY: usize = 400;
/// Steps of a search that has to prove something.
const PROOF: u32 = 20_000;

/// The sum of the charges, scaled until no offer holds more than it costs: exact.
pub fn value(space: &Space, charges: &Charges, counts: &[u32]) -> UsdPerHour {
    let of: Vec<i64> = charges.of.iter().map(|c| whole(*c)).collect();
    let floats: Vec<f64> = of.iter().map(|c| float(*c)).collect();
    let mut most: Vec<(i64, usize)> = Vec::new();
    let mut steps = PROOF * 20;
    for offer in 0..space.room.len() {
        let shapes: Vec<usize> = (0..of.len())
            .filter(|s| of[*s] > 0 && space.fits(*s, offer))
            .collect();
        if shapes.is_empty() {
            continue;
        }
        let price = space.price[offer].0;
        let Some(worth) = bound(space, offer, &shapes, (&of, &floats), charges, &mut steps) else {
            return UsdPerHour::ZERO;
        };
        if worth > price || space.stock[offer].is_some() {
            most.push((worth, offer));
        }
    }
    // The least share price / worth of the offers that are not counted.
    let (mut num, mut den) = (1_i128, 1_i128);
    for (worth, offer) in &most {
        let (price, worth) = (i128::from(space.price[*offer].0), i128::from(*worth));
        if space.stock[*offer].is_none() && price * den < num * worth {
            (num, den) = (price, worth);
        }
    }
    let mut sum: i128 = of
        .iter()
        .zip(counts)
        .map(|(c, n)| i128::from(*c) * num / den * i128::from(*n))
        .sum();
    for (worth, offer) in &most {
        if let Some(stock) = space.stock[*offer] {
            let excess = i128::from(*worth) * num / den + 1 - i128::from(space.price[*offer].0);
            sum -= excess.max(0) * i128::from(stock);
        }
    }
    UsdPerHour(i64::try_from(sum.max(0)).unwrap_or(i64::MAX))
}

/// No node of the offer is charged more than that.
fn bound(
    space: &Space,
    offer: usize,
    shapes: &[usize],
    (of, floats): (&[i64], &[f64]),
    charges: &Charges,
    steps: &mut u32,
) -> Option<i64> {
    let price = space.price[offer].0;
    let mut best: Option<Filling<'_>> = None;
    let known = Some(&charges.weights[offer]).filter(|w| !w.is_empty()).cloned();
    for attempt in 0..2 {
        let prices = if attempt == 0 {
            known.clone()
        } else {
            weights(space, offer, shapes, floats)
        };
        let Some(prices) = prices else { continue };
        if let Some(f) = Filling::new(space, offer, shapes, of, &prices)
            && best.as_ref().is_none_or(|b| f.root() < b.root())
        {
            best = Some(f);
        }
        if best.as_ref().is_some_and(|b| b.root() <= price) {
            break;
        }
    }
    let mut best = best?;
    let root = best.root();
    if root <= price || *steps == 0 || shapes.len() > MANY {
        return Some(root);
    }
    let limit = PROOF.min(*steps);
    let got = best.search(price, limit);
    *steps = steps.saturating_sub(limit / 8);
    Some(got.most.min(root))
}
