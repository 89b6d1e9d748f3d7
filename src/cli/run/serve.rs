//! Metrics and probes, on threads of their own: they answer while the engine decides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::cli::CliError;
use crate::engine::Handle;
use crate::ledger::book::Listener;
use crate::ledger::metrics::{self, Tally};

/// Counted by the engine's thread, read by the one that serves.
pub type Shared = Arc<Mutex<Tally>>;

/// Feeds the counters.
pub fn counting(tally: Shared) -> Listener {
    Box::new(move |entry, _| tally.lock().unwrap_or_else(PoisonError::into_inner).fold(entry))
}

#[derive(Clone)]
struct Facts {
    handle: Handle,
    tally: Shared,
}

/// An open port; it is served until the process ends.
#[derive(Debug)]
pub struct Served {
    pub addr: SocketAddr,
}

/// `/metrics` for Prometheus.
pub fn metrics_port(port: u16, public: bool, handle: Handle, tally: Shared) -> Result<Served, CliError> {
    let facts = Facts { handle, tally };
    let app = Router::new()
        .route("/metrics", get(show_metrics))
        .with_state(facts);
    serve("--metrics-port", port, public, app)
}

/// `/healthz`: the engine runs. `/readyz`: it has seen the cluster and the cloud.
pub fn probe_port(port: u16, public: bool, handle: Handle) -> Result<Served, CliError> {
    let app = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(handle);
    serve("--health-probe-port", port, public, app)
}

async fn show_metrics(State(facts): State<Facts>) -> impl IntoResponse {
    let view = facts.handle.view();
    let text = {
        let tally = facts.tally.lock().unwrap_or_else(PoisonError::into_inner);
        metrics::page(&view, &tally)
    }
    .text();
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}

async fn healthz(State(handle): State<Handle>) -> (StatusCode, &'static str) {
    if handle.is_open() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the engine has stopped")
    }
}

async fn readyz(State(handle): State<Handle>) -> (StatusCode, &'static str) {
    let host = &handle.view().host;
    if !handle.is_open() {
        (StatusCode::SERVICE_UNAVAILABLE, "the engine has stopped")
    } else if !host.synced {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "cluster and cloud were not seen whole yet",
        )
    } else {
        (StatusCode::OK, "ok")
    }
}

/// In a cluster on all addresses, else on loopback.
fn bind(port: u16, public: bool) -> std::io::Result<TcpListener> {
    if !public {
        return TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    }
    let everywhere: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
    let addrs: Vec<SocketAddr> = everywhere.into_iter().map(|ip| (ip, port).into()).collect();
    TcpListener::bind(addrs.as_slice())
}

fn serve(flag: &str, port: u16, public: bool, app: Router) -> Result<Served, CliError> {
    let failed = |e: &dyn std::fmt::Display| {
        CliError::Outside(format!("{flag} {port}: {e}; choose another port, or 0 for none"))
    };
    let socket = bind(port, public).map_err(|e| failed(&e))?;
    socket.set_nonblocking(true).map_err(|e| failed(&e))?;
    let addr = socket.local_addr().map_err(|e| failed(&e))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| failed(&e))?;
    std::thread::Builder::new()
        .name(flag.trim_start_matches('-').to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                let served = match tokio::net::TcpListener::from_std(socket) {
                    Ok(listener) => axum::serve(listener, app).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = served {
                    tracing::error!(%error, "a port has closed");
                }
            });
        })
        .map_err(|e| failed(&e))?;
    Ok(Served { addr })
}
