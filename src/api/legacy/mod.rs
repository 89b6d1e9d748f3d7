//! Karpenter's manifests from before v1 as v1: Provisioner and AWSNodeTemplate (v1alpha5, v1alpha1), NodePool,
//! EC2NodeClass and NodeClaim (v1beta1). Every field of the input is taken over, or named with the reason why it
//! cannot be: the fields are taken out of the old object one by one, and what is left over was not understood.

mod claim;
mod fields;
mod kubelet;
mod node_class;
mod node_template;
mod nodepool;
mod provisioner;
mod renames;

#[cfg(test)]
mod tests;

use serde_json::Value;

use kubelet::Kubelets;

/// What became of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stands elsewhere, or under another name or value.
    Changed,
    /// v1 has another default: the old one was written out.
    Added,
    /// It had no effect, or the controller writes it.
    Dropped,
    /// v1 has nothing for it, or it needs what the input does not say.
    Impossible,
}

impl Fate {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Dropped => "dropped",
            Self::Impossible => "impossible",
        }
    }
}

/// One thing that differs from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `Provisioner/web spec.ttlSecondsAfterEmpty`.
    pub path: String,
    pub fate: Fate,
    pub text: String,
}

/// The v1 objects, in the order of the input, and what was changed on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversion {
    pub objects: Vec<Value>,
    pub notes: Vec<Note>,
}

impl Conversion {
    /// True when nothing is named as impossible.
    pub fn complete(&self) -> bool {
        self.notes.iter().all(|n| n.fate != Fate::Impossible)
    }
}

/// Converts a set of objects together: the kubelet settings of a pool stand on its node class in v1. Objects of
/// other kinds pass, with renamed labels and annotations.
pub fn convert(objects: &[Value]) -> Conversion {
    let mut out = Conversion::default();
    let mut kubelets = Kubelets::default();
    for object in objects.iter().flat_map(items) {
        one(object, &mut out, &mut kubelets);
    }
    kubelets.settle(&mut out);
    out
}

fn items(object: &Value) -> Vec<&Value> {
    match object.get("items").and_then(Value::as_array) {
        Some(items) if text(object, "kind").ends_with("List") => items.iter().collect(),
        _ => vec![object],
    }
}

fn one(object: &Value, out: &mut Conversion, kubelets: &mut Kubelets) {
    match (text(object, "apiVersion"), text(object, "kind")) {
        ("karpenter.sh/v1alpha5", "Provisioner") => provisioner::convert(object, out, kubelets),
        ("karpenter.k8s.aws/v1alpha1", "AWSNodeTemplate") => node_template::convert(object, out),
        ("karpenter.sh/v1beta1", "NodePool") => nodepool::convert(object, out, kubelets),
        ("karpenter.k8s.aws/v1beta1", "EC2NodeClass") => node_class::convert(object, out),
        ("karpenter.sh/v1beta1", "NodeClaim") => claim::convert(object, out),
        (version @ ("karpenter.sh/v1alpha5" | "karpenter.k8s.aws/v1alpha1"), kind) => out.notes.push(Note {
            path: fields::path_of(object),
            fate: Fate::Impossible,
            text: format!(
                "{version} {kind} has no counterpart in v1: the autoscaler makes its own NodeClaims; leave it out"
            ),
        }),
        _ => {
            let path = fields::path_of(object);
            let mut object = object.clone();
            renames::everywhere(&mut object, &path, &mut out.notes);
            out.objects.push(object);
        }
    }
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}
