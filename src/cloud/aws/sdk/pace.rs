//! Our own request rates: token buckets a class of call, at what EC2 allows an account (`aws §28`). A burst of launches
//! then waits here instead of being refused there, and refusals stay for what others in the account do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Describe,
    Mutate,
    Terminate,
    Tag,
}

/// Millionths of a token; below zero are calls that wait for theirs.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    per_second: i64,
    burst: i64,
    tokens: i64,
    at: Timestamp,
}

const TOKEN: i64 = 1_000_000;

impl Bucket {
    fn new(per_second: i64, burst: i64, now: Timestamp) -> Self {
        Self {
            per_second,
            burst: burst * TOKEN,
            tokens: burst * TOKEN,
            at: now,
        }
    }

    /// Takes a token, maybe one of the future: how long until it is there.
    fn take(&mut self, now: Timestamp) -> Duration {
        let passed = i64::try_from(now.duration_since(self.at).as_micros()).unwrap_or(0);
        let gained = passed.max(0).saturating_mul(self.per_second);
        self.tokens = self.tokens.saturating_add(gained).min(self.burst) - TOKEN;
        self.at = self.at.max(now);
        let missing = u64::try_from(-self.tokens).unwrap_or(0);
        let rate = u64::try_from(self.per_second).unwrap_or(1).max(1);
        Duration::from_micros(missing.div_ceil(rate))
    }
}

#[derive(Debug)]
pub(super) struct Pace {
    clock: Clock,
    buckets: Mutex<[Bucket; 4]>,
}

impl Pace {
    pub(super) fn new(clock: Clock) -> Self {
        let bucket = |per_second, burst| Bucket::new(per_second, burst, clock.now());
        Self {
            clock,
            buckets: Mutex::new([bucket(20, 100), bucket(5, 50), bucket(5, 100), bucket(10, 100)]),
        }
    }

    /// Returns when a call of the class may go out.
    pub(super) async fn wait(&self, class: Class) {
        let wait = self.take(class);
        if !wait.is_zero() {
            tracing::debug!(?class, ?wait, "held back below the account's request rate");
            self.clock.sleep(wait).await;
        }
    }

    fn take(&self, class: Class) -> Duration {
        // Nothing under the lock can panic; a poisoned one is whole.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let [describe, mutate, terminate, tag] = &mut *buckets;
        let bucket = match class {
            Class::Describe => describe,
            Class::Mutate => mutate,
            Class::Terminate => terminate,
            Class::Tag => tag,
        };
        bucket.take(self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_second(1_767_603_600).expect("time")
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let clock = Clock::starting_at(start());
        let pace = Pace::new(clock);
        for _ in 0..50 {
            pace.wait(Class::Mutate).await;
        }
        assert_eq!(clock.now(), start(), "the burst waits for nothing");
        for _ in 0..10 {
            pace.wait(Class::Mutate).await;
        }
        let waited = clock.now().duration_since(start()).as_millis();
        assert!(
            (2000..2100).contains(&waited),
            "ten more at five a second: {waited} ms"
        );
        pace.wait(Class::Describe).await;
        assert!(
            clock.now().duration_since(start()).as_millis() < 2100,
            "classes do not share"
        );
    }

    /// `aws §26` asks it of a burst of 500 launches: no second holds more than the bucket allows.
    #[tokio::test(start_paused = true)]
    async fn five_hundred_at_once_never_exceed_the_rate() {
        let clock = Clock::starting_at(start());
        let pace = Pace::new(clock);
        let calls = (0..500).map(|_| async {
            pace.wait(Class::Mutate).await;
            clock.now().duration_since(start()).as_millis()
        });
        let mut at = futures::future::join_all(calls).await;
        at.sort_unstable();
        for (done, at) in at.iter().enumerate() {
            let allowed = 50 + at * 5 / 1000;
            assert!(
                i128::try_from(done).expect("small") <= allowed,
                "{done} calls after {at} ms"
            );
        }
        assert!(
            at.last().is_some_and(|last| *last <= 90_100),
            "and none waits longer than it must"
        );
    }
}
