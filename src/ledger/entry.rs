//! One ledger entry (`kerf/entry/v1`, decisions §5).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gate::command::Spoken;
use crate::gate::{Pauses, Policies};
use crate::model::decision::{Decision, DecisionId, Effect, EffectResult, State, Verdict, WriteClass};
use crate::model::{Delta, Name};

/// Who or what made it happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The cluster or the cloud, not us.
    Outside,
    Decision(DecisionId),
    Person(Name),
    /// Our own housekeeping.
    Engine,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Body {
    /// First entry: where the run looks and how it may act.
    Started {
        source: Name,
        region: Name,
        policies: Policies,
    },
    /// Rows that decisions read and that changed.
    Observed {
        deltas: Vec<Delta>,
    },
    Proposed {
        decision: Arc<Decision>,
    },
    /// A decision changed state. `by` is `policy`, `engine` or a person.
    Ruled {
        id: DecisionId,
        state: State,
        by: Name,
        reason: String,
    },
    Acted {
        id: Option<DecisionId>,
        class: WriteClass,
        effect: Effect,
        result: EffectResult,
    },
    /// Verdicts that changed since the last pass; a node that left is named with `None`.
    Verdicts {
        changed: BTreeMap<Name, Option<Verdict>>,
    },
    Alarm {
        name: Name,
        text: String,
        cleared: bool,
    },
    /// A person's command, carried out or refused with the reason.
    Command {
        spoken: Spoken,
        refused: Option<String>,
    },
    /// Pauses, mode and policies after a command or a lapse.
    Supervision {
        policies: Policies,
        pauses: Pauses,
    },
    /// A reader may start here: hash of the view folded so far.
    Checkpoint {
        revision: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: u64,
    pub at: Timestamp,
    pub cause: Cause,
    pub body: Body,
    /// What was measured on the host; outside the ledger hash.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub note: BTreeMap<Name, serde_json::Value>,
}
