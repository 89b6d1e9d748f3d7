//! What the server serves, in the aggregated form that kubectl reads and the legacy one that drain and kube's
//! `Discovery::run` need (`kube-wire §4`).

mod aggregated;
mod legacy;

use bytes::Bytes;
use http::Response;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, VARY};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::accept;
use super::kinds::{Kind, Kinds};
use super::wire::{self, Body};

pub use legacy::{group, resources};

/// Verbs of every stored kind.
const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// One subresource of a kind: name, group, version and kind of what it takes, verbs.
struct Sub {
    name: &'static str,
    group: String,
    version: String,
    kind: String,
    verbs: &'static [&'static str],
}

fn subresources(kind: &Kind) -> Vec<Sub> {
    let own = |name, verbs| Sub {
        name,
        group: kind.group.clone(),
        version: kind.version.clone(),
        kind: kind.kind.clone(),
        verbs,
    };
    let other = |name, group: &str, version: &str, of: &str, verbs| Sub {
        name,
        group: group.to_owned(),
        version: version.to_owned(),
        kind: of.to_owned(),
        verbs,
    };
    let mut out = Vec::new();
    for &extra in kind.extra_subresources() {
        out.push(match extra {
            "binding" => other("binding", "", "v1", "Binding", &["create"]),
            "eviction" => other("eviction", "policy", "v1", "Eviction", &["create"]),
            "log" => own("log", &["get"]),
            "finalize" => own("finalize", &["update"]),
            name => own(name, &["get", "patch", "update"]),
        });
    }
    if kind.scale.is_some() {
        out.push(other(
            "scale",
            "autoscaling",
            "v1",
            "Scale",
            &["get", "patch", "update"],
        ));
    }
    if kind.status {
        out.push(own("status", &["get", "patch", "update"]));
    }
    out
}

/// `/version`: within one minor of the kubectl that is tested, so that it prints no warning.
pub fn version() -> Value {
    json!({
        "major": "1",
        "minor": "33",
        "gitVersion": "v1.33.0+kerf",
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "rustc",
        "platform": "embedded",
    })
}

/// `/api` and `/apis`, in the form that the client accepts.
pub fn roots(kinds: &Kinds, accept: &str, core: bool) -> Response<Body> {
    let (content_type, body) = match accept::discovery(accept) {
        Some("v2") => (
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            aggregated::list(kinds, core, "v2"),
        ),
        Some(_) => (
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
            aggregated::list(kinds, core, "v2beta1"),
        ),
        None if core => (wire::JSON, legacy::versions()),
        None => (wire::JSON, legacy::groups(kinds)),
    };
    let body = Bytes::from(serde_json::to_vec(&body).unwrap_or_default());
    let tag: String = Sha256::digest(&body)
        .iter()
        .take(16)
        .fold(String::new(), |mut out, byte| {
            use std::fmt::Write;
            // Writing to a String cannot fail.
            let _ = write!(out, "{byte:02X}");
            out
        });
    let mut response = wire::typed(200, content_type, body);
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        headers.insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_resources() {
        let kinds = Kinds::builtin();
        for core in [true, false] {
            let list = aggregated::list(&kinds, core, "v2");
            for group in list["items"].as_array().unwrap() {
                let name = group["metadata"]["name"].as_str().unwrap_or_default();
                for version in group["versions"].as_array().unwrap() {
                    let mut new = Vec::new();
                    for resource in version["resources"].as_array().unwrap() {
                        let plural = resource["resource"].as_str().unwrap();
                        new.push(plural.to_owned());
                        for sub in resource["subresources"].as_array().into_iter().flatten() {
                            new.push(format!("{plural}/{}", sub["subresource"].as_str().unwrap()));
                        }
                    }
                    new.sort();
                    let old = legacy::list(&kinds, name, version["version"].as_str().unwrap()).unwrap();
                    let mut old: Vec<String> = old["resources"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|row| row["name"].as_str().unwrap().to_owned())
                        .collect();
                    old.sort();
                    assert_eq!(new, old);
                }
            }
        }
    }

    #[test]
    fn drain_finds_the_eviction_subresource() {
        let list = legacy::list(&Kinds::builtin(), "", "v1").unwrap();
        let eviction = list["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == "pods/eviction")
            .unwrap();
        assert_eq!(
            (&eviction["group"], &eviction["version"]),
            (&json!("policy"), &json!("v1"))
        );
    }
}
