//! Volumes, storage classes, attach limits, namespaces and PodDisruptionBudgets (`scheduling §11`).

use super::pods::{expression, namespace};
use super::{Projector, deleting, labels, name, opt, selector};
use crate::api::names;
use crate::model::Requirement;
use crate::model::storage::{Attachment, CsiNode, Namespace, Pdb, StorageClass, Volume, VolumeClaim};
use crate::observe::slim;

/// CSI driver of the in-tree EBS volumes (`scheduling §11.4`).
const EBS_DRIVER: &str = "ebs.csi.aws.com";
const EBS_IN_TREE: &str = "kubernetes.io/aws-ebs";

impl Projector {
    pub fn volume_claim(&mut self, c: &slim::VolumeClaim) -> VolumeClaim {
        VolumeClaim {
            namespace: namespace(c.metadata.namespace.as_ref()),
            name: name(c.metadata.name.as_ref()),
            volume: name(c.spec.volume_name.as_ref()),
            storage_class: opt(c.spec.storage_class_name.as_ref()),
            phase: c.status.phase.as_deref().unwrap_or("Pending").into(),
            deleting: deleting(&c.metadata).is_some(),
            bind_completed: c
                .metadata
                .annotations
                .as_ref()
                .is_some_and(|a| a.contains_key(names::BIND_COMPLETED)),
        }
    }

    pub fn volume(&mut self, v: &slim::Volume) -> Volume {
        let terms = v
            .spec
            .node_affinity
            .iter()
            .filter_map(|a| a.required.as_ref())
            .flat_map(|s| &s.node_selector_terms)
            .map(|t| t.match_expressions.iter().flatten().map(expression).collect())
            .collect();
        let in_tree = v.spec.aws_elastic_block_store.as_ref().map(|_| EBS_DRIVER);
        Volume {
            name: name(v.metadata.name.as_ref()),
            terms,
            local: v.spec.local.is_some() || v.spec.host_path.is_some(),
            driver: v
                .spec
                .csi
                .as_ref()
                .map(|c| c.driver.as_str())
                .or(in_tree)
                .map(Into::into),
            deleting: deleting(&v.metadata).is_some(),
        }
    }

    pub fn storage_class(&mut self, s: &slim::StorageClass) -> StorageClass {
        let provisioner = if s.provisioner == EBS_IN_TREE {
            EBS_DRIVER
        } else {
            &s.provisioner
        };
        StorageClass {
            name: name(s.metadata.name.as_ref()),
            provisioner: provisioner.into(),
            waits: s.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"),
            topologies: s
                .allowed_topologies
                .iter()
                .map(|t| {
                    t.match_label_expressions
                        .iter()
                        .flatten()
                        .map(|e| Requirement::is_in(&e.key, e.values.iter().map(String::as_str)))
                        .collect()
                })
                .collect(),
        }
    }

    pub fn csi_node(&mut self, n: &slim::CsiNode) -> CsiNode {
        CsiNode {
            name: name(n.metadata.name.as_ref()),
            limits: n
                .spec
                .drivers
                .iter()
                .filter_map(|d| Some((d.name.as_str().into(), d.allocatable.as_ref()?.count?)))
                .collect(),
        }
    }

    pub fn attachment(&mut self, a: &slim::Attachment) -> Attachment {
        Attachment {
            name: name(a.metadata.name.as_ref()),
            node: a.spec.node_name.as_str().into(),
            volume: opt(a.spec.source.persistent_volume_name.as_ref()),
        }
    }

    pub fn namespace(&mut self, n: &slim::Namespace) -> Namespace {
        Namespace {
            name: name(n.metadata.name.as_ref()),
            labels: labels(n.metadata.labels.as_ref()),
        }
    }

    pub fn pdb(&mut self, p: &slim::Pdb) -> Pdb {
        Pdb {
            namespace: namespace(p.metadata.namespace.as_ref()),
            name: name(p.metadata.name.as_ref()),
            selector: p.spec.selector.as_ref().map(selector),
            min_available: opt(p.spec.min_available.as_ref()),
            max_unavailable: opt(p.spec.max_unavailable.as_ref()),
            always_allow_unhealthy: p.spec.unhealthy_pod_eviction_policy.as_deref() == Some("AlwaysAllow"),
            // A status that no controller wrote yet says nothing.
            disruptions_allowed: p
                .status
                .as_ref()
                .filter(|s| s.observed_generation.is_some())
                .and_then(|s| s.disruptions_allowed),
        }
    }
}
