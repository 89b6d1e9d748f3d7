//! Pure tests: no world, no terminal.

// All of it is test code; helpers outside `#[test]` functions may give up too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod checker;
mod cluster;
mod parity;
mod properties;
mod random;
mod scheduling;
