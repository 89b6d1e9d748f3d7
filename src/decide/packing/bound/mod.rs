//! A proven floor: no placement of the given pods on new nodes costs less an hour.
//!
//! **Why it holds.** Put a charge `v ≥ 0` on every pod such that no node of an offer can hold pods worth more than the
//! offer's price. Take any placement and add the charges up node by node: each node's pods are worth no more than what
//! the node costs, so all pods together are worth no more than all nodes cost. So the sum of the charges is a floor.
//! Where an offer exists `N` times (a reservation), its nodes may hold more than their price by `μ`; then the floor is
//! the sum of the charges less `N·μ`.
//!
//! **Which charges.** ([`dual`]) A price `y` for each class and resource, and one for each slot; a pod is charged
//! `Σ demand × y` and the slots it takes. A node's pods are worth at most `Σ room × (the greatest y among the classes
//! that the offer suits) + Σ slots`, so these sums must not exceed the prices: one linear program over all classes
//! together (separate ones would count a shared node twice), of few variables and many rows, solved with rows added as
//! they are violated. ([`columns`]) Where pods are few and large, what fits a node in whole pods is worth less than
//! that: charges a shape, with the best filling of each offer bounded by branch and bound.
//!
//! **Why rounding does not matter.** The solver's prices are only a proposal. [`exact`] brings them to integers, scales
//! them down until every row holds in exact arithmetic, and adds up in exact arithmetic.
//!
//! Whatever is left out (topology, limits, minValues, preferences) only takes placements away, so the floor stays one.

mod columns;
mod dual;
mod exact;
mod filling;
mod floor;
mod market;
mod running;
mod space;
mod spread;
#[cfg(test)]
mod tests;
mod weights;

pub use columns::Charges;
pub use dual::Prices;
pub use floor::floor;
pub use market::{Care, Floor, charges, of_market};
pub use running::{of_workload, workload};
