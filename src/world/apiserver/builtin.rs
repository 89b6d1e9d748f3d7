//! The built-in kinds of `kube-wire §3`, one line each.

use super::kinds::{Kind, ScalePaths};

const NAMESPACED: u8 = 1;
const STATUS: u8 = 2;
const SCALE: u8 = 4;
const GENERATION: u8 = 8;
const ALL: u8 = 16;

/// group, version, kind, plural, short names, flags.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    u8,
);

const ROWS: &[Row] = &[
    ("", "v1", "ConfigMap", "configmaps", &["cm"], NAMESPACED),
    ("", "v1", "Endpoints", "endpoints", &["ep"], NAMESPACED),
    ("", "v1", "Event", "events", &["ev"], NAMESPACED),
    ("", "v1", "LimitRange", "limitranges", &["limits"], NAMESPACED),
    ("", "v1", "Namespace", "namespaces", &["ns"], STATUS),
    ("", "v1", "Node", "nodes", &["no"], STATUS),
    (
        "",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        &["pvc"],
        NAMESPACED | STATUS,
    ),
    ("", "v1", "PersistentVolume", "persistentvolumes", &["pv"], STATUS),
    (
        "",
        "v1",
        "Pod",
        "pods",
        &["po"],
        NAMESPACED | STATUS | GENERATION | ALL,
    ),
    ("", "v1", "PodTemplate", "podtemplates", &[], NAMESPACED),
    (
        "",
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        &["rc"],
        NAMESPACED | STATUS | SCALE | GENERATION | ALL,
    ),
    (
        "",
        "v1",
        "ResourceQuota",
        "resourcequotas",
        &["quota"],
        NAMESPACED | STATUS,
    ),
    ("", "v1", "Secret", "secrets", &[], NAMESPACED),
    ("", "v1", "ServiceAccount", "serviceaccounts", &["sa"], NAMESPACED),
    (
        "",
        "v1",
        "Service",
        "services",
        &["svc"],
        NAMESPACED | STATUS | ALL,
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        &[],
        GENERATION,
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        &[],
        GENERATION,
    ),
    (
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        &["crd", "crds"],
        STATUS | GENERATION,
    ),
    (
        "apps",
        "v1",
        "ControllerRevision",
        "controllerrevisions",
        &[],
        NAMESPACED,
    ),
    (
        "apps",
        "v1",
        "DaemonSet",
        "daemonsets",
        &["ds"],
        NAMESPACED | STATUS | GENERATION | ALL,
    ),
    (
        "apps",
        "v1",
        "Deployment",
        "deployments",
        &["deploy"],
        NAMESPACED | STATUS | SCALE | GENERATION | ALL,
    ),
    (
        "apps",
        "v1",
        "ReplicaSet",
        "replicasets",
        &["rs"],
        NAMESPACED | STATUS | SCALE | GENERATION | ALL,
    ),
    (
        "apps",
        "v1",
        "StatefulSet",
        "statefulsets",
        &["sts"],
        NAMESPACED | STATUS | SCALE | GENERATION | ALL,
    ),
    (
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        &["hpa"],
        NAMESPACED | STATUS | ALL,
    ),
    (
        "batch",
        "v1",
        "CronJob",
        "cronjobs",
        &["cj"],
        NAMESPACED | STATUS | GENERATION | ALL,
    ),
    (
        "batch",
        "v1",
        "Job",
        "jobs",
        &[],
        NAMESPACED | STATUS | GENERATION | ALL,
    ),
    ("coordination.k8s.io", "v1", "Lease", "leases", &[], NAMESPACED),
    (
        "discovery.k8s.io",
        "v1",
        "EndpointSlice",
        "endpointslices",
        &[],
        NAMESPACED | GENERATION,
    ),
    ("events.k8s.io", "v1", "Event", "events", &["ev"], NAMESPACED),
    (
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
        &["netpol"],
        NAMESPACED | GENERATION,
    ),
    (
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        &["pdb"],
        NAMESPACED | STATUS | GENERATION,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        &[],
        0,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRole",
        "clusterroles",
        &[],
        0,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        "rolebindings",
        &[],
        NAMESPACED,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "Role",
        "roles",
        &[],
        NAMESPACED,
    ),
    (
        "scheduling.k8s.io",
        "v1",
        "PriorityClass",
        "priorityclasses",
        &["pc"],
        GENERATION,
    ),
    ("storage.k8s.io", "v1", "CSIDriver", "csidrivers", &[], 0),
    ("storage.k8s.io", "v1", "CSINode", "csinodes", &[], 0),
    (
        "storage.k8s.io",
        "v1",
        "StorageClass",
        "storageclasses",
        &["sc"],
        0,
    ),
    (
        "storage.k8s.io",
        "v1",
        "VolumeAttachment",
        "volumeattachments",
        &[],
        STATUS,
    ),
];

/// Every built-in kind.
pub fn kinds() -> Vec<Kind> {
    ROWS.iter().map(kind).collect()
}

fn kind(&(group, version, name, plural, short_names, flags): &Row) -> Kind {
    let has = |flag: u8| flags & flag != 0;
    Kind {
        key: if group.is_empty() {
            plural.to_owned()
        } else {
            format!("{plural}.{group}")
        },
        group: group.to_owned(),
        version: version.to_owned(),
        kind: name.to_owned(),
        plural: plural.to_owned(),
        singular: name.to_lowercase(),
        short_names: short_names.iter().map(|&name| name.to_owned()).collect(),
        categories: if has(ALL) {
            vec!["all".to_owned()]
        } else {
            Vec::new()
        },
        namespaced: has(NAMESPACED),
        status: has(STATUS),
        scale: has(SCALE).then(|| ScalePaths {
            spec: ".spec.replicas".to_owned(),
            status: ".status.replicas".to_owned(),
            selector: Some(".spec.selector".to_owned()),
        }),
        generation: has(GENERATION),
        crd: None,
    }
}
