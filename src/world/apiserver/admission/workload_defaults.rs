//! Defaults of workload kinds.

use serde_json::{Map, Value, json};

use super::values::{fill, items, map_at, sub};
use crate::world::apiserver::kinds::Kind;

pub(super) fn fill_in(kind: &Kind, object: &mut Value) {
    let template_labels = object.pointer("/spec/template/metadata/labels").cloned();
    let Some(spec) = map_at(object, "spec") else {
        return;
    };
    match kind.key.as_str() {
        "deployments.apps" => deployment(spec),
        "replicasets.apps" => fill(spec, "replicas", 1),
        "replicationcontrollers" => {
            fill(spec, "replicas", 1);
            if let Some(labels) = template_labels {
                fill(spec, "selector", labels);
            }
        }
        "daemonsets.apps" => daemon_set(spec),
        "statefulsets.apps" => stateful_set(spec),
        "jobs.batch" => job(spec),
        "cronjobs.batch" => {
            fill(spec, "concurrencyPolicy", "Allow");
            fill(spec, "suspend", false);
            fill(spec, "successfulJobsHistoryLimit", 3);
            fill(spec, "failedJobsHistoryLimit", 1);
        }
        "horizontalpodautoscalers.autoscaling" => {
            fill(spec, "minReplicas", 1);
            fill(
                spec,
                "metrics",
                json!([{"type": "Resource", "resource": {"name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 80}}}]),
            );
        }
        _ => {}
    }
}

fn deployment(spec: &mut Map<String, Value>) {
    fill(spec, "replicas", 1);
    fill(spec, "revisionHistoryLimit", 10);
    fill(spec, "progressDeadlineSeconds", 600);
    if let Some(strategy) = sub(spec, "strategy") {
        fill(strategy, "type", "RollingUpdate");
        if strategy.get("type").and_then(Value::as_str) == Some("RollingUpdate")
            && let Some(rolling) = sub(strategy, "rollingUpdate")
        {
            fill(rolling, "maxUnavailable", "25%");
            fill(rolling, "maxSurge", "25%");
        }
    }
}

fn daemon_set(spec: &mut Map<String, Value>) {
    fill(spec, "revisionHistoryLimit", 10);
    if let Some(strategy) = sub(spec, "updateStrategy") {
        fill(strategy, "type", "RollingUpdate");
        if strategy.get("type").and_then(Value::as_str) == Some("RollingUpdate")
            && let Some(rolling) = sub(strategy, "rollingUpdate")
        {
            fill(rolling, "maxUnavailable", 1);
            fill(rolling, "maxSurge", 0);
        }
    }
}

fn stateful_set(spec: &mut Map<String, Value>) {
    fill(spec, "replicas", 1);
    fill(spec, "revisionHistoryLimit", 10);
    fill(spec, "podManagementPolicy", "OrderedReady");
    if let Some(strategy) = sub(spec, "updateStrategy") {
        fill(strategy, "type", "RollingUpdate");
        if strategy.get("type").and_then(Value::as_str) == Some("RollingUpdate")
            && let Some(rolling) = sub(strategy, "rollingUpdate")
        {
            fill(rolling, "partition", 0);
        }
    }
    if let Some(policy) = sub(spec, "persistentVolumeClaimRetentionPolicy") {
        fill(policy, "whenDeleted", "Retain");
        fill(policy, "whenScaled", "Retain");
    }
    for claim in items(spec, "volumeClaimTemplates") {
        fill(claim, "apiVersion", "v1");
        fill(claim, "kind", "PersistentVolumeClaim");
        if let Some(spec) = sub(claim, "spec") {
            fill(spec, "volumeMode", "Filesystem");
        }
        if let Some(status) = sub(claim, "status") {
            fill(status, "phase", "Pending");
        }
    }
}

fn job(spec: &mut Map<String, Value>) {
    let empty = |key: &str| spec.get(key).is_none_or(Value::is_null);
    // A work queue (parallelism without completions) keeps its completions open.
    if empty("completions") && empty("parallelism") {
        fill(spec, "completions", 1);
    }
    fill(spec, "parallelism", 1);
    fill(spec, "backoffLimit", 6);
    fill(spec, "completionMode", "NonIndexed");
    fill(spec, "suspend", false);
    fill(spec, "manualSelector", false);
    let replacement = if spec.get("podFailurePolicy").is_some_and(Value::is_object) {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    fill(spec, "podReplacementPolicy", replacement);
}
