//! The licence to write. Only `gate` can make one.

use jiff::Timestamp;

use crate::model::Name;
use crate::model::decision::{ContentHash, DecisionId, WriteClass};

/// Shown to every function of `act`. Names the decision, what was approved, by whom, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warrant {
    decision: Option<DecisionId>,
    hash: ContentHash,
    class: WriteClass,
    approver: Name,
    lapses: Timestamp,
}

impl Warrant {
    /// The only constructor; private to the gate.
    pub(super) fn new(
        decision: Option<DecisionId>,
        hash: ContentHash,
        class: WriteClass,
        approver: Name,
        lapses: Timestamp,
    ) -> Self {
        Self {
            decision,
            hash,
            class,
            approver,
            lapses,
        }
    }

    /// `None` for steps that belong to no decision (mirrors, registration of a foreign claim).
    pub fn decision(&self) -> Option<DecisionId> {
        self.decision
    }

    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    pub fn class(&self) -> WriteClass {
        self.class
    }

    /// `policy`, or the person's name.
    pub fn approver(&self) -> &Name {
        &self.approver
    }

    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        now >= self.lapses
    }
}
