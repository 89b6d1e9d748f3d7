//! Making, renewing, taking and releasing the Lease of the one that leads. What another wrote meanwhile wins: the
//! resourceVersion is always sent.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Wrote;
use super::kube::{Error, Writer};
use crate::gate::Warrant;
use crate::gate::lead::{LEASE_LASTS, LeaseRecord, Move};

/// Where the Lease lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseName {
    pub namespace: String,
    pub name: String,
}

impl std::fmt::Display for LeaseName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// As Kubernetes writes a MicroTime.
fn micro(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn object(lease: &LeaseName, holder: &str, known: Option<&LeaseRecord>, now: Timestamp) -> Value {
    let same = known.is_some_and(|k| &*k.holder == holder);
    let acquired = match known {
        Some(known) if same && !known.acquired.is_empty() => known.acquired.to_string(),
        _ => micro(now),
    };
    let transitions = known.map_or(0, |k| k.transitions + i64::from(!same));
    let mut metadata = json!({"name": lease.name, "namespace": lease.namespace});
    if let Some(known) = known {
        metadata["resourceVersion"] = json!(&*known.version);
    }
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": LEASE_LASTS.as_secs(),
            "acquireTime": acquired,
            "renewTime": micro(now),
            "leaseTransitions": transitions,
        },
    })
}

/// Makes the next move of a candidate. `true`: the lease is `me`'s now.
///
/// # Errors
/// What the API server answered; a conflict means that another was quicker.
pub async fn claim(
    kube: &Writer,
    _warrant: &Warrant,
    lease: &LeaseName,
    me: &str,
    step: Move,
    known: Option<&LeaseRecord>,
    now: Timestamp,
) -> Result<bool, Error> {
    let body = object(lease, me, known, now);
    match step {
        Move::Wait => Ok(false),
        Move::Create => Ok(kube.create("Lease", &lease.namespace, &body).await? == Wrote::Yes),
        Move::Renew | Move::Take => {
            kube.replace("Lease", &lease.namespace, &body).await?;
            Ok(true)
        }
    }
}

/// Gives the lease back, so that another need not wait until it runs out.
///
/// # Errors
/// What the API server answered.
pub async fn release(
    kube: &Writer,
    _warrant: &Warrant,
    lease: &LeaseName,
    known: &LeaseRecord,
    now: Timestamp,
) -> Result<(), Error> {
    let mut body = object(lease, "", Some(known), now);
    body["spec"]["leaseDurationSeconds"] = json!(1);
    body["spec"]["leaseTransitions"] = json!(known.transitions);
    kube.replace("Lease", &lease.namespace, &body).await?;
    Ok(())
}
