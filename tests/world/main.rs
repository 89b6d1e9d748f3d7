//! The whole autoscaler against the embedded world, as the binary runs it: headless, in simulated time.

mod crash;
mod demo;
mod input;
mod plan;
mod support;
