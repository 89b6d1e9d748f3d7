//! Synthetic spot market: prices, depths and interruptions from published statistics and a seed. Nothing here was
//! observed; whoever shows it says "synthetic".

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::maths;
use crate::facts::{self, TypeFacts};
use crate::model::{Name, UsdPerHour};
use crate::world::random;

/// Simulated seconds between two moves of a price.
const STEP: i64 = 300;
/// Pull back to the mean each step, and the size of a step, in log space.
const REVERSION: f64 = 0.99;
const DEVIATION: f64 = 0.003;
/// ln 0.8 and ln 1.25: the clamp of the time factor.
const BOUND: f64 = 0.223_143_551_314_209_76;

/// Prices of one region from one start.
#[derive(Debug)]
pub struct Market {
    seed: u64,
    region: Name,
    start: Timestamp,
    /// (type, zone) → where its walk is.
    walks: BTreeMap<(Name, Name), Walk>,
}

#[derive(Clone, Copy, Debug)]
struct Walk {
    seed: u64,
    zone_factor: f64,
    step: i64,
    log: f64,
}

impl Market {
    pub fn new(seed: u64, region: Name, start: Timestamp) -> Self {
        Self {
            seed,
            region,
            start,
            walks: BTreeMap::new(),
        }
    }

    /// On-demand × (1 − saving) × zone factor × time factor, at most on-demand, rounded to 4 decimals. `None`
    /// where the type is not sold as spot or has no on-demand price.
    pub fn price(&mut self, t: &TypeFacts, zone: &Name, now: Timestamp) -> Option<UsdPerHour> {
        if !t.offers("spot") {
            return None;
        }
        let on_demand = t.on_demand(&self.region)?.per_hour;
        let step = now.duration_since(self.start).as_secs().max(0) / STEP;
        let (seed, region) = (self.seed, &self.region);
        let walk = self
            .walks
            .entry((t.name.clone(), zone.clone()))
            .or_insert_with(|| {
                let pool = format!("{region}/{zone}/{}", t.name);
                Walk {
                    seed: random::draw(seed, "spot-walk", &pool),
                    zone_factor: random::between(seed, "spot-zone", &pool, 0.92, 1.08),
                    step: 0,
                    log: 0.0,
                }
            });
        walk.advance(step);
        #[allow(clippy::cast_precision_loss)]
        let kept = 1.0 - facts::get().spot_saving(t, &self.region) as f64 / 10_000.0;
        let price = on_demand.as_f64() * kept * walk.zone_factor * maths::exp(walk.log);
        let rounded = UsdPerHour::from_f64((price * 10_000.0).round() / 10_000.0);
        Some(rounded.min(on_demand))
    }
}

impl Walk {
    /// A walk never goes back: an earlier time than the last one asked for starts it anew.
    fn advance(&mut self, to: i64) {
        if to < self.step {
            (self.step, self.log) = (0, 0.0);
        }
        while self.step < to {
            self.step += 1;
            let counter = u64::try_from(self.step).unwrap_or(0);
            let noise = maths::normal(maths::mix(self.seed, counter)) * DEVIATION;
            self.log = (self.log * REVERSION + noise).clamp(-BOUND, BOUND);
        }
    }
}

/// Instances that a spot pool holds in all; shallower where interruptions are frequent.
pub fn depth(seed: u64, t: &TypeFacts, region: &str, zone: &str) -> i64 {
    let typical = match t.interruption_band(region) {
        Some(0) => 400.0,
        Some(1) => 250.0,
        None | Some(2) => 150.0,
        Some(3) => 100.0,
        Some(_) => 60.0,
    };
    let pool = format!("{region}/{zone}/{}", t.name);
    #[allow(clippy::cast_possible_truncation)]
    let depth = (typical * random::between(seed, "spot-depth", &pool, 0.5, 1.5)) as i64;
    depth
}

/// How long after its launch an instance is reclaimed: one exponential draw of (seed, instance). `None` = never
/// within a hundred years.
pub fn reclaimed_after(seed: u64, t: &TypeFacts, region: &str, id: &str, rate: f64) -> Option<Duration> {
    // Monthly probability by band; a month has 730 hours.
    let monthly = match t.interruption_band(region) {
        Some(0) => 0.025,
        Some(1) => 0.075,
        None | Some(2) => 0.125,
        Some(3) => 0.175,
        Some(_) => 0.25,
    };
    let per_hour = -maths::ln(1.0 - monthly) / 730.0 * rate;
    if per_hour <= 0.0 {
        return None;
    }
    let uniform = 1.0 - random::unit(seed, "reclaim", id);
    let hours = -maths::ln(uniform) / per_hour;
    (hours < 876_000.0).then(|| Duration::from_secs_f64(hours * 3600.0))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_second(1_767_603_600).expect("time")
    }

    fn at(minutes: i64) -> Timestamp {
        start()
            .checked_add(SignedDuration::from_mins(minutes))
            .expect("time")
    }

    fn m5() -> &'static TypeFacts {
        facts::get().find("m5.large").expect("type")
    }

    #[test]
    fn a_price_depends_on_its_step_alone() {
        let zone: Name = "us-east-1a".into();
        let mut stepwise = Market::new(7, "us-east-1".into(), start());
        let walked: Vec<_> = (0..100)
            .map(|i| stepwise.price(m5(), &zone, at(i * 5)).expect("price"))
            .collect();
        let mut jumped = Market::new(7, "us-east-1".into(), start());
        assert_eq!(jumped.price(m5(), &zone, at(99 * 5)), walked.last().copied());
        // Back in time, as after a restart with an earlier clock.
        assert_eq!(jumped.price(m5(), &zone, at(50)), walked.get(10).copied());
        // Between two steps nothing moves.
        assert_eq!(
            stepwise.price(m5(), &zone, at(500)),
            stepwise.price(m5(), &zone, at(504))
        );
        assert!(walked.windows(2).any(|w| w[0] != w[1]), "prices move");
    }

    #[test]
    fn prices_stay_near_the_published_saving() {
        let zone: Name = "us-east-1c".into();
        let mut market = Market::new(3, "us-east-1".into(), start());
        for day in 0..60 {
            let price = market.price(m5(), &zone, at(day * 1440)).expect("price").as_f64();
            let expected = 0.096 * 0.34;
            assert!(
                price > expected * 0.92 * 0.8 && price < expected * 1.08 * 1.25,
                "day {day}: {price}"
            );
        }
        let other = Market::new(4, "us-east-1".into(), start()).price(m5(), &zone, at(0));
        assert_ne!(other, market.price(m5(), &zone, at(0)), "seeds differ");
        let metal = facts::get().find("mac1.metal").expect("type");
        assert_eq!(market.price(metal, &zone, at(0)), None);
    }

    #[test]
    fn a_tenth_is_reclaimed_in_the_month_that_says_so() {
        // Band 3: 17.5 % a month.
        let month = Duration::from_secs(730 * 3600);
        let hit = (0..4000)
            .filter(|i| {
                reclaimed_after(1, m5(), "us-east-1", &format!("i-{i}"), 1.0).is_some_and(|d| d <= month)
            })
            .count();
        assert!((600..800).contains(&hit), "{hit} of 4000");
        assert_eq!(reclaimed_after(1, m5(), "us-east-1", "i-1", 0.0), None);
    }
}
