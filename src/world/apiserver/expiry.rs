//! Events live for an hour, as upstream keeps them: a simulated week would otherwise fill the store with them.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};

use super::object::{Stored, meta_str};
use super::server::Shared;
use crate::model::Name;

const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Events by the time of the write that was seen, oldest first.
pub type Queue = BTreeSet<(Timestamp, Name, Name)>;

impl Shared {
    /// Notes a new event and drops those that have not been written to for an hour.
    pub fn age_events(&self, written: &Stored) {
        if written.kind.key != "events" {
            return;
        }
        let now = self.now();
        let mut queue = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        queue.insert((now, written.namespace.clone(), written.name.clone()));
        while let Some((at, _, _)) = queue.first()
            && now.duration_since(*at) > LIFE
        {
            let Some((_, namespace, name)) = queue.pop_first() else {
                break;
            };
            let mut store = self.store();
            let Some(event) = store.get("events", &namespace, &name) else {
                continue;
            };
            let value = event.value();
            // A repeated event lives on from its last repetition.
            let last = ["/series/lastObservedTime", "/lastTimestamp"]
                .iter()
                .filter_map(|path| value.pointer(path)?.as_str()?.parse::<Timestamp>().ok())
                .max();
            if let Some(last) = last
                && now.duration_since(last) <= LIFE
            {
                queue.insert((last, namespace, name));
                continue;
            }
            // A full disk keeps the event; it is not asked about again.
            let _ = store.remove(&event, value);
        }
    }

    /// What is there after a restart ages from its making.
    pub fn requeue_events(&self) {
        let objects = self.store().objects("events");
        let all = objects.values().map(|event| {
            let made = meta_str(&event.value(), "creationTimestamp").parse();
            (
                made.unwrap_or(Timestamp::MIN),
                event.namespace.clone(),
                event.name.clone(),
            )
        });
        *self.events.lock().unwrap_or_else(PoisonError::into_inner) = all.collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use std::time::Duration;

    use crate::world::apiserver::testing::server;

    #[tokio::test(start_paused = true)]
    async fn events_go_after_an_hour_unless_they_are_repeated() {
        let server = server();
        let event = |name: &str| json!({"metadata": {"name": name}, "reason": "R"});
        for name in ["old", "repeated"] {
            server.create("events", "default", event(name)).unwrap();
        }
        tokio::time::advance(Duration::from_mins(50)).await;
        server
            .update("events", "default", "repeated", &mut |event| {
                event["lastTimestamp"] = json!("2026-01-05T09:50:00Z");
            })
            .unwrap();
        tokio::time::advance(Duration::from_mins(11)).await;
        server.create("events", "default", event("new")).unwrap();
        let names: Vec<String> = server.list("events").iter().map(|e| e.name.to_string()).collect();
        assert_eq!(names, ["new", "repeated"]);
        tokio::time::advance(Duration::from_mins(55)).await;
        server.create("events", "default", event("newer")).unwrap();
        let names: Vec<String> = server.list("events").iter().map(|e| e.name.to_string()).collect();
        assert_eq!(names, ["new", "newer"]);
    }
}
