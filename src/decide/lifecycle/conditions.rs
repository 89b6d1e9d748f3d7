//! Condition mechanics (`lifecycle §2`): transition times, observed generations and the root `Ready`.

use jiff::Timestamp;

use crate::api::names;
use crate::model::decision::ObjectPatch;
use crate::model::{Claim, Condition, Conditions, Name, Status};

/// Dependents of a NodeClaim's `Ready`.
pub const CLAIM: [&str; 3] = [
    names::LAUNCHED,
    names::REGISTERED_CONDITION,
    names::INITIALIZED_CONDITION,
];
/// Dependents of a NodePool's `Ready`.
pub const POOL: [&str; 2] = [names::VALIDATION_SUCCEEDED, names::NODE_CLASS_READY];

/// Dependents of a NodeOverlay's `Ready`.
pub const OVERLAY: [&str; 1] = [names::VALIDATION_SUCCEEDED];

/// The conditions of one object while a pass works on it; knows what differs from the object.
#[derive(Clone, Debug)]
pub struct Draft {
    before: Conditions,
    now_is: Conditions,
    created: Timestamp,
    generation: i64,
    now: Timestamp,
    deleting: bool,
}

impl Draft {
    /// Starts from what the object says, with missing dependents as Unknown since its creation.
    pub fn new(
        before: &Conditions,
        dependents: &[&str],
        created: Timestamp,
        generation: i64,
        now: Timestamp,
    ) -> Self {
        let mut now_is = before.clone();
        for kind in dependents {
            now_is.entry((*kind).into()).or_insert_with(|| Condition {
                status: Status::Unknown,
                reason: "AwaitingReconciliation".into(),
                message: "object is awaiting reconciliation".into(),
                since: created,
                observed_generation: Some(generation),
            });
        }
        Self {
            before: before.clone(),
            now_is,
            created,
            generation,
            now,
            deleting: false,
        }
    }

    /// The conditions of a claim. While it is being deleted every write observes the new generation for all of them
    /// (`lifecycle §2`), so that the deletion alone makes nothing stale.
    pub fn of_claim(claim: &Claim, now: Timestamp) -> Self {
        Self {
            deleting: claim.deleting.is_some(),
            ..Self::new(&claim.conditions, &CLAIM, claim.created, claim.generation, now)
        }
    }

    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.now_is.get(kind)
    }

    pub fn status(&self, kind: &str) -> Option<Status> {
        self.get(kind).map(|c| c.status)
    }

    pub fn is(&self, kind: &str) -> bool {
        self.status(kind) == Some(Status::True)
    }

    /// When the status was entered; the object's creation while nothing was decided.
    pub fn since(&self, kind: &str) -> Timestamp {
        self.get(kind).map_or(self.created, |c| c.since)
    }

    pub fn set(&mut self, kind: &str, status: Status, reason: &str, message: &str) {
        let since = match self.now_is.get(kind) {
            Some(old) if old.status == status => old.since,
            _ => self.now,
        };
        self.now_is.insert(
            kind.into(),
            Condition {
                status,
                reason: reason.into(),
                message: message.into(),
                since,
                observed_generation: Some(self.generation),
            },
        );
    }

    pub fn set_true(&mut self, kind: &str) {
        self.set(kind, Status::True, kind, "");
    }

    /// Re-sets a decided condition, which refreshes the generation it was observed at.
    pub fn refresh(&mut self, kind: &str) {
        if let Some(condition) = self.now_is.get_mut(kind) {
            condition.observed_generation = Some(self.generation);
        }
    }

    /// Only independent conditions can go.
    pub fn clear(&mut self, kind: &str) {
        self.now_is.remove(kind);
    }

    /// Works out `Ready` from its dependents.
    pub fn root(&mut self, dependents: &[&str]) {
        let mut open: Vec<(&str, &Condition)> = dependents
            .iter()
            .filter_map(|kind| self.now_is.get(*kind).map(|c| (*kind, c)))
            .filter(|(_, c)| c.status != Status::True || self.is_stale(c))
            .collect();
        open.sort_by(|a, b| b.1.since.cmp(&a.1.since).then(a.0.cmp(b.0)));
        let message = open
            .iter()
            .map(|(kind, c)| format!("{kind}={}", c.status.as_str()))
            .collect::<Vec<_>>()
            .join(", ");
        let failed = open
            .iter()
            .any(|(_, c)| c.status == Status::False && !self.is_stale(c));
        let (status, reason) = match (open.is_empty(), failed) {
            (true, _) => (Status::True, names::READY),
            (false, true) => (Status::False, "UnhealthyDependents"),
            (false, false) => (Status::Unknown, "ReconcilingDependents"),
        };
        self.set(names::READY, status, reason, &message);
    }

    /// A generation that was never written counts as current: files and old objects lack it.
    fn is_stale(&self, condition: &Condition) -> bool {
        !self.deleting
            && condition
                .observed_generation
                .is_some_and(|g| g != self.generation)
    }

    /// Puts what differs into `patch`. Times are no difference: they change only with the status.
    pub fn write(&self, patch: &mut ObjectPatch) {
        let current = |a: &Condition, b: &Condition| {
            a.observed_generation.is_none() || a.observed_generation == b.observed_generation
        };
        let says = |a: &Condition, b: &Condition| {
            (a.status, &a.reason, &a.message) == (b.status, &b.reason, &b.message)
        };
        let differs = |kind: &Name, after: &Condition| {
            !self
                .before
                .get(kind)
                .is_some_and(|b| says(b, after) && (self.deleting || current(b, after)))
        };
        let any = self.now_is.iter().any(|(kind, after)| differs(kind, after));
        for (kind, after) in &self.now_is {
            let mut after = after.clone();
            if self.deleting {
                after.observed_generation = Some(self.generation);
            }
            let known = self.before.get(kind);
            let bumped = self.deleting && any && known.is_some_and(|b| !current(b, &after));
            if differs(kind, &after) || bumped {
                patch.conditions.insert(kind.clone(), after);
            }
        }
        for kind in self.before.keys().filter(|k| !self.now_is.contains_key(*k)) {
            patch.remove_conditions.push(kind.clone());
        }
    }
}

/// Cuts a provider's message to 300 characters, as the condition `Launched` shows it.
pub fn truncate(message: &str) -> Name {
    match message.char_indices().nth(300) {
        None => message.into(),
        Some((end, _)) => format!("{}...", &message[..end]).into(),
    }
}
