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

// Labels of AWS that instance types carry (`api §8.2`).
pub const INSTANCE_CATEGORY: &str = "karpenter.k8s.aws/instance-category";
pub const INSTANCE_FAMILY: &str = "karpenter.k8s.aws/instance-family";
pub const INSTANCE_GENERATION: &str = "karpenter.k8s.aws/instance-generation";
pub const INSTANCE_SIZE: &str = "karpenter.k8s.aws/instance-size";
pub const INSTANCE_FLEX: &str = "karpenter.k8s.aws/instance-capability-flex";
pub const INSTANCE_HYPERVISOR: &str = "karpenter.k8s.aws/instance-hypervisor";
pub const INSTANCE_ENCRYPTION: &str = "karpenter.k8s.aws/instance-encryption-in-transit-supported";
pub const NITRO_SANDBOX: &str = "karpenter.k8s.aws/nitro-sandbox";
pub const INSTANCE_CPU: &str = "karpenter.k8s.aws/instance-cpu";
pub const INSTANCE_CPU_MANUFACTURER: &str = "karpenter.k8s.aws/instance-cpu-manufacturer";
pub const INSTANCE_CPU_CLOCK: &str = "karpenter.k8s.aws/instance-cpu-sustained-clock-speed-mhz";
pub const INSTANCE_MEMORY: &str = "karpenter.k8s.aws/instance-memory";
pub const INSTANCE_EBS_BANDWIDTH: &str = "karpenter.k8s.aws/instance-ebs-bandwidth";
pub const INSTANCE_NETWORK_BANDWIDTH: &str = "karpenter.k8s.aws/instance-network-bandwidth";
pub const INSTANCE_LOCAL_NVME: &str = "karpenter.k8s.aws/instance-local-nvme";
pub const INSTANCE_GPU_NAME: &str = "karpenter.k8s.aws/instance-gpu-name";
pub const INSTANCE_GPU_MANUFACTURER: &str = "karpenter.k8s.aws/instance-gpu-manufacturer";
pub const INSTANCE_GPU_COUNT: &str = "karpenter.k8s.aws/instance-gpu-count";
pub const INSTANCE_GPU_MEMORY: &str = "karpenter.k8s.aws/instance-gpu-memory";
pub const INSTANCE_ACCELERATOR_NAME: &str = "karpenter.k8s.aws/instance-accelerator-name";
pub const INSTANCE_ACCELERATOR_MANUFACTURER: &str = "karpenter.k8s.aws/instance-accelerator-manufacturer";
pub const INSTANCE_ACCELERATOR_COUNT: &str = "karpenter.k8s.aws/instance-accelerator-count";
pub const INSTANCE_TENANCY: &str = "karpenter.k8s.aws/instance-tenancy";
pub const RESERVATION_ID: &str = "karpenter.k8s.aws/capacity-reservation-id";
pub const RESERVATION_TYPE: &str = "karpenter.k8s.aws/capacity-reservation-type";
pub const RESERVATION_INTERRUPTIBLE: &str = "karpenter.k8s.aws/capacity-reservation-interruptible";
pub const PLACEMENT_GROUP_ID: &str = "karpenter.k8s.aws/placement-group-id";
pub const PLACEMENT_GROUP_PARTITION: &str = "karpenter.k8s.aws/placement-group-partition";

/// Labels that a node which does not exist yet may still get a value for: usable in NodePools, NodeClaims and
/// pod selectors (`scheduling §6.2`). Sorted.
pub const WELL_KNOWN: [&str; 37] = [
    RESERVATION_ID,
    RESERVATION_INTERRUPTIBLE,
    RESERVATION_TYPE,
    INSTANCE_ACCELERATOR_COUNT,
    INSTANCE_ACCELERATOR_MANUFACTURER,
    INSTANCE_ACCELERATOR_NAME,
    INSTANCE_FLEX,
    INSTANCE_CATEGORY,
    INSTANCE_CPU,
    INSTANCE_CPU_MANUFACTURER,
    INSTANCE_CPU_CLOCK,
    INSTANCE_EBS_BANDWIDTH,
    INSTANCE_ENCRYPTION,
    INSTANCE_FAMILY,
    INSTANCE_GENERATION,
    INSTANCE_GPU_COUNT,
    INSTANCE_GPU_MANUFACTURER,
    INSTANCE_GPU_MEMORY,
    INSTANCE_GPU_NAME,
    INSTANCE_HYPERVISOR,
    INSTANCE_LOCAL_NVME,
    INSTANCE_MEMORY,
    INSTANCE_NETWORK_BANDWIDTH,
    INSTANCE_SIZE,
    INSTANCE_TENANCY,
    NITRO_SANDBOX,
    PLACEMENT_GROUP_ID,
    PLACEMENT_GROUP_PARTITION,
    CAPACITY_TYPE,
    NODEPOOL,
    ARCH,
    OS,
    INSTANCE_TYPE,
    WINDOWS_BUILD,
    ZONE_ID,
    REGION,
    ZONE,
];

/// Label domains (with their subdomains) that are refused unless the key is well-known (`scheduling §6.3`).
pub const RESTRICTED_DOMAINS: [&str; 2] = [GROUP, AWS_GROUP];
/// Single labels that are refused.
pub const RESTRICTED_LABELS: [&str; 1] = [HOSTNAME];

/// Whether a potential node may still get a value for `key` (already normalised).
pub fn is_well_known(key: &str) -> bool {
    WELL_KNOWN.contains(&key)
}

/// The part of a label key before its first slash; empty without one.
pub fn domain(key: &str) -> &str {
    key.split_once('/').map_or("", |(domain, _)| domain)
}

/// Refused as a label or requirement key: a restricted label, or one in a restricted domain or a subdomain of
/// it that is not well-known (`scheduling §6.3`).
pub fn is_restricted(key: &str) -> bool {
    if RESTRICTED_LABELS.contains(&key) {
        return true;
    }
    let domain = domain(key);
    !is_well_known(key)
        && RESTRICTED_DOMAINS.iter().any(|restricted| {
            domain
                .strip_suffix(restricted)
                .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
        })
}

// Annotations.
pub const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";
pub const NODEPOOL_HASH: &str = "karpenter.sh/nodepool-hash";
pub const NODEPOOL_HASH_VERSION: &str = "karpenter.sh/nodepool-hash-version";
pub const TERMINATION_TIMESTAMP: &str = "karpenter.sh/nodeclaim-termination-timestamp";
pub const MIN_VALUES_RELAXED: &str = "karpenter.sh/nodeclaim-min-values-relaxed";
pub const REQUESTED_DRA_DRIVERS: &str = "karpenter.sh/requested-dra-drivers";
pub const PRICE_OVERLAY_APPLIED: &str = "karpenter.sh/price-overlay-applied";
pub const CAPACITY_OVERLAY_APPLIED: &str = "karpenter.sh/capacity-overlay-applied";
pub const BUFFER_FAKE_POD: &str = "karpenter.sh/capacity-buffer-fake-pod";
pub const BUFFER_NAME: &str = "karpenter.sh/capacity-buffer-name";
pub const BUFFER_NAMESPACE: &str = "karpenter.sh/capacity-buffer-namespace";
pub const COMPATIBILITY_PROVIDER: &str = "compatibility.karpenter.sh/provider";
pub const TAGGED: &str = "karpenter.k8s.aws/tagged";
pub const CLUSTER_NAME_TAGGED: &str = "compatibility.karpenter.k8s.aws/cluster-name-tagged";
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// Value of [`NODEPOOL_HASH_VERSION`].
pub const NODEPOOL_HASH_V3: &str = "v3";
/// Value of [`EC2_HASH_VERSION`] in the newest source; 1.14 writes [`EC2_HASH_V5`].
pub const EC2_HASH_V6: &str = "v6";
pub const EC2_HASH_V5: &str = "v5";
pub const EC2_HASH: &str = "karpenter.k8s.aws/ec2nodeclass-hash";
pub const EC2_HASH_VERSION: &str = "karpenter.k8s.aws/ec2nodeclass-hash-version";
pub const INSTANCE_PROFILE: &str = "karpenter.k8s.aws/instance-profile-name";
pub const POD_DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

// Ours, under one prefix (decisions §6).
/// Prefix of every annotation of ours.
pub const KERF_PREFIX: &str = "kerf.dev/";
pub const KERF_DECISION: &str = "kerf.dev/decision";
pub const KERF_HASH: &str = "kerf.dev/decision-hash";
/// Number of the launch attempt that is under way or comes next; absent = 1.
pub const KERF_ATTEMPT: &str = "kerf.dev/launch-attempt";
/// On a replacement claim: the claims it replaces, joined by commas.
pub const KERF_REPLACES: &str = "kerf.dev/replaces";
/// On a candidate node: its replacements, joined by commas; `-` when none are needed.
pub const KERF_REPLACED_BY: &str = "kerf.dev/replaced-by";
/// ConfigMap with pauses and rulings, in the namespace `kube-system`.
pub const SUPERVISION: &str = "kerf-supervision";
pub const SUPERVISION_NAMESPACE: &str = "kube-system";
/// Lease of whoever may write, under Karpenter's default name: the two never act at once (`aws §20`).
pub const LEASE: &str = "karpenter-leader-election";

// Taints.
pub const DISRUPTED_TAINT: &str = "karpenter.sh/disrupted";
pub const UNREGISTERED_TAINT: &str = "karpenter.sh/unregistered";
pub const NOT_READY_TAINT: &str = "node.kubernetes.io/not-ready";
pub const UNREACHABLE_TAINT: &str = "node.kubernetes.io/unreachable";
pub const UNINITIALIZED_TAINT: &str = "node.cloudprovider.kubernetes.io/uninitialized";
/// Start of the keys of readiness gates, ephemeral as well.
pub const READINESS_TAINT_PREFIX: &str = "readiness.k8s.io/";

// Finalizers.
pub const TERMINATION_FINALIZER: &str = "karpenter.sh/termination";
pub const EC2_TERMINATION_FINALIZER: &str = "karpenter.k8s.aws/termination";

// Cloud tags.
pub const TAG_NODEPOOL: &str = "karpenter.sh/nodepool";
pub const TAG_NODECLAIM: &str = "karpenter.sh/nodeclaim";
pub const TAG_NODECLASS: &str = "karpenter.k8s.aws/ec2nodeclass";
/// Start of the cluster's ownership tag; the cluster's name follows.
pub const TAG_CLUSTER_PREFIX: &str = "kubernetes.io/cluster/";
pub const TAG_NAME: &str = "Name";
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
pub const NODE_REGISTRATION_HEALTHY: &str = "NodeRegistrationHealthy";
/// Conditions of a Node that repair policies know (`lifecycle §9`).
pub const REPAIR_CONDITIONS: [&str; 6] = [
    READY,
    "AcceleratedHardwareReady",
    "ContainerRuntimeReady",
    "KernelReady",
    "NetworkingReady",
    "StorageReady",
];
pub const CONSISTENT_STATE_FOUND: &str = "ConsistentStateFound";
pub const AMIS_READY: &str = "AMIsReady";
pub const SUBNETS_READY: &str = "SubnetsReady";
pub const SECURITY_GROUPS_READY: &str = "SecurityGroupsReady";
pub const INSTANCE_PROFILE_READY: &str = "InstanceProfileReady";
pub const PLACEMENT_GROUP_READY: &str = "PlacementGroupReady";
pub const CAPACITY_RESERVATIONS_READY: &str = "CapacityReservationsReady";
pub const READY_FOR_PROVISIONING: &str = "ReadyForProvisioning";
pub const PROVISIONING: &str = "Provisioning";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restricted_keys_are_those_of_our_domains_that_no_node_carries() {
        for key in [
            "karpenter.sh/custom",
            "sub.karpenter.sh/custom",
            "karpenter.k8s.aws/made-up",
            "karpenter.k8s.aws/ec2nodeclass",
            HOSTNAME,
        ] {
            assert!(is_restricted(key), "{key}");
        }
        for key in [
            "notkarpenter.sh/x",
            "kubernetes.io/custom",
            "node.kubernetes.io/x",
            "team",
            NODEPOOL,
            INSTANCE_CPU,
            ZONE,
        ] {
            assert!(!is_restricted(key), "{key}");
        }
        assert!(WELL_KNOWN.is_sorted());
    }
}
