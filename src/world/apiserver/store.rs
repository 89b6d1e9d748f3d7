//! The versioned store: objects by kind, the history that watches read, and one counter for all of it. One write
//! is one step of the counter, deletes included (`kube-wire §7`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use imbl::OrdMap;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};

use super::kinds::{Kind, Kinds};
use super::object::Stored;
use super::state::{Put, StateError, StateFile};
use super::status::StatusError;
use crate::model::Name;

/// Changes kept per kind, so that a reconnecting watch finds its place.
const HISTORY: usize = 10_000;

const OBJECTS: &str = "objects";
const COUNTERS: &str = "counters";
const VERSION: &str = "version";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// One write. A deleted object is its last state under the version of the deletion.
#[derive(Clone, Debug)]
pub struct Change {
    pub event: ChangeKind,
    pub object: Arc<Stored>,
    pub previous: Option<Arc<Stored>>,
}

/// A change and, once somebody has asked, its line of a watch: all watchers share those bytes.
#[derive(Debug)]
pub struct Logged {
    pub change: Change,
    pub frame: OnceLock<Bytes>,
}

/// Objects of one kind by (namespace, name).
pub type Objects = OrdMap<(Name, Name), Arc<Stored>>;

#[derive(Debug, Default)]
struct Table {
    objects: Objects,
    history: VecDeque<Arc<Logged>>,
    /// Version of the newest change that has been forgotten.
    horizon: u64,
    changed: Arc<Notify>,
}

/// What a watch finds when it looks for more.
#[derive(Debug)]
pub enum More {
    /// In order, all newer than the place asked for, with the store's version.
    Changes(Vec<Arc<Logged>>, u64),
    /// That place has been forgotten; the store's version.
    Expired(u64),
}

#[derive(Debug)]
struct Subscriber {
    kinds: Vec<String>,
    sender: mpsc::UnboundedSender<Change>,
}

#[derive(Debug)]
pub struct Store {
    version: u64,
    /// Rises when history is forgotten by command, so that open watches notice.
    epoch: u64,
    tables: BTreeMap<String, Table>,
    counters: BTreeMap<String, u64>,
    subscribers: Vec<Subscriber>,
    state: Option<StateFile>,
}

impl Store {
    /// Empty, or what the state file holds. `kinds` grows by the definitions found there.
    pub fn open(state: Option<StateFile>, kinds: &mut Kinds) -> Result<Self, StateError> {
        let mut store = Self {
            version: 0,
            epoch: 0,
            tables: BTreeMap::new(),
            counters: BTreeMap::new(),
            subscribers: Vec::new(),
            state,
        };
        if let Some(state) = store.state.clone() {
            store.restore(&state, kinds)?;
        }
        Ok(store)
    }

    fn restore(&mut self, state: &StateFile, kinds: &mut Kinds) -> Result<(), StateError> {
        for (key, value) in state.load(COUNTERS)? {
            let count = String::from_utf8_lossy(&value).parse().unwrap_or(0);
            if key == VERSION {
                self.version = count;
            } else {
                self.counters.insert(key, count);
            }
        }
        let rows = state.load(OBJECTS)?;
        for (key, bytes) in &rows {
            if key.starts_with(super::DEFINITIONS)
                && let Ok(value) = serde_json::from_slice::<Value>(bytes)
                && let Some(kind) = super::kinds::from_definition(&value)
            {
                kinds.insert(Arc::new(kind));
            }
        }
        for (key, bytes) in rows {
            let kind_key = key.split('/').next().unwrap_or_default();
            let kind = kinds
                .get(kind_key)
                .cloned()
                .ok_or_else(|| StateError::Damaged(key.clone()))?;
            let object = Stored::reopen(&kind, bytes).ok_or_else(|| StateError::Damaged(key.clone()))?;
            self.version = self.version.max(object.version);
            self.table(&kind.key)
                .objects
                .insert((object.namespace.clone(), object.name.clone()), Arc::new(object));
        }
        // Whoever watched before the restart has to list again.
        let version = self.version;
        for table in self.tables.values_mut() {
            table.horizon = version;
        }
        Ok(())
    }

    fn table(&mut self, kind: &str) -> &mut Table {
        let horizon = if self.epoch > 0 { self.version } else { 0 };
        self.tables.entry(kind.to_owned()).or_insert_with(|| Table {
            horizon,
            ..Table::default()
        })
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        let key = (Name::from(namespace), Name::from(name));
        self.tables.get(kind)?.objects.get(&key).cloned()
    }

    /// The newest state of a kind; shares structure, so it costs nothing.
    pub fn objects(&self, kind: &str) -> Objects {
        self.tables
            .get(kind)
            .map(|t| t.objects.clone())
            .unwrap_or_default()
    }

    /// Whether anything of a kind is in a namespace.
    pub fn inhabited(&self, kind: &str, namespace: &str) -> bool {
        let from = (Name::from(namespace), Name::from(""));
        self.tables.get(kind).is_some_and(|table| {
            table
                .objects
                .range(from..)
                .next()
                .is_some_and(|(key, _)| &*key.0 == namespace)
        })
    }

    /// The state of a kind at `version`, rebuilt from history; `None` when that has been forgotten.
    pub fn objects_at(&self, kind: &str, version: u64) -> Option<Objects> {
        let Some(table) = self.tables.get(kind) else {
            return Some(Objects::new());
        };
        if version < table.horizon {
            return None;
        }
        let mut objects = table.objects.clone();
        for logged in table.history.iter().rev() {
            let Change { object, previous, .. } = &logged.change;
            if object.version <= version {
                break;
            }
            let key = (object.namespace.clone(), object.name.clone());
            match previous {
                Some(previous) => objects.insert(key, previous.clone()),
                None => objects.remove(&key),
            };
        }
        Some(objects)
    }

    /// Wakes whenever an object of the kind changes.
    pub fn changed(&mut self, kind: &str) -> Arc<Notify> {
        self.table(kind).changed.clone()
    }

    /// Changes of a kind after `version`, at most `limit`.
    pub fn since(&self, kind: &str, version: u64, limit: usize) -> More {
        let Some(table) = self.tables.get(kind) else {
            return More::Changes(Vec::new(), self.version);
        };
        if version < table.horizon {
            return More::Expired(self.version);
        }
        let from = table
            .history
            .partition_point(|logged| logged.change.object.version <= version);
        More::Changes(
            table.history.iter().skip(from).take(limit).cloned().collect(),
            self.version,
        )
    }

    pub fn subscribe(&mut self, kinds: &[&str]) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.subscribers.push(Subscriber {
            kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
            sender,
        });
        receiver
    }

    /// Forgets all history; open watches are told that they are too old.
    pub fn compact(&mut self) {
        self.epoch += 1;
        for table in self.tables.values_mut() {
            table.history.clear();
            table.horizon = self.version;
            table.changed.notify_waiters();
        }
    }

    /// The last number that a counter gave.
    pub fn counted(&self, counter: &str) -> u64 {
        self.counters.get(counter).copied().unwrap_or(0)
    }

    /// The next number of a counter that outlives restarts, from 1.
    pub fn count(&mut self, counter: &str) -> Result<u64, StatusError> {
        let next = self.counted(counter) + 1;
        if let Some(state) = &self.state {
            state
                .put(COUNTERS, counter, next.to_string().as_bytes())
                .map_err(|e| disk(&e))?;
        }
        self.counters.insert(counter.to_owned(), next);
        Ok(next)
    }

    /// Adds the object or replaces the version of it that is there.
    pub fn put(&mut self, kind: &Arc<Kind>, object: Value) -> Result<Arc<Stored>, StatusError> {
        let version = self.version + 1;
        let object = Arc::new(Stored::seal(kind, object, version));
        self.persist(&object, Some(&object.bytes), version)?;
        self.version = version;
        let key = (object.namespace.clone(), object.name.clone());
        let previous = self.table(&kind.key).objects.insert(key, object.clone());
        self.publish(Change {
            event: if previous.is_some() {
                ChangeKind::Modified
            } else {
                ChangeKind::Added
            },
            object: object.clone(),
            previous,
        });
        Ok(object)
    }

    /// Takes the object out; `last` is what the event shows.
    pub fn remove(&mut self, previous: &Arc<Stored>, last: Value) -> Result<Arc<Stored>, StatusError> {
        let version = self.version + 1;
        let object = Arc::new(Stored::seal(&previous.kind, last, version));
        self.persist(previous, None, version)?;
        self.version = version;
        let key = (previous.namespace.clone(), previous.name.clone());
        self.table(&previous.kind.key).objects.remove(&key);
        self.publish(Change {
            event: ChangeKind::Deleted,
            object: object.clone(),
            previous: Some(previous.clone()),
        });
        Ok(object)
    }

    fn persist(&self, object: &Stored, bytes: Option<&Bytes>, version: u64) -> Result<(), StatusError> {
        let Some(state) = &self.state else { return Ok(()) };
        let key = format!("{}/{}/{}", object.kind.key, object.namespace, object.name);
        let version = version.to_string();
        state
            .write(&[
                Put {
                    table: OBJECTS,
                    key: &key,
                    value: bytes.map(AsRef::as_ref),
                },
                Put {
                    table: COUNTERS,
                    key: VERSION,
                    value: Some(version.as_bytes()),
                },
            ])
            .map_err(|e| disk(&e))
    }

    fn publish(&mut self, change: Change) {
        self.subscribers.retain(|subscriber| {
            if subscriber.kinds.contains(&change.object.kind.key) {
                subscriber.sender.send(change.clone()).is_ok()
            } else {
                !subscriber.sender.is_closed()
            }
        });
        let kind = change.object.kind.clone();
        let table = self.table(&kind.key);
        table.history.push_back(Arc::new(Logged {
            change,
            frame: OnceLock::new(),
        }));
        if table.history.len() > HISTORY
            && let Some(forgotten) = table.history.pop_front()
        {
            table.horizon = forgotten.change.object.version;
        }
        table.changed.notify_waiters();
    }
}

fn disk(error: &StateError) -> StatusError {
    StatusError::new(500, "InternalError", format!("Internal error occurred: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn store() -> (Store, Arc<Kind>) {
        let mut kinds = Kinds::builtin();
        let store = Store::open(None, &mut kinds).unwrap();
        (store, kinds.get("configmaps").unwrap().clone())
    }

    fn object(name: &str, data: u32) -> Value {
        json!({"metadata": {"name": name, "namespace": "n"}, "data": {"k": data.to_string()}})
    }

    #[test]
    fn history_gives_back_older_states() {
        let (mut store, kind) = store();
        let a = store.put(&kind, object("a", 1)).unwrap();
        store.put(&kind, object("b", 1)).unwrap();
        let a2 = store.put(&kind, object("a", 2)).unwrap();
        store.remove(&a2, a2.value()).unwrap();
        assert_eq!(store.version(), 4);
        assert_eq!(store.objects("configmaps").len(), 1);
        let at = |version| -> Vec<(String, u64)> {
            store
                .objects_at("configmaps", version)
                .unwrap()
                .values()
                .map(|o| (o.name.to_string(), o.version))
                .collect()
        };
        assert_eq!(at(1), [("a".to_owned(), a.version)]);
        assert_eq!(at(3), [("a".to_owned(), 3), ("b".to_owned(), 2)]);
        assert_eq!(at(4), [("b".to_owned(), 2)]);
    }

    #[test]
    fn what_is_forgotten_is_said_to_be() {
        let (mut store, kind) = store();
        store.put(&kind, object("a", 1)).unwrap();
        store.put(&kind, object("a", 2)).unwrap();
        assert!(matches!(store.since("configmaps", 1, 10), More::Changes(c, 2) if c.len() == 1));
        store.compact();
        assert!(matches!(store.since("configmaps", 1, 10), More::Expired(2)));
        assert!(matches!(store.since("configmaps", 2, 10), More::Changes(c, 2) if c.is_empty()));
        assert!(store.objects_at("configmaps", 1).is_none());
    }

    #[test]
    fn the_window_moves() {
        let (mut store, kind) = store();
        for n in 0..=u32::try_from(HISTORY).unwrap() {
            store.put(&kind, object("a", n)).unwrap();
        }
        assert!(matches!(store.since("configmaps", 0, 1), More::Expired(_)));
        assert!(matches!(store.since("configmaps", 1, 1), More::Changes(c, _) if c.len() == 1));
    }

    #[test]
    fn subscribers_see_their_kinds_in_order() {
        let (mut store, kind) = store();
        let mut mine = store.subscribe(&["configmaps"]);
        let mut other = store.subscribe(&["pods"]);
        let a = store.put(&kind, object("a", 1)).unwrap();
        store.remove(&a, a.value()).unwrap();
        assert_eq!(mine.try_recv().unwrap().event, ChangeKind::Added);
        let gone = mine.try_recv().unwrap();
        assert_eq!((gone.event, gone.object.version), (ChangeKind::Deleted, 2));
        assert!(other.try_recv().is_err());
    }
}
