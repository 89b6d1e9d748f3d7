//! `kerf plan`: a solution as JSON (`kerf/plan/v1`) and as text.

mod cost;
mod json;
mod text;

pub use json::{claim, to_json};
pub use text::to_text;

use crate::decide::packing::cheapest::Trade;
use crate::decide::scheduling::Solution;
use crate::decide::scheduling::buffers::Rooms;
use crate::model::{Name, UsdPerHour};

/// What the command measured and knows beside the solution.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `karpenter` or `cheapest`.
    pub packing: Name,
    /// Time of the decision alone.
    pub elapsed_micros: u64,
    /// Time to compile the catalogue index.
    pub index_micros: u64,
    /// Proven floor of the new nodes' price, where known.
    pub lower_bound: Option<UsdPerHour>,
    /// Where the virtual pods of CapacityBuffers went.
    pub rooms: Rooms,
    /// Time to prove it.
    pub bound_micros: u64,
    /// What Karpenter's packing comes to, beside a cheaper one.
    pub greedy: Option<Trade>,
}

/// Σ expected price of the new claims.
pub fn price(solution: &Solution) -> UsdPerHour {
    solution
        .claims
        .iter()
        .filter_map(|c| c.draft.expected.as_ref())
        .map(|e| e.price_per_hour)
        .sum()
}

/// `namespace/name` of every pod that got a place.
pub fn placed(solution: &Solution) -> usize {
    let new: usize = solution.claims.iter().map(|c| c.draft.pods.len()).sum();
    new + solution.existing.values().map(Vec::len).sum::<usize>()
}
