//! Pure tests that need files: no world, no terminal.

// All of it is test code; helpers outside `#[test]` functions may give up too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod parity;
