//! Scenarios: what happens in an embedded world, as one YAML file that is written by hand.
//!
//! A scenario file holds Kubernetes manifests as plain documents, so that `kubectl apply -f FILE` takes it too. One
//! more document, a `v1` `List` without items, carries the scenario itself; kubectl passes over it:
//!
//! ```yaml
//! apiVersion: v1
//! kind: List
//! items: []
//! scenario:
//!   name: my-week                 # default: the file's name
//!   description: One line for `kerf scenarios`.
//!   clusterName: kerf-demo        # what karpenter.sh/discovery tags say
//!   region: us-east-1
//!   repeat: 30m                   # begin the steps anew after this time; leave out to play once
//!   config:
//!     bootScale: 0.5              # machines boot twice as fast
//!     spotInterruptions: 2        # twice the published rates; 0 = never by itself
//!     spotDepth: true             # spot pools can run dry
//!     imagePullSeconds: [1, 4]    # from bound to running
//!     featureGates: NodeRepair=true   # as --feature-gates, which wins
//!   manifests: []                 # objects may also be here instead of in documents of their own
//!   steps:                        # in order of time; each has `at` and one action
//!     - at: 30s
//!       scale: {deployment: default/web, replicas: 40}       # or statefulset: …
//!     - at: 1m
//!       apply: [{apiVersion: batch/v1, kind: Job, …}]        # ${round} in texts becomes 1, 2, 3 …
//!     - at: 90s
//!       delete: {kind: Job, name: etl, namespace: default}
//!     - at: 2m
//!       patch: {kind: NodePool, name: default, patch: {spec: {weight: 10}}}   # JSON merge patch
//!     - at: 3m
//!       spotInterrupt: {share: 0.3}                          # or count: 2, or node: NAME
//!     - at: 4m
//!       iceOffering: {instanceType: m6i.large, zone: us-east-1a, capacityType: spot, for: 10m}
//!     - at: 5m
//!       releaseImages: v20260201                             # new AMIs; @latest means them within a day
//!     - at: 6m
//!       neverRegister: {for: 10m}                            # machines that start meanwhile never become nodes
//!     - at: 7m
//!       refuseCall: {call: CreateFleet, code: InternalError, times: 2}
//!     - at: 8m
//!       sicken: {count: 2, condition: StorageReady, status: "False"}   # or share: …, node: NAME
//!     - at: 9m
//!       heal: {share: 1}                                     # every condition of these nodes is well again
//!     - at: 10m
//!       killMachine: {count: 1}                              # the instance dies without a word
//!     - at: 11m
//!       log: What the watcher should know now.
//! ```
//!
//! A file with manifests alone is a scenario without steps. Durations are written like `500ms`, `30s`, `1m30s`, `2h`.
//! Errors name the file, the line or field, and what is allowed there.

mod builtin;
mod error;
mod field;
mod parse;
#[cfg(test)]
mod parse_tests;
mod player;
#[cfg(test)]
mod player_tests;
mod position;

use std::time::Duration;

use serde_json::Value;

pub use builtin::{builtin, load};
pub use error::ScenarioError;
pub use parse::parse;
pub use player::{Faults, Player};

/// A scenario, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub name: String,
    pub description: String,
    pub cluster_name: String,
    pub region: String,
    /// The steps begin anew after this time.
    pub repeat: Option<Duration>,
    pub tuning: Tuning,
    /// Kubernetes objects that are there from the start, in the order of the file.
    pub manifests: Vec<Value>,
    /// By time; equal times in the order of the file.
    pub steps: Vec<Step>,
}

/// How the world differs from the usual one.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// Multiplies boot times.
    pub boot_scale: f64,
    /// Multiplies the published spot interruption rates.
    pub spot_interruptions: f64,
    /// Whether spot pools have a depth.
    pub spot_depth: bool,
    /// Seconds from binding to running, drawn a pod.
    pub image_pull: (f64, f64),
    /// `NAME=true,…` for the autoscaler.
    pub feature_gates: Option<String>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            boot_scale: 1.0,
            spot_interruptions: 1.0,
            spot_depth: true,
            image_pull: (1.0, 4.0),
            feature_gates: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// After the start of the round.
    pub at: Duration,
    pub action: Action,
}

/// An object by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Empty when any version will do.
    pub api_version: String,
    pub kind: String,
    /// `default` when left out; not used for cluster-scoped kinds.
    pub namespace: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Scale {
        target: Target,
        replicas: u64,
    },
    Apply(Vec<Value>),
    Delete(Target),
    /// A JSON merge patch.
    Patch {
        target: Target,
        patch: Value,
    },
    SpotInterrupt(Machines),
    IceOffering(IceOffering),
    /// New images under that version.
    ReleaseImages(String),
    /// Machines that start within that time never register.
    NeverRegister(Duration),
    RefuseCall {
        call: String,
        code: String,
        times: u32,
    },
    /// A node condition takes a bad status and keeps it.
    Sicken {
        nodes: Machines,
        condition: String,
        status: String,
    },
    Heal(Machines),
    KillMachine(Machines),
    Log(String),
}

/// Which machines are meant; of several the seed draws.
#[derive(Clone, Debug, PartialEq)]
pub enum Machines {
    /// Of all, at least one.
    Share(f64),
    Count(usize),
    Node(String),
}

/// An offering that is out of stock for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceOffering {
    pub instance_type: String,
    pub zone: String,
    /// `spot` or `on-demand`.
    pub capacity_type: String,
    pub duration: Duration,
}
