//! `APIGroupDiscoveryList`: everything in two requests.

use serde_json::{Value, json};

use super::{Sub, VERBS, subresources};
use crate::world::apiserver::kinds::{Kind, Kinds};

/// The core group, or all others in name order.
pub fn list(kinds: &Kinds, core: bool, version: &str) -> Value {
    let items: Vec<Value> = kinds
        .groups()
        .into_iter()
        .filter(|(group, _)| group.is_empty() == core)
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .into_iter()
                .map(|version| {
                    let resources: Vec<Value> = kinds
                        .iter()
                        .filter(|kind| kind.group == group && kind.version == version)
                        .map(|kind| resource(kind))
                        .collect();
                    json!({"version": version, "freshness": "Current", "resources": resources})
                })
                .collect();
            let metadata = if core { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {},
        "items": items,
    })
}

fn resource(kind: &Kind) -> Value {
    let mut out = json!({
        "resource": kind.plural,
        "responseKind": {"group": "", "version": "", "kind": kind.kind},
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": VERBS,
    });
    if !kind.short_names.is_empty() {
        out["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        out["categories"] = json!(kind.categories);
    }
    let subs: Vec<Value> = subresources(kind).iter().map(|sub| row(kind, sub)).collect();
    if !subs.is_empty() {
        out["subresources"] = Value::Array(subs);
    }
    out
}

/// Group and version stay empty where they are the parent's.
fn row(kind: &Kind, sub: &Sub) -> Value {
    let own = sub.group == kind.group && sub.version == kind.version;
    let (group, version) = if own {
        ("", "")
    } else {
        (sub.group.as_str(), sub.version.as_str())
    };
    json!({
        "subresource": sub.name,
        "responseKind": {"group": group, "version": version, "kind": sub.kind},
        "verbs": sub.verbs,
    })
}
