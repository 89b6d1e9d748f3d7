//! From a NodeClaim's creation to the last trace of its machine (`lifecycle.md`).
//!
//! Level-triggered and per key: a pass visits the claims, nodes, pools and classes that changed and those whose
//! timer is due, looks at what the cluster says now and emits what is still missing. Nothing here depends on
//! having seen an earlier step, so a restart resumes wherever the objects are.
//!
//! | file | what |
//! |---|---|
//! | `claim` | the order of the steps of one claim |
//! | `launch`, `registration`, `initialization`, `liveness` | `§3` |
//! | `termination` | a deleting claim, `§4` |
//! | `drain`, `eviction` | a deleting node, `§5` |
//! | `consolidatable` | the condition and lastPodEventTime, `disruption §6` |
//! | `drifted` | the condition, `disruption §15.1` |
//! | `expiration`, `interruption`, `garbage`, `repair` | proposals of involuntary deletions, `§6`, `§7`, `§17`, `§9` |
//! | `consistency`, `hydration` | what is reported and what is mended, `§8`, `§12` |
//! | `static_pools` | pools with a fixed number of nodes, `§11` |
//! | `pools`, `health`, `classes` | status of NodePools and EC2NodeClasses, `§10`, `§21` |
//! | `tagging` | names on instances, `§12` |
//! | `index`, `memory`, `plan`, `conditions`, `events` | what they share |

mod claim;
mod classes;
mod conditions;
mod consistency;
mod consolidatable;
mod drain;
mod drifted;
mod events;
mod eviction;
mod expiration;
mod garbage;
mod health;
mod hydration;
mod index;
mod initialization;
mod interruption;
mod launch;
mod liveness;
mod memory;
mod order;
mod overlays;
mod pass;
mod plan;
mod pools;
mod registration;
mod repair;
mod reservations;
mod revalidate;
mod static_pools;
mod tagging;
mod termination;
#[cfg(test)]
mod tests;

pub use memory::Memory;
pub use order::drain_order;
pub use pass::pass;
pub use revalidate::revalidate;
pub use static_pools::templated;

use crate::api::names;
use crate::model::Claim;
use crate::model::nodepool::ClassRef;

/// Whether the class is of the kind that we provide: everything else belongs to another controller.
pub fn is_managed(class: &ClassRef) -> bool {
    &*class.group == names::AWS_GROUP && &*class.kind == "EC2NodeClass"
}

/// Deleting, or its machine is going already (`lifecycle §13`).
pub fn is_leaving(claim: &Claim) -> bool {
    claim.deleting.is_some() || claim.is(names::INSTANCE_TERMINATING)
}
