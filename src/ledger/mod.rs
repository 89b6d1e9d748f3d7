//! The append-only record and its folding into a [`View`]. Only the engine writes it.
//!
//! `entry` is one line, `chain` makes tampering visible, `book` appends and folds, `recorder` writes the file on
//! a thread of its own, `reader` reads and verifies one, `fold` turns entries into what the screen shows,
//! `metrics` into what Prometheus reads.

pub mod book;
pub mod chain;
pub mod entry;
pub mod fold;
pub mod metrics;
pub mod reader;
pub mod recorder;
pub mod view;

pub use book::Book;
pub use entry::{Body, Cause, Entry};
pub use view::View;
