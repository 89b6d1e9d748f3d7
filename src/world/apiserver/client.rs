//! The server as a `tower` service for `kube::Client`, in process: always ready, one future a request, long polls in
//! the body stream (`kube-wire §2`).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::Service;

use super::server::ApiServer;
use super::wire::Body;

#[derive(Clone, Debug)]
struct InProcess {
    server: ApiServer,
    agent: HeaderValue,
}

impl Service<Request<kube::client::Body>> for InProcess {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        let (server, agent) = (self.server.clone(), self.agent.clone());
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            parts.headers.entry(USER_AGENT).or_insert(agent);
            // A request body of kube is in memory: collecting it cannot fail.
            let body = body.collect().await.map(http_body_util::Collected::to_bytes);
            Ok(server
                .handle(Request::from_parts(parts, body.unwrap_or_default()))
                .await)
        })
    }
}

impl ApiServer {
    /// A client in this process, without retries; its requests carry `who` as user agent. Call it inside a runtime.
    pub fn client(&self, who: &str) -> kube::Client {
        let service = InProcess {
            server: self.clone(),
            agent: HeaderValue::from_str(who).unwrap_or_else(|_| HeaderValue::from_static("kerf")),
        };
        kube::Client::new(service, "default")
    }
}
