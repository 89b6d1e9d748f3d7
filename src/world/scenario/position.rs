//! How far a scenario has been played, kept with the state of the world.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::world::apiserver::{StateError, StateFile};

const TABLE: &str = "scenario";

/// The next step of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// From 1.
    pub round: u64,
    /// Index of the next step.
    pub next: usize,
    /// When the round began.
    pub began: Timestamp,
}

impl Position {
    pub fn start(now: Timestamp) -> Self {
        Self {
            round: 1,
            next: 0,
            began: now,
        }
    }

    /// Shifts the round so that it goes on from here: a world that was stopped for long does not catch up on every
    /// step at once, and one whose clock was set back does not wait for the old time.
    pub fn resume(&mut self, now: Timestamp, done: Duration, next: Option<Duration>) {
        let before = |time: Duration| {
            let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
            now.checked_sub(time).unwrap_or(Timestamp::MIN)
        };
        let latest = before(done);
        let earliest = next.map_or(latest, before);
        self.began = self.began.max(earliest).min(latest);
    }

    pub fn load(state: &StateFile, scenario: &str) -> Result<Option<Self>, StateError> {
        let rows = state.load(TABLE)?;
        let row = rows.iter().find(|(key, _)| key == scenario);
        Ok(row.and_then(|(_, bytes)| serde_json::from_slice(bytes).ok()))
    }

    pub fn save(&self, state: &StateFile, scenario: &str) -> Result<(), StateError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        state.put(TABLE, scenario, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_pause_brings_the_next_step_and_no_more() {
        let at = |s: i64| Timestamp::from_second(s).expect("in range");
        let mut position = Position::start(at(1000));
        position.next = 1;
        let (done, next) = (Duration::from_secs(30), Some(Duration::from_secs(90)));
        position.resume(at(1050), done, next);
        assert_eq!(position.began, at(1000), "nothing to shift");
        position.resume(at(9000), done, next);
        assert_eq!(position.began, at(8910), "the next step is due");
        position.resume(at(100), done, next);
        assert_eq!(position.began, at(70), "the step before has just been done");
    }
}
