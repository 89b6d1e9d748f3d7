//! The one source of time: a start instant plus tokio's clock, which is the wall's or a paused one that jumps
//! from timer to timer (decisions §2).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// `wait` after `at`; saturates at the end of time.
pub fn after(at: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Cheap to copy; every copy tells the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Timestamp,
    origin: Instant,
}

impl Clock {
    /// A clock that reads `start` now. Call it inside the runtime whose time it shall follow.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            start,
            origin: Instant::now(),
        }
    }

    /// The wall's time.
    #[allow(clippy::disallowed_methods)]
    pub fn wall() -> Self {
        Self::starting_at(Timestamp::now())
    }

    pub fn start(&self) -> Timestamp {
        self.start
    }

    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.origin.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Returns at once when `until` has passed.
    pub async fn sleep_until(&self, until: Timestamp) {
        let wait = Duration::try_from(until.duration_since(self.start)).unwrap_or_default();
        tokio::time::sleep_until(self.origin + wait).await;
    }
}
