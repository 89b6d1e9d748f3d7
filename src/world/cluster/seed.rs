//! What a fresh EKS cluster holds before anybody uses it: daemons that every node must carry, priority classes, a
//! storage class. No nodes and no pods: the autoscaler makes all of them.

use serde_json::{Value, json};

use crate::world::apiserver::{ApiServer, StatusError};

/// Creates what is missing.
pub fn seed(api: &ApiServer) -> Result<(), StatusError> {
    for (kind, namespace, object) in objects() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        if api.get(kind, namespace, name).is_none() {
            api.create(kind, namespace, object)?;
        }
    }
    Ok(())
}

fn objects() -> Vec<(&'static str, &'static str, Value)> {
    let priority = |name: &str, value: i64| {
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
            "value": value, "globalDefault": false, "preemptionPolicy": "PreemptLowerPriority"})
    };
    vec![
        (
            "priorityclasses.scheduling.k8s.io",
            "",
            priority("system-cluster-critical", 2_000_000_000),
        ),
        (
            "priorityclasses.scheduling.k8s.io",
            "",
            priority("system-node-critical", 2_000_001_000),
        ),
        (
            "storageclasses.storage.k8s.io",
            "",
            json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
                "metadata": {"name": "gp3", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                "provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"},
                "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
                "allowVolumeExpansion": true,
            }),
        ),
        (
            "daemonsets.apps",
            "kube-system",
            daemon("aws-node", "amazon-k8s-cni:v1.20.4", &json!({"cpu": "50m"})),
        ),
        (
            "daemonsets.apps",
            "kube-system",
            daemon(
                "kube-proxy",
                "eks/kube-proxy:v1.34.1-minimal-eksbuild.1",
                &json!({"cpu": "100m"}),
            ),
        ),
        (
            "daemonsets.apps",
            "kube-system",
            daemon(
                "ebs-csi-node",
                "ebs-csi-driver/ebs-csi-driver:v1.53.0",
                &json!({"cpu": "30m", "memory": "120Mi"}),
            ),
        ),
    ]
}

/// A node agent: host network, every taint tolerated, never on Fargate.
fn daemon(name: &str, image: &str, requests: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system", "labels": {"k8s-app": name}},
        "spec": {
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"k8s-app": name}},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
            "template": {
                "metadata": {"labels": {"k8s-app": name}},
                "spec": {
                    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{"matchExpressions": [
                            {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
                            {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]},
                            {"key": "eks.amazonaws.com/compute-type", "operator": "NotIn",
                                "values": ["fargate", "auto", "hybrid"]},
                        ]}]}}},
                    "containers": [{
                        "name": name,
                        "image": format!("602401143452.dkr.ecr.us-west-2.amazonaws.com/{image}"),
                        "resources": {"requests": requests},
                    }],
                    "hostNetwork": true,
                    "priority": 2_000_001_000, "priorityClassName": "system-node-critical",
                    "restartPolicy": "Always",
                    "serviceAccountName": name,
                    "terminationGracePeriodSeconds": 10,
                    "tolerations": [{"operator": "Exists"}],
                },
            },
        },
    })
}
