//! `/openapi/v3` in the least form that kubectl needs (`kube-wire §5`): for each kind paths whose operations name
//! it and list the query parameters that the server takes, and schemas: those of custom resources as their
//! definitions have them, so that `kubectl explain` works, only an outline for built-in kinds.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::kinds::Kind;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The body of `/openapi/v3`: where to find the document of each group and version. The address carries a hash
/// of the document, because kubectl caches by address.
pub fn index(kinds: &[Arc<Kind>]) -> Value {
    let versions: BTreeSet<(&str, &str)> = kinds.iter().map(|k| (&*k.group, &*k.version)).collect();
    let paths: Map<String, Value> = versions
        .into_iter()
        .map(|(group, version)| {
            let digest = Sha256::digest(document(kinds, group, version).to_string().as_bytes());
            let hash = digest.iter().take(16).fold(String::new(), |mut hash, byte| {
                // Writing to a string cannot fail.
                let _ = write!(hash, "{byte:02X}");
                hash
            });
            let path = prefix(group, version);
            let url = format!("/openapi/v3/{path}?hash={hash}");
            (path, json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

/// The document of one group and version; empty paths when nothing is served there.
pub fn document(kinds: &[Arc<Kind>], group: &str, version: &str) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for kind in kinds.iter().filter(|k| k.group == group && k.version == version) {
        add_paths(kind, &mut paths);
        schemas.insert(schema_name(kind), schema(kind));
    }
    if !schemas.is_empty() {
        schemas.insert(META.to_owned(), object_meta());
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.2"}, "paths": paths,
        "components": {"schemas": schemas}})
}

/// `api/v1` or `apis/apps/v1`.
fn prefix(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

fn add_paths(kind: &Kind, paths: &mut Map<String, Value>) {
    let root = prefix(&kind.group, &kind.version);
    let plural = &kind.plural;
    let collection = if kind.namespaced {
        paths.insert(
            format!("/{root}/{plural}"),
            json!({"get": operation(kind, "list", "List", &[])}),
        );
        format!("/{root}/namespaces/{{namespace}}/{plural}")
    } else {
        format!("/{root}/{plural}")
    };
    paths.insert(
        collection.clone(),
        json!({
            "get": operation(kind, "list", "List", &[]),
            "post": operation(kind, "post", "Create", &["dryRun", "fieldManager", "fieldValidation"]),
            "delete": operation(kind, "deletecollection", "DeleteCollection", &["dryRun"]),
        }),
    );
    let item = format!("{collection}/{{name}}");
    let one = json!({
        "get": operation(kind, "get", "Read", &[]),
        "put": operation(kind, "put", "Replace", &["dryRun", "fieldManager", "fieldValidation"]),
        "patch": operation(kind, "patch", "Patch", &["dryRun", "fieldManager", "fieldValidation", "force"]),
        "delete": operation(kind, "delete", "Delete", &["dryRun", "gracePeriodSeconds", "propagationPolicy"]),
    });
    if kind.status {
        let mut status = one.clone();
        if let Some(methods) = status.as_object_mut() {
            methods.remove("delete");
        }
        paths.insert(format!("{item}/status"), status);
    }
    paths.insert(item, one);
}

/// Request bodies are left out on purpose: without them kubectl takes its own merge keys for strategic patches.
fn operation(kind: &Kind, action: &str, verb: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| {
            let of = match *name {
                "force" => "boolean",
                "gracePeriodSeconds" => "integer",
                _ => "string",
            };
            json!({"name": name, "in": "query", "schema": {"type": of, "uniqueItems": true}})
        })
        .collect();
    json!({"operationId": format!("{}{}", verb.to_lowercase(), kind.kind), "parameters": parameters,
        "responses": {"200": {"description": "OK"}}, "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk(kind)})
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn schema_name(kind: &Kind) -> String {
    if kind.crd.is_some() {
        let reversed: Vec<&str> = kind.group.rsplit('.').collect();
        return format!("{}.{}.{}", reversed.join("."), kind.version, kind.kind);
    }
    let group = match kind.group.split('.').next() {
        None | Some("") => "core",
        Some(first) => first,
    };
    format!("io.k8s.api.{group}.{}.{}", kind.version, kind.kind)
}

fn schema(kind: &Kind) -> Value {
    let mut out = match &kind.crd {
        Some(crd) if crd.schema.is_object() => crd.schema.clone(),
        _ => {
            let about = format!(
                "{} of {}. The embedded server keeps no schema of built-in kinds, so the fields are not listed here.",
                kind.kind,
                kind.api_version()
            );
            let mut outline = json!({"type": "object", "description": about, "properties": {}});
            for part in ["spec", "status"] {
                outline["properties"][part] =
                    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
            }
            outline["x-kubernetes-preserve-unknown-fields"] = json!(true);
            outline
        }
    };
    for (field, about) in [
        (
            "apiVersion",
            "Group and version of the schema that this object is written in.",
        ),
        ("kind", "Name of the kind of this object."),
    ] {
        if out["properties"].get(field).is_none() {
            out["properties"][field] = json!({"type": "string", "description": about});
        }
    }
    out["properties"]["metadata"] = json!({"description": "Metadata that all objects have.", "default": {},
        "allOf": [{"$ref": format!("#/components/schemas/{META}")}]});
    out["x-kubernetes-group-version-kind"] = json!([gvk(kind)]);
    out
}

fn object_meta() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let time = |about: &str| json!({"type": "string", "format": "date-time", "description": about});
    let map = |about: &str| json!({"type": "object", "additionalProperties": {"type": "string"}, "description": about});
    let objects = |about: &str| {
        json!({"type": "array", "description": about,
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}})
    };
    json!({"type": "object", "description": "Metadata that all objects have.", "properties": {
        "name": text("Name, unique among objects of the kind in the namespace."),
        "generateName": text("Prefix of a name that the server completes when there is no name."),
        "namespace": text("Namespace of the object; empty for kinds of the whole cluster."),
        "labels": map("Keys and values that selectors look at."),
        "annotations": map("Keys and values for tools, not selected by."),
        "finalizers": {"type": "array", "items": {"type": "string"},
            "description": "Tasks to be done before the object goes; each is removed by whoever did it."},
        "ownerReferences": objects("Objects that this one belongs to; it goes when all of them are gone."),
        "managedFields": objects("Who owns which fields."),
        "uid": text("Identity of this object in time; never used again."),
        "resourceVersion": text("Version of the last write; only to be compared for equality."),
        "generation": {"type": "integer", "format": "int64", "description": "Number of the last wish, raised by every change of it."},
        "creationTimestamp": time("When the object was created."),
        "deletionTimestamp": time("When the object is due to go."),
        "deletionGracePeriodSeconds": {"type": "integer", "format": "int64", "description": "Seconds given for an orderly end."},
    }})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::apiserver::testkit::kind;

    fn kinds() -> Vec<Arc<Kind>> {
        ["pods", "nodes", "deployments.apps", "nodepools.karpenter.sh"]
            .map(kind)
            .to_vec()
    }

    #[test]
    fn the_index_names_every_group_and_changes_with_its_content() {
        let url = |kinds: &[Arc<Kind>], path: &str| index(kinds)["paths"][path]["serverRelativeURL"].clone();
        let all = kinds();
        let paths: Vec<String> = index(&all)["paths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(paths, ["api/v1", "apis/apps/v1", "apis/karpenter.sh/v1"]);
        let before = url(&all, "api/v1");
        assert!(before.as_str().unwrap().starts_with("/openapi/v3/api/v1?hash="));
        assert_eq!(url(&all, "api/v1"), before);
        assert_ne!(url(&all[1..], "api/v1"), before);
    }

    /// `kube-wire §1` item 3: what `create -f` and `apply` look for.
    #[test]
    fn patch_operations_list_field_validation_for_their_kind() {
        let document = document(&kinds(), "apps", "v1");
        let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
        assert_eq!(
            patch["x-kubernetes-group-version-kind"],
            json!({"group": "apps", "version": "v1", "kind": "Deployment"})
        );
        let names: Vec<&str> = patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|p| p["name"].as_str())
            .collect();
        assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
        assert!(patch.get("requestBody").is_none());
        assert_eq!(document["paths"].as_object().unwrap().len(), 4);
    }

    #[test]
    fn custom_schemas_come_as_their_definition_has_them() {
        let document = document(&kinds(), "karpenter.sh", "v1");
        let schema = &document["components"]["schemas"]["sh.karpenter.v1.NodePool"];
        assert_eq!(schema["x-kubernetes-group-version-kind"][0]["kind"], "NodePool");
        let kind = kind("nodepools.karpenter.sh");
        assert_eq!(
            schema["properties"]["spec"],
            kind.crd.as_ref().unwrap().schema["properties"]["spec"]
        );
        assert!(document["components"]["schemas"].get(META).is_some());
        assert!(
            document["paths"]
                .get("/apis/karpenter.sh/v1/nodepools/{name}/status")
                .is_some()
        );
    }
}
