//! The only Kubernetes writer. Plain JSON over `kube::Client`, so that one small set of calls serves every kind.

use std::time::Duration;

use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Wrote;
use crate::clock::{Clock, after};
use crate::gate::Fence;
use crate::model::decision::EffectResult;

/// What was refused for now is tried again so much later.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// The same when nobody answered.
const LATER: Duration = Duration::from_secs(5);

/// A client that may write, while its fence is open.
#[derive(Clone)]
pub struct Writer {
    client: kube::Client,
    fence: Option<(Fence, Clock)>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} is gone")]
    Gone(String),
    #[error("{0} was replaced by another of the same name")]
    Replaced(String),
    #[error("{0} was changed by somebody else at the same time")]
    Conflict(String),
    /// Refused for now: a PodDisruptionBudget or a rate limit.
    #[error("{0}")]
    TooMany(String),
    #[error("the API server refused to {verb} {what}: {message}")]
    Refused {
        verb: &'static str,
        what: String,
        reason: String,
        message: String,
    },
    #[error("the API server did not answer: {0}")]
    Unreachable(String),
    /// Never sent: the lease was lost.
    #[error("another leads now: {0} was not sent")]
    NotLeading(String),
}

impl Error {
    pub(super) fn into_result(self, now: Timestamp) -> EffectResult {
        let message = self.to_string();
        match self {
            Self::Gone(_) | Self::Replaced(_) | Self::NotLeading(_) => EffectResult::Stale { message },
            Self::Conflict(_) => EffectResult::Retry {
                message,
                reason: "Conflict".into(),
                retry_at: after(now, SOON),
            },
            Self::TooMany(_) => EffectResult::Retry {
                message,
                reason: "TooManyRequests".into(),
                retry_at: after(now, SOON),
            },
            Self::Unreachable(_) => EffectResult::Retry {
                message,
                reason: "Unreachable".into(),
                retry_at: after(now, LATER),
            },
            Self::Refused { reason, .. } => EffectResult::Failed {
                message,
                reason: reason.as_str().into(),
            },
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// Path of an object; an empty name gives the collection.
fn path(kind: &str, namespace: &str, name: &str) -> String {
    let (root, plural) = match kind {
        "NodeClaim" => ("/apis/karpenter.sh/v1", "nodeclaims"),
        "NodePool" => ("/apis/karpenter.sh/v1", "nodepools"),
        "NodeOverlay" => ("/apis/karpenter.sh/v1alpha1", "nodeoverlays"),
        "CapacityBuffer" => ("/apis/autoscaling.x-k8s.io/v1beta1", "capacitybuffers"),
        "EC2NodeClass" => ("/apis/karpenter.k8s.aws/v1", "ec2nodeclasses"),
        "Node" => ("/api/v1", "nodes"),
        "Pod" => ("/api/v1", "pods"),
        "Event" => ("/api/v1", "events"),
        "Lease" => ("/apis/coordination.k8s.io/v1", "leases"),
        _ => ("/api/v1", "configmaps"),
    };
    let mut out = root.to_owned();
    if !namespace.is_empty() {
        out.push_str("/namespaces/");
        out.push_str(namespace);
    }
    out.push('/');
    out.push_str(plural);
    if !name.is_empty() {
        out.push('/');
        out.push_str(name);
    }
    out
}

fn what(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}

impl Writer {
    pub fn new(client: kube::Client) -> Self {
        Self { client, fence: None }
    }

    /// Sends nothing while the fence is shut.
    #[must_use]
    pub fn behind(mut self, fence: Fence, clock: Clock) -> Self {
        self.fence = Some((fence, clock));
        self
    }

    async fn call(
        &self,
        method: Method,
        uri: String,
        content_type: &str,
        body: &Value,
        verb: &'static str,
        what: &str,
    ) -> Result<Value, Error> {
        if let Some((fence, clock)) = &self.fence
            && method != Method::GET
            && !fence.is_open(clock.now())
        {
            return Err(Error::NotLeading(format!("{verb} {what}")));
        }
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(http::header::CONTENT_TYPE, content_type)
            .body(bytes)
            .map_err(|e| Error::Unreachable(e.to_string()))?;
        self.client
            .request::<Value>(request)
            .await
            .map_err(|e| map_error(e, verb, what))
    }

    pub(super) async fn get(&self, kind: &str, namespace: &str, name: &str) -> Result<Value, Error> {
        let uri = path(kind, namespace, name);
        self.call(
            Method::GET,
            uri,
            "application/json",
            &Value::Null,
            "read",
            &what(kind, namespace, name),
        )
        .await
    }

    /// `Wrote::No` when one of that name is there already.
    pub(super) async fn create(&self, kind: &str, namespace: &str, object: &Value) -> Result<Wrote, Error> {
        let name = object["metadata"]["name"].as_str().unwrap_or("");
        let uri = path(kind, namespace, "");
        match self
            .call(
                Method::POST,
                uri,
                "application/json",
                object,
                "create",
                &what(kind, namespace, name),
            )
            .await
        {
            Ok(_) => Ok(Wrote::Yes),
            Err(Error::Refused { reason, .. }) if reason == "AlreadyExists" => Ok(Wrote::No),
            Err(error) => Err(error),
        }
    }

    /// A PUT of the whole object, whose resourceVersion must still be the newest.
    pub(super) async fn replace(&self, kind: &str, namespace: &str, object: &Value) -> Result<Value, Error> {
        let name = object["metadata"]["name"].as_str().unwrap_or("");
        let (uri, what) = (path(kind, namespace, name), what(kind, namespace, name));
        self.call(Method::PUT, uri, "application/json", object, "replace", &what)
            .await
    }

    /// A merge patch; `subresource` is empty or `status`.
    pub(super) async fn merge(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        subresource: &str,
        patch: &Value,
    ) -> Result<Value, Error> {
        let mut uri = path(kind, namespace, name);
        if !subresource.is_empty() {
            uri.push('/');
            uri.push_str(subresource);
        }
        let merge = "application/merge-patch+json";
        self.call(
            Method::PATCH,
            uri,
            merge,
            patch,
            "change",
            &what(kind, namespace, name),
        )
        .await
    }

    /// Deletes the object with that uid; gone already counts as unchanged.
    pub(super) async fn delete(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        uid: &str,
        grace_seconds: Option<i64>,
    ) -> Result<Wrote, Error> {
        let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}});
        if let Some(seconds) = grace_seconds {
            options["gracePeriodSeconds"] = json!(seconds);
        }
        let uri = path(kind, namespace, name);
        let what = what(kind, namespace, name);
        match self
            .call(Method::DELETE, uri, "application/json", &options, "delete", &what)
            .await
        {
            Ok(_) => Ok(Wrote::Yes),
            Err(Error::Gone(_)) => Ok(Wrote::No),
            Err(Error::Conflict(_)) => Err(Error::Replaced(what)),
            Err(error) => Err(error),
        }
    }

    /// POST `policy/v1` Eviction with a uid precondition (`kube-wire §1.8`, `§11`).
    pub(super) async fn evict(&self, namespace: &str, pod: &str, uid: &str) -> Result<(), Error> {
        let body = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid}},
        });
        let uri = format!("{}/eviction", path("Pod", namespace, pod));
        self.call(
            Method::POST,
            uri,
            "application/json",
            &body,
            "evict",
            &what("Pod", namespace, pod),
        )
        .await?;
        Ok(())
    }
}

fn map_error(error: kube::Error, verb: &'static str, what: &str) -> Error {
    match error {
        kube::Error::Api(status) => match (status.code, status.reason.as_str()) {
            (404, _) => Error::Gone(what.to_owned()),
            (409, "Conflict") => Error::Conflict(what.to_owned()),
            (429, _) => Error::TooMany(status.message.clone()),
            // More than one PodDisruptionBudget: refused until somebody mends that (`lifecycle §5.2`).
            (500, _) if status.message.contains("PodDisruptionBudget") => {
                Error::TooMany(status.message.clone())
            }
            (code, _) if code >= 500 => Error::Unreachable(status.message.clone()),
            _ => Error::Refused {
                verb,
                what: what.to_owned(),
                reason: status.reason.clone(),
                message: status.message.clone(),
            },
        },
        other => Error::Unreachable(other.to_string()),
    }
}
