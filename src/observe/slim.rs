//! The watched kinds, reduced to the fields that decisions use: decoded, projected and dropped (decisions §3).

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Affinity, NodeSelector, TopologySelectorTerm, TopologySpreadConstraint};
use k8s_openapi::api::core::v1::{Taint as CoreTaint, Toleration as CoreToleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference, Time};
use kube::Resource;
use kube::api::ObjectMeta;
use kube::core::{ClusterResourceScope, NamespaceResourceScope};
use serde::{Deserialize, Deserializer};

use crate::api::capacitybuffer::{CapacityBufferSpec, CapacityBufferStatus};
use crate::api::ec2nodeclass::{Ec2NodeClassSpec, Ec2NodeClassStatus};
use crate::api::nodeclaim::{NodeClaimSpec, NodeClaimStatus};
use crate::api::nodeoverlay::{NodeOverlaySpec, NodeOverlayStatus};
use crate::api::nodepool::{NodePoolSpec, NodePoolStatus};
use crate::api::shared::{Quantity, text_or_number};

/// Amounts by resource name, as written.
pub type Quantities = BTreeMap<String, Quantity>;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SlimMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    generation: Option<i64>,
    resource_version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<Timestamp>,
    finalizers: Option<Vec<String>>,
    owner_references: Option<Vec<OwnerReference>>,
}

/// Metadata without managed fields, which would cost more than all the rest.
fn meta<'de, D: Deserializer<'de>>(d: D) -> Result<ObjectMeta, D::Error> {
    let m = SlimMeta::deserialize(d)?;
    Ok(ObjectMeta {
        name: m.name,
        namespace: m.namespace,
        uid: m.uid,
        generation: m.generation,
        resource_version: m.resource_version,
        labels: m.labels,
        annotations: m.annotations,
        creation_timestamp: m.creation_timestamp.map(Time),
        deletion_timestamp: m.deletion_timestamp.map(Time),
        finalizers: m.finalizers,
        owner_references: m.owner_references,
        ..ObjectMeta::default()
    })
}

/// Reads `null` like an absent field.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

macro_rules! slim {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$attr])* pub $field: $type,)*
        }
    };
}

macro_rules! watched {
    ($name:ident, $kind:literal, $group:literal, $version:literal, $plural:literal, $scope:ty,
     { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        slim! {
            #[doc = concat!("`", $kind, "` as watched.")]
            $name { #[serde(deserialize_with = "meta")] metadata: ObjectMeta, $($(#[$attr])* $field: $type,)* }
        }
        impl Resource for $name {
            type DynamicType = ();
            type Scope = $scope;
            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }
            fn group((): &()) -> Cow<'_, str> {
                $group.into()
            }
            fn version((): &()) -> Cow<'_, str> {
                $version.into()
            }
            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

watched!(Pod, "Pod", "", "v1", "pods", NamespaceResourceScope, {
    spec: PodSpec,
    status: PodStatus,
});
watched!(Node, "Node", "", "v1", "nodes", ClusterResourceScope, {
    spec: NodeSpec,
    status: NodeStatus,
});
watched!(Claim, "NodeClaim", "karpenter.sh", "v1", "nodeclaims", ClusterResourceScope, {
    spec: NodeClaimSpec,
    #[serde(deserialize_with = "nullable")]
    status: NodeClaimStatus,
});
watched!(Pool, "NodePool", "karpenter.sh", "v1", "nodepools", ClusterResourceScope, {
    spec: NodePoolSpec,
    #[serde(deserialize_with = "nullable")]
    status: NodePoolStatus,
});
watched!(Class, "EC2NodeClass", "karpenter.k8s.aws", "v1", "ec2nodeclasses", ClusterResourceScope, {
    spec: Ec2NodeClassSpec,
    #[serde(deserialize_with = "nullable")]
    status: Ec2NodeClassStatus,
});
watched!(Overlay, "NodeOverlay", "karpenter.sh", "v1alpha1", "nodeoverlays", ClusterResourceScope, {
    spec: NodeOverlaySpec,
    #[serde(deserialize_with = "nullable")]
    status: NodeOverlayStatus,
});
watched!(DaemonSet, "DaemonSet", "apps", "v1", "daemonsets", NamespaceResourceScope, {
    spec: WorkloadSpec,
});
watched!(Deployment, "Deployment", "apps", "v1", "deployments", NamespaceResourceScope, {
    spec: WorkloadSpec,
});
watched!(ReplicaSet, "ReplicaSet", "apps", "v1", "replicasets", NamespaceResourceScope, {
    spec: WorkloadSpec,
});
watched!(StatefulSet, "StatefulSet", "apps", "v1", "statefulsets", NamespaceResourceScope, {
    spec: WorkloadSpec,
});
watched!(
    ReplicationController, "ReplicationController", "", "v1", "replicationcontrollers", NamespaceResourceScope,
    { spec: ControllerSpec, }
);
watched!(Service, "Service", "", "v1", "services", NamespaceResourceScope, {
    spec: ServiceSpec,
});
watched!(PodTemplateObject, "PodTemplate", "", "v1", "podtemplates", NamespaceResourceScope, {
    template: PodTemplate,
});
watched!(Buffer, "CapacityBuffer", "autoscaling.x-k8s.io", "v1beta1", "capacitybuffers", NamespaceResourceScope, {
    spec: CapacityBufferSpec,
    #[serde(deserialize_with = "nullable")]
    status: CapacityBufferStatus,
});
watched!(Pdb, "PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets", NamespaceResourceScope, {
    spec: PdbSpec,
    status: Option<PdbStatus>,
});
watched!(
    Namespace,
    "Namespace",
    "",
    "v1",
    "namespaces",
    ClusterResourceScope,
    {}
);
watched!(VolumeClaim, "PersistentVolumeClaim", "", "v1", "persistentvolumeclaims", NamespaceResourceScope, {
    spec: VolumeClaimSpec,
    status: VolumeClaimStatus,
});
watched!(Volume, "PersistentVolume", "", "v1", "persistentvolumes", ClusterResourceScope, {
    spec: VolumeSpec,
});
watched!(StorageClass, "StorageClass", "storage.k8s.io", "v1", "storageclasses", ClusterResourceScope, {
    provisioner: String,
    volume_binding_mode: Option<String>,
    #[serde(deserialize_with = "nullable")]
    allowed_topologies: Vec<TopologySelectorTerm>,
});
watched!(CsiNode, "CSINode", "storage.k8s.io", "v1", "csinodes", ClusterResourceScope, {
    spec: CsiNodeSpec,
});
watched!(Attachment, "VolumeAttachment", "storage.k8s.io", "v1", "volumeattachments", ClusterResourceScope, {
    spec: AttachmentSpec,
});

slim! { PodSpec {
    node_name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    node_selector: BTreeMap<String, String>,
    affinity: Option<Affinity>,
    #[serde(deserialize_with = "nullable")]
    topology_spread_constraints: Vec<TopologySpreadConstraint>,
    #[serde(deserialize_with = "nullable")]
    tolerations: Vec<CoreToleration>,
    #[serde(deserialize_with = "nullable")]
    containers: Vec<Container>,
    #[serde(deserialize_with = "nullable")]
    init_containers: Vec<Container>,
    #[serde(deserialize_with = "nullable")]
    volumes: Vec<PodVolume>,
    #[serde(deserialize_with = "nullable")]
    overhead: Quantities,
    resources: Option<ResourceNeeds>,
    priority: Option<i32>,
    priority_class_name: Option<String>,
    termination_grace_period_seconds: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    resource_claims: Vec<serde::de::IgnoredAny>,
    #[serde(deserialize_with = "nullable")]
    scheduling_gates: Vec<serde::de::IgnoredAny>,
} }
slim! { Container {
    name: String,
    resources: ResourceNeeds,
    #[serde(deserialize_with = "nullable")]
    ports: Vec<Port>,
    restart_policy: Option<String>,
} }
slim! { ResourceNeeds {
    #[serde(deserialize_with = "nullable")]
    requests: Quantities,
    #[serde(deserialize_with = "nullable")]
    limits: Quantities,
    #[serde(deserialize_with = "nullable")]
    claims: Vec<serde::de::IgnoredAny>,
} }
slim! { Port {
    host_port: Option<u16>,
    #[serde(rename = "hostIP")]
    host_ip: Option<String>,
    protocol: Option<String>,
} }
slim! { PodVolume {
    name: String,
    persistent_volume_claim: Option<ClaimSource>,
    ephemeral: Option<serde::de::IgnoredAny>,
} }
slim! { ClaimSource { claim_name: String, } }
slim! { PodStatus {
    phase: Option<String>,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<StatusCondition>,
    start_time: Option<Timestamp>,
    nominated_node_name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "nullable")]
    init_container_statuses: Vec<ContainerStatus>,
} }
slim! { StatusCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    reason: Option<String>,
    last_transition_time: Option<Timestamp>,
} }
slim! { ContainerStatus {
    name: String,
    resources: Option<ResourceNeeds>,
    #[serde(deserialize_with = "nullable")]
    allocated_resources: Quantities,
} }
slim! { NodeSpec {
    #[serde(rename = "providerID")]
    provider_id: Option<String>,
    unschedulable: Option<bool>,
    #[serde(deserialize_with = "nullable")]
    taints: Vec<CoreTaint>,
} }
slim! { NodeStatus {
    #[serde(deserialize_with = "nullable")]
    capacity: Quantities,
    #[serde(deserialize_with = "nullable")]
    allocatable: Quantities,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<StatusCondition>,
} }
slim! {
    /// What all workload controllers have in common.
    WorkloadSpec {
        replicas: Option<i64>,
        selector: Option<LabelSelector>,
        parallelism: Option<i64>,
        completions: Option<i64>,
        template: PodTemplate,
        #[serde(deserialize_with = "nullable")]
        volume_claim_templates: Vec<ClaimTemplate>,
    }
}
slim! { ControllerSpec {
    replicas: Option<i64>,
    selector: Option<BTreeMap<String, String>>,
} }
slim! { ServiceSpec { selector: Option<BTreeMap<String, String>>, } }
slim! { PodTemplate {
    #[serde(deserialize_with = "meta")]
    metadata: ObjectMeta,
    spec: PodSpec,
} }
slim! { ClaimTemplate {
    #[serde(deserialize_with = "meta")]
    metadata: ObjectMeta,
    spec: VolumeClaimSpec,
} }
slim! { PdbSpec {
    selector: Option<LabelSelector>,
    #[serde(deserialize_with = "count_or_percent")]
    min_available: Option<String>,
    #[serde(deserialize_with = "count_or_percent")]
    max_unavailable: Option<String>,
    unhealthy_pod_eviction_policy: Option<String>,
} }
slim! { PdbStatus {
    disruptions_allowed: Option<i64>,
    observed_generation: Option<i64>,
} }
slim! { VolumeClaimSpec {
    volume_name: Option<String>,
    storage_class_name: Option<String>,
} }
slim! { VolumeClaimStatus { phase: Option<String>, } }
slim! { VolumeSpec {
    node_affinity: Option<VolumeAffinity>,
    csi: Option<CsiSource>,
    aws_elastic_block_store: Option<serde::de::IgnoredAny>,
    local: Option<serde::de::IgnoredAny>,
    host_path: Option<serde::de::IgnoredAny>,
} }
slim! { VolumeAffinity { required: Option<NodeSelector>, } }
slim! { CsiSource { driver: String, } }
slim! { CsiNodeSpec {
    #[serde(deserialize_with = "nullable")]
    drivers: Vec<CsiDriver>,
} }
slim! { CsiDriver {
    name: String,
    allocatable: Option<DriverLimit>,
} }
slim! { DriverLimit { count: Option<i64>, } }
slim! { AttachmentSpec {
    node_name: String,
    source: AttachmentSource,
} }
slim! { AttachmentSource { persistent_volume_name: Option<String>, } }

fn count_or_percent<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    struct Text(String);
    impl<'de> Deserialize<'de> for Text {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            text_or_number(d).map(Self)
        }
    }
    Ok(Option::<Text>::deserialize(d)?.map(|t| t.0))
}
