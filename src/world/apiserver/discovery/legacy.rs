//! One document per group and version.

use http::Response;
use serde_json::{Value, json};

use super::{VERBS, subresources};
use crate::world::apiserver::kinds::{Kinds, group_version};
use crate::world::apiserver::wire::{self, Body};

/// `/api`
pub fn versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]})
}

/// `/apis`
pub fn groups(kinds: &Kinds) -> Value {
    let groups: Vec<Value> = kinds
        .groups()
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, versions)| one(name, &versions))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn one(name: &str, versions: &[&str]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| json!({"groupVersion": group_version(name, version), "version": version}))
        .collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

/// `/apis/G`
pub fn group(kinds: &Kinds, name: &str) -> Response<Body> {
    match kinds.groups().get(name).filter(|_| !name.is_empty()) {
        Some(versions) => {
            let mut group = one(name, versions);
            group["kind"] = json!("APIGroup");
            group["apiVersion"] = json!("v1");
            wire::json(200, &group)
        }
        None => wire::text(404, "404 page not found\n"),
    }
}

/// `/api/v1` and `/apis/G/V`
pub fn resources(kinds: &Kinds, group: &str, version: &str) -> Response<Body> {
    list(kinds, group, version).map_or_else(
        || wire::text(404, "404 page not found\n"),
        |list| wire::json(200, &list),
    )
}

/// `None` when nothing is served under that group and version.
pub fn list(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let mut rows = Vec::new();
    for kind in kinds
        .iter()
        .filter(|kind| kind.group == group && kind.version == version)
    {
        let mut row = json!({
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": VERBS,
        });
        if !kind.short_names.is_empty() {
            row["shortNames"] = json!(kind.short_names);
        }
        if !kind.categories.is_empty() {
            row["categories"] = json!(kind.categories);
        }
        rows.push(row);
        for sub in subresources(kind) {
            let mut row = json!({
                "name": format!("{}/{}", kind.plural, sub.name),
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": sub.kind,
                "verbs": sub.verbs,
            });
            if sub.group != kind.group || sub.version != kind.version {
                row["group"] = json!(sub.group);
                row["version"] = json!(sub.version);
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return None;
    }
    Some(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version(group, version),
        "resources": rows,
    }))
}
