//! Our own request rates, at what EC2 allows an account. A burst of launches then waits here instead of being refused
//! there, and refusals stay for what others in the account do.

use std::sync::{Mutex, PoisonError};

use crate::clock::Clock;
pub(super) use crate::cloud::aws::api::rates::Class;
use crate::cloud::aws::api::rates::Rates;

#[derive(Debug)]
pub(super) struct Pace {
    clock: Clock,
    rates: Mutex<Rates>,
}

impl Pace {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            rates: Mutex::new(Rates::new(clock.now())),
        }
    }

    /// Returns when a call of the class may go out.
    pub(super) async fn wait(&self, class: Class) {
        let wait = {
            // Nothing under the lock can panic; a poisoned one is whole.
            let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
            rates.reserve(class, self.clock.now())
        };
        if !wait.is_zero() {
            tracing::debug!(?class, ?wait, "held back below the account's request rate");
            self.clock.sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

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
