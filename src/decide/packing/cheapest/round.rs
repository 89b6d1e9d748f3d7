//! The loads that the floor was proven with as a start: how many of each would be best if nodes came in parts, rounded
//! down.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};

use super::build::node;
use super::plan::Node;
use super::table::{Table, dollars};

/// With more asks the program gets large and its whole parts small.
const MOST_ASKS: usize = 200;

/// Takes whole nodes off `left`; none when the loads do not serve everybody.
pub fn round(t: &Table<'_>, left: &mut [u32], stock: &mut [i64]) -> Vec<Node> {
    let asked: Vec<usize> = (0..left.len()).filter(|a| left[*a] > 0).collect();
    if asked.len() > MOST_ASKS || asked.is_empty() {
        return Vec::new();
    }
    let mut loads = t.loads.clone();
    loads.extend(asked.iter().filter_map(|a| alone(t, *a, left[*a], stock)));
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let vars: Vec<Variable> = loads
        .iter()
        .map(|n| problem.add_var(dollars(n.price), (0.0, f64::INFINITY)))
        .collect();
    let mut rows: Vec<Vec<(Variable, f64)>> = vec![Vec::new(); left.len()];
    for (var, node) in vars.iter().zip(&loads) {
        for (ask, n) in &node.load {
            rows[*ask].push((*var, f64::from(*n)));
        }
    }
    for ask in &asked {
        problem.add_constraint(rows[*ask].as_slice(), ComparisonOp::Ge, f64::from(left[*ask]));
    }
    let Ok(SolveOutcome::Solution(solution)) = problem.solve() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (var, node) in vars.iter().zip(&loads) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wanted = (solution.var_value(*var) + 1e-6).floor().max(0.0) as u32;
        let there = node.load.iter().map(|(ask, n)| left[*ask] / n).min().unwrap_or(0);
        let counted = t.offer(node.offer).stock.is_some();
        let most = if counted {
            u32::try_from(stock[node.offer]).unwrap_or(0)
        } else {
            u32::MAX
        };
        let times = wanted.min(there).min(most);
        for (ask, n) in &node.load {
            left[*ask] -= n * times;
        }
        if counted {
            stock[node.offer] -= i64::from(times);
        }
        out.extend(std::iter::repeat_n(node.clone(), times as usize));
    }
    out
}

/// The cheapest way to have pods of one ask to themselves.
fn alone(t: &Table<'_>, ask: usize, wanted: u32, stock: &[i64]) -> Option<Node> {
    let a = &t.m.asks[ask];
    let mut best: Option<(f64, Node)> = None;
    for offer in t.m.offers.iter().filter(|o| t.m.suits(a, o)) {
        let amounts = a.demand.iter().zip(&offer.room).filter(|(d, _)| **d > 0);
        let slots = a.slots.iter().map(|s| t.m.slots[*s].most);
        let most = amounts.map(|(d, r)| r / d).chain(slots).min().unwrap_or(1);
        let n = u32::try_from(most)
            .unwrap_or(u32::MAX)
            .min(wanted)
            .min(t.most_pods)
            .max(1);
        if let Some(node) = node(t, vec![(ask, n)], stock) {
            let each = dollars(node.price) / f64::from(n);
            if best.as_ref().is_none_or(|(b, _)| each < *b) {
                best = Some((each, node));
            }
        }
    }
    best.map(|(_, node)| node)
}
