//! Objects that only buffers and default spread constraints read (`scheduling §18.7`, `§24`).

use std::sync::Arc;

use super::FileError;
use super::items::Item;
use crate::model::{Conditions, Delta};
use crate::observe::{Projector, slim};

/// The rows of one object of such a kind; `None` when it is of another.
pub(super) fn rows(
    item: &Item,
    projector: &mut Projector,
    errors: &mut Vec<FileError>,
) -> Option<Vec<Delta>> {
    Some(match item.kind.as_str() {
        "Deployment" => {
            let Some(object) = item.read::<slim::Deployment>(errors) else {
                return Some(Vec::new());
            };
            let row = Arc::new(projector.workload(&object));
            // Its pods belong to a ReplicaSet, which files need not give.
            vec![Delta::Deployment(row.clone()), Delta::ReplicaSet(row)]
        }
        "ReplicaSet" => item
            .read::<slim::ReplicaSet>(errors)
            .map(|o| Delta::ReplicaSet(Arc::new(projector.workload(&o))))
            .into_iter()
            .collect(),
        "StatefulSet" => item
            .read::<slim::StatefulSet>(errors)
            .map(|o| Delta::StatefulSet(Arc::new(projector.workload(&o))))
            .into_iter()
            .collect(),
        "ReplicationController" => item
            .read::<slim::ReplicationController>(errors)
            .map(|o| Delta::ReplicationController(Arc::new(projector.controller(&o))))
            .into_iter()
            .collect(),
        "Service" => item
            .read::<slim::Service>(errors)
            .map(|o| Delta::Service(Arc::new(projector.service(&o))))
            .into_iter()
            .collect(),
        "PodTemplate" => item
            .read::<slim::PodTemplateObject>(errors)
            .map(|o| Delta::PodTemplate(Arc::new(projector.pod_template(&o))))
            .into_iter()
            .collect(),
        "CapacityBuffer" => {
            let Some(mut object) = item.read::<slim::Buffer>(errors) else {
                return Some(Vec::new());
            };
            super::build::give_uid(&mut object);
            let mut row = projector.buffer(&object);
            // A dump's status is the controllers' business.
            row.conditions = Conditions::new();
            row.status_replicas = None;
            vec![Delta::Buffer(Arc::new(row))]
        }
        _ => return None,
    })
}
