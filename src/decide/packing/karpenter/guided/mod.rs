//! The greedy as a starting point and as a judge for other packings: what it placed where, and plans of nodes carried
//! out through its own checks.

mod follow;
mod run;
mod wishes;

pub use follow::Intent;
pub use run::Run;
pub use wishes::Wishes;
