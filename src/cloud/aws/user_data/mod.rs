//! User data of each AMI family (`aws §4`): how a machine learns its cluster, labels, taints and kubelet settings.

mod al2;
mod al2023;
mod bottlerocket;
mod mime;
mod windows;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::family::Family;
use super::settings::Settings;
use crate::api::names;
use crate::model::{CapacityType, Claim, NodeClass, Taint, TaintEffect};

/// Custom text that cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUserData(pub String);

/// What a machine has to know.
#[derive(Clone, Debug)]
pub struct Boot<'a> {
    pub family: Family,
    pub settings: &'a Settings,
    /// `spec.userData`.
    pub custom: Option<&'a str>,
    /// Labels that the kubelet may register itself.
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
    /// The class's kubelet document with `maxPods` and `clusterDNS` in place.
    pub kubelet: Map<String, Value>,
    /// Local disks become one RAID0 volume.
    pub raid0: bool,
    /// Version that the alias names, `latest` or like `v1.45.0`; empty without an alias.
    pub version: String,
}

impl<'a> Boot<'a> {
    pub fn new(
        class: &'a NodeClass,
        claim: &Claim,
        settings: &'a Settings,
        market: CapacityType,
        max_pods: i64,
    ) -> Self {
        let spec = &*class.spec;
        let family = Family::of(spec.family());
        let mut labels: BTreeMap<String, String> = claim
            .labels
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        labels.insert(names::CAPACITY_TYPE.to_owned(), market.as_str().to_owned());
        if family != Family::Custom {
            labels.insert(names::DO_NOT_SYNC_TAINTS.to_owned(), "true".to_owned());
        }
        labels.retain(|key, _| may_register(key));
        let mut taints: Vec<Taint> = claim
            .taints
            .iter()
            .chain(&claim.startup_taints)
            .cloned()
            .collect();
        let unregistered = Taint {
            key: names::UNREGISTERED_TAINT.into(),
            value: "".into(),
            effect: TaintEffect::NoExecute,
        };
        if !taints.iter().any(|t| t.same(&unregistered)) {
            taints.push(unregistered);
        }
        let mut kubelet: Map<String, Value> = spec
            .kubelet
            .iter()
            .flat_map(|k| k.0.iter().map(|(k, v)| (k.clone(), v.clone())))
            .collect();
        kubelet.insert("maxPods".to_owned(), json!(max_pods));
        if !kubelet.contains_key("clusterDNS") && !settings.dns_ip.is_empty() {
            kubelet.insert("clusterDNS".to_owned(), json!([settings.dns_ip]));
        }
        Self {
            family,
            settings,
            custom: spec.user_data.as_deref().filter(|t| !t.trim().is_empty()),
            labels,
            taints,
            kubelet,
            raid0: spec.instance_store_policy.as_deref() == Some("RAID0"),
            version: spec.alias().map_or(String::new(), |(_, v)| v.to_owned()),
        }
    }

    /// `k=v,…` in key order, as `--node-labels` takes them.
    fn label_list(&self) -> String {
        let pairs: Vec<String> = self.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join(",")
    }

    /// `k=v:Effect,…`, as `--register-with-taints` takes them.
    fn taint_list(&self) -> String {
        let taints: Vec<String> = self
            .taints
            .iter()
            .map(|t| format!("{}={}:{}", t.key, t.value, t.effect.as_str()))
            .collect();
        taints.join(",")
    }
}

/// Whether the API server lets a kubelet set the label on its own Node; others are synced at registration.
fn may_register(key: &str) -> bool {
    let domain = names::domain(key);
    !["kubernetes.io", "k8s.io", "node-restriction.kubernetes.io"]
        .iter()
        .any(|of| {
            domain
                .strip_suffix(of)
                .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
        })
}

/// The user data of a machine, plain text.
///
/// # Errors
/// Custom text that cannot be merged with ours.
pub fn render(boot: &Boot<'_>) -> Result<String, BadUserData> {
    match boot.family {
        Family::Al2023 => al2023::render(boot),
        Family::Al2 => Ok(al2::render(boot)),
        Family::Bottlerocket => bottlerocket::render(boot),
        Family::Windows => Ok(windows::render(boot)),
        Family::Custom => Ok(boot.custom.unwrap_or_default().to_owned()),
    }
}

/// Kubelet settings as command line arguments, in the order of `aws §4`.
fn kubelet_arguments(boot: &Boot<'_>) -> String {
    let mut out = vec![
        format!("--node-labels=\"{}\"", boot.label_list()),
        format!("--register-with-taints=\"{}\"", boot.taint_list()),
    ];
    let mut number = |flag: &str, key: &str| {
        if let Some(n) = boot.kubelet.get(key).filter(|v| v.is_number() || v.is_boolean()) {
            out.push(format!("--{flag}={n}"));
        }
    };
    number("max-pods", "maxPods");
    number("pods-per-core", "podsPerCore");
    let mut map = |flag: &str, key: &str, between: char| {
        if let Some(Value::Object(entries)) = boot.kubelet.get(key) {
            // serde_json's map may keep the order of writing: sort.
            let entries: BTreeMap<&String, &Value> = entries.iter().collect();
            let pairs: Vec<String> = entries
                .into_iter()
                .map(|(k, v)| {
                    format!(
                        "{k}{between}{}",
                        v.as_str().map_or_else(|| v.to_string(), str::to_owned)
                    )
                })
                .collect();
            out.push(format!("--{flag}=\"{}\"", pairs.join(",")));
        }
    };
    map("system-reserved", "systemReserved", '=');
    map("kube-reserved", "kubeReserved", '=');
    map("eviction-hard", "evictionHard", '<');
    map("eviction-soft", "evictionSoft", '<');
    map("eviction-soft-grace-period", "evictionSoftGracePeriod", '=');
    let mut number = |flag: &str, key: &str| {
        if let Some(n) = boot.kubelet.get(key).filter(|v| v.is_number() || v.is_boolean()) {
            out.push(format!("--{flag}={n}"));
        }
    };
    number("eviction-max-pod-grace-period", "evictionMaxPodGracePeriod");
    number("image-gc-high-threshold", "imageGCHighThresholdPercent");
    number("image-gc-low-threshold", "imageGCLowThresholdPercent");
    number("cpu-cfs-quota", "cpuCFSQuota");
    out.join(" ")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
