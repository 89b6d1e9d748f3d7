//! `karpenter.sh/v1beta1` NodePool.

use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::kubelet::{self, Kubelets};
use super::{Conversion, Fate, Note, renames};

pub(super) fn convert(old: &Value, out: &mut Conversion, kubelets: &mut Kubelets) {
    let mut new = fields::object(old, "karpenter.sh/v1", "NodePool", out);
    let notes = &mut out.notes;
    let mut spec = Fields::spec(old, notes);
    spec.keep(&["limits", "weight"], &mut new["spec"]);

    let mut template = spec.inner("template");
    template.keep(&["metadata"], &mut new["spec"]["template"]);
    let mut inner = template.inner("spec");
    let node = &mut new["spec"]["template"]["spec"];
    inner.keep(&["requirements", "taints", "startupTaints"], node);
    class_ref(&mut inner, node, notes);
    resources(&mut inner, notes);
    let kubelet_path = inner.note("kubelet", Fate::Changed, "").path;
    let settings = kubelet::settings(inner.inner("kubelet"), notes);
    inner.close(notes);
    template.close(notes);

    let mut disruption = spec.inner("disruption");
    if let Some(after) = disruption.take("expireAfter") {
        notes.push(disruption.note(
            "expireAfter",
            Fate::Changed,
            "stands at spec.template.spec.expireAfter",
        ));
        node["expireAfter"] = after;
    }
    new["spec"]["disruption"] = settle(&mut disruption, notes);
    disruption.close(notes);
    spec.close(notes);
    renames::everywhere(&mut new["spec"], &format!("{} spec", fields::path_of(old)), notes);
    kubelets.want(&new, out.objects.len(), kubelet_path, settings);
    out.objects.push(new);
}

fn settle(old: &mut Fields, notes: &mut Vec<Note>) -> Value {
    let mut new = json!({});
    old.keep(&["budgets"], &mut new);
    let policy = old.take("consolidationPolicy");
    let after = old.take("consolidateAfter");
    if policy.as_ref().and_then(Value::as_str) == Some("WhenEmpty") {
        new["consolidationPolicy"] = json!("WhenEmpty");
    } else {
        if policy.is_some() {
            notes.push(old.note(
                "consolidationPolicy",
                Fate::Changed,
                "WhenUnderutilized is WhenEmptyOrUnderutilized in v1",
            ));
        }
        new["consolidationPolicy"] = json!("WhenEmptyOrUnderutilized");
    }
    new["consolidateAfter"] = after.unwrap_or_else(|| {
        notes.push(old.note(
            "consolidateAfter",
            Fate::Added,
            "0s, which is what v1beta1 did without it",
        ));
        json!("0s")
    });
    new
}

/// `{apiVersion, kind, name}` became `{group, kind, name}`.
pub(super) fn class_ref(from: &mut Fields, into: &mut Value, notes: &mut Vec<Note>) {
    if !from.has("nodeClassRef") {
        notes.push(from.note(
            "nodeClassRef",
            Fate::Impossible,
            "is missing, and v1 requires it: name an EC2NodeClass",
        ));
        return;
    }
    let mut old = from.inner("nodeClassRef");
    let version = old.take("apiVersion");
    let group = version
        .as_ref()
        .and_then(Value::as_str)
        .and_then(|v| v.split('/').next());
    notes.push(old.note("apiVersion", Fate::Changed, "is nodeClassRef.group in v1"));
    let mut new = json!({"group": group.unwrap_or("karpenter.k8s.aws"), "kind": "EC2NodeClass"});
    old.keep(&["group", "kind", "name"], &mut new);
    old.close(notes);
    into["nodeClassRef"] = new;
}

fn resources(from: &mut Fields, notes: &mut Vec<Note>) {
    if from.take("resources").is_some() {
        notes.push(from.note("resources", Fate::Dropped, "had no effect on a NodePool"));
    }
}
