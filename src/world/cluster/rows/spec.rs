//! Pod specs decoded into [`PodSpec`], and shared between equal pods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::model::pod::HostPort;
use crate::model::{Labels, Name, Operator, PodSpec, Requirement, Resources};

use super::doc::{NodeTermDoc, PodAffinityDoc, ResourcesDoc, SpecDoc, SpreadDoc, TermDoc, TolerationDoc};

/// One allocation for all pods with the same spec.
#[derive(Debug, Default)]
pub struct Interner(BTreeSet<Arc<PodSpec>>);

impl Interner {
    pub fn share(&mut self, spec: PodSpec) -> Arc<PodSpec> {
        if let Some(known) = self.0.get(&spec) {
            return known.clone();
        }
        // Specs that no pod uses any more go before the set grows for ever.
        if self.0.len() >= 4096 {
            self.0.retain(|s| Arc::strong_count(s) > 1);
        }
        let spec = Arc::new(spec);
        self.0.insert(spec.clone());
        spec
    }
}

impl SpecDoc {
    /// The node that `matchFields` pins the pod to, as the `DaemonSet` controller does.
    pub fn pinned(&self) -> Option<Name> {
        self.node_terms()
            .flat_map(|t| t.match_fields.iter().flatten())
            .find(|f| &*f.key == "metadata.name" && &*f.operator == "In")
            .and_then(|f| f.values.as_ref()?.first().cloned())
    }

    fn node_terms(&self) -> impl Iterator<Item = &NodeTermDoc> {
        self.affinity
            .iter()
            .filter_map(|a| a.node_affinity.as_ref())
            .filter_map(|a| a.required_during_scheduling_ignored_during_execution.as_ref())
            .flat_map(|s| &s.node_selector_terms)
    }

    /// What a scheduler looks at. `pod` names the pod, for claims of ephemeral volumes.
    pub fn decode(&self, pod: &str) -> PodSpec {
        let affinity = self.affinity.as_ref();
        let terms = |doc: Option<&PodAffinityDoc>| {
            doc.and_then(|d| d.required_during_scheduling_ignored_during_execution.as_ref())
                .map(|terms| terms.iter().map(TermDoc::decode).collect())
                .unwrap_or_default()
        };
        PodSpec {
            requests: self.requests(),
            node_selector: self.node_selector.clone().unwrap_or_default(),
            required_terms: self
                .node_terms()
                .map(NodeTermDoc::requirements)
                .filter(|t| !t.is_empty())
                .collect(),
            invalid: Vec::new(),
            has_match_fields: self.node_terms().any(|t| t.match_fields.is_some()),
            preferred_terms: Vec::new(),
            affinity: terms(affinity.and_then(|a| a.pod_affinity.as_ref())),
            anti_affinity: terms(affinity.and_then(|a| a.pod_anti_affinity.as_ref())),
            spread: self
                .topology_spread_constraints
                .iter()
                .flatten()
                .map(SpreadDoc::decode)
                .filter(|s| s.hard)
                .collect(),
            tolerations: self
                .tolerations
                .iter()
                .flatten()
                .map(TolerationDoc::decode)
                .collect(),
            host_ports: self.host_ports(),
            volume_claims: self
                .volumes
                .iter()
                .flatten()
                .filter_map(|v| match (&v.persistent_volume_claim, &v.ephemeral) {
                    (Some(claim), _) => Some(claim.claim_name.clone()),
                    (None, Some(_)) => Some(format!("{pod}-{}", v.name).into()),
                    (None, None) => None,
                })
                .collect(),
            uses_resource_claims: false,
            priority: self.priority.unwrap_or(0),
            priority_class: self.priority_class_name.clone().unwrap_or_else(|| "".into()),
            grace_seconds: self.termination_grace_period_seconds.unwrap_or(30),
        }
    }

    fn host_ports(&self) -> Vec<HostPort> {
        self.containers
            .iter()
            .flat_map(|c| c.ports.iter().flatten())
            .filter_map(|p| {
                Some(HostPort {
                    ip: p
                        .host_ip
                        .clone()
                        .filter(|ip| !ip.is_empty())
                        .unwrap_or_else(|| "0.0.0.0".into()),
                    port: p.host_port.filter(|port| *port != 0)?,
                    protocol: p.protocol.clone().unwrap_or_else(|| "TCP".into()),
                })
            })
            .collect()
    }

    /// `scheduling §8.1`, without in-place resizing (the simulated kubelets offer none).
    fn requests(&self) -> Resources {
        let mut running = Resources::default();
        let mut sidecars = Resources::default();
        let mut peak = Resources::default();
        for container in self.init_containers.iter().flatten() {
            let mut mine = wanted(container.resources.as_ref());
            if container.restart_policy.as_deref() == Some("Always") {
                sidecars.add(&mine);
                Resources::max(&mut peak, &sidecars);
            } else {
                mine.add(&sidecars);
                Resources::max(&mut peak, &mine);
            }
        }
        for container in &self.containers {
            running.add(&wanted(container.resources.as_ref()));
        }
        running.add(&sidecars);
        Resources::max(&mut running, &peak);
        if let Some(pod_level) = &self.resources {
            for (key, value) in wanted(Some(pod_level)).iter() {
                running.set(key, value);
            }
        }
        running.add(&amounts(self.overhead.as_ref()));
        running.pods = 1;
        running
    }
}

/// Requests with limits filled in where a request is missing, as API defaulting does.
fn wanted(doc: Option<&ResourcesDoc>) -> Resources {
    let mut out = amounts(doc.and_then(|d| d.limits.as_ref()));
    for (key, value) in amounts(doc.and_then(|d| d.requests.as_ref())).iter() {
        out.set(key, value);
    }
    out
}

/// Quantities written as text or number; what cannot be read counts as absent.
pub fn amounts(map: Option<&BTreeMap<String, Value>>) -> Resources {
    let mut out = Resources::default();
    for (key, value) in map.into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if out.set_quantity(key, &text).is_err() {
            tracing::debug!(key, text, "unreadable quantity");
        }
    }
    out
}

/// Whether every expression of a node selector term holds for these labels.
pub fn term_matches(term: &[Requirement], labels: &Labels) -> bool {
    term.iter().all(|r| {
        labels
            .get(&r.key)
            .map_or_else(|| r.allows_absence(), |v| r.has(v))
    })
}

/// Node selector and required node affinity.
pub fn node_matches(spec: &PodSpec, labels: &Labels) -> bool {
    spec.node_selector.iter().all(|(k, v)| labels.get(k) == Some(v))
        && (spec.required_terms.is_empty() || spec.required_terms.iter().any(|t| term_matches(t, labels)))
}

/// Node selector terms of a volume (`matchExpressions`) or of a storage class (`matchLabelExpressions`, whose
/// operator is always In). Terms that ask nothing are left out.
pub fn terms_at(list: &Value, field: &str) -> Vec<Vec<Requirement>> {
    let terms = list.as_array().into_iter().flatten();
    terms
        .map(|term| {
            let expressions = term[field].as_array().into_iter().flatten();
            expressions
                .filter_map(|e| {
                    let operator = Operator::parse(e["operator"].as_str().unwrap_or("In"))?;
                    let values = e["values"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str);
                    Some(Requirement::new(
                        e["key"].as_str()?,
                        operator,
                        values.map(Name::from),
                    ))
                })
                .collect::<Vec<_>>()
        })
        .filter(|term| !term.is_empty())
        .collect()
}

/// The spec of a pod template.
pub fn daemon_spec(template: &Value) -> PodSpec {
    SpecDoc::deserialize(&template["spec"])
        .unwrap_or_default()
        .decode("")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_count_sidecars_and_the_init_peak() {
        let spec = daemon_spec(&json!({"spec": {
            "initContainers": [
                {"name": "sidecar", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
                {"name": "init", "resources": {"requests": {"cpu": "2"}}},
            ],
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}}}],
            "overhead": {"cpu": "10m"},
        }}));
        assert_eq!(spec.requests.cpu, 2110);
        assert_eq!(spec.requests.memory, 1 << 30);
        assert_eq!(spec.requests.pods, 1);
    }

    #[test]
    fn node_terms_are_alternatives() {
        let spec = daemon_spec(&json!({"spec": {
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]},
                {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]},
            ]}}},
        }}));
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
        };
        assert!(node_matches(
            &spec,
            &labels(&[("kubernetes.io/os", "linux"), ("zone", "a")])
        ));
        assert!(node_matches(
            &spec,
            &labels(&[("kubernetes.io/os", "linux"), ("gpu", "")])
        ));
        assert!(!node_matches(
            &spec,
            &labels(&[("kubernetes.io/os", "linux"), ("zone", "b")])
        ));
        assert!(!node_matches(&spec, &labels(&[("zone", "a")])));
    }
}
