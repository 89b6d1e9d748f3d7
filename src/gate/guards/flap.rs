//! Flapping: A was replaced by B, and B is to be replaced by A, though neither workload nor manifests changed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Fleet;
use crate::model::Name;
use crate::model::decision::{Decision, Effect, Evidence};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// One replacement that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Move {
    at: Timestamp,
    from: BTreeSet<Name>,
    to: BTreeSet<Name>,
    /// Claims that it made.
    made: BTreeSet<Name>,
    taken: BTreeSet<Name>,
    fingerprint: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Flap {
    moves: Vec<Move>,
}

/// Types that go and come, and the claims; `None` for what replaces nothing.
fn movement(decision: &Decision, fleet: &Fleet, at: Timestamp) -> Option<Move> {
    let Evidence::Disruption(evidence) = &decision.evidence else {
        return None;
    };
    // A person who forces a move, or a drift that must end, is no flapping.
    if evidence.forced || &*evidence.reason == "Drifted" {
        return None;
    }
    let drafts = decision.effects.iter().filter_map(|e| match e {
        Effect::CreateClaim(d) => Some(d),
        _ => None,
    });
    let (mut to, mut made) = (BTreeSet::new(), BTreeSet::new());
    for draft in drafts {
        to.extend(draft.expected.as_ref().map(|e| e.instance_type.clone()));
        made.insert(draft.name.clone());
    }
    let from = evidence
        .candidates
        .iter()
        .map(|c| c.instance_type.clone())
        .collect();
    let taken = evidence.candidates.iter().map(|c| c.claim.clone()).collect();
    (!made.is_empty()).then_some(Move {
        at,
        from,
        to,
        made,
        taken,
        fingerprint: fleet.fingerprint,
    })
}

impl Flap {
    pub fn begun(&mut self, decision: &Decision, fleet: &Fleet, now: Timestamp) {
        self.moves.retain(|m| now.duration_since(m.at) < DAY);
        self.moves.extend(movement(decision, fleet, now));
    }

    pub fn forget(&mut self) {
        self.moves.clear();
    }

    /// Why the decision undoes an earlier one, if it does.
    pub fn returns(&self, decision: &Decision, fleet: &Fleet, now: Timestamp) -> Option<String> {
        let new = movement(decision, fleet, now)?;
        let old = self.moves.iter().find(|old| {
            now.duration_since(old.at) < DAY
                && old.from == new.to
                && old.to == new.from
                && old.from != old.to
                && !old.made.is_disjoint(&new.taken)
                && old.fingerprint == new.fingerprint
        })?;
        let list = |types: &BTreeSet<Name>| types.iter().map(|t| &**t).collect::<Vec<_>>().join("+");
        let ago = now.duration_since(old.at).as_secs() / 60;
        Some(format!(
            "{} → {} → {} within {ago} min, with no change of workloads or manifests",
            list(&old.from),
            list(&old.to),
            list(&new.to),
        ))
    }
}
