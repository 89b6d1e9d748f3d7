//! Kubernetes objects → rows of the snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::requests::{pod_requests, quantities};
use super::slim;
use crate::api::{names, shared};
use crate::model::condition::{Condition, Conditions, Status};
use crate::model::nodepool::{Budget, ConsolidationPolicy, Disruption, Template};
use crate::model::pod::{AffinityTerm, HostPort, Owner, SpreadConstraint};
use crate::model::resources::{BadQuantity, parse_quantity};
use crate::model::selector::{SelectorExpression, SelectorOperator};
use crate::model::snapshot::Daemon;
use crate::model::storage::{Attachment, CsiNode, Namespace, Pdb, StorageClass, Volume, VolumeClaim};
use crate::model::taints::TolerationOperator;
use crate::model::{
    Claim, LabelSelector, Labels, Name, Node, NodeClass, NodePool, Operator, Phase, Pod, PodSpec,
    Requirement, Requirements, Taint, TaintEffect, Toleration,
};

/// Shares equal pod specs and label maps: the pods of one Deployment point to one of each.
#[derive(Debug, Default)]
pub struct Interner {
    specs: std::collections::BTreeSet<Arc<PodSpec>>,
    labels: std::collections::BTreeSet<Arc<Labels>>,
}

/// Above so many entries, what nothing points to any more is let go.
const SWEEP: usize = 4096;

fn share<T: Ord>(set: &mut std::collections::BTreeSet<Arc<T>>, value: T) -> Arc<T> {
    if let Some(known) = set.get(&value) {
        return known.clone();
    }
    if set.len() > SWEEP {
        set.retain(|v| Arc::strong_count(v) > 1);
    }
    let new = Arc::new(value);
    set.insert(new.clone());
    new
}

fn name(meta: &ObjectMeta) -> Name {
    meta.name.as_deref().unwrap_or("").into()
}

fn namespace(meta: &ObjectMeta) -> Name {
    meta.namespace.as_deref().unwrap_or("default").into()
}

fn uid(meta: &ObjectMeta) -> Name {
    // An object from a file has none: its name stands in, so that ties fall the same way everywhere.
    meta.uid.as_deref().map_or_else(
        || format!("{}/{}", namespace(meta), name(meta)).into(),
        Name::from,
    )
}

fn created(meta: &ObjectMeta) -> Timestamp {
    meta.creation_timestamp
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |t| t.0)
}

fn deleting(meta: &ObjectMeta) -> Option<Timestamp> {
    meta.deletion_timestamp.as_ref().map(|t| t.0)
}

fn text(map: &BTreeMap<String, String>) -> Labels {
    map.iter()
        .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
        .collect()
}

fn labels(meta: &ObjectMeta) -> Labels {
    meta.labels.as_ref().map(text).unwrap_or_default()
}

fn annotation(meta: &ObjectMeta, key: &str) -> Option<Name> {
    Some(meta.annotations.as_ref()?.get(key)?.as_str().into())
}

/// Annotations that rules read: ours and Karpenter's.
fn annotations(meta: &ObjectMeta) -> Labels {
    let ours = |key: &str| key.contains("karpenter") || key.starts_with(names::KERF_PREFIX);
    meta.annotations
        .iter()
        .flatten()
        .filter(|(k, _)| ours(k))
        .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
        .collect()
}

fn finalizers(meta: &ObjectMeta) -> Vec<Name> {
    meta.finalizers
        .iter()
        .flatten()
        .map(|f| f.as_str().into())
        .collect()
}

fn names_of(list: &[String]) -> Vec<Name> {
    list.iter().map(|s| s.as_str().into()).collect()
}

/// An operator that does not exist asks for the impossible, so that nothing is placed by accident.
pub fn requirement(e: &slim::Expression) -> Requirement {
    let operator = Operator::parse(&e.operator).unwrap_or(Operator::DoesNotExist);
    let mut out = Requirement::new(&e.key, operator, e.values.iter().map(String::as_str));
    out.min_values = e.min_values;
    out
}

fn terms(selector: &slim::NodeSelector) -> Vec<Vec<Requirement>> {
    selector
        .node_selector_terms
        .iter()
        .map(|t| t.match_expressions.iter().map(requirement).collect())
        .collect()
}

fn selector(s: &slim::LabelSelector) -> LabelSelector {
    let expression = |e: &slim::Expression| SelectorExpression {
        key: e.key.as_str().into(),
        operator: match e.operator.as_str() {
            "NotIn" => SelectorOperator::NotIn,
            "Exists" => SelectorOperator::Exists,
            "DoesNotExist" => SelectorOperator::DoesNotExist,
            _ => SelectorOperator::In,
        },
        values: names_of(&e.values),
    };
    LabelSelector {
        match_labels: text(&s.match_labels),
        expressions: s.match_expressions.iter().map(expression).collect(),
    }
}

fn affinity(term: &slim::AffinityTerm, weight: Option<i32>) -> AffinityTerm {
    AffinityTerm {
        topology_key: term.topology_key.as_str().into(),
        selector: term.label_selector.as_ref().map(selector),
        namespaces: names_of(&term.namespaces),
        namespace_selector: term.namespace_selector.as_ref().map(selector),
        weight,
    }
}

fn affinities(terms: &slim::PodAffinity) -> Vec<AffinityTerm> {
    let required = terms.required.iter().map(|t| affinity(t, None));
    required
        .chain(
            terms
                .preferred
                .iter()
                .map(|t| affinity(&t.pod_affinity_term, Some(t.weight))),
        )
        .collect()
}

fn effect(text: &str) -> Option<TaintEffect> {
    match text {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

fn taints(list: &[slim::Taint]) -> Vec<Taint> {
    list.iter()
        .map(|t| Taint {
            key: t.key.as_str().into(),
            value: t.value.as_str().into(),
            // The API server lets no other effect in.
            effect: effect(&t.effect).unwrap_or(TaintEffect::NoSchedule),
        })
        .collect()
}

fn toleration(t: &slim::Toleration) -> Toleration {
    Toleration {
        key: t.key.as_str().into(),
        operator: match t.operator.as_str() {
            "Exists" => TolerationOperator::Exists,
            "Lt" => TolerationOperator::Lt,
            "Gt" => TolerationOperator::Gt,
            _ => TolerationOperator::Equal,
        },
        value: t.value.as_str().into(),
        effect: effect(&t.effect),
    }
}

fn spread(s: &slim::Spread) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: s.topology_key.as_str().into(),
        max_skew: s.max_skew,
        hard: s.when_unsatisfiable != "ScheduleAnyway",
        selector: s.label_selector.as_ref().map(selector),
        min_domains: s.min_domains,
        match_label_keys: names_of(&s.match_label_keys),
        honor_affinity: s.node_affinity_policy.as_deref() != Some("Ignore"),
        honor_taints: s.node_taints_policy.as_deref() == Some("Honor"),
    }
}

fn host_ports(spec: &slim::PodSpec) -> Vec<HostPort> {
    let port = |p: &slim::Port| {
        let number = p.host_port.filter(|n| *n != 0)?;
        let ip = p
            .host_ip
            .as_deref()
            .filter(|ip| !ip.is_empty())
            .unwrap_or("0.0.0.0");
        Some(HostPort {
            ip: ip.into(),
            port: number,
            protocol: p.protocol.as_deref().unwrap_or("TCP").into(),
        })
    };
    let mut out: Vec<HostPort> = spec
        .containers
        .iter()
        .flat_map(|c| &c.ports)
        .filter_map(port)
        .collect();
    out.sort();
    out.dedup();
    out
}

/// A pod's spec; `pod_name` names its ephemeral claims.
pub fn pod_spec(
    spec: &slim::PodSpec,
    status: Option<&slim::PodStatus>,
    pod_name: &str,
    template: bool,
) -> Result<PodSpec, BadQuantity> {
    let node = &spec.affinity.node_affinity;
    let required = node.required.as_ref();
    let volumes = spec
        .volumes
        .iter()
        .filter_map(|v| match (&v.persistent_volume_claim, &v.ephemeral) {
            (Some(claim), _) => Some(claim.claim_name.as_str().into()),
            (None, Some(_)) => Some(format!("{pod_name}-{}", v.name).into()),
            (None, None) => None,
        });
    let dra = spec
        .containers
        .iter()
        .chain(&spec.init_containers)
        .any(|c| !c.resources.claims.is_empty());
    Ok(PodSpec {
        requests: pod_requests(spec, status, template)?,
        node_selector: text(&spec.node_selector),
        required_terms: required.map(terms).unwrap_or_default(),
        has_match_fields: required
            .is_some_and(|r| r.node_selector_terms.iter().any(|t| !t.match_fields.is_empty())),
        preferred_terms: node
            .preferred
            .iter()
            .map(|p| {
                (
                    p.weight,
                    p.preference.match_expressions.iter().map(requirement).collect(),
                )
            })
            .collect(),
        affinity: affinities(&spec.affinity.pod_affinity),
        anti_affinity: affinities(&spec.affinity.pod_anti_affinity),
        spread: spec.topology_spread_constraints.iter().map(spread).collect(),
        tolerations: spec.tolerations.iter().map(toleration).collect(),
        host_ports: host_ports(spec),
        volume_claims: volumes.collect(),
        uses_resource_claims: dra || !spec.resource_claims.is_empty(),
        priority: spec.priority.unwrap_or(0),
        priority_class: spec.priority_class_name.as_deref().unwrap_or("").into(),
        grace_seconds: spec.termination_grace_period_seconds.unwrap_or(30),
    })
}

fn owners(meta: &ObjectMeta) -> Vec<Owner> {
    meta.owner_references
        .iter()
        .flatten()
        .map(|o| Owner {
            kind: o.kind.as_str().into(),
            name: o.name.as_str().into(),
            uid: o.uid.as_str().into(),
            controller: o.controller.unwrap_or(false),
        })
        .collect()
}

fn status_of(conditions: &[slim::Condition], kind: &str) -> Option<(bool, Option<Timestamp>)> {
    conditions
        .iter()
        .find(|c| c.kind == kind)
        .map(|c| (c.status == "True", c.last_transition_time))
}

pub fn pod(object: &slim::Pod, interner: &mut Interner) -> Result<Pod, BadQuantity> {
    let meta = &object.metadata;
    let spec = pod_spec(&object.spec, Some(&object.status), &name(meta), false)?;
    let some = |text: &Option<String>| text.as_deref().filter(|t| !t.is_empty()).map(Name::from);
    Ok(Pod {
        namespace: namespace(meta),
        name: name(meta),
        uid: uid(meta),
        spec: share(&mut interner.specs, spec),
        labels: share(&mut interner.labels, labels(meta)),
        created: created(meta),
        phase: match object.status.phase.as_deref() {
            Some("Running") => Phase::Running,
            Some("Succeeded") => Phase::Succeeded,
            Some("Failed") => Phase::Failed,
            Some("Unknown") => Phase::Unknown,
            _ => Phase::Pending,
        },
        node: some(&object.spec.node_name),
        nominated: some(&object.status.nominated_node_name),
        unschedulable: object
            .status
            .conditions
            .iter()
            .any(|c| c.kind == "PodScheduled" && c.reason == "Unschedulable"),
        ready: status_of(&object.status.conditions, "Ready").is_some_and(|(ready, _)| ready),
        started: object.status.start_time,
        deleting: deleting(meta),
        owners: owners(meta),
        do_not_disrupt: annotation(meta, names::DO_NOT_DISRUPT),
        deletion_cost: annotation(meta, names::POD_DELETION_COST).and_then(|v| v.parse().ok()),
    })
}

pub fn daemon(object: &slim::DaemonSet) -> Result<Daemon, BadQuantity> {
    let meta = &object.metadata;
    let spec = pod_spec(&object.spec.template.spec, None, &name(meta), true)?;
    Ok(Daemon {
        namespace: namespace(meta),
        name: name(meta),
        uid: uid(meta),
        spec: Arc::new(spec),
    })
}

pub fn node(object: &slim::Node) -> Result<Node, BadQuantity> {
    let meta = &object.metadata;
    let ready = status_of(&object.status.conditions, "Ready");
    Ok(Node {
        name: name(meta),
        uid: uid(meta),
        provider_id: object.spec.provider_id.as_str().into(),
        labels: labels(meta),
        annotations: annotations(meta),
        taints: taints(&object.spec.taints),
        capacity: quantities(&object.status.capacity)?,
        allocatable: quantities(&object.status.allocatable)?,
        ready: ready.is_some_and(|(r, _)| r),
        ready_since: ready.and_then(|(_, since)| since),
        unschedulable: object.spec.unschedulable,
        created: created(meta),
        deleting: deleting(meta),
        finalizers: finalizers(meta),
    })
}

fn conditions(list: &[slim::Condition], born: Timestamp) -> Conditions {
    list.iter()
        .map(|c| {
            let row = Condition {
                status: match c.status.as_str() {
                    "True" => Status::True,
                    "False" => Status::False,
                    _ => Status::Unknown,
                },
                reason: c.reason.as_str().into(),
                message: c.message.as_str().into(),
                since: c.last_transition_time.unwrap_or(born),
                observed_generation: c.observed_generation,
            };
            (c.kind.as_str().into(), row)
        })
        .collect()
}

/// `Never`, absent and unreadable are all "no limit" (`api §2.5`).
fn never_able(text: Option<&str>) -> Option<Duration> {
    shared::go_duration(text?)
}

fn requirements(list: &[slim::Expression]) -> Requirements {
    list.iter().map(requirement).collect()
}

pub fn claim(object: &slim::NodeClaim) -> Result<Claim, BadQuantity> {
    let (meta, spec, status) = (&object.metadata, &object.spec, &object.status);
    Ok(Claim {
        name: name(meta),
        uid: uid(meta),
        generation: meta.generation.unwrap_or(0),
        labels: labels(meta),
        annotations: annotations(meta),
        created: created(meta),
        deleting: deleting(meta),
        finalizers: finalizers(meta),
        class: spec.node_class_ref.clone(),
        requirements: requirements(&spec.requirements),
        requests: quantities(&spec.resources.requests)?,
        taints: taints(&spec.taints),
        startup_taints: taints(&spec.startup_taints),
        expire_after: never_able(spec.expire_after.as_deref()),
        termination_grace: never_able(spec.termination_grace_period.as_deref()),
        provider_id: status.provider_id.as_str().into(),
        node_name: status.node_name.as_str().into(),
        image_id: status.image_id.as_str().into(),
        capacity: quantities(&status.capacity)?,
        allocatable: quantities(&status.allocatable)?,
        last_pod_event: status.last_pod_event_time,
        conditions: conditions(&status.conditions, created(meta)),
    })
}

pub fn pool(object: &slim::NodePool) -> Result<NodePool, BadQuantity> {
    let (meta, spec) = (&object.metadata, &object.spec);
    let claim = &spec.template.spec;
    let template = Template {
        labels: text(&spec.template.metadata.labels),
        annotations: text(&spec.template.metadata.annotations),
        requirements: requirements(&claim.requirements),
        taints: taints(&claim.taints),
        startup_taints: taints(&claim.startup_taints),
        class: claim.node_class_ref.clone(),
        expire_after: never_able(Some(claim.expire_after.as_deref().unwrap_or("720h"))),
        termination_grace: never_able(claim.termination_grace_period.as_deref()),
    };
    let mut limits = BTreeMap::new();
    for (key, quantity) in &spec.limits {
        limits.insert(Name::from(key.as_str()), parse_quantity(key, &quantity.text())?);
    }
    Ok(NodePool {
        name: name(meta),
        uid: uid(meta),
        generation: meta.generation.unwrap_or(0),
        created: created(meta),
        deleting: deleting(meta),
        annotations: annotations(meta),
        weight: spec.weight.unwrap_or(0),
        replicas: spec.replicas,
        limits,
        hash: crate::api::hash::nodepool(&template).as_str().into(),
        template,
        disruption: disruption(&spec.disruption),
        conditions: conditions(&object.status.conditions, created(meta)),
        status_nodes: object.status.nodes,
        status_resources: quantities(&object.status.resources)?,
        invalid: Vec::new(),
    })
}

fn disruption(d: &slim::Disruption) -> Disruption {
    let budget = |b: &slim::Budget| Budget {
        nodes: b.nodes.as_deref().unwrap_or("10%").into(),
        reasons: b.reasons.as_ref().map(|r| names_of(r)),
        schedule: b.schedule.as_deref().map(Name::from),
        duration: b.duration.as_deref().and_then(shared::go_duration),
    };
    Disruption {
        policy: match d.consolidation_policy.as_deref() {
            Some("WhenEmpty") => ConsolidationPolicy::WhenEmpty,
            Some("Balanced") => ConsolidationPolicy::Balanced,
            _ => ConsolidationPolicy::WhenEmptyOrUnderutilized,
        },
        consolidate_after: never_able(Some(d.consolidate_after.as_deref().unwrap_or("0s"))),
        budgets: match &d.budgets {
            Some(list) => list.iter().map(budget).collect(),
            None => vec![budget(&slim::Budget::default())],
        },
    }
}

pub fn class(object: &slim::NodeClass) -> NodeClass {
    let meta = &object.metadata;
    NodeClass {
        name: name(meta),
        uid: uid(meta),
        generation: meta.generation.unwrap_or(0),
        created: created(meta),
        deleting: deleting(meta),
        finalizers: finalizers(meta),
        hash: crate::api::hash::node_class(&object.spec).as_str().into(),
        spec: Arc::new(object.spec.clone()),
        conditions: conditions(&object.status.conditions, created(meta)),
        resolved: None,
    }
}

pub fn pdb(object: &slim::Pdb) -> Pdb {
    let meta = &object.metadata;
    let amount = |q: &Option<slim::Quantity>| q.as_ref().map(|q| q.text().as_str().into());
    Pdb {
        namespace: namespace(meta),
        name: name(meta),
        selector: object.spec.selector.as_ref().map(selector),
        min_available: amount(&object.spec.min_available),
        max_unavailable: amount(&object.spec.max_unavailable),
        always_allow_unhealthy: object.spec.unhealthy_pod_eviction_policy.as_deref() == Some("AlwaysAllow"),
        disruptions_allowed: object.status.disruptions_allowed,
    }
}

pub fn namespace_row(object: &slim::Namespace) -> Namespace {
    Namespace {
        name: name(&object.metadata),
        labels: labels(&object.metadata),
    }
}

pub fn volume_claim(object: &slim::VolumeClaim) -> VolumeClaim {
    let meta = &object.metadata;
    VolumeClaim {
        namespace: namespace(meta),
        name: name(meta),
        volume: object.spec.volume_name.as_str().into(),
        storage_class: object.spec.storage_class_name.as_deref().map(Name::from),
        phase: object.status.phase.as_str().into(),
        deleting: meta.deletion_timestamp.is_some(),
        bind_completed: annotation(meta, "pv.kubernetes.io/bind-completed").is_some(),
    }
}

pub fn volume(object: &slim::Volume) -> Volume {
    let spec = &object.spec;
    Volume {
        name: name(&object.metadata),
        terms: spec
            .node_affinity
            .as_ref()
            .and_then(|a| a.required.as_ref())
            .map(terms)
            .unwrap_or_default(),
        local: spec.local.is_some() || spec.host_path.is_some(),
        driver: match (&spec.csi, &spec.aws_elastic_block_store) {
            (Some(csi), _) => Some(csi.driver.as_str().into()),
            (None, Some(_)) => Some("ebs.csi.aws.com".into()),
            (None, None) => None,
        },
        deleting: object.metadata.deletion_timestamp.is_some(),
    }
}

pub fn storage_class(object: &slim::StorageClass) -> StorageClass {
    // A term's expressions carry values and no operator: they mean In.
    let term = |t: &slim::TopologyTerm| {
        t.match_label_expressions
            .iter()
            .map(|e| Requirement::is_in(&e.key, e.values.iter().map(String::as_str)))
            .collect()
    };
    StorageClass {
        name: name(&object.metadata),
        provisioner: object.provisioner.as_str().into(),
        waits: object.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"),
        topologies: object.allowed_topologies.iter().map(term).collect(),
    }
}

pub fn csi_node(object: &slim::CsiNode) -> CsiNode {
    let limit = |d: &slim::CsiDriver| Some((d.name.as_str().into(), d.allocatable.as_ref()?.count?));
    CsiNode {
        name: name(&object.metadata),
        limits: object.spec.drivers.iter().filter_map(limit).collect(),
    }
}

pub fn attachment(object: &slim::Attachment) -> Attachment {
    Attachment {
        name: name(&object.metadata),
        node: object.spec.node_name.as_str().into(),
        volume: object
            .spec
            .source
            .persistent_volume_name
            .as_deref()
            .map(Name::from),
    }
}
