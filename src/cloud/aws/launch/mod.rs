//! One launch: which types may serve a claim, what is asked of EC2, and what its answer means (`aws §9`). Pure
//! functions; the calls are made by the writer.

pub mod errors;
pub mod filters;
pub mod fleet;
pub mod reserved;
pub mod result;
pub mod subnets;
pub mod template;
