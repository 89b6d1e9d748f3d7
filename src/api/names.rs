//! Names of labels, annotations, taints and finalizers (`api §8` to `§11`).

pub const GROUP: &str = "karpenter.sh";
pub const AWS_GROUP: &str = "karpenter.k8s.aws";

// Labels.
pub const NODEPOOL: &str = "karpenter.sh/nodepool";
pub const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";
pub const REGISTERED: &str = "karpenter.sh/registered";
pub const INITIALIZED: &str = "karpenter.sh/initialized";
pub const DO_NOT_SYNC_TAINTS: &str = "karpenter.sh/do-not-sync-taints";
pub const EC2_NODECLASS: &str = "karpenter.k8s.aws/ec2nodeclass";
pub const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";
pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const REGION: &str = "topology.kubernetes.io/region";
pub const ZONE_ID: &str = "topology.k8s.aws/zone-id";
pub const ARCH: &str = "kubernetes.io/arch";
pub const OS: &str = "kubernetes.io/os";
pub const HOSTNAME: &str = "kubernetes.io/hostname";
pub const WINDOWS_BUILD: &str = "node.kubernetes.io/windows-build";
pub const EXCLUDE_BALANCERS: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

// Annotations.
pub const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";
pub const NODEPOOL_HASH: &str = "karpenter.sh/nodepool-hash";
pub const NODEPOOL_HASH_VERSION: &str = "karpenter.sh/nodepool-hash-version";
pub const TERMINATION_TIMESTAMP: &str = "karpenter.sh/nodeclaim-termination-timestamp";
pub const MIN_VALUES_RELAXED: &str = "karpenter.sh/nodeclaim-min-values-relaxed";
pub const EC2_HASH: &str = "karpenter.k8s.aws/ec2nodeclass-hash";
pub const EC2_HASH_VERSION: &str = "karpenter.k8s.aws/ec2nodeclass-hash-version";
pub const INSTANCE_PROFILE: &str = "karpenter.k8s.aws/instance-profile-name";
pub const POD_DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

// Ours, under one prefix (decisions §6).
pub const KERF_DECISION: &str = "kerf.dev/decision";
pub const KERF_HASH: &str = "kerf.dev/decision-hash";
pub const KERF_TOKEN: &str = "kerf.dev/launch-token";
/// On a replacement claim: the claims it replaces, joined by commas.
pub const KERF_REPLACES: &str = "kerf.dev/replaces";
/// On a candidate node: its replacements, joined by commas; `-` when none are needed.
pub const KERF_REPLACED_BY: &str = "kerf.dev/replaced-by";
/// ConfigMap with pauses and rulings, in the namespace `kube-system`.
pub const SUPERVISION: &str = "kerf-supervision";
pub const SUPERVISION_NAMESPACE: &str = "kube-system";

// Taints.
pub const DISRUPTED_TAINT: &str = "karpenter.sh/disrupted";
pub const UNREGISTERED_TAINT: &str = "karpenter.sh/unregistered";

// Finalizer.
pub const TERMINATION_FINALIZER: &str = "karpenter.sh/termination";

// Cloud tags.
pub const TAG_NODECLAIM: &str = "karpenter.sh/nodeclaim";
pub const TAG_CLUSTER: &str = "eks:eks-cluster-name";
pub const TAG_TOKEN: &str = "kerf.dev/launch-token";

// Condition types.
pub const READY: &str = "Ready";
pub const LAUNCHED: &str = "Launched";
pub const REGISTERED_CONDITION: &str = "Registered";
pub const INITIALIZED_CONDITION: &str = "Initialized";
pub const CONSOLIDATABLE: &str = "Consolidatable";
pub const DRIFTED: &str = "Drifted";
pub const DISRUPTION_REASON: &str = "DisruptionReason";
pub const DRAINED: &str = "Drained";
pub const VOLUMES_DETACHED: &str = "VolumesDetached";
pub const INSTANCE_TERMINATING: &str = "InstanceTerminating";
pub const VALIDATION_SUCCEEDED: &str = "ValidationSucceeded";
pub const NODE_CLASS_READY: &str = "NodeClassReady";
