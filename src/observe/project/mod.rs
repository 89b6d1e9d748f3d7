//! From watched objects to rows of the snapshot. Equal pod specs and label maps share one allocation.

mod objects;
pub(crate) mod pods;
mod requests;
mod storage;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as core;
use kube::api::ObjectMeta;

use crate::model::condition::{Condition, Conditions, Status};
use crate::model::selector::{SelectorExpression, SelectorOperator};
use crate::model::{LabelSelector, Labels, Name, PodSpec};

/// Makes rows; keeps what they share.
#[derive(Debug, Default)]
pub struct Projector {
    specs: BTreeSet<Arc<PodSpec>>,
    labels: BTreeSet<Arc<Labels>>,
    /// PEM text that enters the hash of node classes (`api §12`); empty when unset.
    ca_bundle: String,
    /// Size at which unused shared values are dropped next.
    prune_at: usize,
}

impl Projector {
    pub fn new(ca_bundle: &str) -> Self {
        Self {
            ca_bundle: ca_bundle.to_owned(),
            prune_at: 1024,
            ..Self::default()
        }
    }

    fn share_spec(&mut self, spec: PodSpec) -> Arc<PodSpec> {
        self.prune();
        if let Some(known) = self.specs.get(&spec) {
            return known.clone();
        }
        let spec = Arc::new(spec);
        self.specs.insert(spec.clone());
        spec
    }

    fn share_labels(&mut self, labels: Labels) -> Arc<Labels> {
        if let Some(known) = self.labels.get(&labels) {
            return known.clone();
        }
        let labels = Arc::new(labels);
        self.labels.insert(labels.clone());
        labels
    }

    /// Lets go of values that nothing else holds, each time their number has doubled.
    fn prune(&mut self) {
        if self.specs.len() + self.labels.len() < self.prune_at {
            return;
        }
        self.specs.retain(|s| Arc::strong_count(s) > 1);
        self.labels.retain(|l| Arc::strong_count(l) > 1);
        self.prune_at = 1024.max(2 * (self.specs.len() + self.labels.len()));
    }
}

fn name(text: Option<&String>) -> Name {
    text.map_or_else(|| "".into(), |t| t.as_str().into())
}

fn opt(text: Option<&String>) -> Option<Name> {
    text.filter(|t| !t.is_empty()).map(|t| t.as_str().into())
}

fn labels(map: Option<&BTreeMap<String, String>>) -> Labels {
    map.into_iter()
        .flatten()
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

/// Files may leave the time of creation out.
fn created(meta: &ObjectMeta) -> Timestamp {
    meta.creation_timestamp
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |t| t.0)
}

fn deleting(meta: &ObjectMeta) -> Option<Timestamp> {
    meta.deletion_timestamp.as_ref().map(|t| t.0)
}

fn generation(meta: &ObjectMeta) -> i64 {
    meta.generation.unwrap_or(0)
}

fn selector(s: &core::LabelSelector) -> LabelSelector {
    LabelSelector {
        match_labels: labels(s.match_labels.as_ref()),
        expressions: s
            .match_expressions
            .iter()
            .flatten()
            .map(|e| SelectorExpression {
                key: e.key.as_str().into(),
                operator: match e.operator.as_str() {
                    "NotIn" => SelectorOperator::NotIn,
                    "Exists" => SelectorOperator::Exists,
                    "DoesNotExist" => SelectorOperator::DoesNotExist,
                    _ => SelectorOperator::In,
                },
                values: e.values.iter().flatten().map(|v| v.as_str().into()).collect(),
            })
            .collect(),
    }
}

fn conditions(list: &[crate::api::shared::Condition]) -> Conditions {
    list.iter()
        .map(|c| {
            (
                c.kind.as_str().into(),
                Condition {
                    status: status(&c.status),
                    reason: c.reason.as_str().into(),
                    message: c.message.as_str().into(),
                    since: c.last_transition_time.parse().unwrap_or(Timestamp::UNIX_EPOCH),
                    observed_generation: c.observed_generation,
                },
            )
        })
        .collect()
}

fn status(text: &str) -> Status {
    match text {
        "True" => Status::True,
        "False" => Status::False,
        _ => Status::Unknown,
    }
}

#[cfg(test)]
mod tests;
