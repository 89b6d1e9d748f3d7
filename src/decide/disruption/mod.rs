//! Taking nodes away (`disruption.md`).
//!
//! Methods run in a fixed order and the first that finds a command ends the pass: emptiness, static drift, drift,
//! multi-node, single-node. Of these, emptiness and single-node consolidation are decided here so far; the place of
//! the others in the order is kept by [`Method`].
//!
//! | file | what |
//! |---|---|
//! | `pass` | the loop: queue, sync, validation wait, methods, poll (`§1`) |
//! | `cluster` | nodes, claims and pods joined for one pass |
//! | `candidates` | the eleven checks (`§3`), values of a candidate |
//! | `eligibility`, `window` | what each method takes (`§6`, `§7`) |
//! | `budgets`, `cron` | how many nodes a pool may lose (`§5`) |
//! | `emptiness`, `single_node` | the methods (`§13.5`, `§13.6`) |
//! | `simulate`, `consolidate`, `price` | what-ifs and the decision for a set (`§12`, `§13`) |
//! | `validate` | after the wait, and just before acting (`§14`) |
//! | `proposal`, `queue` | effects of a command; steps of one that acts, rebuilt from annotations (`§16`) |
//! | `events` | what objects are told (`§20`) |
//! | `memo`, `memory`, `verdicts` | what a pass remembers and says |

mod budgets;
mod candidates;
mod cluster;
mod consolidate;
mod cron;
mod eligibility;
mod emptiness;
mod events;
mod memo;
mod memory;
mod pass;
mod price;
mod proposal;
mod queue;
mod simulate;
mod single_node;
#[cfg(test)]
mod tests;
mod undo;
mod validate;
mod verdicts;
mod window;

pub use memory::Memory;
pub use pass::{once, pass};
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
