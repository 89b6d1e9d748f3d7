//! `kerf plan`: a solution as JSON (`kerf/plan/v1`) and as text.

mod cost;
mod explained;
pub mod json;
mod text;
pub mod why;

pub use explained::{Explained, Group, explained};
pub use json::{claim, to_json};
pub use text::to_text;

use crate::decide::packing::cheapest::Trade;
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
    /// What Karpenter's packing comes to, beside a cheaper one.
    pub greedy: Option<Trade>,
}
