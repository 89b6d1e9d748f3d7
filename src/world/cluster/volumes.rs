//! The volume binder and provisioner: claims of waiting classes are bound with their pod, the others at once.

use serde_json::{Value, json};

use super::conditions::object_at;
use super::rows::{Key, text};
use super::run::Cluster;
use crate::api::names;
use crate::world::random;

impl Cluster {
    /// Binds a claim whose class does not wait for a pod, in a zone drawn for it; and gives a bound volume back when
    /// its claim is deleted (finalizers are nobody's here, so there is nothing to wait for).
    pub(super) fn sync_claim(&mut self, key: &Key) {
        let Some((_, claim)) = self.read("persistentvolumeclaims", key) else {
            return;
        };
        if claim["status"]["phase"].as_str().is_none() {
            self.change("persistentvolumeclaims", key, |object| {
                object_at(object, &["status"]).insert("phase".into(), json!("Pending"));
            });
        }
        if is_bound(&claim) {
            return;
        }
        let Some(class) = self.class_of(&claim) else {
            return;
        };
        if class["volumeBindingMode"] == "WaitForFirstConsumer" {
            return;
        }
        let zones = &self.config.zones;
        let pick = random::draw(self.config.seed, "volume-zone", &text(key)) % (zones.len().max(1) as u64);
        let zone = usize::try_from(pick).ok().and_then(|i| zones.get(i)).cloned();
        self.provision(key, zone.as_deref().unwrap_or(""), None);
    }

    fn class_of(&self, claim: &Value) -> Option<Value> {
        let name = claim["spec"]["storageClassName"].as_str()?;
        Some(self.api.get("storageclasses.storage.k8s.io", "", name)?.value())
    }

    /// Makes a volume in `zone` and binds the claim to it.
    pub(super) fn provision(&mut self, key: &Key, zone: &str, node: Option<&str>) {
        let Some((stored, claim)) = self.read("persistentvolumeclaims", key) else {
            return;
        };
        if is_bound(&claim) {
            return;
        }
        let class = self.class_of(&claim).unwrap_or(Value::Null);
        let name = format!("pvc-{}", stored.uid);
        let spec = &claim["spec"];
        let id = random::draw(self.config.seed, "volume", &stored.uid);
        let capacity = spec["resources"]["requests"].clone();
        let mut volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": class["provisioner"]}},
            "spec": {
                "capacity": capacity, "accessModes": spec["accessModes"],
                "storageClassName": spec["storageClassName"],
                "persistentVolumeReclaimPolicy": class["reclaimPolicy"].as_str().unwrap_or("Delete"),
                "volumeMode": "Filesystem",
                "csi": {"driver": class["provisioner"], "volumeHandle": format!("vol-0{id:016x}")},
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": &*key.0,
                    "name": &*key.1, "uid": &*stored.uid},
            },
            "status": {"phase": "Bound"},
        });
        if !zone.is_empty() {
            object_at(&mut volume, &["spec"]).insert(
                "nodeAffinity".into(),
                json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": names::ZONE, "operator": "In", "values": [zone]}]}]}}),
            );
        }
        if !self.make("persistentvolumes", "", volume) {
            return;
        }
        self.change("persistentvolumeclaims", key, |object| {
            object_at(object, &["spec"]).insert("volumeName".into(), json!(name));
            let notes = object_at(object, &["metadata", "annotations"]);
            notes.insert("pv.kubernetes.io/bind-completed".into(), json!("yes"));
            notes.insert("pv.kubernetes.io/bound-by-controller".into(), json!("yes"));
            if let Some(node) = node {
                notes.insert("volume.kubernetes.io/selected-node".into(), json!(node));
            }
            let modes = object["spec"]["accessModes"].clone();
            let status = object_at(object, &["status"]);
            status.insert("phase".into(), json!("Bound"));
            status.insert("capacity".into(), capacity.clone());
            status.insert("accessModes".into(), modes);
        });
        self.drain();
    }

    /// A volume whose claim is gone goes too, unless it shall be kept.
    pub(super) fn reclaim(&mut self, claim: &Key, uid: &str) {
        let name = format!("pvc-{uid}");
        let Some(stored) = self.api.get("persistentvolumes", "", &name) else {
            return;
        };
        if stored.value()["spec"]["persistentVolumeReclaimPolicy"] == "Retain" {
            self.change(
                "persistentvolumes",
                &("".into(), name.as_str().into()),
                |object| {
                    object_at(object, &["status"]).insert("phase".into(), json!("Released"));
                },
            );
            return;
        }
        let options = crate::world::apiserver::DeleteOptions::default();
        if let Err(error) = self.api.delete("persistentvolumes", "", &name, &options) {
            tracing::debug!(claim = text(claim), %error.message, "volume not deleted");
        }
    }
}

fn is_bound(claim: &Value) -> bool {
    claim["spec"]["volumeName"]
        .as_str()
        .is_some_and(|v| !v.is_empty())
}
