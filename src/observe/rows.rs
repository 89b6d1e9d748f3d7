//! What the watches have told so far: to drop news that are none, and to find what vanished while disconnected.

use std::collections::BTreeMap;

use super::kinds::{self, Kind};
use crate::model::{Delta, Name, Snapshot};

#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Rows as last handed on.
    known: Snapshot,
    /// Keys alive as last reported, which may be ahead of `known` by what is still in the current batch.
    live: BTreeMap<Kind, BTreeMap<Name, u64>>,
    /// Newest version reported of each kind.
    latest: BTreeMap<Kind, u64>,
}

impl Rows {
    pub fn seen(&mut self, kind: Kind, key: &Name, version: u64) {
        self.live.entry(kind).or_default().insert(key.clone(), version);
        self.reach(kind, version);
    }

    pub fn gone(&mut self, kind: Kind, key: &str, version: u64) {
        self.live.entry(kind).or_default().remove(key);
        self.reach(kind, version);
    }

    /// Takes a complete list; returns the keys that are no longer there, with a version after all that was
    /// reported of them.
    pub fn listed(&mut self, kind: Kind, keys: BTreeMap<Name, u64>) -> Vec<(Name, u64)> {
        self.reach(kind, keys.values().copied().max().unwrap_or(0));
        let latest = self.latest.get(&kind).copied().unwrap_or(0);
        let before = self.live.insert(kind, keys).unwrap_or_default();
        let now = self.live.entry(kind).or_default();
        before
            .into_keys()
            .filter(|key| !now.contains_key(key))
            .map(|key| (key, latest))
            .collect()
    }

    fn reach(&mut self, kind: Kind, version: u64) {
        let latest = self.latest.entry(kind).or_default();
        *latest = version.max(*latest);
    }

    /// Whether the delta changes a row as last handed on; remembers it if so.
    pub fn changes(&mut self, delta: &Delta) -> bool {
        let news = kinds::is_news(&self.known, delta);
        if news {
            self.known.apply(std::slice::from_ref(delta));
        }
        news
    }
}
