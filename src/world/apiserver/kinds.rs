//! The kinds that the server knows: built-ins and those that custom resource definitions add while it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::builtin;

/// One kind in the one version that is served and stored.
#[derive(Debug)]
pub struct Kind {
    /// Plural, dot, group: `pods`, `deployments.apps`, `nodepools.karpenter.sh`.
    pub key: String,
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub namespaced: bool,
    /// Has a `/status` subresource.
    pub status: bool,
    pub scale: Option<ScalePaths>,
    /// Whether `metadata.generation` is kept (ConfigMap, Event, Lease … have none).
    pub generation: bool,
    /// `None` for a built-in.
    pub crd: Option<Arc<CrdInfo>>,
}

/// JSON paths such as `.spec.replicas`.
#[derive(Debug, Clone)]
pub struct ScalePaths {
    pub spec: String,
    pub status: String,
    pub selector: Option<String>,
}

#[derive(Debug)]
pub struct CrdInfo {
    /// `openAPIV3Schema` of the version.
    pub schema: Value,
    pub columns: Vec<Column>,
}

/// One of `additionalPrinterColumns`.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub json_path: String,
    /// `string`, `integer`, `date` …
    pub kind: String,
    pub format: String,
    pub description: String,
    pub priority: i64,
}

impl Kind {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        group_version(&self.group, &self.version)
    }

    /// Subresources beside `status` and `scale`.
    pub fn extra_subresources(&self) -> &'static [&'static str] {
        match self.key.as_str() {
            "pods" => &["binding", "ephemeralcontainers", "eviction", "log", "resize"],
            "namespaces" => &["finalize"],
            _ => &[],
        }
    }
}

/// `v1` or `apps/v1`.
pub fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

/// What is being served; replaced whole when a definition comes or goes.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    by_key: BTreeMap<String, Arc<Kind>>,
}

impl Kinds {
    pub fn builtin() -> Self {
        Self {
            by_key: builtin::kinds()
                .into_iter()
                .map(|kind| (kind.key.clone(), Arc::new(kind)))
                .collect(),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Arc<Kind>> {
        self.by_key.get(key)
    }

    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        let kind = if group.is_empty() {
            self.by_key.get(plural)
        } else {
            self.by_key.get(&format!("{plural}.{group}"))
        };
        kind.filter(|kind| kind.version == version && kind.group == group)
    }

    /// In key order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.by_key.values()
    }

    /// Versions by group, the preferred one first. Core is the empty group.
    pub fn groups(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for kind in self.iter() {
            let versions = out.entry(&kind.group).or_default();
            if !versions.contains(&kind.version.as_str()) {
                versions.push(&kind.version);
            }
        }
        for versions in out.values_mut() {
            versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
        }
        out
    }

    pub fn insert(&mut self, kind: Arc<Kind>) {
        self.by_key.insert(kind.key.clone(), kind);
    }

    pub fn remove(&mut self, key: &str) {
        self.by_key.remove(key);
    }
}

/// Kubernetes' order of versions: stable before beta before alpha, then the higher number.
fn rank(version: &str) -> (u8, u32, u32) {
    let rest = version.strip_prefix('v').unwrap_or_default();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, stage) = rest.split_at(digits);
    let major = major.parse().unwrap_or(0);
    if let Some(minor) = stage.strip_prefix("beta") {
        (1, major, minor.parse().unwrap_or(0))
    } else if let Some(minor) = stage.strip_prefix("alpha") {
        (0, major, minor.parse().unwrap_or(0))
    } else {
        (2, major, 0)
    }
}

/// Reads a `CustomResourceDefinition`; `None` when it lacks what a kind needs.
pub fn from_definition(definition: &Value) -> Option<Kind> {
    let spec = definition.get("spec")?;
    let names = spec.get("names")?;
    let text = |at: &Value, key: &str| at.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |key: &str| -> Vec<String> {
        names
            .get(key)
            .and_then(Value::as_array)
            .map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let version = spec
        .get("versions")?
        .as_array()?
        .iter()
        .find(|version| version.get("storage").and_then(Value::as_bool) == Some(true))?;
    let group = text(spec, "group")?;
    let plural = text(names, "plural")?;
    let kind = text(names, "kind")?;
    let subresources = version.get("subresources");
    let scale = subresources.and_then(|s| s.get("scale")).and_then(|scale| {
        Some(ScalePaths {
            spec: text(scale, "specReplicasPath")?,
            status: text(scale, "statusReplicasPath")?,
            selector: text(scale, "labelSelectorPath"),
        })
    });
    let columns = version
        .get("additionalPrinterColumns")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(column).collect())
        .unwrap_or_default();
    Some(Kind {
        key: format!("{plural}.{group}"),
        version: text(version, "name")?,
        singular: text(names, "singular").unwrap_or_else(|| kind.to_lowercase()),
        short_names: list("shortNames"),
        categories: list("categories"),
        namespaced: text(spec, "scope")? == "Namespaced",
        status: subresources.is_some_and(|s| s.get("status").is_some()),
        scale,
        generation: true,
        crd: Some(Arc::new(CrdInfo {
            schema: version
                .pointer("/schema/openAPIV3Schema")
                .cloned()
                .unwrap_or(Value::Null),
            columns,
        })),
        group,
        plural,
        kind,
    })
}

fn column(value: &Value) -> Option<Column> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Column {
        name: text("name")?,
        json_path: text("jsonPath")?,
        kind: text("type")?,
        format: text("format").unwrap_or_default(),
        description: text("description").unwrap_or_default(),
        priority: value.get("priority").and_then(Value::as_i64).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_their_path() {
        let kinds = Kinds::builtin();
        assert_eq!(
            kinds.find("apps", "v1", "deployments").map(|k| k.kind.as_str()),
            Some("Deployment")
        );
        assert!(kinds.find("apps", "v2", "deployments").is_none());
        assert!(kinds.find("", "v1", "deployments").is_none());
        assert_eq!(kinds.get("pods").map(|k| k.api_version()), Some("v1".to_owned()));
    }

    #[test]
    fn versions_rank_by_stability() {
        let mut versions = ["v1alpha1", "v1", "v1beta1", "v2", "v1beta2"];
        versions.sort_by_key(|v| std::cmp::Reverse(rank(v)));
        assert_eq!(versions, ["v2", "v1", "v1beta2", "v1beta1", "v1alpha1"]);
    }

    #[test]
    fn a_definition_becomes_a_kind() {
        let definition = serde_json::json!({"spec": {"group": "example.dev", "scope": "Cluster",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [{"name": "v1", "storage": true, "served": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                    "statusReplicasPath": ".status.replicas"}},
                "additionalPrinterColumns": [{"name": "Ready", "type": "string", "jsonPath": ".status.ready"}]}]}});
        let kind = from_definition(&definition).unwrap();
        assert_eq!(kind.key, "widgets.example.dev");
        assert!(kind.status && !kind.namespaced);
        assert_eq!(
            kind.scale.as_ref().map(|s| s.spec.as_str()),
            Some(".spec.replicas")
        );
        assert_eq!(kind.crd.as_ref().map(|c| c.columns.len()), Some(1));
        assert!(from_definition(&serde_json::json!({"spec": {}})).is_none());
    }
}
