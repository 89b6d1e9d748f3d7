//! One file a command; builds an engine and a face for it.

pub mod consolidate;
pub mod instance_types;
pub mod manifests;
pub mod plan;
