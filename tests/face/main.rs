//! The faces: the dashboard in a pseudo-terminal, and stock kubectl against the loopback port.

// All of it is test code; helpers outside `#[test]` functions may give up too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod dashboard;
mod kubectl;
mod terminal;
