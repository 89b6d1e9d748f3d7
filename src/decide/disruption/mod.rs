//! Taking nodes away (`disruption.md`).
//!
//! Methods run in a fixed order and the first that finds a command ends the pass: emptiness, static drift, drift,
//! multi-node, single-node.
//!
//! | file | what |
//! |---|---|
//! | `pass`, `turn`, `accept` | the loop: queue, sync, methods, validation wait, poll (`§1`) |
//! | `cluster` | nodes, claims and pods joined for one pass |
//! | `candidates` | the eleven checks (`§3`), values of a candidate |
//! | `eligibility`, `window` | what each method takes (`§6`, `§7`) |
//! | `budgets`, `cron` | how many nodes a pool may lose (`§5`) |
//! | `emptiness`, `multi_node`, `single_node` | the methods (`§13.3`, `§13.5`, `§13.6`) |
//! | `several` | N → M consolidation (beyond upstream) |
//! | `timeline`, `preview` | budgets of the coming days; what edited manifests would make drift |
//! | `stays` | why one node stays, destination by destination |
//! | `drifted`, `drift`, `static_drift` | what has drifted, and its replacement (`§15`) |
//! | `balanced` | scores of the policy Balanced (`§10`) |
//! | `simulate`, `consolidate`, `price` | what-ifs and the decision for a set (`§12`, `§13`) |
//! | `validate` | after the wait, and just before acting (`§14`) |
//! | `proposal`, `queue` | effects of a command; steps of one that acts, rebuilt from annotations (`§16`) |
//! | `events` | what objects are told (`§20`) |
//! | `memo`, `memory`, `verdicts` | what a pass remembers and says |

mod accept;
mod balanced;
mod budgets;
mod candidates;
mod cluster;
mod consolidate;
mod cron;
mod drift;
mod drifted;
mod eligibility;
mod emptiness;
mod events;
mod memo;
mod memory;
mod multi_node;
mod pass;
mod preview;
mod price;
mod proposal;
mod queue;
mod several;
mod simulate;
mod single_node;
mod static_drift;
mod stays;
#[cfg(test)]
mod tests;
mod timeline;
mod turn;
mod undo;
mod validate;
mod verdicts;
mod window;

pub use balanced::Score;
pub use cluster::Cluster;
pub use drifted::{Drift, drift};
pub use memory::Memory;
pub use pass::{once, once_forced, pass};
pub use preview::{WouldDrift, preview};
pub use stays::{Moves, Stays, destinations, stays};
pub use timeline::{Span, timeline, timelines};
pub use undo::undo;
pub use validate::revalidate;

use crate::model::Name;
use crate::model::decision::Kind;

/// The five voluntary strategies, in the order in which a pass asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Emptiness,
    StaticDrift,
    Drift,
    MultiNode,
    SingleNode,
}

impl Method {
    /// As evidence and verdicts name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Emptiness => "empty",
            Self::StaticDrift => "static",
            Self::Drift => "drift",
            Self::MultiNode => "multi",
            Self::SingleNode => "single",
        }
    }

    /// As budgets and the condition `DisruptionReason` name it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Emptiness => "Empty",
            Self::StaticDrift | Self::Drift => "Drifted",
            Self::MultiNode | Self::SingleNode => "Underutilized",
        }
    }

    /// Whether its commands wait 15 s and are looked at again (`disruption §14`).
    pub fn validates(self) -> bool {
        !matches!(self, Self::StaticDrift | Self::Drift)
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Emptiness => Kind::Emptiness,
            Self::StaticDrift => Kind::Static,
            Self::Drift => Kind::Drift,
            Self::MultiNode | Self::SingleNode => Kind::Consolidation,
        }
    }
}

/// What a forced pass looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Pool(Name),
    Node(Name),
}

/// A person asks for a decision now: `consolidateAfter`, poll, memo and the validation wait do not hold it up, and
/// budgets only when `ignore_budgets` is false. The candidate checks of `disruption §3` hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Force {
    pub scope: Scope,
    pub ignore_budgets: bool,
}
