//! What the autoscaler asks of a provider, in two halves (house, "Ports").

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::model::decision::effect::Launched;
use crate::model::node_class::ResolvedClass;
use crate::model::snapshot::{Instance, Notice};
use crate::model::{Catalogue, Claim, Labels, Name, NodeClass, Resources};

/// A boxed future on the engine's thread: ports are used as trait objects.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What went wrong at the provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// No offering could serve it: delete the claim and plan its pods again (`lifecycle §3.1`).
    #[error("insufficient capacity: {0}")]
    InsufficientCapacity(String),
    #[error("the EC2NodeClass is not ready: {0}")]
    NodeClassNotReady(String),
    /// A launch that failed and may work later; `reason` is the `Launched` condition's.
    #[error("{message}")]
    Launch { reason: Name, message: String },
    #[error("no such instance")]
    NotFound,
    /// The provider refused or did not answer: `code` is its own word.
    #[error("{call} failed: {code}: {message}")]
    Api { call: Name, code: Name, message: String },
}

/// Reading half, used by `observe` alone. Implementations cache as `aws §1` says.
pub trait CloudRead {
    /// What the selectors of a class mean now.
    fn resolve<'a>(&'a self, class: &'a NodeClass) -> Pending<'a, Result<Arc<ResolvedClass>, CloudError>>;
    /// Types and offerings of a resolved class, with prices and availability of now.
    fn catalogue<'a>(&'a self, class: &'a NodeClass) -> Pending<'a, Result<Arc<Catalogue>, CloudError>>;
    /// Every instance tagged for the cluster.
    fn list(&self) -> Pending<'_, Result<Vec<Instance>, CloudError>>;
    /// New interruption notices since the last call; empty without a queue.
    fn notices(&self) -> Pending<'_, Result<Vec<Notice>, CloudError>>;
    /// Steps whenever a cached answer of `catalogue` or `resolve` has become stale (stock-out, price, interruption).
    fn revision(&self) -> u64;
}

/// What a launch gave, for the claim's status (`aws §9.6`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchResult {
    pub launched: Launched,
    pub labels: Labels,
    pub annotations: Labels,
    pub capacity: Resources,
    pub allocatable: Resources,
}

/// Writing half, used by `act` alone.
pub trait CloudWrite {
    /// Launches one instance for a claim. `token` makes it exactly-once: the same token never gives a second
    /// instance (decisions §6).
    fn launch<'a>(
        &'a self,
        claim: &'a Claim,
        class: &'a NodeClass,
        catalogue: &'a Catalogue,
        token: &'a str,
    ) -> Pending<'a, Result<LaunchResult, CloudError>>;
    /// Asks for termination; `NotFound` once it is gone.
    fn terminate<'a>(&'a self, provider_id: &'a str) -> Pending<'a, Result<(), CloudError>>;
    fn tag<'a>(&'a self, provider_id: &'a str, tags: &'a Labels) -> Pending<'a, Result<(), CloudError>>;
}
