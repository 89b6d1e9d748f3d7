//! The one loop: observe → decide → gate → act → ledger. Owns the runtime, memory and timers, and is the only
//! writer of the ledger.

pub mod handle;
pub mod query;

pub use handle::Handle;
pub use query::{Answer, Query};
