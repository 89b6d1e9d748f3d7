//! Alarms of the first screen: what needs a person, raised and cleared by state.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::run::Engine;
use crate::ledger::{Body, Cause};
use crate::model::{Name, Snapshot};

/// A machine without a NodeClaim is an alarm after this; before, it may be registering.
const ORPHAN_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// A drain that lasts longer is stuck.
const DRAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);

impl Engine {
    pub(super) fn raise_alarms(&mut self, now: Timestamp) {
        let mut wanted = alarms(&self.book.view().snapshot, now);
        for (guard, trip) in self.gate.trips() {
            let text = format!("{}; :release {} to go on", trip.text, guard.as_str());
            wanted.insert(format!("guard {}", guard.as_str()).into(), text);
        }
        if let Some(text) = self.follows_alarm() {
            wanted.insert("lease".into(), text);
        }
        let have = &self.book.view().alarms;
        let mut changes: Vec<(Name, String, bool)> = wanted
            .iter()
            .filter(|(name, text)| have.get(*name).is_none_or(|a| a.text != **text))
            .map(|(name, text)| (name.clone(), text.clone(), false))
            .collect();
        changes.extend(
            have.keys()
                .filter(|n| !wanted.contains_key(*n))
                .map(|n| (n.clone(), String::new(), true)),
        );
        for (name, text, cleared) in changes {
            self.book
                .append(now, Cause::Engine, Body::Alarm { name, text, cleared });
        }
    }
}

/// Machines that nobody owns: alive, of our tags, and without a NodeClaim.
pub fn orphans(snapshot: &Snapshot) -> impl Iterator<Item = &crate::model::snapshot::Instance> {
    let owned: std::collections::BTreeSet<&str> = snapshot.claims.values().map(|c| &*c.provider_id).collect();
    snapshot
        .instances
        .values()
        .map(AsRef::as_ref)
        .filter(move |i| i.is_alive() && !owned.contains(&*i.provider_id))
}

fn alarms(snapshot: &Snapshot, now: Timestamp) -> BTreeMap<Name, String> {
    let mut out = BTreeMap::new();
    let old = orphans(snapshot)
        .filter(|i| now.duration_since(i.launched) > ORPHAN_AFTER)
        .count();
    if old > 0 {
        out.insert("orphans".into(), format!("{old} instances without a NodeClaim"));
    }
    let stuck: Vec<&str> = snapshot
        .nodes
        .values()
        .filter(|n| n.deleting.is_some_and(|t| now.duration_since(t) > DRAIN_AFTER))
        .map(|n| &*n.name)
        .collect();
    if let Some(first) = stuck.first() {
        out.insert(
            "drain".into(),
            format!("{} nodes drain for more than 10 min, first {first}", stuck.len()),
        );
    }
    out
}
