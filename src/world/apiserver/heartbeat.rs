//! Node leases are answered on read: no simulated kubelet renews one (decisions §6).

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{Stored, meta_str};
use super::routes::Call;

/// How often a kubelet would renew.
const RENEW_SECONDS: i64 = 10;

/// The lease that the kubelet of a node would hold; `None` when the request is about something else.
pub fn lease(call: &Call<'_>) -> Option<Arc<Stored>> {
    let kind = &call.resource.kept;
    if kind.key != "leases.coordination.k8s.io" || call.home() != "kube-node-lease" {
        return None;
    }
    let node = call.shared.store().get("nodes", "", call.name)?;
    let value = node.value();
    let ready = value
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find(|condition| condition["type"] == "Ready"));
    // The node controller writes Unknown once a kubelet is silent: its last heartbeat is the last renewal.
    let silent = ready.filter(|condition| condition["status"] == "Unknown");
    let renewed = if let Some(last) = silent.and_then(|condition| condition["lastHeartbeatTime"].as_str()) {
        format!("{}.000000Z", last.trim_end_matches('Z'))
    } else {
        let now = call.shared.now().as_second();
        let at = jiff::Timestamp::from_second(now - now.rem_euclid(RENEW_SECONDS)).ok()?;
        at.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
    };
    let lease = json!({
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": {
            "name": call.name,
            "namespace": "kube-node-lease",
            "uid": crate::world::random::uuid(call.shared.seed, "uid", &format!("lease/{}", node.uid)),
            "creationTimestamp": meta_str(&value, "creationTimestamp"),
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": call.name, "uid": &*node.uid}],
        },
        "spec": {"holderIdentity": call.name, "leaseDurationSeconds": 40, "renewTime": renewed},
    });
    Some(Arc::new(Stored::seal(kind, lease, node.version)))
}
