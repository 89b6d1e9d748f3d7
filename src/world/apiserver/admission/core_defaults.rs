//! Defaults of the remaining kinds.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::values::{fill, items, map_at, sub, text};
use crate::world::apiserver::kinds::Kind;
use crate::world::apiserver::wire::base64;

pub(super) fn fill_in(kind: &Kind, object: &mut Value) {
    let address = cluster_ip(object);
    let Some(top) = object.as_object_mut() else { return };
    match kind.key.as_str() {
        "services" => {
            if let Some(spec) = map_at(object, "spec") {
                service(spec, &address);
            }
        }
        "secrets" => {
            fill(top, "type", "Opaque");
            string_data(top);
        }
        "persistentvolumeclaims" => {
            if let Some(spec) = sub(top, "spec") {
                fill(spec, "volumeMode", "Filesystem");
            }
        }
        "persistentvolumes" => {
            if let Some(spec) = sub(top, "spec") {
                fill(spec, "volumeMode", "Filesystem");
                fill(spec, "persistentVolumeReclaimPolicy", "Retain");
            }
        }
        "storageclasses.storage.k8s.io" => {
            fill(top, "reclaimPolicy", "Delete");
            fill(top, "volumeBindingMode", "Immediate");
        }
        "priorityclasses.scheduling.k8s.io" => fill(top, "preemptionPolicy", "PreemptLowerPriority"),
        "events" => {
            fill(top, "type", "Normal");
        }
        "namespaces" => {
            let name = top.get("metadata").and_then(|m| m.get("name")).cloned();
            if let (Some(name), Some(meta)) = (name, sub(top, "metadata"))
                && let Some(labels) = sub(meta, "labels")
            {
                labels.insert("kubernetes.io/metadata.name".to_owned(), name);
            }
        }
        _ => {}
    }
}

fn service(spec: &mut Map<String, Value>, address: &str) {
    fill(spec, "type", "ClusterIP");
    fill(spec, "sessionAffinity", "None");
    for port in items(spec, "ports") {
        fill(port, "protocol", "TCP");
        if let Some(number) = port.get("port").cloned() {
            fill(port, "targetPort", number);
        }
    }
    let kind = spec
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if kind == "ExternalName" {
        return;
    }
    fill(spec, "internalTrafficPolicy", "Cluster");
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        fill(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        fill(spec, "allocateLoadBalancerNodePorts", true);
    }
    fill(spec, "ipFamilyPolicy", "SingleStack");
    fill(spec, "ipFamilies", json!(["IPv4"]));
    if spec.get("clusterIP").and_then(Value::as_str) == Some("") {
        spec.remove("clusterIP");
    }
    fill(spec, "clusterIP", address);
    if let Some(ip) = spec.get("clusterIP").cloned() {
        fill(spec, "clusterIPs", json!([ip]));
    }
}

/// An address of 10.96.0.0/12 that follows from namespace and name, so that it is the same in every run.
fn cluster_ip(service: &Value) -> String {
    let name = format!(
        "{}/{}",
        text(service, "metadata.namespace"),
        text(service, "metadata.name")
    );
    let hash = Sha256::digest(name.as_bytes());
    let byte = |at: usize| hash.get(at).copied().unwrap_or_default();
    format!("10.{}.{}.{}", 96 + byte(0) % 16, byte(1), 1 + byte(2) % 254)
}

/// `stringData` is only a way to write `data`.
fn string_data(secret: &mut Map<String, Value>) {
    let Some(Value::Object(plain)) = secret.remove("stringData") else {
        return;
    };
    if let Some(data) = sub(secret, "data") {
        for (key, value) in plain {
            let text = value.as_str().unwrap_or_default();
            data.insert(key, Value::from(base64(text.as_bytes())));
        }
    }
}
