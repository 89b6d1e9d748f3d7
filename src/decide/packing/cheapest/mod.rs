//! A plan that costs less than the greedy's, and never more.
//!
//! The greedy runs first: it says which pods find a place at all, what each gives up for it, which fit nodes that are
//! there, and where topology wants them. What is left is a question of numbers (a [`super::market`]): which types, and
//! which pods together. Nodes are filled one by one, each the one that is worth most for its price at the prices of
//! the [`super::bound`]; then a few nodes at a time are given up and packed anew, as long as that pays. The plan is
//! carried out through the greedy's own checks, so that it breaks no rule that the greedy keeps, and the dearer of the
//! two is thrown away.

mod build;
mod fill;
mod improve;
mod plan;
mod round;
mod solve;
mod table;
#[cfg(test)]
mod tests;

pub use fill::Effort;
pub use improve::optimise;
pub use plan::{Node, cost};
pub use solve::{Cheapest, Trade, solve};
pub use table::Table;
