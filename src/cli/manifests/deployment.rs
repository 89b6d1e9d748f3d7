//! The controller in the cluster: two replicas of which one holds the lease, with probes, metrics and its rights.

use serde_json::{Value, json};

use super::rbac::{NAME, labels, rbac};
use super::{Identity, Options};
use crate::api::names;

/// Ports of the settings' defaults (`aws §20`).
pub const METRICS_PORT: u16 = 8080;
pub const HEALTH_PORT: u16 = 8081;

/// Everything that `kubectl apply -f -` needs but the definitions of the custom resources.
pub fn deployment(options: &Options) -> Vec<Value> {
    let mut out = Vec::new();
    if options.namespace != "kube-system" {
        out.push(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": options.namespace},
        }));
    }
    out.push(service_account(options));
    out.extend(rbac(options));
    // An observer has nothing to hand over: one is enough.
    if !options.observes() {
        out.push(json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(options),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels()}},
        }));
    }
    out.push(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(options),
        "spec": {
            "type": "ClusterIP",
            "selector": labels(),
            "ports": [{"name": "metrics", "port": METRICS_PORT, "protocol": "TCP", "targetPort": "metrics"}],
        },
    }));
    out.push(controller(options));
    out
}

fn metadata(options: &Options) -> Value {
    json!({"name": NAME, "namespace": options.namespace, "labels": labels()})
}

fn service_account(options: &Options) -> Value {
    let mut metadata = metadata(options);
    if options.identity == Identity::Irsa {
        let role = format!(
            "arn:{}:iam::{}:role/{}",
            options.partition(),
            options.account(),
            options.role
        );
        metadata["annotations"] = json!({"eks.amazonaws.com/role-arn": role});
    }
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
}

fn controller(options: &Options) -> Value {
    let anti = json!({"topologyKey": names::HOSTNAME, "labelSelector": {"matchLabels": labels()}});
    // Never on a node that it could remove itself.
    let own_nodes = json!({"key": names::NODEPOOL, "operator": "DoesNotExist"});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(options),
        "spec": {
            "replicas": if options.observes() { 1 } else { 2 },
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": labels()},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {
                "metadata": {"labels": labels()},
                "spec": {
                    "serviceAccountName": NAME,
                    "priorityClassName": "system-cluster-critical",
                    "terminationGracePeriodSeconds": 30,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "nodeSelector": {names::OS: "linux"},
                    "affinity": {
                        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [{"matchExpressions": [own_nodes]}],
                        }},
                        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [anti]},
                    },
                    "topologySpreadConstraints": [{
                        "maxSkew": 1,
                        "topologyKey": names::ZONE,
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": labels()},
                    }],
                    "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
                    "containers": [container(options)],
                },
            },
        },
    })
}

fn container(options: &Options) -> Value {
    let mut env = vec![json!({"name": "CLUSTER_NAME", "value": options.cluster})];
    if let Some(region) = &options.region {
        env.push(json!({"name": "AWS_REGION", "value": region}));
    }
    // Whoever empties the queue hides its messages from others: not an observer.
    if !options.queue.is_empty() && !options.observes() {
        env.push(json!({"name": "INTERRUPTION_QUEUE", "value": options.queue}));
    }
    let own_namespace = json!({"fieldRef": {"fieldPath": "metadata.namespace"}});
    env.push(json!({"name": "LEADER_ELECTION_NAMESPACE", "valueFrom": own_namespace}));
    json!({
        "name": "controller",
        "image": options.image,
        "args": [
            "run",
            "--headless",
            format!("--mode={}", options.mode.as_str()),
            format!("--metrics-port={METRICS_PORT}"),
            format!("--health-probe-port={HEALTH_PORT}"),
        ],
        "env": env,
        "ports": [
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
            {"name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP"},
        ],
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": "health"},
            "initialDelaySeconds": 30, "timeoutSeconds": 30,
        },
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": "health"},
            "initialDelaySeconds": 5, "timeoutSeconds": 30,
        },
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
        },
    })
}
