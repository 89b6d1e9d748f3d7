//! Watches, files and what the cloud port reports into rows: the deltas that make a `Snapshot`. [`Observer`] watches a
//! cluster, [`CloudWatch`] polls the cloud, [`files::load`] reads manifests.

pub mod cloud;
pub mod files;
pub mod kinds;
mod objects;
pub mod project;
mod rows;
pub mod scheduler_config;
pub mod slim;
mod task;
pub mod watch;

pub use cloud::{CloudBatch, CloudWatch, merge_resolved};
pub use objects::{Objects, read_only};
pub use project::Projector;
pub use watch::{Batch, Observer, WatchProblem};
