//! What the tests of the pure parts share.

use std::sync::Arc;

use serde_json::Value;

use super::kinds::{Kind, Kinds, from_definition};

/// A built-in kind, or a custom one from its shipped definition.
pub(crate) fn kind(key: &str) -> Arc<Kind> {
    if let Some(kind) = Kinds::builtin().get(key) {
        return Arc::clone(kind);
    }
    let text = match key {
        "nodepools.karpenter.sh" => include_str!("../../../assets/crds/karpenter.sh_nodepools.yaml"),
        "nodeclaims.karpenter.sh" => include_str!("../../../assets/crds/karpenter.sh_nodeclaims.yaml"),
        "nodeoverlays.karpenter.sh" => include_str!("../../../assets/crds/karpenter.sh_nodeoverlays.yaml"),
        "ec2nodeclasses.karpenter.k8s.aws" => {
            include_str!("../../../assets/crds/karpenter.k8s.aws_ec2nodeclasses.yaml")
        }
        "capacitybuffers.autoscaling.x-k8s.io" => {
            include_str!("../../../assets/crds/autoscaling.x-k8s.io_capacitybuffers.yaml")
        }
        other => panic!("no kind {other}"),
    };
    let definition: Value = serde_saphyr::from_str(text).expect("a definition is YAML");
    Arc::new(from_definition(&definition).expect("a definition names a kind"))
}
