//! The reading client, which cannot write, and single objects read through it.

use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::client::Body;
use tower::{BoxError, Service};

use crate::api::names::{SUPERVISION, SUPERVISION_NAMESPACE};

/// Refuses every method but GET, and POSTs of self-reviews (decisions §6): what holds it cannot change a cluster.
#[derive(Clone)]
struct ReadOnly(kube::Client);

/// A write was tried through the reading client: a defect of ours, not of the cluster.
#[derive(Debug, thiserror::Error)]
#[error("the reading client refuses {0} {1}")]
struct Refused(Method, String);

impl Service<Request<Body>> for ReadOnly {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    /// The client underneath queues by itself.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.0.clone();
        async move {
            let path = request.uri().path();
            let review =
                request.method() == Method::POST && path.contains("/self") && path.contains("reviews");
            if request.method() == Method::GET || review {
                return client.send(request).await.map_err(Into::into);
            }
            Err(Refused(request.method().clone(), path.to_owned()).into())
        }
        .boxed()
    }
}

/// Wraps a client so that it can only read.
pub fn read_only(client: kube::Client) -> kube::Client {
    kube::Client::new(ReadOnly(client), "default")
}

/// Single objects, for the screen and for what an earlier run left.
#[derive(Clone)]
pub struct Objects {
    client: kube::Client,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

impl Objects {
    /// Over a client made by [`read_only`].
    pub fn new(client: kube::Client) -> Self {
        Self { client }
    }

    /// Pauses and rulings of an earlier run, as JSON text; `None` when there are none.
    ///
    /// # Errors
    /// What the API server answered.
    pub async fn supervision(&self) -> Result<Option<String>, kube::Error> {
        let path = format!("/api/v1/namespaces/{SUPERVISION_NAMESPACE}/configmaps/{SUPERVISION}");
        match self.get_path(&path).await {
            Ok(map) => Ok(map["data"]["supervision.json"].as_str().map(str::to_owned)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The Lease of an election; `None` when there is none.
    ///
    /// # Errors
    /// What the API server answered.
    pub async fn lease(&self, namespace: &str, name: &str) -> Result<Option<serde_json::Value>, kube::Error> {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}");
        match self.get_path(&path).await {
            Ok(lease) => Ok(Some(lease)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An object as YAML without managedFields.
    ///
    /// # Errors
    /// One sentence for the screen.
    pub async fn yaml(&self, kind: &str, namespace: &str, name: &str) -> Result<String, String> {
        let (root, plural) = match kind {
            "NodeClaim" => ("/apis/karpenter.sh/v1", "nodeclaims"),
            "NodePool" => ("/apis/karpenter.sh/v1", "nodepools"),
            "EC2NodeClass" => ("/apis/karpenter.k8s.aws/v1", "ec2nodeclasses"),
            "Node" => ("/api/v1", "nodes"),
            "Pod" => ("/api/v1", "pods"),
            other => return Err(format!("{other} cannot be shown as YAML")),
        };
        let space = if namespace.is_empty() {
            String::new()
        } else {
            format!("/namespaces/{namespace}")
        };
        let path = format!("{root}{space}/{plural}/{name}");
        let mut object = self.get_path(&path).await.map_err(|e| e.to_string())?;
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.remove("managedFields");
        }
        serde_saphyr::to_string(&object).map_err(|e| e.to_string())
    }

    async fn get_path(&self, path: &str) -> Result<serde_json::Value, kube::Error> {
        let request = Request::get(path)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        self.client.request(request).await
    }
}
