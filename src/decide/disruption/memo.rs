//! When nothing changed there is nothing new to find (`disruption §8`).

use super::cluster::Cluster;
use super::window::{Window, window};
use super::{candidates::Candidate, memory::Memory};
use crate::decide::Settings;
use crate::model::Name;
use jiff::{SignedDuration, Timestamp};

use super::Method;

/// FNV-1a over what counts as a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

/// An old memo is looked past.
const MOST: SignedDuration = SignedDuration::from_mins(5);

impl Fingerprint {
    const START: Self = Self(0xcbf2_9ce4_8422_2325);

    fn eat(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        // A separator keeps ("a", "b") and ("ab", "") apart.
        Self(step(bytes.iter().fold(self.0, step), &0xff))
    }

    fn number(self, n: u64) -> Self {
        self.eat(&n.to_be_bytes())
    }
}

pub fn fingerprint_of<'a>(parts: impl Iterator<Item = (&'a str, u64)>) -> Fingerprint {
    parts.fold(Fingerprint::START, |hash, (text, number)| {
        hash.eat(text.as_bytes()).number(number)
    })
}

/// Bindings, machines with their Initialized and leaving marks, pool generations; beyond upstream also which
/// candidates have become consolidatable (`observed §17`), except under parity.
pub fn fingerprint(cluster: &Cluster<'_>, candidates: &[Candidate<'_>], settings: &Settings) -> Fingerprint {
    let machines = cluster.machines.values().flat_map(|m| {
        let flags = u64::from(m.is_initialized()) * 2 + u64::from(m.is_leaving());
        std::iter::once((&*m.name, flags)).chain(m.pods.iter().map(|p| (&*p.uid, 0)))
    });
    let mut hash = fingerprint_of(machines);
    for pool in cluster.snapshot.pools.values() {
        hash = hash
            .eat(pool.name.as_bytes())
            .number(pool.generation.unsigned_abs());
    }
    for overlay in cluster.snapshot.overlays.values() {
        hash = hash
            .eat(overlay.name.as_bytes())
            .number(overlay.generation.unsigned_abs());
    }
    if !settings.parity {
        for candidate in candidates {
            let open = window(candidate, cluster.now) == Window::Open;
            hash = hash.eat(candidate.name().as_bytes()).number(u64::from(open));
        }
    }
    hash
}

impl Memory {
    /// Whether that method looked at the same in vain, less than five minutes ago.
    pub(super) fn is_unchanged(&self, method: Method, now_is: Fingerprint, now: Timestamp) -> bool {
        self.memos
            .get(&method)
            .is_some_and(|(seen, at)| *seen == now_is && now.duration_since(*at) < MOST)
    }

    pub(super) fn remember(&mut self, method: Method, seen: Fingerprint, now: Timestamp) {
        match self.memos.get(&method) {
            // The age counts from the first look.
            Some((old, at)) if *old == seen && now.duration_since(*at) < MOST => {}
            _ => {
                self.memos.insert(method, (seen, now));
            }
        }
    }
}

/// The key under which rejections and former proposals of a set of candidates are kept.
pub fn joined<'a>(nodes: impl Iterator<Item = &'a Name>) -> String {
    let mut nodes: Vec<&str> = nodes.map(|n| &**n).collect();
    nodes.sort_unstable();
    nodes.join(",")
}
