//! Kubernetes Events with Karpenter's reasons; a repeat counts up instead of adding one.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Wrote;
use super::kube::{Error, Writer};
use crate::model::decision::effect::ObjectKind;

const COMPONENT: &str = "kerf";

/// The object an event is about.
pub(super) struct About<'a> {
    pub kind: ObjectKind,
    pub namespace: &'a str,
    pub name: &'a str,
    pub uid: &'a str,
}

pub(super) async fn emit(
    kube: &Writer,
    about: &About<'_>,
    warning: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> Result<Wrote, Error> {
    let namespace = if about.namespace.is_empty() {
        "default"
    } else {
        about.namespace
    };
    // The name says what it is about, so that the same event is the same object.
    let digest = Sha256::digest(format!("{}/{reason}/{message}", about.uid));
    let tail: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let name = format!("{}.{tail}", about.name);
    let at = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let api_version = match about.kind {
        ObjectKind::NodeClaim | ObjectKind::NodePool => "karpenter.sh/v1",
        ObjectKind::NodeOverlay => "karpenter.sh/v1alpha1",
        ObjectKind::CapacityBuffer => "autoscaling.x-k8s.io/v1beta1",
        ObjectKind::NodeClass => "karpenter.k8s.aws/v1",
        ObjectKind::Node | ObjectKind::Pod => "v1",
    };
    let event = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {
            "apiVersion": api_version, "kind": about.kind.as_str(), "name": about.name,
            "namespace": about.namespace, "uid": about.uid,
        },
        "type": if warning { "Warning" } else { "Normal" },
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": "",
    });
    if kube.create("Event", namespace, &event).await? == Wrote::Yes {
        return Ok(Wrote::Yes);
    }
    let seen = kube.get("Event", namespace, &name).await?;
    let count = seen["count"].as_i64().unwrap_or(1) + 1;
    kube.merge(
        "Event",
        namespace,
        &name,
        "",
        &json!({"count": count, "lastTimestamp": at}),
    )
    .await?;
    Ok(Wrote::Yes)
}
