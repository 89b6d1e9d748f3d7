//! Watches and files into rows: the deltas that make a `Snapshot`.

pub mod objects;

pub use objects::{Objects, read_only};
