//! Watches and files into rows: the deltas that make a `Snapshot`.
//!
//! `slim` holds the few fields of Kubernetes objects that decisions use, `project` and `requests` turn them into
//! rows, `watch` follows a cluster, `cloud` follows the provider, `objects` reads single objects.

mod cloud;
mod known;
mod objects;
pub mod project;
mod requests;
pub mod slim;
mod watch;

pub use cloud::{CloudWatch, keep_resolved};
pub use objects::{Objects, read_only};
pub use watch::{Batch, Observer};
