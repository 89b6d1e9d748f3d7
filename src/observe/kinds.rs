//! The watched kinds in one table: watched type, row, table of the snapshot and key.

use std::sync::{Arc, Mutex, PoisonError};

use kube::{Api, Client};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::watch::Report;
use super::{Projector, slim, task};
use crate::clock::Clock;
use crate::model::pod::pod_key;
use crate::model::{Delta, Name, Snapshot};

macro_rules! key {
    (namespaced $r:ident) => {
        pod_key(&$r.namespace, &$r.name)
    };
    (cluster $r:ident) => {
        $r.name.clone()
    };
}

macro_rules! kinds {
    ($($kind:ident $gone:ident $slim:ident $scope:ident $table:ident $project:ident $plural:literal;)*) => {
        /// A watched kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($kind,)* }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// As in `kubectl get`.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural,)* }
            }

            /// API group and resource, as roles name them.
            pub fn resource(self) -> (&'static str, &'static str) {
                let (resource, group) = self.plural().split_once('.').unwrap_or((self.plural(), ""));
                (group, resource)
            }
        }

        /// Kind and key of a delta; `None` for what the cloud reports.
        pub(super) fn key_of(delta: &Delta) -> Option<(Kind, Name)> {
            match delta {
                $(Delta::$kind(r) => Some((Kind::$kind, key!($scope r))),
                  Delta::$gone(k) => Some((Kind::$kind, k.clone())),)*
                _ => None,
            }
        }

        /// The delta that says that a row has vanished.
        pub(super) fn gone(kind: Kind, key: Name) -> Delta {
            match kind { $(Kind::$kind => Delta::$gone(key),)* }
        }

        /// Whether the delta changes anything in `known`.
        pub(super) fn is_news(known: &Snapshot, delta: &Delta) -> bool {
            match delta {
                $(Delta::$kind(r) => known.$table.get(&key!($scope r)) != Some(r),
                  Delta::$gone(k) => known.$table.contains_key(k),)*
                _ => true,
            }
        }

        /// Starts one task a kind, but for those in `without`.
        pub(super) fn spawn_all(
            client: &Client,
            clock: Clock,
            projector: &Arc<Mutex<Projector>>,
            out: &UnboundedSender<Report>,
            without: &[Kind],
        ) -> Vec<JoinHandle<()>> {
            let mut tasks = Vec::new();
            $(if !without.contains(&Kind::$kind) {
                let projector = projector.clone();
                let row = move |object: &slim::$slim| {
                    let mut projector = projector.lock().unwrap_or_else(PoisonError::into_inner);
                    Delta::$kind(Arc::new(projector.$project(object)))
                };
                let api: Api<slim::$slim> = Api::all(client.clone());
                tasks.push(tokio::spawn(task::run(api, Kind::$kind, clock, out.clone(), row)));
            })*
            tasks
        }
    };
}

kinds! {
    Pod PodGone Pod namespaced pods pod "pods";
    Node NodeGone Node cluster nodes node "nodes";
    Claim ClaimGone Claim cluster claims claim "nodeclaims.karpenter.sh";
    Pool PoolGone Pool cluster pools pool "nodepools.karpenter.sh";
    Class ClassGone Class cluster classes class "ec2nodeclasses.karpenter.k8s.aws";
    Daemon DaemonGone DaemonSet namespaced daemons daemon "daemonsets.apps";
    Pdb PdbGone Pdb namespaced pdbs pdb "poddisruptionbudgets.policy";
    Namespace NamespaceGone Namespace cluster namespaces namespace "namespaces";
    VolumeClaim VolumeClaimGone VolumeClaim namespaced volume_claims volume_claim "persistentvolumeclaims";
    Volume VolumeGone Volume cluster volumes volume "persistentvolumes";
    StorageClass StorageClassGone StorageClass cluster storage_classes storage_class "storageclasses.storage.k8s.io";
    CsiNode CsiNodeGone CsiNode cluster csi_nodes csi_node "csinodes.storage.k8s.io";
    Attachment AttachmentGone Attachment cluster attachments attachment "volumeattachments.storage.k8s.io";
    Overlay OverlayGone Overlay cluster overlays overlay "nodeoverlays.karpenter.sh";
    Buffer BufferGone Buffer namespaced buffers buffer "capacitybuffers.autoscaling.x-k8s.io";
    PodTemplate PodTemplateGone PodTemplateObject namespaced pod_templates pod_template "podtemplates";
    Deployment DeploymentGone Deployment namespaced deployments workload "deployments.apps";
    ReplicaSet ReplicaSetGone ReplicaSet namespaced replica_sets workload "replicasets.apps";
    StatefulSet StatefulSetGone StatefulSet namespaced stateful_sets workload "statefulsets.apps";
    ReplicationController ReplicationControllerGone ReplicationController namespaced replication_controllers controller "replicationcontrollers";
    Service ServiceGone Service namespaced services service "services";
}
