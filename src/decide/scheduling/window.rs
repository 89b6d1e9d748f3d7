//! The batching window and the repeats of triggers (`scheduling §2.3`, `§3`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::after;
use crate::model::Name;

/// A pod or node that still waits triggers again.
pub const REPEAT: Duration = Duration::from_secs(10);

/// A buffer that resolves triggers again.
const REPEAT_BUFFER: Duration = Duration::from_secs(30);
/// Start of the ids of buffers.
pub const BUFFER: &str = "buffer/";

/// Which ids wait, and the window they opened.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Id → when it triggers next.
    due: BTreeMap<Name, Timestamp>,
    by_time: BTreeSet<(Timestamp, Name)>,
    /// Ids seen in the open window.
    seen: BTreeSet<Name>,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since: Timestamp,
    idle: Timestamp,
    max: Timestamp,
}

impl Window {
    /// `id` waits: triggers now if it is new.
    pub fn waits(&mut self, id: &Name, now: Timestamp) {
        if !self.due.contains_key(id) {
            self.due.insert(id.clone(), now);
            self.by_time.insert((now, id.clone()));
        }
    }

    /// `id` waits no more.
    pub fn gone(&mut self, id: &Name) {
        if let Some(at) = self.due.remove(id) {
            self.by_time.remove(&(at, id.clone()));
        }
    }

    pub fn ids(&self) -> impl Iterator<Item = &Name> {
        self.due.keys()
    }

    /// Lets the ids that are due trigger.
    pub fn advance(&mut self, now: Timestamp, idle: Duration, max: Duration) {
        while let Some((at, id)) = self.by_time.first().cloned() {
            if at > now {
                break;
            }
            self.by_time.remove(&(at, id.clone()));
            let repeat = if id.starts_with(BUFFER) {
                REPEAT_BUFFER
            } else {
                REPEAT
            };
            let next = after(now, repeat);
            self.by_time.insert((next, id.clone()));
            self.due.insert(id.clone(), next);
            if !self.seen.insert(id) {
                continue;
            }
            let until = after(now, idle);
            match &mut self.open {
                Some(open) => open.idle = until,
                None => {
                    self.open = Some(Open {
                        since: now,
                        idle: until,
                        max: after(now, max),
                    });
                }
            }
        }
    }

    /// When the window closes by itself.
    pub fn closes(&self) -> Option<Timestamp> {
        self.open.map(|o| o.idle.min(o.max))
    }

    /// Closes a window that is ripe; gives when it opened.
    pub fn close(&mut self, now: Timestamp) -> Option<Timestamp> {
        let ripe = self.closes().is_some_and(|at| at <= now);
        if !ripe {
            return None;
        }
        self.seen.clear();
        self.open.take().map(|o| o.since)
    }

    /// The next instant at which something happens.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let due = self.by_time.first().map(|(at, _)| *at);
        match (due, self.closes()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(1);
    const MAX: Duration = Duration::from_secs(10);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_767_000_000_000 + millis).expect("in range")
    }

    fn run(window: &mut Window, millis: i64) -> Option<Timestamp> {
        window.advance(at(millis), IDLE, MAX);
        window.close(at(millis))
    }

    #[test]
    fn item_3_a_lone_pod_waits_one_second() {
        let mut w = Window::default();
        w.waits(&"a".into(), at(0));
        assert_eq!(run(&mut w, 0), None);
        assert_eq!(w.wake_at(), Some(at(1000)));
        w.waits(&"a".into(), at(500));
        assert_eq!(run(&mut w, 500), None);
        assert_eq!(run(&mut w, 1000), Some(at(0)));
        // Item 2: it comes again ten seconds after its trigger.
        assert_eq!(w.wake_at(), Some(at(10_000)));
        assert_eq!(run(&mut w, 10_000), None);
        assert_eq!(run(&mut w, 11_000), Some(at(10_000)));
        w.gone(&"a".into());
        assert_eq!(w.wake_at(), None);
    }

    #[test]
    fn item_3_a_stream_is_cut_at_ten_seconds() {
        let mut w = Window::default();
        let mut closed = None;
        for i in 0..100_i64 {
            w.waits(&format!("pod-{i}").into(), at(i * 500));
            if run(&mut w, i * 500).is_some() {
                closed = Some(i * 500);
                break;
            }
        }
        assert_eq!(closed, Some(10_000));
    }
}
