//! Kubernetes objects with only the fields that decisions use (decisions §3). Parsed, projected to rows, dropped.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ClusterResourceScope;
use serde::Deserialize;

/// One watched kind: metadata plus the fields named here, all optional.
macro_rules! slim {
    ($(#[$doc:meta])* $name:ident, $group:literal, $version:literal, $kind:literal, $plural:literal,
     { $($field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            pub metadata: ObjectMeta,
            $(pub $field: $type,)*
        }

        impl kube::Resource for $name {
            type DynamicType = ();
            // Only ever listed across namespaces.
            type Scope = ClusterResourceScope;

            fn kind(_: &()) -> Cow<'_, str> { $kind.into() }
            fn group(_: &()) -> Cow<'_, str> { $group.into() }
            fn version(_: &()) -> Cow<'_, str> { $version.into() }
            fn plural(_: &()) -> Cow<'_, str> { $plural.into() }
            fn meta(&self) -> &ObjectMeta { &self.metadata }
            fn meta_mut(&mut self) -> &mut ObjectMeta { &mut self.metadata }
        }
    };
}

slim!(Pod, "", "v1", "Pod", "pods", { spec: PodSpec, status: PodStatus });
slim!(Node, "", "v1", "Node", "nodes", { spec: NodeSpec, status: NodeStatus });
slim!(Namespace, "", "v1", "Namespace", "namespaces", {});
slim!(VolumeClaim, "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", {
    spec: VolumeClaimSpec, status: PhaseStatus,
});
slim!(Volume, "", "v1", "PersistentVolume", "persistentvolumes", { spec: VolumeSpec });
slim!(StorageClass, "storage.k8s.io", "v1", "StorageClass", "storageclasses", {
    provisioner: String, volume_binding_mode: Option<String>, allowed_topologies: Vec<TopologyTerm>,
});
slim!(CsiNode, "storage.k8s.io", "v1", "CSINode", "csinodes", { spec: CsiNodeSpec });
slim!(Attachment, "storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", { spec: AttachmentSpec });
slim!(DaemonSet, "apps", "v1", "DaemonSet", "daemonsets", { spec: TemplateSpec });
slim!(Pdb, "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", { spec: PdbSpec, status: PdbStatus });
slim!(NodePool, "karpenter.sh", "v1", "NodePool", "nodepools", { spec: NodePoolSpec, status: PoolStatus });
slim!(NodeClaim, "karpenter.sh", "v1", "NodeClaim", "nodeclaims", { spec: ClaimSpec, status: ClaimStatus });
slim!(NodeClass, "karpenter.k8s.aws", "v1", "EC2NodeClass", "ec2nodeclasses", {
    spec: crate::api::ec2nodeclass::Ec2NodeClassSpec, status: ConditionStatus,
});

pub type Quantities = BTreeMap<String, Quantity>;
pub type Strings = BTreeMap<String, String>;

/// A quantity or a plain number.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Quantity {
    Text(String),
    Whole(i64),
    Real(f64),
}

impl Quantity {
    pub fn text(&self) -> String {
        match self {
            Self::Text(t) => t.clone(),
            Self::Whole(n) => n.to_string(),
            Self::Real(n) => n.to_string(),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    pub node_name: Option<String>,
    pub node_selector: Strings,
    pub affinity: Affinity,
    pub tolerations: Vec<Toleration>,
    pub topology_spread_constraints: Vec<Spread>,
    pub containers: Vec<Container>,
    pub init_containers: Vec<Container>,
    pub overhead: Quantities,
    /// Pod-level resources.
    pub resources: Resources,
    pub volumes: Vec<PodVolume>,
    pub resource_claims: Vec<serde::de::IgnoredAny>,
    pub priority: Option<i32>,
    pub priority_class_name: Option<String>,
    pub termination_grace_period_seconds: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    pub name: String,
    pub resources: Resources,
    pub restart_policy: Option<String>,
    pub ports: Vec<Port>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Port {
    pub host_port: Option<u16>,
    #[serde(rename = "hostIP")]
    pub host_ip: Option<String>,
    pub protocol: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    pub requests: Quantities,
    pub limits: Quantities,
    pub claims: Vec<serde::de::IgnoredAny>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodVolume {
    pub name: String,
    pub persistent_volume_claim: Option<ClaimName>,
    pub ephemeral: Option<serde::de::IgnoredAny>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimName {
    pub claim_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Affinity {
    pub node_affinity: NodeAffinity,
    pub pod_affinity: PodAffinity,
    pub pod_anti_affinity: PodAffinity,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<NodeSelector>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub preferred: Vec<PreferredTerm>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelector {
    pub node_selector_terms: Vec<SelectorTerm>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SelectorTerm {
    pub match_expressions: Vec<Expression>,
    pub match_fields: Vec<Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreferredTerm {
    pub weight: i32,
    pub preference: SelectorTerm,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Expression {
    pub key: String,
    pub operator: String,
    pub values: Vec<String>,
    pub min_values: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PodAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Vec<AffinityTerm>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub preferred: Vec<WeightedTerm>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightedTerm {
    pub weight: i32,
    pub pod_affinity_term: AffinityTerm,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AffinityTerm {
    pub topology_key: String,
    pub label_selector: Option<LabelSelector>,
    pub namespaces: Vec<String>,
    pub namespace_selector: Option<LabelSelector>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    pub match_labels: Strings,
    pub match_expressions: Vec<Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spread {
    pub topology_key: String,
    pub max_skew: i32,
    pub when_unsatisfiable: String,
    pub label_selector: Option<LabelSelector>,
    pub min_domains: Option<i32>,
    pub match_label_keys: Vec<String>,
    pub node_affinity_policy: Option<String>,
    pub node_taints_policy: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Toleration {
    pub key: String,
    pub operator: String,
    pub value: String,
    pub effect: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    pub phase: Option<String>,
    pub nominated_node_name: Option<String>,
    pub start_time: Option<Timestamp>,
    pub conditions: Vec<Condition>,
    pub container_statuses: Vec<ContainerStatus>,
    pub init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    pub name: String,
    pub resources: Option<Resources>,
    pub allocated_resources: Quantities,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub reason: String,
    pub message: String,
    pub last_transition_time: Option<Timestamp>,
    pub observed_generation: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSpec {
    #[serde(rename = "providerID")]
    pub provider_id: String,
    pub taints: Vec<Taint>,
    pub unschedulable: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Taint {
    pub key: String,
    pub value: String,
    pub effect: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    pub capacity: Quantities,
    pub allocatable: Quantities,
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeClaimSpec {
    pub volume_name: String,
    pub storage_class_name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PhaseStatus {
    pub phase: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSpec {
    pub node_affinity: Option<VolumeAffinity>,
    pub csi: Option<Driver>,
    pub aws_elastic_block_store: Option<serde::de::IgnoredAny>,
    pub local: Option<serde::de::IgnoredAny>,
    pub host_path: Option<serde::de::IgnoredAny>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VolumeAffinity {
    pub required: Option<NodeSelector>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Driver {
    pub driver: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopologyTerm {
    pub match_label_expressions: Vec<Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CsiNodeSpec {
    pub drivers: Vec<CsiDriver>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CsiDriver {
    pub name: String,
    pub allocatable: Option<DriverCount>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DriverCount {
    pub count: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AttachmentSpec {
    pub node_name: String,
    pub source: AttachmentSource,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AttachmentSource {
    pub persistent_volume_name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TemplateSpec {
    pub template: PodTemplate,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PodTemplate {
    pub metadata: ObjectMeta,
    pub spec: PodSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PdbSpec {
    pub selector: Option<LabelSelector>,
    pub min_available: Option<Quantity>,
    pub max_unavailable: Option<Quantity>,
    pub unhealthy_pod_eviction_policy: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PdbStatus {
    pub disruptions_allowed: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConditionStatus {
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NodePoolSpec {
    pub template: ClaimTemplate,
    pub disruption: Disruption,
    pub limits: Quantities,
    pub weight: Option<i32>,
    pub replicas: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClaimTemplate {
    pub metadata: TemplateMeta,
    pub spec: ClaimSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TemplateMeta {
    pub labels: Strings,
    pub annotations: Strings,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimSpec {
    pub requirements: Vec<Expression>,
    pub resources: Resources,
    pub taints: Vec<Taint>,
    pub startup_taints: Vec<Taint>,
    pub node_class_ref: crate::model::nodepool::ClassRef,
    pub expire_after: Option<String>,
    pub termination_grace_period: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Disruption {
    pub consolidate_after: Option<String>,
    pub consolidation_policy: Option<String>,
    pub budgets: Option<Vec<Budget>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Budget {
    pub nodes: Option<String>,
    pub reasons: Option<Vec<String>>,
    pub schedule: Option<String>,
    pub duration: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PoolStatus {
    pub conditions: Vec<Condition>,
    pub nodes: i64,
    pub resources: Quantities,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimStatus {
    pub conditions: Vec<Condition>,
    #[serde(rename = "providerID")]
    pub provider_id: String,
    pub node_name: String,
    #[serde(rename = "imageID")]
    pub image_id: String,
    pub capacity: Quantities,
    pub allocatable: Quantities,
    pub last_pod_event_time: Option<Timestamp>,
}
