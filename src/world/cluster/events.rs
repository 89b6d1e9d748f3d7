//! Events about pods, as `kubectl describe` shows them. Real ones live an hour; here also no more than a few
//! thousand, so that a day at full speed does not fill the store.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::json;

use super::conditions::time;
use super::rows::{Key, text};
use super::run::Cluster;
use crate::world::apiserver::DeleteOptions;
use crate::world::random;

const KEPT: usize = 2000;
const LIFE_SECONDS: i64 = 3600;
/// Events made within one second of the world; further ones are dropped, as real clients do under load.
const BURST: u64 = 100;

/// Events that we made, oldest first.
#[derive(Debug, Default)]
pub struct Events {
    made: VecDeque<(Timestamp, Key)>,
    count: u64,
    /// The current second and the events made in it.
    second: (i64, u64),
}

impl Events {
    fn may_speak(&mut self, now: Timestamp) -> bool {
        if self.second.0 != now.as_second() {
            self.second = (now.as_second(), 0);
        }
        self.second.1 += 1;
        self.second.1 <= BURST
    }
}

impl Cluster {
    pub(super) fn pod_event(&mut self, pod: &Key, kind: &str, reason: &str, message: &str, source: &str) {
        let uid = self
            .index
            .pods
            .get(pod)
            .map_or_else(|| "".into(), |row| row.uid.clone());
        let now = self.now();
        if !self.events.may_speak(now) {
            return;
        }
        self.events.count += 1;
        let id = random::draw(
            self.config.seed,
            "event",
            &format!("{}/{uid}/{reason}/{}", text(pod), self.events.count),
        );
        let name = format!("{}.{id:016x}", pod.1);
        let (at, clock) = (time(now), now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": &*pod.0},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": &*pod.0, "name": &*pod.1, "uid": &*uid},
            "type": kind, "reason": reason, "message": message,
            "source": {"component": source}, "reportingComponent": source, "reportingInstance": "",
            "firstTimestamp": at, "lastTimestamp": at, "eventTime": clock, "count": 1, "action": "",
        });
        if self.make("events", &pod.0, event) {
            self.events.made.push_back((now, (pod.0.clone(), name.into())));
        }
        self.forget_events(now);
    }

    fn forget_events(&mut self, now: Timestamp) {
        while let Some((made, key)) = self.events.made.front() {
            let old = now.duration_since(*made).as_secs() > LIFE_SECONDS;
            if self.events.made.len() <= KEPT && !old {
                return;
            }
            // An event that somebody deleted already is as good.
            let _ = self
                .api
                .delete("events", &key.0, &key.1, &DeleteOptions::default());
            self.events.made.pop_front();
        }
    }

    /// Takes in the events of an earlier run.
    pub(super) fn adopt_events(&mut self) {
        let now = self.now();
        for event in self.api.list("events") {
            self.events
                .made
                .push_back((now, (event.namespace.clone(), event.name.clone())));
        }
    }
}
