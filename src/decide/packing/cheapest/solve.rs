//! From the greedy's run to the cheaper of two plans.

use super::{Effort, Node, Table, optimise};
use crate::decide::Fuel;
use crate::decide::packing::bound;
use crate::decide::packing::karpenter::{Intent, Run, Wishes};
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::{Problem, Solution};
use crate::model::UsdPerHour;

/// Pods looked at by the search: at least so many, and more for every pod of the plan.
const EFFORT: u64 = 3_000_000;
const EFFORT_A_POD: u64 = 20_000;
const MOST_EFFORT: u64 = 100_000_000;

/// The plan, and what it was weighed against.
#[derive(Clone, Debug, Default)]
pub struct Cheapest {
    pub solution: Solution,
    /// The greedy's plan won.
    pub as_greedy: bool,
    pub here: Trade,
    pub greedy: Trade,
}

/// What a plan trades: fewer and bigger nodes are cheaper, and more is lost with one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trade {
    pub nodes: usize,
    pub price: UsdPerHour,
    /// Pods that have a place, on nodes that are there or new ones.
    pub placed: usize,
    /// Pods of the fullest new node.
    pub largest: usize,
}

impl Trade {
    pub fn of(solution: &Solution) -> Self {
        let on_new: usize = solution.claims.iter().map(|c| c.draft.pods.len()).sum();
        Self {
            nodes: solution.claims.len(),
            price: solution
                .claims
                .iter()
                .filter_map(|c| c.draft.expected.as_ref())
                .map(|e| e.price_per_hour)
                .sum(),
            placed: on_new + solution.existing.values().map(Vec::len).sum::<usize>(),
            largest: solution
                .claims
                .iter()
                .map(|c| c.draft.pods.len())
                .max()
                .unwrap_or(0),
        }
    }
}

/// Packs the pods of a problem as cheaply as it can. `share`: the part of the placed pods that one new node may hold;
/// one pod always.
pub fn solve(p: &Prepared, problem: &Problem<'_>, share: Option<f64>, fuel: &mut Fuel) -> Cheapest {
    let mut run = Run::greedy(p, problem, usize::MAX, fuel);
    let mut most = usize::MAX;
    // A plan under the cap may place fewer pods, which makes the cap lower.
    while let Some(share) = share {
        let cap = part(share, run.placed());
        if cap >= most {
            break;
        }
        most = cap;
        if run.largest() > most {
            run = Run::greedy(p, problem, most, fuel);
        }
    }
    let wishes = run.wishes(problem);
    let nodes = search(&wishes, most);
    let other = (!nodes.is_empty()).then(|| run.replay(problem, &wishes, &intents(&wishes, &nodes), fuel));
    let greedy = run.into_solution();
    let before = Trade::of(&greedy);
    if let Some(other) = other {
        let solution = other.into_solution();
        let here = Trade::of(&solution);
        if (std::cmp::Reverse(here.placed), here.price) < (std::cmp::Reverse(before.placed), before.price) {
            return Cheapest {
                solution,
                as_greedy: false,
                here,
                greedy: before,
            };
        }
    }
    Cheapest {
        solution: greedy,
        as_greedy: true,
        here: before,
        greedy: before,
    }
}

/// `share` of `n`, rounded down, one at least.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn part(share: f64, n: usize) -> usize {
    // Saturates; NaN becomes zero.
    ((share.max(0.0) * n as f64 + 1e-9).floor() as usize).max(1)
}

fn search(wishes: &Wishes, most: usize) -> Vec<Node> {
    let m = &wishes.market;
    if m.asks.is_empty() || m.offers.is_empty() {
        return Vec::new();
    }
    let (charges, _) = bound::charges(m, bound::Care::Full);
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let table = Table::new(m, &charges, &wishes.apart, most);
    let effort = (EFFORT + EFFORT_A_POD.saturating_mul(m.pods())).min(MOST_EFFORT);
    optimise(&table, &mut Effort(effort))
}

/// Which pod goes onto which node: those that the greedy placed first onto the first node that has their kind.
fn intents(wishes: &Wishes, nodes: &[Node]) -> Vec<Intent> {
    let mut next = vec![0_usize; wishes.pods.len()];
    nodes
        .iter()
        .map(|node| {
            let mut pods = Vec::new();
            for (ask, n) in &node.load {
                let from = next[*ask];
                next[*ask] += *n as usize;
                let some = wishes.pods[*ask].iter().skip(from).take(*n as usize);
                pods.extend(some.map(|item| (*ask, *item)));
            }
            Intent {
                offer: node.offer,
                pods,
            }
        })
        .collect()
}
