//! The parts of a pod's JSON that scheduling looks at, as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::selector::{SelectorExpression, SelectorOperator};
use crate::model::taints::TolerationOperator;
use crate::model::{LabelSelector, Labels, Name, Operator, Requirement, TaintEffect, Toleration};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SpecDoc {
    pub node_name: Option<Name>,
    pub node_selector: Option<Labels>,
    pub affinity: Option<AffinityDoc>,
    pub tolerations: Option<Vec<TolerationDoc>>,
    pub topology_spread_constraints: Option<Vec<SpreadDoc>>,
    pub containers: Vec<ContainerDoc>,
    pub init_containers: Option<Vec<ContainerDoc>>,
    pub volumes: Option<Vec<VolumeDoc>>,
    pub overhead: Option<BTreeMap<String, Value>>,
    pub resources: Option<ResourcesDoc>,
    pub priority: Option<i32>,
    pub priority_class_name: Option<Name>,
    pub scheduler_name: Option<Name>,
    pub scheduling_gates: Option<Vec<Value>>,
    pub host_network: Option<bool>,
    pub restart_policy: Option<Name>,
    pub termination_grace_period_seconds: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerDoc {
    pub name: Name,
    pub resources: Option<ResourcesDoc>,
    pub ports: Option<Vec<PortDoc>>,
    pub restart_policy: Option<Name>,
    pub readiness_probe: Option<ProbeDoc>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProbeDoc {
    pub initial_delay_seconds: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResourcesDoc {
    pub requests: Option<BTreeMap<String, Value>>,
    pub limits: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PortDoc {
    pub host_port: Option<u16>,
    #[serde(rename = "hostIP")]
    pub host_ip: Option<Name>,
    pub protocol: Option<Name>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VolumeDoc {
    pub name: Name,
    pub persistent_volume_claim: Option<ClaimDoc>,
    pub ephemeral: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClaimDoc {
    pub claim_name: Name,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TolerationDoc {
    pub key: Option<Name>,
    pub operator: Option<Name>,
    pub value: Option<Name>,
    pub effect: Option<Name>,
    pub toleration_seconds: Option<i64>,
}

impl TolerationDoc {
    pub fn decode(&self) -> Toleration {
        Toleration {
            key: self.key.clone().unwrap_or_else(|| "".into()),
            operator: match self.operator.as_deref() {
                Some("Exists") => TolerationOperator::Exists,
                Some("Lt") => TolerationOperator::Lt,
                Some("Gt") => TolerationOperator::Gt,
                _ => TolerationOperator::Equal,
            },
            value: self.value.clone().unwrap_or_else(|| "".into()),
            effect: self.effect.as_deref().and_then(effect),
        }
    }
}

pub fn effect(text: &str) -> Option<TaintEffect> {
    [
        TaintEffect::NoSchedule,
        TaintEffect::PreferNoSchedule,
        TaintEffect::NoExecute,
    ]
    .into_iter()
    .find(|e| e.as_str() == text)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[allow(clippy::struct_field_names)] // the names are Kubernetes'
pub struct AffinityDoc {
    pub(super) node_affinity: Option<NodeAffinityDoc>,
    pub(super) pod_affinity: Option<PodAffinityDoc>,
    pub(super) pod_anti_affinity: Option<PodAffinityDoc>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NodeAffinityDoc {
    pub(super) required_during_scheduling_ignored_during_execution: Option<NodeSelectorDoc>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NodeSelectorDoc {
    pub(super) node_selector_terms: Vec<NodeTermDoc>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeTermDoc {
    pub(super) match_expressions: Option<Vec<ExpressionDoc>>,
    pub(super) match_fields: Option<Vec<ExpressionDoc>>,
}

impl NodeTermDoc {
    pub fn requirements(&self) -> Vec<Requirement> {
        self.match_expressions
            .iter()
            .flatten()
            .filter_map(ExpressionDoc::requirement)
            .collect()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExpressionDoc {
    pub(super) key: Name,
    pub(super) operator: Name,
    pub(super) values: Option<Vec<Name>>,
}

impl ExpressionDoc {
    pub(super) fn requirement(&self) -> Option<Requirement> {
        let operator = Operator::parse(&self.operator)?;
        Some(Requirement::new(
            &self.key,
            operator,
            self.values.clone().unwrap_or_default(),
        ))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodAffinityDoc {
    pub(super) required_during_scheduling_ignored_during_execution: Option<Vec<TermDoc>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TermDoc {
    pub(super) topology_key: Name,
    pub(super) label_selector: Option<SelectorDoc>,
    pub(super) namespaces: Option<Vec<Name>>,
    pub(super) namespace_selector: Option<SelectorDoc>,
}

impl TermDoc {
    pub(super) fn decode(&self) -> AffinityTerm {
        AffinityTerm {
            topology_key: self.topology_key.clone(),
            selector: self.label_selector.as_ref().map(SelectorDoc::decode),
            namespaces: self.namespaces.clone().unwrap_or_default(),
            namespace_selector: self.namespace_selector.as_ref().map(SelectorDoc::decode),
            weight: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SelectorDoc {
    pub(super) match_labels: Option<Labels>,
    pub(super) match_expressions: Option<Vec<ExpressionDoc>>,
}

impl SelectorDoc {
    pub fn decode(&self) -> LabelSelector {
        LabelSelector {
            match_labels: self.match_labels.clone().unwrap_or_default(),
            expressions: self
                .match_expressions
                .iter()
                .flatten()
                .map(|e| SelectorExpression {
                    key: e.key.clone(),
                    operator: match &*e.operator {
                        "NotIn" => SelectorOperator::NotIn,
                        "Exists" => SelectorOperator::Exists,
                        "DoesNotExist" => SelectorOperator::DoesNotExist,
                        _ => SelectorOperator::In,
                    },
                    values: e.values.clone().unwrap_or_default(),
                })
                .collect(),
        }
    }

    /// The selector at a place of an object; `None` when it is absent.
    pub fn read(value: &Value) -> Option<LabelSelector> {
        Self::deserialize(value).ok().map(|doc| doc.decode())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SpreadDoc {
    pub(super) topology_key: Name,
    pub(super) max_skew: Option<i32>,
    pub(super) when_unsatisfiable: Option<Name>,
    pub(super) label_selector: Option<SelectorDoc>,
    pub(super) min_domains: Option<i32>,
    pub(super) match_label_keys: Option<Vec<Name>>,
    pub(super) node_affinity_policy: Option<Name>,
    pub(super) node_taints_policy: Option<Name>,
}

impl SpreadDoc {
    pub(super) fn decode(&self) -> SpreadConstraint {
        SpreadConstraint {
            topology_key: self.topology_key.clone(),
            max_skew: self.max_skew.unwrap_or(1),
            hard: self.when_unsatisfiable.as_deref() != Some("ScheduleAnyway"),
            selector: self.label_selector.as_ref().map(SelectorDoc::decode),
            min_domains: self.min_domains,
            match_label_keys: self.match_label_keys.clone().unwrap_or_default(),
            honor_affinity: self.node_affinity_policy.as_deref() != Some("Ignore"),
            honor_taints: self.node_taints_policy.as_deref() == Some("Honor"),
        }
    }
}
