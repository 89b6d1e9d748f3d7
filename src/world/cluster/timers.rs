//! What shall happen at a later instant. Instants are rounded up to tenths of a second, so that a thousand pods
//! starting within a second wake the loop ten times, not a thousand.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rows::Key;
use super::run::Work;
use crate::model::Name;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A machine's kubelet registers its node.
    Register { machine: Name },
    /// The node turns Ready.
    NodeReady { machine: Name },
    /// Whatever waits for a new node has done its part: startup taints go.
    StartupDone { machine: Name },
    /// A pod's containers run; the uid tells a later pod of the same name apart.
    PodStart { pod: Key, uid: Name },
    /// A pod passes its readiness probe.
    PodReady { pod: Key, uid: Name },
    /// A pod that ends by itself ends.
    PodFinish { pod: Key, uid: Name },
    /// A terminating pod's containers are gone.
    PodStop { pod: Key, uid: Name },
    /// A pod has tolerated a `NoExecute` taint for as long as it may.
    PodEvict { pod: Key, uid: Name },
    /// Nodes of an earlier run whose machines never showed up go.
    AdoptNodes,
    /// Look again.
    Again(Work),
}

#[derive(Debug, Default)]
pub struct Timers {
    queue: BTreeMap<(Timestamp, u64), Timer>,
    count: u64,
}

impl Timers {
    /// Fires `timer` at the first tenth of a second that is not before `at`.
    pub fn set(&mut self, at: Timestamp, timer: Timer) {
        const STEP: i128 = 100_000_000;
        let nanos = at.as_nanosecond();
        let rounded = (nanos + STEP - 1).div_euclid(STEP) * STEP;
        let at = Timestamp::from_nanosecond(rounded).unwrap_or(at);
        self.count += 1;
        self.queue.insert((at, self.count), timer);
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// The next timer that is due, in order of time, then of setting.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        let entry = self.queue.first_entry().filter(|e| e.key().0 <= now)?;
        Some(entry.remove())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::after;

    #[test]
    fn timers_fire_on_tenths_in_order_of_setting() {
        let start = Timestamp::UNIX_EPOCH;
        let mut timers = Timers::default();
        let ready = |name: &str| Timer::NodeReady { machine: name.into() };
        timers.set(after(start, Duration::from_millis(140)), ready("late"));
        timers.set(after(start, Duration::from_millis(20)), ready("b"));
        timers.set(after(start, Duration::from_millis(90)), ready("a"));
        let tenth = after(start, Duration::from_millis(100));
        assert_eq!(timers.next(), Some(tenth));
        assert_eq!(timers.pop_due(start), None);
        assert_eq!(timers.pop_due(tenth), Some(ready("b")));
        assert_eq!(timers.pop_due(tenth), Some(ready("a")));
        assert_eq!(timers.pop_due(tenth), None);
    }
}
