//! `karpenter.sh/v1alpha5` Provisioner.

use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::kubelet::{self, Kubelets};
use super::{Conversion, Fate, Note, node_template, renames};
use crate::api::names;

pub(super) fn convert(old: &Value, out: &mut Conversion, kubelets: &mut Kubelets) {
    let mut new = fields::object(old, "karpenter.sh/v1", "NodePool", out);
    let mut spec = Fields::spec(old, &mut out.notes);
    spec.keep(&["weight"], &mut new["spec"]);
    let template = &mut new["spec"]["template"];
    spec.keep(&["labels", "annotations"], &mut template["metadata"]);
    if template["metadata"].is_null()
        && let Some(template) = template.as_object_mut()
    {
        template.remove("metadata");
    }
    let node = &mut template["spec"];
    spec.keep(&["requirements", "taints", "startupTaints"], node);
    requirements(node, &spec, &mut out.notes);

    let class = class(old, &mut spec, out);
    let notes = &mut out.notes;
    let node = &mut new["spec"]["template"]["spec"];
    if let Some(class) = class {
        node["nodeClassRef"] = json!({"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": class});
    }
    node["expireAfter"] = if let Some(ttl) = seconds(&mut spec, "ttlSecondsUntilExpired", notes) {
        notes.push(spec.note(
            "ttlSecondsUntilExpired",
            Fate::Changed,
            "stands at spec.template.spec.expireAfter",
        ));
        json!(ttl)
    } else {
        notes.push(spec.note(
            "ttlSecondsUntilExpired",
            Fate::Added,
            "expireAfter Never: without it nodes did not expire, in v1 they do after 720h",
        ));
        json!("Never")
    };
    let mut limits = spec.inner("limits");
    if let Some(resources) = limits.take("resources") {
        notes.push(limits.note("resources", Fate::Changed, "stands at spec.limits"));
        new["spec"]["limits"] = resources;
    }
    limits.close(notes);
    new["spec"]["disruption"] = disruption(&mut spec, notes);
    let kubelet_path = spec.note("kubeletConfiguration", Fate::Changed, "").path;
    let settings = kubelet::settings(spec.inner("kubeletConfiguration"), notes);
    spec.close(notes);
    renames::everywhere(&mut new["spec"], &format!("{} spec", fields::path_of(old)), notes);
    kubelets.want(&new, out.objects.len(), kubelet_path, settings);
    out.objects.push(new);
}

/// What the old admission filled in, which v1 does not.
fn requirements(node: &mut Value, spec: &Fields, notes: &mut Vec<Note>) {
    if node.get("requirements").is_none() {
        node["requirements"] = json!([]);
    }
    let Some(list) = node["requirements"].as_array_mut() else {
        return;
    };
    let has = |list: &[Value], keys: &[&str]| {
        list.iter()
            .any(|r| r["key"].as_str().is_some_and(|k| keys.contains(&k)))
    };
    let types = [
        names::INSTANCE_TYPE,
        names::INSTANCE_FAMILY,
        names::INSTANCE_CATEGORY,
        names::INSTANCE_GENERATION,
    ];
    let instance: &[&str] = &types;
    for (keys, defaults) in [
        (&[names::OS][..], &[(names::OS, "In", &["linux"][..])][..]),
        (&[names::ARCH], &[(names::ARCH, "In", &["amd64"])]),
        (
            &[names::CAPACITY_TYPE],
            &[(names::CAPACITY_TYPE, "In", &["on-demand"])],
        ),
        (
            instance,
            &[
                (names::INSTANCE_CATEGORY, "In", &["c", "m", "r"]),
                (names::INSTANCE_GENERATION, "Gt", &["2"]),
            ],
        ),
    ] {
        if has(list, keys) {
            continue;
        }
        for (key, operator, values) in defaults {
            let said = format!("{key} {operator} {}, the old default", values.join(", "));
            notes.push(spec.note("requirements", Fate::Added, said));
            list.push(json!({"key": key, "operator": operator, "values": values}));
        }
    }
}

/// The class's name; an inline provider becomes a class named like the Provisioner.
fn class(old: &Value, spec: &mut Fields, out: &mut Conversion) -> Option<Value> {
    if spec.has("provider") {
        out.notes.push(spec.note(
            "provider",
            Fate::Changed,
            "is an EC2NodeClass of its own in v1, named like the Provisioner",
        ));
        let inline = spec.inner("provider");
        let new = json!({
            "apiVersion": "karpenter.k8s.aws/v1",
            "kind": "EC2NodeClass",
            "metadata": {"name": old.pointer("/metadata/name")},
            "spec": {},
        });
        node_template::class(new, inline, out);
        return old.pointer("/metadata/name").cloned();
    }
    if !spec.has("providerRef") {
        out.notes.push(spec.note(
            "providerRef",
            Fate::Impossible,
            "is missing, and v1 requires a nodeClassRef: name an EC2NodeClass",
        ));
        return None;
    }
    let mut reference = spec.inner("providerRef");
    let name = reference.take("name");
    for same in ["apiVersion", "kind"] {
        reference.take(same);
    }
    out.notes.push(spec.note(
        "providerRef",
        Fate::Changed,
        "is spec.template.spec.nodeClassRef in v1",
    ));
    reference.close(&mut out.notes);
    name
}

fn disruption(spec: &mut Fields, notes: &mut Vec<Note>) -> Value {
    let mut consolidation = spec.inner("consolidation");
    let enabled = consolidation.take("enabled") == Some(Value::Bool(true));
    consolidation.close(notes);
    let empty = seconds(spec, "ttlSecondsAfterEmpty", notes);
    let (field, policy, after, said) = match (enabled, empty) {
        (true, _) => (
            "consolidation.enabled",
            "WhenEmptyOrUnderutilized",
            "0s".to_owned(),
            Fate::Changed,
        ),
        (false, Some(ttl)) => ("ttlSecondsAfterEmpty", "WhenEmpty", ttl, Fate::Changed),
        // Nodes stayed for ever.
        (false, None) => ("consolidation", "WhenEmpty", "Never".to_owned(), Fate::Added),
    };
    notes.push(spec.note(
        field,
        said,
        format!("spec.disruption: consolidationPolicy {policy}, consolidateAfter {after}"),
    ));
    json!({"consolidationPolicy": policy, "consolidateAfter": after})
}

fn seconds(spec: &mut Fields, field: &str, notes: &mut Vec<Note>) -> Option<String> {
    let value = spec.take(field)?;
    let seconds = value.as_u64();
    if seconds.is_none() {
        notes.push(spec.note(
            field,
            Fate::Impossible,
            format!("{value} is no whole number of seconds"),
        ));
    }
    seconds.map(|s| format!("{s}s"))
}
