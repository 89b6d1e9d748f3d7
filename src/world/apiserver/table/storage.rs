//! Volumes and what provides them.

use serde_json::{Value, json};

use super::cells::{AGE, NAME, age, at, col, int, list, name, shown, text, truth, wide};
use super::render::{Printer, count};

pub(super) const CLAIM: Printer = (
    &[
        NAME,
        col("Status"),
        col("Volume"),
        col("Capacity"),
        col("Access Modes"),
        col("StorageClass"),
        col("VolumeAttributesClass"),
        AGE,
        wide("VolumeMode"),
    ],
    |o, now| {
        let volume = text(o, "spec.volumeName");
        let (capacity, modes) = if volume.is_empty() {
            (String::new(), String::new())
        } else {
            (
                shown(at(o, "status.capacity").and_then(|c| c.get("storage")), ""),
                access_modes(list(o, "status.accessModes")),
            )
        };
        let status = if at(o, "metadata.deletionTimestamp").is_some() {
            "Terminating"
        } else {
            text(o, "status.phase")
        };
        vec![
            name(o),
            json!(status),
            json!(volume),
            json!(capacity),
            json!(modes),
            json!(text(o, "spec.storageClassName")),
            json!(unset(o, "spec.volumeAttributesClassName")),
            age(o, now),
            json!(unset(o, "spec.volumeMode")),
        ]
    },
);

pub(super) const VOLUME: Printer = (
    &[
        NAME,
        col("Capacity"),
        col("Access Modes"),
        col("Reclaim Policy"),
        col("Status"),
        col("Claim"),
        col("StorageClass"),
        col("VolumeAttributesClass"),
        col("Reason"),
        AGE,
        wide("VolumeMode"),
    ],
    |o, now| {
        let claim = match at(o, "spec.claimRef") {
            Some(claim) => format!("{}/{}", text(claim, "namespace"), text(claim, "name")),
            None => String::new(),
        };
        let status = if at(o, "metadata.deletionTimestamp").is_some() {
            "Terminating"
        } else {
            text(o, "status.phase")
        };
        vec![
            name(o),
            json!(shown(at(o, "spec.capacity").and_then(|c| c.get("storage")), "")),
            json!(access_modes(list(o, "spec.accessModes"))),
            json!(text(o, "spec.persistentVolumeReclaimPolicy")),
            json!(status),
            json!(claim),
            json!(text(o, "spec.storageClassName")),
            json!(unset(o, "spec.volumeAttributesClassName")),
            json!(text(o, "status.reason")),
            age(o, now),
            json!(unset(o, "spec.volumeMode")),
        ]
    },
);

pub(super) const CLASS: Printer = (
    &[
        NAME,
        col("Provisioner"),
        col("ReclaimPolicy"),
        col("VolumeBindingMode"),
        col("AllowVolumeExpansion"),
        AGE,
    ],
    |o, now| {
        let annotation =
            |key: &str| at(o, "metadata.annotations").and_then(|a| a.get(key)) == Some(&json!("true"));
        let mut shown = text(o, "metadata.name").to_owned();
        if annotation("storageclass.kubernetes.io/is-default-class")
            || annotation("storageclass.beta.kubernetes.io/is-default-class")
        {
            shown.push_str(" (default)");
        }
        let or = |path: &str, otherwise: &'static str| match text(o, path) {
            "" => json!(otherwise),
            text => json!(text),
        };
        vec![
            json!(shown),
            json!(text(o, "provisioner")),
            or("reclaimPolicy", "Delete"),
            or("volumeBindingMode", "Immediate"),
            json!(truth(o, "allowVolumeExpansion")),
            age(o, now),
        ]
    },
);

pub(super) const CSI_NODE: Printer = (&[NAME, int("Drivers"), AGE], |o, now| {
    vec![name(o), count(o, "spec.drivers"), age(o, now)]
});

pub(super) const ATTACHMENT: Printer = (
    &[
        NAME,
        col("Attacher"),
        col("PV"),
        col("Node"),
        col("Attached"),
        AGE,
    ],
    |o, now| {
        vec![
            name(o),
            json!(text(o, "spec.attacher")),
            json!(text(o, "spec.source.persistentVolumeName")),
            json!(text(o, "spec.nodeName")),
            json!(truth(o, "status.attached")),
            age(o, now),
        ]
    },
);

fn unset(object: &Value, path: &str) -> String {
    shown(at(object, path), "<unset>")
}

/// `RWO,ROX,RWX,RWOP`.
fn access_modes(modes: &[Value]) -> String {
    let short: Vec<&str> = [
        "ReadWriteOnce",
        "ReadOnlyMany",
        "ReadWriteMany",
        "ReadWriteOncePod",
    ]
    .into_iter()
    .zip(["RWO", "ROX", "RWX", "RWOP"])
    .filter(|(long, _)| modes.iter().any(|m| m.as_str() == Some(long)))
    .map(|(_, short)| short)
    .collect();
    short.join(",")
}
