//! What a person can tell the autoscaler.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::guards::Guard;
use super::policy::{Mode, Policy};
use crate::model::Name;
use crate::model::decision::{ContentHash, DecisionId, Kind};

/// What a pause or a forced consolidation is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", content = "name", rename_all = "camelCase")]
pub enum Scope {
    Everything,
    Provisioning,
    Disruption,
    Pool(Name),
    Node(Name),
}

/// What a person can let happen in an embedded world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum WorldEvent {
    /// The cloud has none of that type for a while.
    #[serde(rename_all = "camelCase")]
    NoCapacity { instance_type: Name, minutes: u32 },
    /// A spot interruption notice for the machine of that node.
    Interrupt { node: Name },
    /// More work: a Job of so many pods.
    Burst { pods: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "camelCase")]
pub enum Command {
    /// Approves exactly what was shown: the hash must still be the decision's.
    Approve {
        id: DecisionId,
        hash: ContentHash,
    },
    Reject {
        id: DecisionId,
        reason: String,
    },
    /// Undo the last approval, while no eviction has begun.
    Undo {
        id: DecisionId,
    },
    Pause {
        scope: Scope,
        minutes: Option<u32>,
    },
    Resume {
        scope: Scope,
    },
    SetMode {
        mode: Mode,
    },
    SetPolicy {
        kind: Kind,
        policy: Policy,
    },
    /// Compute a consolidation now, waiting rules skipped (`disruption`: `consolidateAfter`, poll, memo; budgets
    /// only when said). PDBs, do-not-disrupt and scheduling hold. Scope: `Everything`, `Pool` or `Node`.
    Consolidate {
        scope: Scope,
        ignore_budgets: bool,
    },
    /// Lets a tripped guard go; what waited for it alone is approved.
    Release {
        guard: Guard,
    },
    /// The node takes no new pods, or takes them again.
    Cordon {
        node: Name,
        on: bool,
    },
    /// Cordons the node and evicts what is on it, daemons excepted; budgets are asked. Over when the node is empty
    /// or takes pods again.
    Drain {
        node: Name,
    },
    /// Deletes the NodeClaim: its node drains and its machine ends.
    Terminate {
        claim: Name,
    },
    /// Records the run from its beginning into a file; `None` ends the recording.
    Record {
        file: Option<String>,
    },
    /// Something happens in an embedded world; demo only.
    World {
        event: WorldEvent,
    },
    /// Simulated seconds per second of the wall; demo only.
    Speed {
        times: u32,
    },
    /// Stop the engine cleanly.
    Quit,
}

/// Who said it and how long the screen may wait for the answer is not the engine's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    pub who: Name,
    #[serde(flatten)]
    pub command: Command,
}

/// How long a review of each group stays open (screens, rule 4): disruptions lapse, provisioning does not.
pub const REVIEW_LAPSES_AFTER: Duration = Duration::from_secs(300);
/// A rejected set of candidates is not proposed again for so long.
pub const REJECTION_COOL_DOWN: Duration = Duration::from_secs(600);
