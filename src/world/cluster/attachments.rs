//! The attach-detach controller: a `VolumeAttachment` for every volume of a pod on a node, gone a little after the pod.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::index::Place;
use super::rows::PodRow;
use super::run::{Cluster, Work};
use crate::world::apiserver::Propagation;

const KIND: &str = "volumeattachments.storage.k8s.io";
/// From the end of the last pod to the detached volume.
const DETACH: Duration = Duration::from_secs(3);

impl Cluster {
    /// Marks the nodes whose volumes a changed pod concerns.
    pub(super) fn mark_attachments(&mut self, old: Option<&PodRow>, new: Option<&PodRow>) {
        let node = |row: Option<&PodRow>| {
            let row = row.filter(|r| !r.spec.volume_claims.is_empty())?;
            row.occupies().cloned()
        };
        let (before, now) = (node(old), node(new));
        if before == now {
            return;
        }
        if let Some(node) = before {
            self.mark_after(Work::Attachments(node), DETACH);
        }
        if let Some(node) = now {
            self.mark(Work::Attachments(node));
        }
    }

    pub(super) fn sync_attachments(&mut self, node: &str) {
        // Volume name to driver.
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        for row in self.index.pods_on(node).filter(|r| r.occupies().is_some()) {
            for claim in &row.spec.volume_claims {
                let Some(claim) = self.api.get("persistentvolumeclaims", &row.key.0, claim) else {
                    continue;
                };
                let value = claim.value();
                let Some(name) = value["spec"]["volumeName"].as_str() else {
                    continue;
                };
                let Some(volume) = self.api.get("persistentvolumes", "", name) else {
                    continue;
                };
                if let Some(driver) = volume.value()["spec"]["csi"]["driver"].as_str() {
                    wanted.insert(name.to_owned(), driver.to_owned());
                }
            }
        }
        for stored in self.api.list(KIND) {
            let value = stored.value();
            if value["spec"]["nodeName"] != *node {
                continue;
            }
            let volume = value["spec"]["source"]["persistentVolumeName"]
                .as_str()
                .unwrap_or("");
            if wanted.remove(volume).is_none() {
                let place = Place {
                    kind: KIND.into(),
                    key: ("".into(), stored.name.clone()),
                };
                self.remove(&place, &stored, Propagation::Background);
            }
        }
        if !self.index.nodes.contains_key(node) {
            return;
        }
        for (volume, driver) in wanted {
            let digest = Sha256::digest(format!("{volume}/{driver}/{node}").as_bytes());
            let bytes = digest.iter().take(16);
            let hash = bytes.fold(0_u128, |all, byte| (all << 8) | u128::from(*byte));
            let object = json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment",
                "metadata": {"name": format!("csi-{hash:032x}")},
                "spec": {"attacher": driver, "nodeName": node, "source": {"persistentVolumeName": volume}},
                "status": {"attached": true},
            });
            self.make(KIND, "", object);
        }
    }
}
