//! The immutable picture that decisions read, and the deltas between two of them.

use std::sync::{Arc, OnceLock};

use imbl::OrdMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::overlaid::{Overlaid, PoolTypes};
use super::storage::{Attachment, CsiNode, Namespace, Pdb, StorageClass, Volume, VolumeClaim};
use super::{
    Buffer, CapacityType, Catalogue, Claim, Name, Node, NodeClass, NodePool, Overlay, Pod, PodSpec,
    PodTemplate, Service, UsdPerHour, Workload,
};

/// Everything that decisions know. Cloning shares structure. Tables are keyed by name (`namespace/name` where
/// namespaced), so that walking them is in name order on every machine.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every applied batch of deltas.
    pub revision: u64,
    pub pods: OrdMap<Name, Arc<Pod>>,
    pub nodes: OrdMap<Name, Arc<Node>>,
    pub claims: OrdMap<Name, Arc<Claim>>,
    pub pools: OrdMap<Name, Arc<NodePool>>,
    pub classes: OrdMap<Name, Arc<NodeClass>>,
    pub daemons: OrdMap<Name, Arc<Daemon>>,
    pub pdbs: OrdMap<Name, Arc<Pdb>>,
    pub namespaces: OrdMap<Name, Arc<Namespace>>,
    pub volume_claims: OrdMap<Name, Arc<VolumeClaim>>,
    pub volumes: OrdMap<Name, Arc<Volume>>,
    pub storage_classes: OrdMap<Name, Arc<StorageClass>>,
    pub csi_nodes: OrdMap<Name, Arc<CsiNode>>,
    pub attachments: OrdMap<Name, Arc<Attachment>>,
    /// Empty while the feature gate `NodeOverlay` is off.
    pub overlays: OrdMap<Name, Arc<Overlay>>,
    /// Empty while the feature gate `CapacityBuffer` is off.
    pub buffers: OrdMap<Name, Arc<Buffer>>,
    // Read only for buffers and default spread constraints; empty while neither is on.
    pub deployments: OrdMap<Name, Arc<Workload>>,
    pub replica_sets: OrdMap<Name, Arc<Workload>>,
    pub stateful_sets: OrdMap<Name, Arc<Workload>>,
    pub replication_controllers: OrdMap<Name, Arc<Workload>>,
    pub services: OrdMap<Name, Arc<Service>>,
    pub pod_templates: OrdMap<Name, Arc<PodTemplate>>,
    /// By node class name; [`ANY_CLASS`] holds the catalogue of a file given for all classes.
    pub catalogues: OrdMap<Name, Arc<Catalogue>>,
    /// Instances that the cloud reports, by provider id: for garbage collection and orphans.
    pub instances: OrdMap<Name, Arc<Instance>>,
    /// Interruption notices by provider id.
    pub notices: OrdMap<Name, Arc<Notice>>,
    /// Overlays evaluated, without and with upstream's quirks; forgotten when something they depend on changes.
    overlaid: [OnceLock<Arc<Overlaid>>; 2],
}

/// Key of [`Snapshot::catalogues`] that serves classes without a catalogue of their own.
pub const ANY_CLASS: &str = "*";

/// A DaemonSet, reduced to the pod it puts on a node (`scheduling §8.4`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemon {
    pub namespace: Name,
    pub name: Name,
    pub uid: Name,
    /// From the template, limits copied into missing requests.
    pub spec: Arc<PodSpec>,
}

/// A machine as the cloud's list call reports it (`aws §15`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub provider_id: Name,
    pub instance_type: Name,
    pub zone: Name,
    pub capacity_type: CapacityType,
    pub launched: Timestamp,
    /// `pending`, `running`, `shutting-down`, `stopping`, `stopped`, `terminated`.
    pub state: Name,
    /// Tag `karpenter.sh/nodepool`.
    pub pool: Option<Name>,
    /// Tag with the launch token (decisions §6).
    pub token: Option<Name>,
    /// Tag `karpenter.sh/nodeclaim`, set after launch.
    pub claim: Option<Name>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub subnet: Name,
    /// Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<Name>,
}

impl Instance {
    /// Still costs money or is about to.
    pub fn is_alive(&self) -> bool {
        !matches!(&*self.state, "shutting-down" | "terminated")
    }
}

/// What the cloud says will happen to a machine (`aws §16`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub provider_id: Name,
    pub kind: NoticeKind,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NoticeKind {
    SpotInterruption,
    RebalanceRecommendation,
    ScheduledChange,
    Stopping,
    Terminating,
    /// A reserved instance is taken back by the reservation's owner.
    ReservationInterrupted,
    /// The instance's own status check fails.
    InstanceStatus,
    /// The status check of the host fails.
    SystemStatus,
    /// EC2 has scheduled an event for the instance.
    EventStatus,
}

/// One changed row. The same values are applied to the snapshot, recorded in the ledger and replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", content = "row", rename_all = "camelCase")]
pub enum Delta {
    Pod(Arc<Pod>),
    PodGone(Name),
    Node(Arc<Node>),
    NodeGone(Name),
    Claim(Arc<Claim>),
    ClaimGone(Name),
    Pool(Arc<NodePool>),
    PoolGone(Name),
    Class(Arc<NodeClass>),
    ClassGone(Name),
    Daemon(Arc<Daemon>),
    DaemonGone(Name),
    Pdb(Arc<Pdb>),
    PdbGone(Name),
    Namespace(Arc<Namespace>),
    NamespaceGone(Name),
    VolumeClaim(Arc<VolumeClaim>),
    VolumeClaimGone(Name),
    Volume(Arc<Volume>),
    VolumeGone(Name),
    StorageClass(Arc<StorageClass>),
    StorageClassGone(Name),
    CsiNode(Arc<CsiNode>),
    CsiNodeGone(Name),
    Attachment(Arc<Attachment>),
    AttachmentGone(Name),
    Overlay(Arc<Overlay>),
    OverlayGone(Name),
    Deployment(Arc<Workload>),
    DeploymentGone(Name),
    ReplicaSet(Arc<Workload>),
    ReplicaSetGone(Name),
    StatefulSet(Arc<Workload>),
    StatefulSetGone(Name),
    ReplicationController(Arc<Workload>),
    ReplicationControllerGone(Name),
    Service(Arc<Service>),
    ServiceGone(Name),
    PodTemplate(Arc<PodTemplate>),
    PodTemplateGone(Name),
    Buffer(Arc<Buffer>),
    BufferGone(Name),
    /// A whole catalogue, when a class first resolves or its types change.
    Catalogue {
        class: Name,
        types: Arc<Catalogue>,
    },
    /// Offerings whose price or availability changed.
    Offerings {
        class: Name,
        changes: Vec<OfferingChange>,
    },
    Instance(Arc<Instance>),
    InstanceGone(Name),
    Notice(Arc<Notice>),
    NoticeGone(Name),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferingChange {
    pub instance_type: Name,
    pub zone: Name,
    pub capacity_type: CapacityType,
    pub price: UsdPerHour,
    pub available: bool,
    /// Which of several reservations of the type and zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<Name>,
    /// Instances that it has left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reservation_capacity: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Snapshot {
    /// Applies one batch and steps the revision.
    pub fn apply(&mut self, deltas: &[Delta]) {
        for delta in deltas {
            if self.reprices(delta) {
                self.overlaid = Default::default();
            }
            self.apply_one(delta);
        }
        self.revision += 1;
    }

    /// Whether overlays have to be evaluated again.
    fn reprices(&self, delta: &Delta) -> bool {
        match delta {
            Delta::Pool(new) => self
                .pools
                .get(&new.name)
                .is_none_or(|old| old.template != new.template || old.generation != new.generation),
            Delta::PoolGone(_)
            | Delta::Overlay(_)
            | Delta::OverlayGone(_)
            | Delta::Catalogue { .. }
            | Delta::Offerings { .. } => true,
            _ => false,
        }
    }

    fn apply_one(&mut self, delta: &Delta) {
        fn namespaced(namespace: &str, name: &str) -> Name {
            super::pod::pod_key(namespace, name)
        }
        match delta {
            Delta::Pod(r) => drop(self.pods.insert(r.key(), r.clone())),
            Delta::PodGone(k) => drop(self.pods.remove(k)),
            Delta::Node(r) => drop(self.nodes.insert(r.name.clone(), r.clone())),
            Delta::NodeGone(k) => drop(self.nodes.remove(k)),
            Delta::Claim(r) => drop(self.claims.insert(r.name.clone(), r.clone())),
            Delta::ClaimGone(k) => drop(self.claims.remove(k)),
            Delta::Pool(r) => drop(self.pools.insert(r.name.clone(), r.clone())),
            Delta::PoolGone(k) => drop(self.pools.remove(k)),
            Delta::Class(r) => drop(self.classes.insert(r.name.clone(), r.clone())),
            Delta::ClassGone(k) => drop(self.classes.remove(k)),
            Delta::Daemon(r) => drop(self.daemons.insert(namespaced(&r.namespace, &r.name), r.clone())),
            Delta::DaemonGone(k) => drop(self.daemons.remove(k)),
            Delta::Pdb(r) => drop(self.pdbs.insert(namespaced(&r.namespace, &r.name), r.clone())),
            Delta::PdbGone(k) => drop(self.pdbs.remove(k)),
            Delta::Namespace(r) => drop(self.namespaces.insert(r.name.clone(), r.clone())),
            Delta::NamespaceGone(k) => drop(self.namespaces.remove(k)),
            Delta::VolumeClaim(r) => {
                drop(
                    self.volume_claims
                        .insert(namespaced(&r.namespace, &r.name), r.clone()),
                );
            }
            Delta::VolumeClaimGone(k) => drop(self.volume_claims.remove(k)),
            Delta::Volume(r) => drop(self.volumes.insert(r.name.clone(), r.clone())),
            Delta::VolumeGone(k) => drop(self.volumes.remove(k)),
            Delta::StorageClass(r) => drop(self.storage_classes.insert(r.name.clone(), r.clone())),
            Delta::StorageClassGone(k) => drop(self.storage_classes.remove(k)),
            Delta::CsiNode(r) => drop(self.csi_nodes.insert(r.name.clone(), r.clone())),
            Delta::CsiNodeGone(k) => drop(self.csi_nodes.remove(k)),
            Delta::Attachment(r) => drop(self.attachments.insert(r.name.clone(), r.clone())),
            Delta::AttachmentGone(k) => drop(self.attachments.remove(k)),
            Delta::Overlay(r) => drop(self.overlays.insert(r.name.clone(), r.clone())),
            Delta::OverlayGone(k) => drop(self.overlays.remove(k)),
            Delta::Deployment(r) => drop(
                self.deployments
                    .insert(namespaced(&r.namespace, &r.name), r.clone()),
            ),
            Delta::DeploymentGone(k) => drop(self.deployments.remove(k)),
            Delta::ReplicaSet(r) => drop(
                self.replica_sets
                    .insert(namespaced(&r.namespace, &r.name), r.clone()),
            ),
            Delta::ReplicaSetGone(k) => drop(self.replica_sets.remove(k)),
            Delta::StatefulSet(r) => drop(
                self.stateful_sets
                    .insert(namespaced(&r.namespace, &r.name), r.clone()),
            ),
            Delta::StatefulSetGone(k) => drop(self.stateful_sets.remove(k)),
            Delta::ReplicationController(r) => drop(
                self.replication_controllers
                    .insert(namespaced(&r.namespace, &r.name), r.clone()),
            ),
            Delta::ReplicationControllerGone(k) => drop(self.replication_controllers.remove(k)),
            Delta::Service(r) => drop(self.services.insert(namespaced(&r.namespace, &r.name), r.clone())),
            Delta::ServiceGone(k) => drop(self.services.remove(k)),
            Delta::PodTemplate(r) => drop(
                self.pod_templates
                    .insert(namespaced(&r.namespace, &r.name), r.clone()),
            ),
            Delta::PodTemplateGone(k) => drop(self.pod_templates.remove(k)),
            Delta::Buffer(r) => drop(self.buffers.insert(namespaced(&r.namespace, &r.name), r.clone())),
            Delta::BufferGone(k) => drop(self.buffers.remove(k)),
            Delta::Catalogue { class, types } => drop(self.catalogues.insert(class.clone(), types.clone())),
            Delta::Offerings { class, changes } => self.reprice(class, changes),
            Delta::Instance(r) => drop(self.instances.insert(r.provider_id.clone(), r.clone())),
            Delta::InstanceGone(k) => drop(self.instances.remove(k)),
            Delta::Notice(r) => drop(self.notices.insert(r.provider_id.clone(), r.clone())),
            Delta::NoticeGone(k) => drop(self.notices.remove(k)),
        }
    }

    fn reprice(&mut self, class: &Name, changes: &[OfferingChange]) {
        let Some(catalogue) = self.catalogues.get(class) else {
            return;
        };
        let mut changed: std::collections::BTreeMap<Name, super::InstanceType> =
            std::collections::BTreeMap::new();
        for change in changes {
            let Some(current) = catalogue.get(&change.instance_type) else {
                continue;
            };
            let row = changed
                .entry(change.instance_type.clone())
                .or_insert_with(|| (**current).clone());
            for offering in &mut row.offerings {
                if offering.zone == change.zone
                    && offering.capacity_type == change.capacity_type
                    && offering.reservation() == change.reservation.as_ref()
                {
                    offering.price = change.price;
                    offering.available = change.available;
                    offering.reservation_capacity = change.reservation_capacity;
                }
            }
        }
        let types = catalogue
            .distinct()
            .map(|t| changed.remove(&t.name).map_or_else(|| t.clone(), Arc::new))
            .collect::<Vec<_>>();
        self.catalogues
            .insert(class.clone(), Arc::new(Catalogue::new(types)));
    }

    /// What overlays make of each pool's types. `quirks`: as upstream does it (Q13). Evaluated at the first call after
    /// [`Self::apply`]; change the tables it reads before that.
    pub fn overlaid(&self, quirks: bool) -> &Arc<Overlaid> {
        self.overlaid[usize::from(quirks)].get_or_init(|| {
            let pools = self.pools.values().filter_map(|pool| {
                let catalogue = self.catalogue(&pool.template.class.name)?;
                Some((&**pool, &**catalogue))
            });
            Arc::new(Overlaid::new(
                self.overlays.values().map(AsRef::as_ref),
                pools,
                quirks,
            ))
        })
    }

    /// A pool's types with what overlays change; `None` where they change nothing.
    pub fn pool_types(&self, pool: &str, quirks: bool) -> Option<&PoolTypes> {
        if self.overlays.is_empty() {
            return None;
        }
        self.overlaid(quirks).pool(pool)
    }

    /// The instance types of a pool of that class, overlays applied.
    pub fn types_of(&self, pool: &str, class: &str) -> Option<&Arc<Catalogue>> {
        match self.pool_types(pool, false) {
            Some(types) => Some(&types.catalogue),
            None => self.catalogue(class),
        }
    }

    /// The catalogue that serves a node class.
    pub fn catalogue(&self, class: &str) -> Option<&Arc<Catalogue>> {
        self.catalogues
            .get(class)
            .or_else(|| self.catalogues.get(ANY_CLASS))
    }

    /// The claim with that provider id.
    pub fn claim_of(&self, provider_id: &str) -> Option<&Arc<Claim>> {
        if provider_id.is_empty() {
            return None;
        }
        self.claims.values().find(|c| &*c.provider_id == provider_id)
    }

    /// The node with that provider id.
    pub fn node_of(&self, provider_id: &str) -> Option<&Arc<Node>> {
        if provider_id.is_empty() {
            return None;
        }
        self.nodes.values().find(|n| &*n.provider_id == provider_id)
    }

    /// What a running node costs: the first offering of its type with its zone and capacity type, available or
    /// not (`disruption §3`, price), else what a label of eks-node-viewer says; zero when neither is known.
    pub fn price_of(&self, labels: &super::Labels) -> UsdPerHour {
        use crate::api::names;
        let label = |key: &str| labels.get(key).map_or("", |v| &**v);
        let class = label(names::EC2_NODECLASS);
        self.types_of(label(names::NODEPOOL), class)
            .and_then(|c| c.get(label(names::INSTANCE_TYPE)))
            .and_then(|t| t.offering(label(names::ZONE), label(names::CAPACITY_TYPE)))
            .map(|o| o.price)
            .or_else(|| {
                let dollars: f64 = label(PRICE_LABEL).parse().ok()?;
                dollars
                    .is_finite()
                    .then(|| UsdPerHour::from_f64(dollars.max(0.0)))
            })
            .unwrap_or(UsdPerHour::ZERO)
    }
}

/// Providers without a price list of ours, kwok above all, write the price of a node here.
const PRICE_LABEL: &str = "eks-node-viewer/instance-price";
