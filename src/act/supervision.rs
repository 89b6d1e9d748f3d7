//! Pauses and rulings in one ConfigMap, so that they survive a restart (decisions §6).

use serde_json::json;

use super::Wrote;
use super::kube::{Error, Writer};
use crate::api::names::{SUPERVISION, SUPERVISION_NAMESPACE};
use crate::gate::{Supervision, Warrant};

/// Key of the ConfigMap's data that holds the JSON.
pub const KEY: &str = "supervision.json";

pub(super) async fn write(kube: &Writer, _warrant: &Warrant, supervision: &Supervision) -> Result<(), Error> {
    let text = serde_json::to_string(supervision).unwrap_or_default();
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": SUPERVISION, "namespace": SUPERVISION_NAMESPACE},
        "data": {KEY: text},
    });
    if kube.create("ConfigMap", SUPERVISION_NAMESPACE, &object).await? == Wrote::No {
        kube.merge(
            "ConfigMap",
            SUPERVISION_NAMESPACE,
            SUPERVISION,
            "",
            &json!({"data": {KEY: text}}),
        )
        .await?;
    }
    Ok(())
}
