//! What a run must be allowed to do in the cluster, by mode.

use crate::act::lease::LeaseName;
use crate::api::names::SUPERVISION_NAMESPACE;
use crate::observe::kinds::Kind;

const KARPENTER: &str = "karpenter.sh";

/// Verbs on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    pub group: String,
    /// With its subresource, like `pods/eviction`.
    pub resource: String,
    /// Empty for all.
    pub namespace: String,
    pub verbs: Vec<&'static str>,
}

fn right(group: &str, resource: &str, namespace: &str, verbs: &[&'static str]) -> Right {
    Right {
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        verbs: verbs.to_vec(),
    }
}

/// Every watched kind, and nothing that could write.
pub fn reads(without: &[Kind]) -> Vec<Right> {
    Kind::ALL
        .iter()
        .filter(|k| !without.contains(k))
        .map(|kind| {
            let (group, resource) = kind.resource();
            right(group, resource, "", &["list", "watch"])
        })
        .collect()
}

/// What `act` writes in the whole cluster: API group, resources, verbs.
pub const WRITES: &[(&str, &[&str], &[&str])] = &[
    ("", &["nodes"], &["patch", "delete"]),
    // Pods past their node's deadline are deleted, all others evicted.
    ("", &["pods"], &["delete"]),
    ("", &["pods/eviction"], &["create"]),
    ("", &["events"], &["get", "create", "patch"]),
    (KARPENTER, &["nodeclaims"], &["create", "patch", "delete"]),
    (KARPENTER, &["nodepools"], &["patch"]),
    (
        KARPENTER,
        &["nodeclaims/status", "nodepools/status", "nodeoverlays/status"],
        &["patch"],
    ),
    (
        "karpenter.k8s.aws",
        &["ec2nodeclasses", "ec2nodeclasses/status"],
        &["patch"],
    ),
    ("autoscaling.x-k8s.io", &["capacitybuffers/status"], &["patch"]),
];

/// What `act` writes, but for kinds in `without`.
pub fn writes(without: &[Kind], lease: Option<&LeaseName>) -> Vec<Right> {
    let closed = |group: &str, resource: &str| {
        let plain = resource.split('/').next().unwrap_or(resource);
        without.iter().any(|k| k.resource() == (group, plain))
    };
    let mut out: Vec<Right> = WRITES
        .iter()
        .flat_map(|(group, resources, verbs)| resources.iter().map(move |r| (*group, *r, *verbs)))
        .filter(|(group, resource, _)| !closed(group, resource))
        .map(|(group, resource, verbs)| right(group, resource, "", verbs))
        .collect();
    out.push(right("", "configmaps", SUPERVISION_NAMESPACE, &["create"]));
    if let Some(lease) = lease {
        out.push(right(
            "coordination.k8s.io",
            "leases",
            &lease.namespace,
            &["create"],
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observing_needs_no_verb_that_writes_and_no_secret() {
        for right in reads(&[]) {
            assert!(
                right.verbs.iter().all(|v| ["get", "list", "watch"].contains(v)),
                "{right:?}"
            );
            assert_ne!(right.resource, "secrets");
        }
        assert!(writes(&[], None).iter().all(|r| r.resource != "secrets"));
    }

    #[test]
    fn kinds_behind_a_closed_gate_are_not_asked_for() {
        let all = reads(&[]).len();
        assert_eq!(reads(&[Kind::Overlay, Kind::Buffer]).len(), all - 2);
        assert!(
            writes(&[Kind::Overlay], None)
                .iter()
                .all(|r| !r.resource.starts_with("nodeoverlays"))
        );
    }
}
