//! Rests of refused effects: doubling pauses, by effect key.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::after;

/// Consecutive refusals of one effect.
#[derive(Clone, Copy, Debug)]
struct Rest {
    failures: u32,
    until: Timestamp,
}

/// Which effects rest, and until when.
#[derive(Clone, Debug, Default)]
pub struct Backoffs(BTreeMap<String, Rest>);

impl Backoffs {
    /// Notes a refusal: pauses `base`, then twice that, up to `most`, and at least until `at_least`.
    pub fn refused(
        &mut self,
        key: String,
        (base, most): (Duration, Duration),
        now: Timestamp,
        at_least: Timestamp,
    ) -> Timestamp {
        let failures = self.0.get(&key).map_or(0, |r| r.failures);
        let pause = base.saturating_mul(1 << failures.min(16)).min(most);
        let until = after(now, pause).max(at_least);
        self.0.insert(
            key,
            Rest {
                failures: failures.saturating_add(1),
                until,
            },
        );
        until
    }

    pub fn worked(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// `None` when it may be tried now.
    pub fn rests_until(&self, key: &str, now: Timestamp) -> Option<Timestamp> {
        self.0.get(key).map(|r| r.until).filter(|until| *until > now)
    }

    /// Forgets refusals of long ago.
    pub fn prune(&mut self, now: Timestamp) {
        if self.0.len() > 4096 {
            self.0
                .retain(|_, r| now.duration_since(r.until) < SignedDuration::from_mins(5));
        }
    }
}
