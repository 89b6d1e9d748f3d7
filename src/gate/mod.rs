//! Who may act: mode, policies, pause, approvals, and the only maker of a `Warrant`.

pub mod approval;
pub mod command;
mod guarded;
pub mod guards;
pub mod lead;
pub mod pause;
pub mod policy;
pub mod warrant;

pub use approval::{Gate, Open, Refused, Supervision};
pub use command::{Command, Scope};
pub use guards::{Guard, GuardFlag, Limits};
pub use lead::{Fence, Lead, Seat};
pub use pause::Pauses;
pub use policy::{Mode, Policies, Policy, Rule};
pub use warrant::Warrant;
