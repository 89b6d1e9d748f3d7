//! Request rates that EC2 allows an account: a token bucket for each class of call (`aws §28`).

use std::time::Duration;

use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
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

    fn refill(&mut self, now: Timestamp) {
        let passed = i64::try_from(now.duration_since(self.at).as_micros()).unwrap_or(0);
        let gained = passed.max(0).saturating_mul(self.per_second);
        self.tokens = self.tokens.saturating_add(gained).min(self.burst);
        self.at = self.at.max(now);
    }
}

/// One bucket a class.
#[derive(Debug)]
pub struct Rates([Bucket; 4]);

impl Rates {
    pub fn new(now: Timestamp) -> Self {
        let bucket = |per_second, burst| Bucket::new(per_second, burst, now);
        Self([bucket(20, 100), bucket(5, 50), bucket(5, 100), bucket(10, 100)])
    }

    fn filled(&mut self, class: Class, now: Timestamp) -> &mut Bucket {
        let [describe, mutate, terminate, tag] = &mut self.0;
        let bucket = match class {
            Class::Describe => describe,
            Class::Mutate => mutate,
            Class::Terminate => terminate,
            Class::Tag => tag,
        };
        bucket.refill(now);
        bucket
    }

    /// Takes a token if there is one.
    pub fn take(&mut self, class: Class, now: Timestamp) -> bool {
        let bucket = self.filled(class, now);
        let there = bucket.tokens >= TOKEN;
        if there {
            bucket.tokens -= TOKEN;
        }
        there
    }

    /// Takes a token, maybe one of the future: how long until it is there.
    pub fn reserve(&mut self, class: Class, now: Timestamp) -> Duration {
        let bucket = self.filled(class, now);
        bucket.tokens -= TOKEN;
        let missing = u64::try_from(-bucket.tokens).unwrap_or(0);
        let rate = u64::try_from(bucket.per_second).unwrap_or(1).max(1);
        Duration::from_micros(missing.div_ceil(rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let now = Timestamp::from_second(1_767_603_600).expect("time");
        let mut rates = Rates::new(now);
        let taken = (0..60).filter(|_| rates.take(Class::Mutate, now)).count();
        assert_eq!(taken, 50);
        let later = now.checked_add(jiff::SignedDuration::from_secs(2)).expect("time");
        let taken = (0..60).filter(|_| rates.take(Class::Mutate, later)).count();
        assert_eq!(taken, 10);
        assert!(rates.take(Class::Describe, now), "classes do not share");
    }
}
