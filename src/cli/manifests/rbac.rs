//! What the controller may do in the cluster: the watched kinds to read, and what `act` writes, no more.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Options;
use crate::api::names::{LEASE, SUPERVISION, SUPERVISION_NAMESPACE};
use crate::cli::run::rights::WRITES;
use crate::observe::kinds::Kind;

/// Every object of ours is called so.
pub(super) const NAME: &str = "kerf";

/// Labels of everything in the cluster.
pub(super) fn labels() -> Value {
    json!({"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME})
}

pub(super) fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

/// Only the objects of that name.
fn named(group: &str, resource: &str, name: &str, verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": [resource], "resourceNames": [name], "verbs": verbs})
}

/// Each watched kind, by API group.
fn reads() -> Vec<Value> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in Kind::ALL {
        let (group, resource) = kind.resource();
        groups.entry(group).or_default().push(resource);
    }
    groups
        .into_iter()
        .map(|(group, mut resources)| {
            resources.sort_unstable();
            rule(group, &resources, &["get", "list", "watch"])
        })
        .collect()
}

/// Roles and their bindings to the service account of [`Options::namespace`].
pub fn rbac(options: &Options) -> Vec<Value> {
    let mut rules = reads();
    if !options.observes() {
        rules.extend(
            WRITES
                .iter()
                .map(|(group, resources, verbs)| rule(group, resources, verbs)),
        );
    }
    let subjects = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": options.namespace}]);
    let mut out = pair("Cluster", None, NAME, &rules, &subjects);
    // Pauses and rulings. A name cannot limit a create.
    let mut supervision = vec![named("", "configmaps", SUPERVISION, &["get"])];
    if !options.observes() {
        supervision = vec![
            rule("", &["configmaps"], &["create"]),
            named("", "configmaps", SUPERVISION, &["get", "patch"]),
        ];
    }
    out.extend(pair(
        "",
        Some(SUPERVISION_NAMESPACE),
        SUPERVISION,
        &supervision,
        &subjects,
    ));
    if !options.observes() {
        let lease = "coordination.k8s.io";
        let rules = [
            rule(lease, &["leases"], &["create"]),
            named(lease, "leases", LEASE, &["get", "patch", "update"]),
        ];
        out.extend(pair(
            "",
            Some(&options.namespace),
            "kerf-leader",
            &rules,
            &subjects,
        ));
    }
    out
}

/// A role and its binding; `scope` is `Cluster` or empty.
fn pair(scope: &str, namespace: Option<&str>, name: &str, rules: &[Value], subjects: &Value) -> Vec<Value> {
    let mut metadata = json!({"name": name, "labels": labels()});
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    vec![
        json!({"apiVersion": version, "kind": format!("{scope}Role"), "metadata": metadata, "rules": rules}),
        json!({
            "apiVersion": version,
            "kind": format!("{scope}RoleBinding"),
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": format!("{scope}Role"), "name": name},
            "subjects": subjects,
        }),
    ]
}
