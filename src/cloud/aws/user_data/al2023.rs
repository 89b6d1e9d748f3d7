//! AL2023: a nodeadm NodeConfig, after the parts of the class.

use serde_json::{Value, json};

use super::mime::{self, Part};
use super::{BadUserData, Boot};

const NODE_CONFIG: &str = "application/node.eks.aws";

pub(super) fn render(boot: &Boot<'_>) -> Result<String, BadUserData> {
    if boot.settings.cluster_cidr.is_empty() {
        return Err(BadUserData(
            "the service CIDR of the cluster is not known".to_owned(),
        ));
    }
    let mut parts = boot.custom.map(custom).unwrap_or_default();
    let text = serde_saphyr::to_string(&node_config(boot)).map_err(|e| BadUserData(e.to_string()))?;
    parts.push(Part {
        content_type: NODE_CONFIG.to_owned(),
        body: text,
    });
    Ok(mime::join(&parts))
}

fn custom(text: &str) -> Vec<Part> {
    if mime::is_multipart(text) {
        return mime::split(text);
    }
    let mapping =
        !text.starts_with("#!") && serde_saphyr::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    if mapping {
        vec![Part {
            content_type: NODE_CONFIG.to_owned(),
            body: text.to_owned(),
        }]
    } else {
        vec![Part::shell(text)]
    }
}

fn node_config(boot: &Boot<'_>) -> Value {
    let taints: Vec<Value> = boot
        .taints
        .iter()
        .map(|t| {
            let mut out = json!({"key": t.key, "effect": t.effect.as_str()});
            if !t.value.is_empty() {
                out["value"] = json!(t.value);
            }
            out
        })
        .collect();
    let mut kubelet = boot.kubelet.clone();
    kubelet.insert("registerWithTaints".to_owned(), Value::Array(taints));
    let mut spec = json!({
        "cluster": {
            "name": boot.settings.cluster_name,
            "apiServerEndpoint": boot.settings.cluster_endpoint,
            "certificateAuthority": boot.settings.cluster_ca,
            "cidr": boot.settings.cluster_cidr,
        },
        "kubelet": {
            "config": kubelet,
            "flags": [format!("--node-labels=\"{}\"", boot.label_list())],
        },
    });
    if boot.raid0 {
        spec["instance"] = json!({"localStorage": {"strategy": "RAID0"}});
    }
    json!({"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec})
}
