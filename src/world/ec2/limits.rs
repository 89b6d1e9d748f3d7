//! Request rates of an account: token buckets for each class of call (`aws §28`).

use jiff::Timestamp;

use crate::cloud::aws::api::Ec2Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Describe,
    Mutate,
    Terminate,
    Tag,
}

/// Thousandths of a token.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    per_second: i64,
    burst: i64,
    tokens: i64,
    at: Timestamp,
}

#[derive(Debug)]
pub struct Limits {
    buckets: [Bucket; 4],
}

impl Limits {
    pub fn new(now: Timestamp) -> Self {
        let bucket = |per_second: i64, burst: i64| Bucket {
            per_second,
            burst: burst * 1000,
            tokens: burst * 1000,
            at: now,
        };
        Self {
            buckets: [bucket(20, 100), bucket(5, 50), bucket(5, 100), bucket(10, 100)],
        }
    }

    pub fn take(&mut self, class: Class, now: Timestamp) -> Result<(), Ec2Error> {
        let [describe, mutate, terminate, tag] = &mut self.buckets;
        let bucket = match class {
            Class::Describe => describe,
            Class::Mutate => mutate,
            Class::Terminate => terminate,
            Class::Tag => tag,
        };
        let passed = i64::try_from(now.duration_since(bucket.at).as_millis()).unwrap_or(0);
        bucket.tokens = (bucket.tokens + passed.max(0).saturating_mul(bucket.per_second)).min(bucket.burst);
        bucket.at = now;
        if bucket.tokens < 1000 {
            return Err(Ec2Error::new("RequestLimitExceeded", "Request limit exceeded."));
        }
        bucket.tokens -= 1000;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let now = Timestamp::from_second(1_767_603_600).expect("time");
        let mut limits = Limits::new(now);
        let taken = (0..60)
            .filter(|_| limits.take(Class::Mutate, now).is_ok())
            .count();
        assert_eq!(taken, 50);
        let later = now.checked_add(jiff::SignedDuration::from_secs(2)).expect("time");
        let taken = (0..60)
            .filter(|_| limits.take(Class::Mutate, later).is_ok())
            .count();
        assert_eq!(taken, 10);
        assert!(limits.take(Class::Describe, now).is_ok(), "classes do not share");
    }
}
