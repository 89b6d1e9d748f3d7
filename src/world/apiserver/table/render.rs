//! The frame around the printers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{AGE, Column, NAME, age, at, list, name, text};
use super::{cluster, core, custom, events, node, pod, storage, workloads};
use crate::world::apiserver::kinds::Kind;

/// `includeObject` of a Table request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludeObject {
    None,
    /// A `PartialObjectMetadata` a row.
    #[default]
    Metadata,
    Object,
}

impl IncludeObject {
    /// `None` for a value that Kubernetes would refuse.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Metadata" => Some(Self::Metadata),
            "None" => Some(Self::None),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }
}

pub(super) type Cells = fn(&Value, Timestamp) -> Vec<Value>;
/// Columns, and the cells of one object in their order.
pub(super) type Printer = (&'static [Column], Cells);

const NAME_AGE: Printer = (&[NAME, AGE], |object, now| vec![name(object), age(object, now)]);

fn printer(kind: &Kind) -> Printer {
    match kind.kind.as_str() {
        "Pod" => pod::POD,
        "Node" => node::NODE,
        "Event" => events::EVENT,
        "Namespace" => core::NAMESPACE,
        "Service" => core::SERVICE,
        "ConfigMap" => core::CONFIG_MAP,
        "Secret" => core::SECRET,
        "ServiceAccount" => core::SERVICE_ACCOUNT,
        "PersistentVolumeClaim" => storage::CLAIM,
        "PersistentVolume" => storage::VOLUME,
        "StorageClass" => storage::CLASS,
        "CSINode" => storage::CSI_NODE,
        "VolumeAttachment" => storage::ATTACHMENT,
        "Deployment" => workloads::DEPLOYMENT,
        "ReplicaSet" => workloads::REPLICA_SET,
        "ReplicationController" => workloads::REPLICATION_CONTROLLER,
        "DaemonSet" => workloads::DAEMON_SET,
        "StatefulSet" => workloads::STATEFUL_SET,
        "Job" => workloads::JOB,
        "CronJob" => workloads::CRON_JOB,
        "ControllerRevision" => workloads::REVISION,
        "PodDisruptionBudget" => cluster::BUDGET,
        "HorizontalPodAutoscaler" => cluster::AUTOSCALER,
        "Lease" => cluster::LEASE,
        "PriorityClass" => cluster::PRIORITY_CLASS,
        "CustomResourceDefinition" => cluster::DEFINITION,
        "Endpoints" => core::ENDPOINTS,
        "ClusterRoleBinding" | "RoleBinding" => cluster::BINDING,
        "ClusterRole" | "Role" => cluster::ROLE,
        _ => NAME_AGE,
    }
}

/// A `meta.k8s.io/v1` Table of `objects`; list metadata is left to the caller. Without `columns` the column
/// definitions are `null`, as in every event of a watch but the first.
pub fn render(
    kind: &Kind,
    objects: &[Value],
    include: IncludeObject,
    now: Timestamp,
    columns: bool,
) -> Value {
    let (definitions, rows): (Vec<Value>, Vec<Value>) = if let Some(crd) = &kind.crd {
        let rows = objects
            .iter()
            .map(|object| row(object, &custom::cells(crd, object, now), include, false))
            .collect();
        (custom::columns(crd), rows)
    } else {
        let (names, cells) = printer(kind);
        let pods = kind.kind == "Pod";
        let rows = objects
            .iter()
            .map(|object| row(object, &cells(object, now), include, pods))
            .collect();
        (names.iter().map(definition).collect(), rows)
    };
    let definitions = if columns {
        Value::Array(definitions)
    } else {
        Value::Null
    };
    table(&definitions, &rows)
}

/// The Table of an `autoscaling/v1` Scale.
pub fn scale(scale: &Value, include: IncludeObject, now: Timestamp) -> Value {
    const COLUMNS: [Column; 4] = [
        NAME,
        ("Desired", "integer", "", "Number of desired replicas.", 0),
        ("Available", "integer", "", "Number of replicas that exist.", 0),
        AGE,
    ];
    let count = |path| at(scale, path).cloned().unwrap_or_else(|| json!(0));
    let cells = vec![
        name(scale),
        count("spec.replicas"),
        count("status.replicas"),
        age(scale, now),
    ];
    table(
        &Value::Array(COLUMNS.iter().map(definition).collect()),
        &[row(scale, &cells, include, false)],
    )
}

fn table(columns: &Value, rows: &[Value]) -> Value {
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns, "rows": rows})
}

pub(super) fn definition(column: &Column) -> Value {
    let (name, kind, format, description, priority) = column;
    json!({"name": name, "type": kind, "format": format, "description": description, "priority": priority})
}

fn row(object: &Value, cells: &[Value], include: IncludeObject, pod: bool) -> Value {
    let mut out = json!({"cells": cells});
    if pod {
        let phase = text(object, "status.phase");
        if matches!(phase, "Succeeded" | "Failed") {
            out["conditions"] = json!([{"type": "Completed", "status": "True", "reason": phase,
                "message": "The pod has ended."}]);
        }
    }
    match include {
        IncludeObject::None => {}
        IncludeObject::Object => out["object"] = object.clone(),
        IncludeObject::Metadata => {
            out["object"] = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": object.get("metadata").cloned().unwrap_or_else(|| json!({}))});
        }
    }
    out
}

/// Length of a list as a cell.
pub(super) fn count(object: &Value, path: &str) -> Value {
    json!(list(object, path).len())
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "pod_tests.rs"]
mod pod_tests;
