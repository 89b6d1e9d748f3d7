//! Built-in kinds read and written through their types: what does not come back is unknown.

use k8s_openapi::api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The object as its type writes it, or why it cannot be read. `None` for kinds without a type here.
pub(super) fn round_trip(key: &str, object: &Value) -> Option<Result<Value, String>> {
    Some(match key {
        "configmaps" => trip::<api::core::v1::ConfigMap>(object),
        "endpoints" => trip::<api::core::v1::Endpoints>(object),
        "events" => trip::<api::core::v1::Event>(object),
        "events.events.k8s.io" => trip::<api::events::v1::Event>(object),
        "limitranges" => trip::<api::core::v1::LimitRange>(object),
        "namespaces" => trip::<api::core::v1::Namespace>(object),
        "nodes" => trip::<api::core::v1::Node>(object),
        "persistentvolumeclaims" => trip::<api::core::v1::PersistentVolumeClaim>(object),
        "persistentvolumes" => trip::<api::core::v1::PersistentVolume>(object),
        "pods" => trip::<api::core::v1::Pod>(object),
        "podtemplates" => trip::<api::core::v1::PodTemplate>(object),
        "replicationcontrollers" => trip::<api::core::v1::ReplicationController>(object),
        "resourcequotas" => trip::<api::core::v1::ResourceQuota>(object),
        "secrets" => trip::<api::core::v1::Secret>(object),
        "serviceaccounts" => trip::<api::core::v1::ServiceAccount>(object),
        "services" => trip::<api::core::v1::Service>(object),
        "controllerrevisions.apps" => trip::<api::apps::v1::ControllerRevision>(object),
        "daemonsets.apps" => trip::<api::apps::v1::DaemonSet>(object),
        "deployments.apps" => trip::<api::apps::v1::Deployment>(object),
        "replicasets.apps" => trip::<api::apps::v1::ReplicaSet>(object),
        "statefulsets.apps" => trip::<api::apps::v1::StatefulSet>(object),
        "horizontalpodautoscalers.autoscaling" => {
            trip::<api::autoscaling::v2::HorizontalPodAutoscaler>(object)
        }
        "cronjobs.batch" => trip::<api::batch::v1::CronJob>(object),
        "jobs.batch" => trip::<api::batch::v1::Job>(object),
        "leases.coordination.k8s.io" => trip::<api::coordination::v1::Lease>(object),
        "poddisruptionbudgets.policy" => trip::<api::policy::v1::PodDisruptionBudget>(object),
        "priorityclasses.scheduling.k8s.io" => trip::<api::scheduling::v1::PriorityClass>(object),
        "csinodes.storage.k8s.io" => trip::<api::storage::v1::CSINode>(object),
        "storageclasses.storage.k8s.io" => trip::<api::storage::v1::StorageClass>(object),
        "volumeattachments.storage.k8s.io" => trip::<api::storage::v1::VolumeAttachment>(object),
        _ => return None,
    })
}

/// Metadata as its type writes it; nothing when it cannot be read.
pub(super) fn metadata(meta: &Value) -> Option<Value> {
    trip::<ObjectMeta>(meta).ok()
}

fn trip<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, String> {
    let typed = T::deserialize(object).map_err(|e| e.to_string())?;
    serde_json::to_value(typed).map_err(|e| e.to_string())
}
