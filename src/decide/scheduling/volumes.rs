//! Volumes: which claims make a pod ignored, where they allow it to run, and how many a node can attach
//! (`scheduling §11`).

use std::collections::{BTreeMap, BTreeSet};

use crate::api::names;
use crate::model::decision::Refusal;
use crate::model::pod::pod_key;
use crate::model::storage::VolumeClaim;
use crate::model::{Name, Pod, Requirement, Requirements, Snapshot};

fn ignored(message: String) -> Refusal {
    Refusal::Ignored {
        cause: "volume".into(),
        message,
    }
}

/// `scheduling §11.3`: why a pod's claims keep it from being considered.
pub fn validate(snapshot: &Snapshot, pod: &Pod) -> Result<(), Refusal> {
    for name in &pod.spec.volume_claims {
        let key = pod_key(&pod.namespace, name);
        let Some(claim) = snapshot.volume_claims.get(&key) else {
            return Err(ignored(format!("PersistentVolumeClaim {key} is not there")));
        };
        if claim.deleting {
            return Err(ignored(format!("PersistentVolumeClaim {key} is being deleted")));
        }
        if &*claim.phase == "Lost" {
            return Err(ignored(format!(
                "PersistentVolumeClaim {key} has lost its volume"
            )));
        }
        if claim.volume.is_empty() {
            unbound(snapshot, claim, &key)?;
        } else {
            let Some(volume) = snapshot.volumes.get(&claim.volume) else {
                return Err(ignored(format!(
                    "PersistentVolume {} of {key} is not there",
                    claim.volume
                )));
            };
            if volume.deleting {
                return Err(ignored(format!(
                    "PersistentVolume {} of {key} is being deleted",
                    claim.volume
                )));
            }
            if !claim.bind_completed {
                return Err(ignored(format!(
                    "PersistentVolumeClaim {key} is still being bound"
                )));
            }
        }
    }
    Ok(())
}

fn unbound(snapshot: &Snapshot, claim: &VolumeClaim, key: &str) -> Result<(), Refusal> {
    let Some(class) = claim.storage_class.as_ref().filter(|c| !c.is_empty()) else {
        return Err(ignored(format!(
            "PersistentVolumeClaim {key} is unbound and names no StorageClass"
        )));
    };
    match snapshot.storage_classes.get(class) {
        None => Err(ignored(format!("StorageClass {class} of {key} is not there"))),
        Some(found) if !found.waits => Err(ignored(format!(
            "PersistentVolumeClaim {key} is unbound and StorageClass {class} binds immediately"
        ))),
        Some(_) => Ok(()),
    }
}

/// Whether everything that a pod's volumes name is there; `Err` with the first that is not.
pub fn lookup(snapshot: &Snapshot, pod: &Pod) -> Result<(), Refusal> {
    for name in &pod.spec.volume_claims {
        let key = pod_key(&pod.namespace, name);
        let Some(claim) = snapshot.volume_claims.get(&key) else {
            return Err(ignored(format!("PersistentVolumeClaim {key} is not there")));
        };
        if !claim.volume.is_empty() {
            if !snapshot.volumes.contains_key(&claim.volume) {
                return Err(ignored(format!(
                    "PersistentVolume {} of {key} is not there",
                    claim.volume
                )));
            }
        } else if let Some(class) = claim.storage_class.as_ref().filter(|c| !c.is_empty())
            && !snapshot.storage_classes.contains_key(class)
        {
            return Err(ignored(format!("StorageClass {class} of {key} is not there")));
        }
    }
    Ok(())
}

/// `scheduling §11.2`: the sets of requirements, one of which the node must meet; empty = anywhere.
pub fn alternatives(snapshot: &Snapshot, pod: &Pod) -> Vec<Requirements> {
    let mut out: Vec<Requirements> = Vec::new();
    for name in &pod.spec.volume_claims {
        let Some(claim) = snapshot.volume_claims.get(&pod_key(&pod.namespace, name)) else {
            continue;
        };
        let of_volume = of_claim(snapshot, claim);
        if of_volume.is_empty() {
            continue;
        }
        if out.is_empty() {
            out = of_volume;
            continue;
        }
        let mut product = Vec::new();
        let mut matching = Vec::new();
        for a in &out {
            for b in &of_volume {
                let mut both = a.clone();
                both.add_all(b);
                if a.intersects(b).is_ok() {
                    matching.push(both.clone());
                }
                product.push(both);
            }
        }
        out = if matching.is_empty() { product } else { matching };
    }
    out
}

fn of_claim(snapshot: &Snapshot, claim: &VolumeClaim) -> Vec<Requirements> {
    if claim.volume.is_empty() {
        let class = claim
            .storage_class
            .as_ref()
            .and_then(|c| snapshot.storage_classes.get(c));
        return class.map_or_else(Vec::new, |c| {
            c.topologies.iter().map(|t| t.iter().cloned().collect()).collect()
        });
    }
    let Some(volume) = snapshot.volumes.get(&claim.volume) else {
        return Vec::new();
    };
    volume
        .terms
        .iter()
        .filter(|term| !term.is_empty())
        .map(|term| {
            term.iter()
                .filter(|r: &&Requirement| !(volume.local && &*r.key == names::HOSTNAME))
                .cloned()
                .collect()
        })
        .collect()
}

/// Driver → distinct claims (`namespace/name`) that a set of pods mounts.
pub type Mounted = BTreeMap<Name, BTreeSet<Name>>;

/// Adds what a pod mounts.
pub fn mount(snapshot: &Snapshot, pod: &Pod, into: &mut Mounted) {
    for name in &pod.spec.volume_claims {
        let key = pod_key(&pod.namespace, name);
        let Some(claim) = snapshot.volume_claims.get(&key) else {
            continue;
        };
        if let Some(driver) = driver(snapshot, claim) {
            into.entry(driver).or_default().insert(key);
        }
    }
}

fn driver(snapshot: &Snapshot, claim: &VolumeClaim) -> Option<Name> {
    if !claim.volume.is_empty() {
        return snapshot.volumes.get(&claim.volume)?.driver.clone();
    }
    let class = snapshot.storage_classes.get(claim.storage_class.as_ref()?)?;
    Some(match &*class.provisioner {
        "kubernetes.io/aws-ebs" => "ebs.csi.aws.com".into(),
        "kubernetes.io/gce-pd" => "pd.csi.storage.gke.io".into(),
        "kubernetes.io/azure-disk" => "disk.csi.azure.com".into(),
        "kubernetes.io/azure-file" => "file.csi.azure.com".into(),
        "kubernetes.io/cinder" => "cinder.csi.openstack.org".into(),
        "kubernetes.io/vsphere-volume" => "csi.vsphere.vmware.com".into(),
        "kubernetes.io/portworx-volume" => "pxd.portworx.com".into(),
        _ => class.provisioner.clone(),
    })
}

/// The first driver whose attach limit on a node a further pod would exceed: (driver, count, limit).
pub fn over_limit(
    snapshot: &Snapshot,
    node: &str,
    mounted: &Mounted,
    more: &Mounted,
) -> Option<(Name, u32, u32)> {
    let limits = &snapshot.csi_nodes.get(node)?.limits;
    more.iter().find_map(|(driver, claims)| {
        let limit = *limits.get(driver)?;
        let count = mounted
            .get(driver)
            .map_or(claims.len(), |have| have.union(claims).count());
        let over = i64::try_from(count).unwrap_or(i64::MAX) > limit;
        over.then(|| {
            (
                driver.clone(),
                u32::try_from(count).unwrap_or(u32::MAX),
                u32::try_from(limit).unwrap_or(0),
            )
        })
    })
}
