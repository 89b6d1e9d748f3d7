//! What the simulated cluster keeps of pods and nodes: slim rows, decoded from the stored bytes and dropped again.

mod doc;
mod node;
mod pod;
mod spec;

pub use doc::{SelectorDoc, TolerationDoc};
pub use node::{NodeReady, NodeRow};
pub use pod::{PodRow, duration};
pub use spec::{Interner, daemon_spec, node_matches, term_matches, terms_at};

use crate::model::Name;

/// Namespace and name; the namespace is empty for cluster-scoped objects.
pub type Key = (Name, Name);

/// `namespace/name` for logs and random streams.
pub fn text(key: &Key) -> String {
    format!("{}/{}", key.0, key.1)
}
