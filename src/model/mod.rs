//! What every room thinks in: units, resources, requirements, taints, pods, nodes, instance types, the
//! [`Snapshot`], and the decisions made about it. Plain data; no I/O, no clock.

pub mod catalogue;
pub mod claim;
pub mod condition;
pub mod decision;
pub mod index;
pub mod instance_type;
pub mod node;
pub mod node_class;
pub mod nodepool;
pub mod overlaid;
pub mod overlay;
pub mod pod;
pub mod requirements;
pub mod resources;
pub mod selector;
pub mod snapshot;
pub mod storage;
pub mod taints;
pub mod units;
pub mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;

/// A name, label key, label value or any other short text that many rows share.
pub type Name = Arc<str>;
/// Label or annotation map.
pub type Labels = BTreeMap<Name, Name>;

pub use catalogue::Catalogue;
pub use claim::Claim;
pub use condition::{Condition, Conditions, Status};
pub use instance_type::{CapacityType, InstanceType, Offering};
pub use node::{Ailment, Node};
pub use node_class::NodeClass;
pub use nodepool::NodePool;
pub use overlaid::Overlaid;
pub use overlay::Overlay;
pub use pod::{Phase, Pod, PodSpec};
pub use requirements::{Operator, Requirement, Requirements};
pub use resources::Resources;
pub use selector::LabelSelector;
pub use snapshot::{Delta, Snapshot};
pub use taints::{Taint, TaintEffect, Toleration};
pub use units::{UsdPerHour, UsdSpent};
pub use workload::{Buffer, PodTemplate, Service, Workload};
