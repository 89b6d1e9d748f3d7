//! What a pod's volumes ask of a node: a bound volume its zone, an unbound claim the zones of its class
//! (`scheduling §11`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::nodes::NodeSlot;
use crate::model::{Labels, Name, Requirement};
use crate::world::apiserver::ApiServer;
use crate::world::cluster::rows::{Key, term_matches, terms_at};

/// The in-tree provisioner and driver of EBS, under its CSI name.
pub const EBS: &str = "ebs.csi.aws.com";

#[derive(Debug, Default)]
pub struct VolumeRules {
    /// A claim that cannot be used yet, in kube-scheduler's words.
    pub blocked: Option<String>,
    /// Per claim: alternatives, each a term; empty = anywhere.
    pub terms: Vec<Vec<Vec<Requirement>>>,
    /// Claims that are bound when the pod is.
    pub unbound: Vec<Key>,
    /// Claims that take an attachment of EBS.
    pub attached: Vec<Key>,
}

impl VolumeRules {
    pub fn read(api: &ApiServer, namespace: &Name, claims: &[Name]) -> Self {
        let mut out = Self::default();
        for claim in claims {
            let Some(stored) = api.get("persistentvolumeclaims", namespace, claim) else {
                out.blocked = Some(format!("persistentvolumeclaim \"{claim}\" not found"));
                return out;
            };
            if stored.deleting {
                out.blocked = Some(format!("persistentvolumeclaim \"{claim}\" is being deleted"));
                return out;
            }
            let key = (namespace.clone(), claim.clone());
            if let Err(why) = out.add(api, key, &stored.value()) {
                out.blocked = Some(why);
                return out;
            }
        }
        out
    }

    fn add(&mut self, api: &ApiServer, key: Key, claim: &Value) -> Result<(), String> {
        if let Some(volume) = claim["spec"]["volumeName"].as_str().filter(|v| !v.is_empty()) {
            let stored = api
                .get("persistentvolumes", "", volume)
                .ok_or_else(|| format!("persistentvolume \"{volume}\" not found"))?;
            let volume = stored.value();
            self.terms.push(terms_at(
                &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"],
                "matchExpressions",
            ));
            if volume["spec"]["csi"]["driver"] == EBS || volume["spec"]["awsElasticBlockStore"].is_object() {
                self.attached.push(key);
            }
            return Ok(());
        }
        let unbound = || "pod has unbound immediate PersistentVolumeClaims".to_owned();
        let name = claim["spec"]["storageClassName"].as_str().ok_or_else(unbound)?;
        let class = api
            .get("storageclasses.storage.k8s.io", "", name)
            .ok_or_else(unbound)?
            .value();
        if class["volumeBindingMode"] != "WaitForFirstConsumer" {
            return Err(unbound());
        }
        self.terms
            .push(terms_at(&class["allowedTopologies"], "matchLabelExpressions"));
        if matches!(class["provisioner"].as_str(), Some(EBS | "kubernetes.io/aws-ebs")) {
            self.attached.push(key.clone());
        }
        self.unbound.push(key);
        Ok(())
    }

    pub fn refusal(&self, node: &NodeSlot, limits: &BTreeMap<Name, usize>) -> Option<&'static str> {
        let labels: &Labels = &node.row.labels;
        let reachable = self
            .terms
            .iter()
            .all(|terms| terms.is_empty() || terms.iter().any(|t| term_matches(t, labels)));
        if !reachable {
            return Some(if self.unbound.is_empty() {
                "node(s) had volume node affinity conflict"
            } else {
                "node(s) didn't find available persistent volumes to bind"
            });
        }
        let limit = limits.get(&node.row.name)?;
        let fresh = self
            .attached
            .iter()
            .filter(|c| !node.claims.contains_key(*c))
            .count();
        (fresh > 0 && node.claims.len() + fresh > *limit).then_some("node(s) exceed max volume count")
    }
}
