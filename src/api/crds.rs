//! The custom resource definitions as they are installed in a cluster: kept by hand, since no generator emits all
//! of their rules (`api §13.1`). They describe the union of the releases in `api §1`.

/// (name of the CRD, its YAML), in the order in which they are printed.
pub const ALL: &[(&str, &str)] = &[
    (
        "nodepools.karpenter.sh",
        include_str!("../../assets/crds/karpenter.sh_nodepools.yaml"),
    ),
    (
        "nodeclaims.karpenter.sh",
        include_str!("../../assets/crds/karpenter.sh_nodeclaims.yaml"),
    ),
    (
        "nodeoverlays.karpenter.sh",
        include_str!("../../assets/crds/karpenter.sh_nodeoverlays.yaml"),
    ),
    (
        "ec2nodeclasses.karpenter.k8s.aws",
        include_str!("../../assets/crds/karpenter.k8s.aws_ec2nodeclasses.yaml"),
    ),
    (
        "capacitybuffers.autoscaling.x-k8s.io",
        include_str!("../../assets/crds/autoscaling.x-k8s.io_capacitybuffers.yaml"),
    ),
];
