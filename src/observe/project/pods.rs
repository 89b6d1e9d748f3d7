//! Pods and DaemonSets.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    Affinity, NodeSelectorRequirement, PodAffinityTerm, Toleration as CoreToleration,
    TopologySpreadConstraint,
};

use super::{Projector, created, deleting, labels, name, opt, requests, selector};
use crate::api::{names, validate};
use crate::model::pod::{AffinityTerm, HostPort, Owner, SpreadConstraint};
use crate::model::snapshot::Daemon;
use crate::model::taints::TolerationOperator;
use crate::model::{Operator, Phase, Pod, PodSpec, Requirement, TaintEffect, Toleration};
use crate::observe::slim;

/// One key/operator/values entry; an operator that Kubernetes does not know matches nothing.
pub(super) fn expression(e: &NodeSelectorRequirement) -> Requirement {
    let values = e.values.iter().flatten().map(String::as_str);
    Operator::parse(&e.operator).map_or_else(
        || Requirement::new::<&str>(&e.key, Operator::DoesNotExist, []),
        |operator| Requirement::new(&e.key, operator, values),
    )
}

pub(super) fn effect(text: &str) -> Option<TaintEffect> {
    match text {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

impl Projector {
    pub fn pod(&mut self, p: &slim::Pod) -> Pod {
        let meta = &p.metadata;
        let condition = |kind: &str| p.status.conditions.iter().find(|c| c.kind == kind);
        let annotation = |key: &str| meta.annotations.as_ref().and_then(|a| a.get(key));
        let spec = pod_spec(&p.spec, &p.status, meta.name.as_deref().unwrap_or_default());
        Pod {
            namespace: namespace(meta.namespace.as_ref()),
            name: name(meta.name.as_ref()),
            uid: name(meta.uid.as_ref()),
            spec: self.share_spec(spec),
            labels: self.share_labels(labels(meta.labels.as_ref())),
            created: created(meta),
            phase: match p.status.phase.as_deref() {
                Some("Running") => Phase::Running,
                Some("Succeeded") => Phase::Succeeded,
                Some("Failed") => Phase::Failed,
                Some("Unknown") => Phase::Unknown,
                _ => Phase::Pending,
            },
            node: opt(p.spec.node_name.as_ref()),
            nominated: opt(p.status.nominated_node_name.as_ref()),
            unschedulable: p
                .status
                .conditions
                .iter()
                .any(|c| c.kind == "PodScheduled" && c.reason.as_deref() == Some("Unschedulable")),
            ready: condition("Ready").is_some_and(|c| c.status == "True"),
            started: p.status.start_time,
            deleting: deleting(meta),
            owners: meta
                .owner_references
                .iter()
                .flatten()
                .map(|o| Owner {
                    kind: o.kind.as_str().into(),
                    name: o.name.as_str().into(),
                    uid: o.uid.as_str().into(),
                    controller: o.controller == Some(true),
                })
                .collect(),
            do_not_disrupt: opt(annotation(names::DO_NOT_DISRUPT)),
            deletion_cost: annotation(names::POD_DELETION_COST).and_then(|c| c.parse().ok()),
        }
    }

    /// The pod of the template, limits copied into missing requests (`scheduling §8.4`).
    pub fn daemon(&mut self, d: &slim::DaemonSet) -> Daemon {
        let spec = pod_spec(
            &d.spec.template.spec,
            &slim::PodStatus::default(),
            d.metadata.name.as_deref().unwrap_or_default(),
        );
        Daemon {
            namespace: namespace(d.metadata.namespace.as_ref()),
            name: name(d.metadata.name.as_ref()),
            uid: name(d.metadata.uid.as_ref()),
            spec: self.share_spec(spec),
        }
    }
}

/// Files may leave the namespace out.
pub(super) fn namespace(text: Option<&String>) -> Arc<str> {
    text.filter(|t| !t.is_empty())
        .map_or_else(|| "default".into(), |t| t.as_str().into())
}

pub(super) fn pod_spec(s: &slim::PodSpec, status: &slim::PodStatus, pod: &str) -> PodSpec {
    let mut out = PodSpec {
        requests: requests::of_pod(s, status),
        node_selector: labels(Some(&s.node_selector)),
        spread: s.topology_spread_constraints.iter().map(spread).collect(),
        tolerations: s.tolerations.iter().map(toleration).collect(),
        host_ports: s
            .containers
            .iter()
            .flat_map(|c| &c.ports)
            .filter_map(host_port)
            .collect(),
        volume_claims: s.volumes.iter().filter_map(|v| claim_of(v, pod)).collect(),
        uses_resource_claims: !s.resource_claims.is_empty()
            || s.resources.as_ref().is_some_and(|r| !r.claims.is_empty())
            || (s.containers.iter().chain(&s.init_containers)).any(|c| !c.resources.claims.is_empty()),
        priority: s.priority.unwrap_or(0),
        priority_class: name(s.priority_class_name.as_ref()),
        grace_seconds: s.termination_grace_period_seconds.unwrap_or(30),
        ..PodSpec::default()
    };
    if let Some(a) = &s.affinity {
        affinity(a, &mut out);
    }
    out
}

fn affinity(a: &Affinity, out: &mut PodSpec) {
    let expressions = |list: &Option<Vec<NodeSelectorRequirement>>| -> Vec<Requirement> {
        list.iter().flatten().map(expression).collect()
    };
    if let Some(node) = &a.node_affinity {
        let terms = node
            .required_during_scheduling_ignored_during_execution
            .iter()
            .flat_map(|s| &s.node_selector_terms);
        for term in terms {
            for e in term.match_expressions.iter().flatten() {
                let values = e.values.as_deref().unwrap_or_default();
                let why = validate::arity(&e.operator, values);
                out.invalid.extend(why.map(|w| format!("{}: {w}", e.key).into()));
            }
            out.has_match_fields |= term.match_fields.is_some();
            out.required_terms.push(expressions(&term.match_expressions));
        }
        for term in node
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten()
        {
            out.preferred_terms
                .push((term.weight, expressions(&term.preference.match_expressions)));
        }
    }
    if let Some(pods) = &a.pod_affinity {
        let required = pods
            .required_during_scheduling_ignored_during_execution
            .iter()
            .flatten();
        let preferred = pods
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten();
        out.affinity = required
            .map(|t| pod_term(t, None))
            .chain(preferred.map(|w| pod_term(&w.pod_affinity_term, Some(w.weight))))
            .collect();
    }
    if let Some(pods) = &a.pod_anti_affinity {
        let required = pods
            .required_during_scheduling_ignored_during_execution
            .iter()
            .flatten();
        let preferred = pods
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten();
        out.anti_affinity = required
            .map(|t| pod_term(t, None))
            .chain(preferred.map(|w| pod_term(&w.pod_affinity_term, Some(w.weight))))
            .collect();
    }
}

fn pod_term(t: &PodAffinityTerm, weight: Option<i32>) -> AffinityTerm {
    AffinityTerm {
        topology_key: t.topology_key.as_str().into(),
        selector: t.label_selector.as_ref().map(selector),
        namespaces: t.namespaces.iter().flatten().map(|n| n.as_str().into()).collect(),
        namespace_selector: t.namespace_selector.as_ref().map(selector),
        weight,
    }
}

pub(crate) fn spread(c: &TopologySpreadConstraint) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: c.topology_key.as_str().into(),
        max_skew: c.max_skew,
        hard: c.when_unsatisfiable != "ScheduleAnyway",
        selector: c.label_selector.as_ref().map(selector),
        min_domains: c.min_domains,
        match_label_keys: c
            .match_label_keys
            .iter()
            .flatten()
            .map(|k| k.as_str().into())
            .collect(),
        honor_affinity: c.node_affinity_policy.as_deref() != Some("Ignore"),
        honor_taints: c.node_taints_policy.as_deref() == Some("Honor"),
    }
}

fn toleration(t: &CoreToleration) -> Toleration {
    Toleration {
        key: name(t.key.as_ref()),
        operator: match t.operator.as_deref() {
            Some("Exists") => TolerationOperator::Exists,
            Some("Lt") => TolerationOperator::Lt,
            Some("Gt") => TolerationOperator::Gt,
            _ => TolerationOperator::Equal,
        },
        value: name(t.value.as_ref()),
        effect: t.effect.as_deref().and_then(effect),
    }
}

fn host_port(p: &slim::Port) -> Option<HostPort> {
    let port = p.host_port.filter(|n| *n != 0)?;
    let ip = p.host_ip.as_deref().filter(|ip| !ip.is_empty());
    Some(HostPort {
        ip: ip.unwrap_or("0.0.0.0").into(),
        port,
        protocol: p.protocol.as_deref().unwrap_or("TCP").into(),
    })
}

/// `scheduling §11.1`.
fn claim_of(v: &slim::PodVolume, pod: &str) -> Option<Arc<str>> {
    if let Some(claim) = &v.persistent_volume_claim {
        return Some(claim.claim_name.as_str().into());
    }
    v.ephemeral.as_ref().map(|_| format!("{pod}-{}", v.name).into())
}
