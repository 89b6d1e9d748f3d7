//! Defaults of pods and pod templates.

use serde_json::{Map, Value, json};

use super::values::{fill, items, list, map_at, sub, text};
use crate::world::apiserver::kinds::Kind;

/// Where a kind keeps the pod spec; `None` for kinds without one.
pub(super) fn spec_path(kind: &Kind) -> Option<&'static str> {
    match kind.key.as_str() {
        "pods" => Some("spec"),
        "podtemplates" => Some("template.spec"),
        "deployments.apps"
        | "replicasets.apps"
        | "daemonsets.apps"
        | "statefulsets.apps"
        | "jobs.batch"
        | "replicationcontrollers" => Some("spec.template.spec"),
        "cronjobs.batch" => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

pub(super) fn fill_in(kind: &Kind, object: &mut Value) {
    let Some(path) = spec_path(kind) else { return };
    if let Some(spec) = map_at(object, path) {
        pod_spec(spec);
        if kind.key == "pods" {
            pod(spec);
        }
    }
    if kind.key == "pods" {
        let class = qos(object);
        if let Some(status) = object.as_object_mut().and_then(|o| sub(o, "status")) {
            fill(status, "phase", "Pending");
            fill(status, "qosClass", class);
        }
    }
}

fn pod_spec(spec: &mut Map<String, Value>) {
    fill(spec, "restartPolicy", "Always");
    fill(spec, "terminationGracePeriodSeconds", 30);
    fill(spec, "dnsPolicy", "ClusterFirst");
    fill(spec, "schedulerName", "default-scheduler");
    fill(spec, "securityContext", json!({}));
    for key in ["serviceAccountName", "serviceAccount"] {
        let other = if key == "serviceAccount" {
            "serviceAccountName"
        } else {
            "serviceAccount"
        };
        if let Some(name) = spec.get(other).filter(|n| n.is_string()).cloned() {
            fill(spec, key, name);
        }
    }
    let host = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for one in items(spec, key) {
            container(one, host);
        }
    }
    for one in items(spec, "volumes") {
        volume(one);
    }
    for one in items(spec, "topologySpreadConstraints") {
        fill(one, "whenUnsatisfiable", "DoNotSchedule");
    }
}

/// What admission adds to pods, but not to templates.
fn pod(spec: &mut Map<String, Value>) {
    fill(spec, "enableServiceLinks", true);
    fill(spec, "serviceAccountName", "default");
    fill(spec, "serviceAccount", "default");
    match spec.get("priorityClassName").and_then(Value::as_str) {
        None | Some("") => fill(spec, "priority", 0),
        Some("system-cluster-critical") => fill(spec, "priority", 2_000_000_000_i64),
        Some("system-node-critical") => fill(spec, "priority", 2_000_001_000_i64),
        Some(_) => {}
    }
    fill(spec, "preemptionPolicy", "PreemptLowerPriority");
    let Some(Value::Array(tolerations)) = Some(spec.entry("tolerations").or_insert_with(|| json!([]))) else {
        return;
    };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|t| {
            let (k, effect) = (text(t, "key"), text(t, "effect"));
            (k == key || k.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if !tolerated {
            tolerations.push(
                json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}),
            );
        }
    }
}

fn container(one: &mut Map<String, Value>, host_network: bool) {
    let image = one.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = name.ends_with(":latest") || !name.contains([':', '@']);
    fill(
        one,
        "imagePullPolicy",
        if latest { "Always" } else { "IfNotPresent" },
    );
    fill(one, "terminationMessagePath", "/dev/termination-log");
    fill(one, "terminationMessagePolicy", "File");
    if let Some(resources) = sub(one, "resources")
        && let Some(Value::Object(limits)) = resources.get("limits").cloned()
        && let Some(requests) = sub(resources, "requests")
    {
        for (name, amount) in limits {
            fill(requests, &name, amount);
        }
    }
    for port in items(one, "ports") {
        fill(port, "protocol", "TCP");
        if let Some(number) = port.get("containerPort").cloned().filter(|_| host_network) {
            fill(port, "hostPort", number);
        }
    }
    for variable in items(one, "env") {
        if let Some(Value::Object(field)) = variable.get_mut("valueFrom").and_then(|v| v.get_mut("fieldRef"))
        {
            fill(field, "apiVersion", "v1");
        }
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(Value::Object(probe)) = one.get_mut(key) {
            fill(probe, "timeoutSeconds", 1);
            fill(probe, "periodSeconds", 10);
            fill(probe, "successThreshold", 1);
            fill(probe, "failureThreshold", 3);
            http_get(probe);
        }
    }
    if let Some(Value::Object(lifecycle)) = one.get_mut("lifecycle") {
        for key in ["postStart", "preStop"] {
            if let Some(Value::Object(hook)) = lifecycle.get_mut(key) {
                http_get(hook);
            }
        }
    }
}

fn http_get(action: &mut Map<String, Value>) {
    if let Some(Value::Object(get)) = action.get_mut("httpGet") {
        fill(get, "path", "/");
        fill(get, "scheme", "HTTP");
    }
}

fn volume(one: &mut Map<String, Value>) {
    const MODE: i64 = 0o644;
    if one.keys().all(|key| key == "name") {
        one.insert("emptyDir".to_owned(), json!({}));
    }
    for key in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(Value::Object(source)) = one.get_mut(key) {
            fill(source, "defaultMode", MODE);
            for field in items(source, "items") {
                if let Some(Value::Object(field)) = field.get_mut("fieldRef") {
                    fill(field, "apiVersion", "v1");
                }
            }
        }
    }
    if let Some(Value::Object(path)) = one.get_mut("hostPath") {
        fill(path, "type", "");
    }
}

/// `Guaranteed`, `Burstable` or `BestEffort`, by cpu and memory of all containers.
fn qos(pod: &Value) -> &'static str {
    let containers = list(pod, "spec.containers")
        .iter()
        .chain(list(pod, "spec.initContainers"));
    let (mut any, mut all) = (false, true);
    for one in containers {
        for resource in ["cpu", "memory"] {
            let amount = |which: &str| {
                let value = one.get("resources")?.get(which)?.get(resource)?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                crate::model::resources::parse_quantity(resource, &text)
                    .ok()
                    .filter(|amount| *amount != 0)
            };
            let (request, limit) = (amount("requests"), amount("limits"));
            any |= request.is_some() || limit.is_some();
            all &= limit.is_some() && request == limit;
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
