//! Prices of one offer's resources under which no shape is charged more than what it takes: `Σ demand × W ≥ v` for
//! every shape that fits, at the least `Σ room × W`. What a node of the offer holds is then worth at most that.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};

use super::space::{Space, float};

/// Rows added one by one, at most.
const ROUNDS: usize = 24;

/// Pico-dollars a unit, by dimension.
pub type Weights = Vec<f64>;

/// `Σ demand × W`.
pub fn weigh(demand: &[i64], weights: &[f64]) -> f64 {
    demand.iter().zip(weights).map(|(d, w)| float(*d) * w).sum()
}

/// The least prices for an offer; `shapes` are those that fit it.
pub fn weights(space: &Space, offer: usize, shapes: &[usize], charges: &[f64]) -> Option<Weights> {
    let room = &space.room[offer];
    let unit = float(space.price[offer].0).max(1.0);
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let vars: Vec<Option<Variable>> = room
        .iter()
        .map(|r| (*r > 0).then(|| problem.add_var(1.0, (0.0, f64::INFINITY))))
        .collect();
    let row = |shape: usize| -> (Vec<(Variable, f64)>, f64) {
        let mut terms = Vec::new();
        for ((var, d), r) in vars.iter().zip(&space.demand[shape]).zip(room) {
            if let (Some(v), true) = (var, *d > 0) {
                terms.push((*v, float(*d) / float(*r)));
            }
        }
        (terms, charges[shape] / unit)
    };
    let densest = shapes
        .iter()
        .copied()
        .max_by(|a, b| charges[*a].total_cmp(&charges[*b]).then(b.cmp(a)))?;
    let (terms, limit) = row(densest);
    problem.add_constraint(terms.as_slice(), ComparisonOp::Ge, limit);
    let Ok(SolveOutcome::Solution(mut solution)) = problem.solve() else {
        return None;
    };
    for _ in 0..ROUNDS {
        let out = read(&solution, &vars, room, unit);
        let mut worst: Option<(f64, usize)> = None;
        for shape in shapes {
            let lack = charges[*shape] / weigh(&space.demand[*shape], &out).max(1e-300);
            if lack > 1.0 + 1e-7 && worst.is_none_or(|(w, _)| lack > w) {
                worst = Some((lack, *shape));
            }
        }
        let Some((_, shape)) = worst else {
            return Some(out);
        };
        let (terms, limit) = row(shape);
        match solution.add_constraint(terms.as_slice(), ComparisonOp::Ge, limit) {
            Ok(SolveOutcome::Solution(next)) => solution = next,
            _ => return None,
        }
    }
    Some(read(&solution, &vars, room, unit))
}

fn read(solution: &microlp::Solution, vars: &[Option<Variable>], room: &[i64], unit: f64) -> Weights {
    let per_axis = vars.iter().zip(room);
    per_axis
        .map(|(v, r)| v.map_or(0.0, |v| solution.var_value(v).max(0.0) * unit / float(*r)))
        .collect()
}
