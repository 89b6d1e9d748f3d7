//! The stage of `kerf run` on the embedded world, in simulated time: the autoscaler knows no difference.

mod checks;
mod elections;
mod recorded;
mod rig;
mod runs;
