//! Nodes, NodeClaims, NodePools and EC2NodeClasses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::requests::amounts;
use super::{Projector, conditions, created, deleting, finalizers, generation, labels, name};
use crate::api::{hash, names, nodepool, shared, validate, validate_overlay};
use crate::model::nodepool::{Budget, ClassRef, ConsolidationPolicy, Disruption, Template};
use crate::model::overlay::PriceChange;
use crate::model::resources::parse_quantity;
use crate::model::{
    Ailment, Claim, Labels, Name, Node, NodeClass, NodePool, Operator, Overlay, Requirement, Requirements,
    Status, Taint,
};
use crate::observe::slim;

const DEFAULT_EXPIRY: Duration = Duration::from_secs(720 * 3600);

/// Annotations that some rule reads.
fn read_by_rules(key: &str) -> bool {
    let domain = names::domain(key);
    domain.ends_with(names::GROUP) || domain.ends_with(names::AWS_GROUP) || domain == "kerf.dev"
}

fn requirements(list: &[shared::Requirement]) -> Requirements {
    list.iter()
        .map(|r| {
            let operator = Operator::parse(&r.operator).unwrap_or(Operator::DoesNotExist);
            let mut out = Requirement::new(&r.key, operator, r.values.iter().map(String::as_str));
            out.min_values = r.min_values.and_then(|n| u32::try_from(n).ok());
            out
        })
        .collect()
}

fn taints(list: &[shared::Taint]) -> Vec<Taint> {
    list.iter()
        .filter_map(|t| {
            Some(Taint {
                key: t.key.as_str().into(),
                value: name(t.value.as_ref()),
                effect: super::pods::effect(&t.effect)?,
            })
        })
        .collect()
}

fn class_ref(r: &shared::NodeClassReference) -> ClassRef {
    ClassRef {
        group: r.group.as_str().into(),
        kind: r.kind.as_str().into(),
        name: r.name.as_str().into(),
    }
}

/// Absent = the default of the schema; `Never`, or text that is no duration, = none.
fn expiry(text: Option<&shared::DurationText>) -> Option<Duration> {
    text.map_or(Some(DEFAULT_EXPIRY), shared::DurationText::get)
}

/// Conditions that repair policies know and that are not True.
fn ailments(conditions: &[slim::StatusCondition]) -> Vec<Ailment> {
    conditions
        .iter()
        .filter(|c| c.status != "True" && names::REPAIR_CONDITIONS.contains(&&*c.kind))
        .filter_map(|c| {
            Some(Ailment {
                condition: c.kind.as_str().into(),
                status: Status::parse(&c.status)?,
                since: c.last_transition_time?,
            })
        })
        .collect()
}

impl Projector {
    pub fn node(&mut self, n: &slim::Node) -> Node {
        let meta = &n.metadata;
        let ready = n.status.conditions.iter().find(|c| c.kind == "Ready");
        Node {
            name: name(meta.name.as_ref()),
            uid: name(meta.uid.as_ref()),
            provider_id: name(n.spec.provider_id.as_ref()),
            labels: labels(meta.labels.as_ref()),
            annotations: labels(meta.annotations.as_ref())
                .into_iter()
                .filter(|(k, _)| read_by_rules(k))
                .collect(),
            taints: n
                .spec
                .taints
                .iter()
                .filter_map(|t| {
                    Some(Taint {
                        key: t.key.as_str().into(),
                        value: name(t.value.as_ref()),
                        effect: super::pods::effect(&t.effect)?,
                    })
                })
                .collect(),
            capacity: amounts(&n.status.capacity),
            allocatable: amounts(&n.status.allocatable),
            ready: ready.is_some_and(|c| c.status == "True"),
            ready_since: ready.and_then(|c| c.last_transition_time),
            ailments: ailments(&n.status.conditions),
            unschedulable: n.spec.unschedulable == Some(true),
            created: created(meta),
            deleting: deleting(meta),
            finalizers: finalizers(meta),
        }
    }

    pub fn claim(&mut self, c: &slim::Claim) -> Claim {
        let (meta, spec, status) = (&c.metadata, &c.spec, &c.status);
        Claim {
            name: name(meta.name.as_ref()),
            uid: name(meta.uid.as_ref()),
            generation: generation(meta),
            labels: labels(meta.labels.as_ref()),
            annotations: labels(meta.annotations.as_ref()),
            created: created(meta),
            deleting: deleting(meta),
            finalizers: finalizers(meta),
            class: class_ref(&spec.node_class_ref),
            requirements: requirements(&spec.requirements),
            requests: spec
                .resources
                .as_ref()
                .map(|r| amounts(&r.requests))
                .unwrap_or_default(),
            taints: taints(&spec.taints),
            startup_taints: taints(&spec.startup_taints),
            expire_after: expiry(spec.expire_after.as_ref()),
            termination_grace: spec
                .termination_grace_period
                .as_ref()
                .and_then(shared::DurationText::get),
            provider_id: name(status.provider_id.as_ref()),
            node_name: name(status.node_name.as_ref()),
            image_id: name(status.image_id.as_ref()),
            capacity: amounts(&status.capacity),
            allocatable: amounts(&status.allocatable),
            last_pod_event: status.last_pod_event_time.as_deref().and_then(|t| t.parse().ok()),
            conditions: conditions(&status.conditions),
        }
    }

    pub fn pool(&mut self, p: &slim::Pool) -> NodePool {
        let (meta, spec, status) = (&p.metadata, &p.spec, &p.status);
        let labels_of = |map: &BTreeMap<String, String>| -> Labels { labels(Some(map)) };
        let template = spec.template.metadata.clone().unwrap_or_default();
        NodePool {
            name: name(meta.name.as_ref()),
            uid: name(meta.uid.as_ref()),
            generation: generation(meta),
            created: created(meta),
            deleting: deleting(meta),
            annotations: labels(meta.annotations.as_ref()),
            weight: spec.weight.unwrap_or(0),
            replicas: spec.replicas,
            limits: spec
                .limits
                .iter()
                .filter_map(|(k, q)| Some((k.as_str().into(), parse_quantity(k, q.as_str()).ok()?)))
                .collect(),
            template: Template {
                labels: labels_of(&template.labels),
                annotations: labels_of(&template.annotations),
                requirements: requirements(&spec.template.spec.requirements),
                taints: taints(&spec.template.spec.taints),
                startup_taints: taints(&spec.template.spec.startup_taints),
                class: class_ref(&spec.template.spec.node_class_ref),
                expire_after: expiry(spec.template.spec.expire_after.as_ref()),
                termination_grace: spec
                    .template
                    .spec
                    .termination_grace_period
                    .as_ref()
                    .and_then(shared::DurationText::get),
            },
            disruption: disruption(spec.disruption.as_ref()),
            hash: hash::nodepool(&spec.template).into(),
            conditions: conditions(&status.conditions),
            status_nodes: status.nodes.unwrap_or(0),
            class_generation: status.node_class_observed_generation,
            status_resources: amounts(&status.resources),
            invalid: validate::nodepool(spec).into_iter().map(Name::from).collect(),
        }
    }

    /// A price or a quantity that cannot be read makes the overlay invalid, as much as what validation finds.
    pub fn overlay(&mut self, o: &slim::Overlay) -> Overlay {
        let (meta, spec) = (&o.metadata, &o.spec);
        let mut invalid = validate_overlay::nodeoverlay(spec);
        let absolute = spec.price.as_deref().map(|t| (t, PriceChange::absolute(t)));
        let adjusted = spec
            .price_adjustment
            .as_deref()
            .map(|t| (t, PriceChange::adjustment(t)));
        let price = absolute.or(adjusted);
        if let Some((text, None)) = price {
            invalid.push(format!(
                "spec: {text:?} is no price, write 0.25, +0.1, -0.1, +10% or -10%"
            ));
        }
        let mut capacity = BTreeMap::new();
        for (key, quantity) in &spec.capacity {
            match parse_quantity(key, quantity.as_str()) {
                Ok(amount) => drop(capacity.insert(key.as_str().into(), amount)),
                Err(error) => invalid.push(format!("spec.capacity[{key:?}]: {error}")),
            }
        }
        Overlay {
            name: name(meta.name.as_ref()),
            uid: name(meta.uid.as_ref()),
            generation: generation(meta),
            created: created(meta),
            requirements: spec
                .requirements
                .iter()
                .map(|e| {
                    let operator = Operator::parse(&e.operator).unwrap_or(Operator::DoesNotExist);
                    Requirement::new(&e.key, operator, e.values.iter().map(String::as_str))
                })
                .collect(),
            price: price.and_then(|(_, change)| change),
            capacity,
            weight: spec.weight.unwrap_or(0),
            conditions: conditions(&o.status.conditions),
            invalid: invalid.into_iter().map(Name::from).collect(),
        }
    }

    pub fn class(&mut self, c: &slim::Class) -> NodeClass {
        let meta = &c.metadata;
        NodeClass {
            name: name(meta.name.as_ref()),
            uid: name(meta.uid.as_ref()),
            generation: generation(meta),
            created: created(meta),
            deleting: deleting(meta),
            finalizers: finalizers(meta),
            hash: hash::ec2nodeclass_v6(&c.spec, &self.ca_bundle).into(),
            spec: Arc::new(c.spec.clone()),
            conditions: conditions(&c.status.conditions),
            resolved: None,
        }
    }
}

/// Defaults of `api §3.1`: consolidate after 0 s, when empty or underutilized, 10 % at a time.
fn disruption(d: Option<&nodepool::Disruption>) -> Disruption {
    let policy = match d.and_then(|d| d.consolidation_policy.as_deref()) {
        Some("WhenEmpty") => ConsolidationPolicy::WhenEmpty,
        Some("Balanced") => ConsolidationPolicy::Balanced,
        _ => ConsolidationPolicy::WhenEmptyOrUnderutilized,
    };
    let after = d.and_then(|d| d.consolidate_after.as_ref());
    let budgets = d.and_then(|d| d.budgets.as_ref()).map_or_else(
        || {
            vec![Budget {
                nodes: "10%".into(),
                reasons: None,
                schedule: None,
                duration: None,
            }]
        },
        |list| list.iter().map(budget).collect(),
    );
    Disruption {
        policy,
        consolidate_after: after.map_or(Some(Duration::ZERO), shared::DurationText::get),
        budgets,
    }
}

fn budget(b: &nodepool::Budget) -> Budget {
    Budget {
        nodes: if b.nodes.is_empty() {
            "10%".into()
        } else {
            b.nodes.as_str().into()
        },
        reasons: b
            .reasons
            .as_ref()
            .map(|list| list.iter().map(|r| r.as_str().into()).collect()),
        schedule: b.schedule.as_deref().map(Into::into),
        duration: b.duration.as_ref().and_then(shared::DurationText::get),
    }
}
