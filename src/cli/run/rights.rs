//! What a run must be allowed to do in the cluster, by mode.

use crate::act::lease::LeaseName;
use crate::api::names::SUPERVISION_NAMESPACE;
use crate::observe::kinds::Kind;

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
            let (resource, group) = kind.plural().split_once('.').unwrap_or((kind.plural(), ""));
            right(group, resource, "", &["list", "watch"])
        })
        .collect()
}

/// What `act` writes.
pub fn writes(without: &[Kind], lease: Option<&LeaseName>) -> Vec<Right> {
    const KARPENTER: &str = "karpenter.sh";
    const AWS: &str = "karpenter.k8s.aws";
    let mut out = vec![
        right("", "nodes", "", &["patch", "delete"]),
        right("", "pods", "", &["delete"]),
        right("", "pods/eviction", "", &["create"]),
        right("", "events", "", &["get", "create", "patch"]),
        right(KARPENTER, "nodeclaims", "", &["create", "patch", "delete"]),
        right(KARPENTER, "nodeclaims/status", "", &["patch"]),
        right(KARPENTER, "nodepools", "", &["patch"]),
        right(KARPENTER, "nodepools/status", "", &["patch"]),
        right(AWS, "ec2nodeclasses", "", &["patch"]),
        right(AWS, "ec2nodeclasses/status", "", &["patch"]),
        right("", "configmaps", SUPERVISION_NAMESPACE, &["create"]),
    ];
    if !without.contains(&Kind::Overlay) {
        out.push(right(KARPENTER, "nodeoverlays/status", "", &["patch"]));
    }
    if !without.contains(&Kind::Buffer) {
        out.push(right(
            "autoscaling.x-k8s.io",
            "capacitybuffers/status",
            "",
            &["patch"],
        ));
    }
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
