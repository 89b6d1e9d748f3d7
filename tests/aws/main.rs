//! The provider against the embedded EC2: the production path from a claim to a machine and back.

// All of it is test code; helpers outside `#[test]` functions may give up too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod index;
mod launch;
mod life;
mod offerings;
mod profiles;
mod reserved;
mod resolution;
mod support;
