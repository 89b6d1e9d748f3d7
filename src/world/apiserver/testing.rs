//! A small server for unit tests.

use super::{ApiServer, Config};
use crate::clock::Clock;

/// Seed 7, at 2026-01-05T09:00:00Z, in memory.
pub fn server() -> ApiServer {
    let start = "2026-01-05T09:00:00Z".parse().unwrap();
    ApiServer::new(Config {
        clock: Clock::starting_at(start),
        seed: 7,
        state: None,
    })
    .unwrap()
}
