//! Workloads, Services, PodTemplates and CapacityBuffers.

use std::sync::Arc;

use kube::Resource;

use super::pods::{namespace, pod_spec};
use super::{Projector, conditions, created, generation, labels, name, opt, selector};
use crate::model::resources::parse_quantity;
use crate::model::workload::Scalable;
use crate::model::{Buffer, LabelSelector, PodTemplate, Service, Workload};
use crate::observe::slim;

/// What the three kinds of `apps` have in common.
pub trait Scaled: Resource {
    fn spec(&self) -> &slim::WorkloadSpec;
}

impl Scaled for slim::Deployment {
    fn spec(&self) -> &slim::WorkloadSpec {
        &self.spec
    }
}
impl Scaled for slim::ReplicaSet {
    fn spec(&self) -> &slim::WorkloadSpec {
        &self.spec
    }
}
impl Scaled for slim::StatefulSet {
    fn spec(&self) -> &slim::WorkloadSpec {
        &self.spec
    }
}

impl Projector {
    pub fn workload(&mut self, w: &impl Scaled) -> Workload {
        let (meta, spec) = (w.meta(), w.spec());
        Workload {
            namespace: namespace(meta.namespace.as_ref()),
            name: name(meta.name.as_ref()),
            replicas: spec.replicas.unwrap_or(1),
            selector: spec.selector.as_ref().map(selector),
            template: self.template(&spec.template),
        }
    }

    pub fn controller(&mut self, c: &slim::ReplicationController) -> Workload {
        Workload {
            namespace: namespace(c.metadata.namespace.as_ref()),
            name: name(c.metadata.name.as_ref()),
            replicas: c.spec.replicas.unwrap_or(1),
            selector: c.spec.selector.as_ref().map(|map| LabelSelector {
                match_labels: labels(Some(map)),
                expressions: Vec::new(),
            }),
            template: PodTemplate::default(),
        }
    }

    /// The pods of a template, without what belongs to single ones.
    pub(super) fn template(&mut self, t: &slim::PodTemplate) -> PodTemplate {
        let spec = pod_spec(&t.spec, &slim::PodStatus::default(), "");
        PodTemplate {
            labels: self.share_labels(labels(t.metadata.labels.as_ref())),
            spec: self.share_spec(spec),
            ..PodTemplate::default()
        }
    }

    pub fn pod_template(&mut self, t: &slim::PodTemplateObject) -> PodTemplate {
        PodTemplate {
            namespace: namespace(t.metadata.namespace.as_ref()),
            name: name(t.metadata.name.as_ref()),
            generation: generation(&t.metadata),
            ..self.template(&t.template)
        }
    }

    pub fn service(&mut self, s: &slim::Service) -> Service {
        Service {
            namespace: namespace(s.metadata.namespace.as_ref()),
            name: name(s.metadata.name.as_ref()),
            selector: s.spec.selector.as_ref().map(|map| labels(Some(map))),
        }
    }

    pub fn buffer(&mut self, b: &slim::Buffer) -> Buffer {
        let (meta, spec) = (&b.metadata, &b.spec);
        Buffer {
            namespace: namespace(meta.namespace.as_ref()),
            name: name(meta.name.as_ref()),
            uid: name(meta.uid.as_ref()),
            generation: generation(meta),
            created: created(meta),
            strategy: name(spec.provisioning_strategy.as_ref()),
            template: spec.pod_template_ref.as_ref().map(|r| Arc::from(r.name.as_str())),
            scalable: spec.scalable_ref.as_ref().map(|r| Scalable {
                group: opt(r.api_group.as_ref()).unwrap_or_else(|| "apps".into()),
                kind: r.kind.as_str().into(),
                name: r.name.as_str().into(),
            }),
            replicas: spec.replicas.map(i64::from),
            percentage: spec.percentage.map(i64::from),
            limits: spec
                .limits
                .iter()
                .filter_map(|(k, q)| Some((k.as_str().into(), parse_quantity(k, q.as_str()).ok()?)))
                .collect(),
            conditions: conditions(&b.status.conditions),
            status_replicas: b.status.replicas.map(i64::from),
        }
    }
}
