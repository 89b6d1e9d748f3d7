//! The append-only record and its folding into a [`View`]. Only the engine writes it.

pub mod entry;
pub mod view;

pub use entry::{Body, Cause, Entry};
pub use view::View;
