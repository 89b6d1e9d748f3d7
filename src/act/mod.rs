//! Carries warranted effects out against Kubernetes and the cloud; idempotent and resumable.
//!
//! Every write goes through [`Actor::act`], which asks for a [`Warrant`]. `kube` is the only Kubernetes writer,
//! `patch` turns an [`ObjectPatch`](crate::model::decision::ObjectPatch) into JSON, the rest is one file an effect.

mod claims;
mod event;
mod evict;
pub mod kube;
mod launch;
pub mod lease;
mod patch;
mod supervision;

use std::rc::Rc;

use jiff::Timestamp;

use crate::cloud::CloudWrite;
use crate::cloud::port::CloudError;
use crate::gate::Warrant;
use crate::model::Snapshot;
use crate::model::decision::{Effect, EffectResult};

pub use self::kube::{Error, Writer};

/// The writing halves of both ports. Not built at all in mode observe.
pub struct Actor {
    kube: Writer,
    cloud: Rc<dyn CloudWrite>,
}

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actor").finish_non_exhaustive()
    }
}

/// What an effect may look at: the newest picture and the time.
#[derive(Clone, Debug)]
pub struct Context {
    pub snapshot: Snapshot,
    pub now: Timestamp,
}

impl Actor {
    pub fn new(kube: Writer, cloud: Rc<dyn CloudWrite>) -> Self {
        Self { kube, cloud }
    }

    /// Carries one effect out. A failed precondition gives `Stale` and leaves the outside as it was.
    pub async fn act(&self, warrant: &Warrant, effect: &Effect, context: &Context) -> EffectResult {
        if warrant.has_lapsed(context.now) {
            return EffectResult::Stale {
                message: "the approval has lapsed".into(),
            };
        }
        let done = match effect {
            Effect::CreateClaim(draft) => claims::create(&self.kube, draft).await,
            Effect::Launch { claim, uid } => {
                return launch::launch(&self.kube, &*self.cloud, claim, uid, context).await;
            }
            Effect::DeleteClaim { claim, uid, .. } => {
                self.kube.delete("NodeClaim", "", claim, uid, None).await
            }
            Effect::DeleteNode { node, uid } => self.kube.delete("Node", "", node, uid, None).await,
            Effect::Evict {
                namespace, pod, uid, ..
            } => {
                return evict::evict(&self.kube, namespace, pod, uid, context.now).await;
            }
            Effect::DeletePod {
                namespace,
                pod,
                uid,
                grace_seconds,
            } => {
                self.kube
                    .delete("Pod", namespace, pod, uid, Some(*grace_seconds))
                    .await
            }
            Effect::TerminateInstance { provider_id } => {
                return self.terminate(provider_id, context.now).await;
            }
            Effect::TagInstance { provider_id, tags } => {
                let tags = tags.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                return match self.cloud.tag(provider_id, &tags).await {
                    Ok(()) => EffectResult::Done,
                    Err(error) => cloud_result(&error, context.now),
                };
            }
            Effect::Patch(patch) => patch::patch(&self.kube, patch, context.now).await,
            Effect::Event {
                kind,
                namespace,
                name,
                uid,
                warning,
                reason,
                message,
            } => {
                let about = event::About {
                    kind: *kind,
                    namespace,
                    name,
                    uid,
                };
                event::emit(&self.kube, &about, *warning, reason, message, context.now).await
            }
        };
        result_of(done, context.now)
    }

    async fn terminate(&self, provider_id: &str, now: Timestamp) -> EffectResult {
        match self.cloud.terminate(provider_id).await {
            Ok(()) => EffectResult::Done,
            // Gone is what was asked for.
            Err(CloudError::NotFound) => EffectResult::Unchanged,
            Err(error) => cloud_result(&error, now),
        }
    }

    /// Writes pauses and rulings where a restart finds them (decisions §6).
    ///
    /// # Errors
    /// What the API server answered.
    pub async fn remember(
        &self,
        warrant: &Warrant,
        supervision: &crate::gate::Supervision,
    ) -> Result<(), Error> {
        supervision::write(&self.kube, warrant, supervision).await
    }
}

/// Whether something was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrote {
    Yes,
    No,
}

fn result_of(done: Result<Wrote, Error>, now: Timestamp) -> EffectResult {
    match done {
        Ok(Wrote::Yes) => EffectResult::Done,
        Ok(Wrote::No) => EffectResult::Unchanged,
        Err(error) => error.into_result(now),
    }
}

fn cloud_result(error: &CloudError, now: Timestamp) -> EffectResult {
    let reason = match error {
        CloudError::Launch { reason, .. } => reason.clone(),
        CloudError::Api { code, .. } => code.clone(),
        CloudError::InsufficientCapacity(_) => "InsufficientCapacity".into(),
        CloudError::NodeClassNotReady(_) => "NodeClassNotReady".into(),
        CloudError::NotFound => "NotFound".into(),
    };
    EffectResult::Retry {
        message: error.to_string(),
        reason,
        retry_at: crate::clock::after(now, kube::SOON),
    }
}
