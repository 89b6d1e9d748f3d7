//! The whole autoscaler against the embedded world, as the binary runs it: headless, in simulated time.

// All of it is test code; helpers outside `#[test]` functions may give up too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod between;
mod crash;
mod demo;
mod explain;
mod gates;
mod input;
mod plan;
mod property;
mod recorded;
mod run;
mod scenarios;
mod support;
