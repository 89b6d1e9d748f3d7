//! One file a command; builds an engine and a face for it.

pub mod manifests;
