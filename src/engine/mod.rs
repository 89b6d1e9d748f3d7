//! The one loop: observe → decide → gate → act → ledger. Owns the runtime, memory and timers, and is the only
//! writer of the ledger.
//!
//! `run` waits and dispatches, `pass` asks the rooms of `decide`, `carry` starts effects and takes their results,
//! `progress` follows decisions to their end, `orders` obeys people, `manual` keeps at what they ordered for a node,
//! `elect` campaigns for the Lease and `lead` obeys its outcome, `answers` answers the screen, `study` what needs planning, `floor` proves what the workload costs at least.

mod alarms;
mod answers;
mod carry;
pub mod elect;
mod floor;
mod guards;
pub mod handle;
mod lead;
mod manual;
mod orders;
mod pass;
mod progress;
pub mod query;
mod restore;
mod run;
mod stage;
mod study;

pub use alarms::orphans;
pub use handle::Handle;
pub use query::{Answer, Query};
pub use run::{Ended, Engine, Parts};
pub use stage::Stage;
