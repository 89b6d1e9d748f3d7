//! The embedded Kubernetes API (`kube-wire.md`): a versioned store of JSON bytes, spoken to directly by the world's
//! own controllers, in process by `kube::Client`, and on a loopback port by kubectl.

mod accept;
pub mod admission;
pub mod apply;
mod builtin;
mod client;
#[cfg(test)]
mod client_kinds_tests;
#[cfg(test)]
mod client_tests;
mod delete;
mod discovery;
mod events;
mod expiry;
mod filter;
mod glue;
mod heartbeat;
pub mod kinds;
#[cfg(test)]
mod kubectl_tests;
mod loopback;
mod names;
mod namespace;
pub mod object;
pub mod openapi;
pub mod patch;
mod path;
mod prepare;
mod protobuf;
mod resource;
#[cfg(test)]
mod restart_tests;
mod routes;
#[cfg(test)]
mod runtime_tests;
pub mod selectors;
mod server;
mod settle;
mod shape;
pub mod state;
pub mod status;
mod store;
mod subresources;
pub mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testkit;
mod watch;
mod wire;
#[cfg(test)]
mod wire_tests;
mod write;

pub use delete::{DeleteOptions, Propagation};
pub use kinds::{Column, CrdInfo, Kind, ScalePaths};
pub use loopback::{ListenError, Listening};
pub use object::Stored;
pub use server::{ApiServer, Config};
pub use state::{StateError, StateFile};
pub use status::{Cause, StatusError};
pub use store::{Change, ChangeKind};
pub use wire::base64;

/// Key of the kind whose objects define kinds.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";
