//! kerf: a supervised node autoscaler for Kubernetes on AWS.
//!
//! Everything walks the same rooms in one direction: `observe` → `decide` → `gate` → `act`, recorded by
//! `ledger`, shown by `ui`, driven by `engine`. `world` is the embedded outside for demos and tests.

pub mod act;
pub mod api;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod decide;
pub mod engine;
pub mod facts;
pub mod gate;
pub mod ledger;
pub mod model;
pub mod observe;
pub mod telemetry;
pub mod ui;
pub mod words;
pub mod world;
