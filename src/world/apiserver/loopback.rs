//! The loopback port for kubectl: TLS with a certificate authority and a bearer token of its own, on a thread of its
//! own that lives in wall time (`kube-wire §13`, decisions §2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::to_bytes;
use axum::serve::Listener;
use http::Request;
use http::header::AUTHORIZATION;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::server::ApiServer;
use super::status::StatusError;
use super::wire::base64;

/// Bigger bodies are refused, as upstream does.
const BODY_LIMIT: usize = 3 << 20;
/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("{0} is in use: choose another with --listen, or --listen 127.0.0.1:0 for any free port")]
    InUse(SocketAddr),
    #[error("{0} is no loopback address: the embedded cluster listens on 127.0.0.1 or [::1] only")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {addr}: {why}")]
    Failed { addr: SocketAddr, why: String },
}

/// An open port; dropping it closes the port and all its connections.
#[derive(Debug)]
pub struct Listening {
    pub addr: SocketAddr,
    /// YAML with the authority's certificate and the token; to be written to a private file.
    pub kubeconfig: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported by its own thread.
            let _ = thread.join();
        }
    }
}

impl ApiServer {
    /// Serves this server on a loopback address; port 0 takes any free one.
    pub fn listen(&self, addr: SocketAddr) -> Result<Listening, ListenError> {
        if !addr.ip().is_loopback() {
            return Err(ListenError::NotLoopback(addr));
        }
        let failed = |why: String| ListenError::Failed { addr, why };
        let socket = std::net::TcpListener::bind(addr).map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => ListenError::InUse(addr),
            _ => failed(error.to_string()),
        })?;
        socket.set_nonblocking(true).map_err(|e| failed(e.to_string()))?;
        let bound = socket.local_addr().map_err(|e| failed(e.to_string()))?;
        let identity = Identity::new().map_err(|e| failed(e.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| failed(e.to_string()))?;
        let (stop, stopped) = oneshot::channel();
        let kubeconfig = identity.kubeconfig(bound);
        let server = self.clone();
        let thread = std::thread::Builder::new()
            .name("kerf-kube-api".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    tokio::select! {
                        biased;
                        _ = stopped => {}
                        result = serve(server, socket, identity) => {
                            if let Err(error) = result {
                                tracing::error!(%error, "the Kubernetes port has closed");
                            }
                        }
                    }
                });
            })
            .map_err(|e| failed(e.to_string()))?;
        Ok(Listening {
            addr: bound,
            kubeconfig,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

async fn serve(
    server: ApiServer,
    socket: std::net::TcpListener,
    identity: Identity,
) -> Result<(), std::io::Error> {
    let listener = TcpListener::from_std(socket)?;
    let addr = listener.local_addr()?;
    let (sender, connections) = mpsc::channel(64);
    tokio::spawn(accept(listener, TlsAcceptor::from(identity.tls), sender));
    let expected: Arc<str> = format!("Bearer {}", identity.token).into();
    let app = axum::Router::new().fallback(move |request: Request<axum::body::Body>| {
        let (server, expected) = (server.clone(), expected.clone());
        async move {
            let (parts, body) = request.into_parts();
            let given = parts
                .headers
                .get(AUTHORIZATION)
                .map_or(&b""[..], |value| value.as_bytes());
            if !same(given, expected.as_bytes()) {
                return StatusError::new(401, "Unauthorized", "Unauthorized").into();
            }
            match to_bytes(body, BODY_LIMIT).await {
                Ok(body) => server.handle(Request::from_parts(parts, body)).await,
                Err(_) => StatusError::new(
                    413,
                    "RequestEntityTooLarge",
                    "the body of the request is too large or broken off",
                )
                .into(),
            }
        }
    });
    axum::serve(Tls { addr, connections }, app).await
}

/// Compares without telling by its time how much was right.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len() && given.iter().zip(expected).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

type Connection = (TlsStream<TcpStream>, SocketAddr);

/// Shakes hands aside, so that a slow client holds up nobody.
async fn accept(listener: TcpListener, acceptor: TlsAcceptor, sender: mpsc::Sender<Connection>) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors or a connection that went away: either passes.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            // Watches send small lines that must not wait for more.
            let _ = stream.set_nodelay(true);
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                let _ = sender.send((stream, peer)).await;
            }
        });
    }
}

struct Tls {
    addr: SocketAddr,
    connections: mpsc::Receiver<Connection>,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        match self.connections.recv().await {
            Some(connection) => connection,
            // The accepting task runs as long as this one.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

/// Keys of one run: they are made from the system's randomness and never enter the store.
struct Identity {
    tls: Arc<ServerConfig>,
    authority: String,
    token: String,
}

#[derive(Debug, thiserror::Error)]
enum IdentityError {
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Identity {
    fn new() -> Result<Self, IdentityError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "kerf embedded cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let authority = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "kerf embedded API server");
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A third fresh key is a third draw of the system's randomness.
        let secret = KeyPair::generate()?;
        let digest = Sha256::digest(secret.serialize_der());
        Ok(Self {
            tls: Arc::new(tls),
            authority: authority.pem(),
            token: base64(&digest).replace(['+', '/', '='], "x"),
        })
    }

    fn kubeconfig(&self, addr: SocketAddr) -> String {
        let authority = base64(self.authority.as_bytes());
        let token = &self.token;
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: kerf\nclusters:\n- name: kerf\n  cluster:\n    \
             server: https://{addr}\n    certificate-authority-data: {authority}\ncontexts:\n- name: kerf\n  \
             context:\n    cluster: kerf\n    user: kerf\n    namespace: default\nusers:\n- name: kerf\n  user:\n    \
             token: {token}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::apiserver::testing::server;

    #[tokio::test]
    async fn a_busy_port_is_named() {
        let server = server();
        let first = server.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = server.listen(first.addr).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} is in use: choose another with --listen", first.addr)));
        let open = server
            .listen("0.0.0.0:0".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(open.contains("no loopback address"));
        let addr = first.addr;
        drop(first);
        server.listen(addr).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_outside_reads_and_watches_in_its_own_time() {
        use futures::StreamExt;
        use k8s_openapi::api::core::v1::ConfigMap;
        use kube::api::{Api, ObjectMeta, WatchParams};

        let server = server();
        let listening = server.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let yaml = listening.kubeconfig.clone();
        // kubectl's place: another thread with another runtime.
        let outside = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let config = kube::config::Kubeconfig::from_yaml(&yaml).unwrap();
                let config =
                    kube::Config::from_custom_kubeconfig(config, &kube::config::KubeConfigOptions::default())
                        .await
                        .unwrap();
                let api: Api<ConfigMap> = Api::default_namespaced(kube::Client::try_from(config).unwrap());
                let made = ConfigMap {
                    metadata: ObjectMeta {
                        name: Some("a".to_owned()),
                        ..ObjectMeta::default()
                    },
                    ..ConfigMap::default()
                };
                let made = api
                    .create(&kube::api::PostParams::default(), &made)
                    .await
                    .unwrap();
                let stamp = made.metadata.creation_timestamp.unwrap().0;
                let watch = api.watch(&WatchParams::default().timeout(1), "0").await.unwrap();
                let events: Vec<_> = watch.collect().await;
                (stamp, events.len())
            })
        });
        // Leave this thread free, and its clock paused, until the other one has finished.
        let (stamp, events) = tokio::task::spawn_blocking(move || outside.join().unwrap())
            .await
            .unwrap();
        assert_eq!(stamp.to_string(), "2026-01-05T09:00:00Z");
        assert!(events >= 1);
        assert_eq!(server.writes().values().sum::<u64>(), 1);
    }

    #[tokio::test]
    async fn a_wrong_token_is_refused() {
        assert!(same(b"Bearer a", b"Bearer a"));
        assert!(!same(b"Bearer b", b"Bearer a"));
        assert!(!same(b"", b"Bearer a"));
    }
}
