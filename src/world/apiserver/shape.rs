//! How the lists and maps of a kind merge (`kube-wire §8`, the table of merge keys): from a table for built-in
//! kinds, from the schema for custom resources. Strategic patches and server-side apply both walk it.

use serde_json::{Map, Value};

use super::kinds::Kind;

/// What stands at one place of an object.
#[derive(Clone, Copy, Debug)]
pub enum Shape<'a> {
    /// A place of a built-in kind.
    Table(&'static Place),
    /// A place of a custom resource, by its schema.
    Schema(&'a Value),
}

/// A place of a built-in kind: how it merges and the children that are not plain.
#[derive(Debug)]
pub struct Place {
    rule: Rule,
    children: &'static [(&'static str, &'static Place)],
}

#[derive(Debug)]
enum Rule {
    /// Maps merge key by key, lists are replaced whole.
    Plain,
    /// A map that one manager owns whole; strategic patches still merge it.
    Atomic,
    /// Like `Atomic`, and strategic patches replace it too.
    Replaced,
    /// A list of primitives without order.
    Set,
    /// A list of objects: strategic merge key, keys for apply.
    Keyed(&'static str, &'static [&'static str]),
    /// A list of objects that only strategic patches merge.
    KeyedPatch(&'static str),
}

/// How a list merges under server-side apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListShape {
    Atomic,
    Set,
    Keyed(Vec<String>),
}

/// How a list merges under a strategic patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchList {
    Replace,
    Union,
    Keyed(&'static str),
}

impl<'a> Shape<'a> {
    pub fn of(kind: &'a Kind) -> Self {
        match &kind.crd {
            Some(crd) => Self::Schema(&crd.schema),
            None => Self::Table(root(&kind.kind)),
        }
    }

    /// The shape of a field, or of an entry of a map.
    pub fn field(self, name: &str) -> Self {
        match self {
            Self::Table(place) => Self::Table(child(place, name)),
            Self::Schema(schema) => {
                let found = schema
                    .get("properties")
                    .and_then(|p| p.get(name))
                    .or_else(|| schema.get("additionalProperties"));
                match found {
                    // The schema of a definition says nothing about the metadata that all objects share.
                    Some(inner) if name == "metadata" && inner.get("properties").is_none() => {
                        Self::Table(&META)
                    }
                    Some(inner) => Self::Schema(inner),
                    None if name == "metadata" => Self::Table(&META),
                    None => Self::Table(&PLAIN),
                }
            }
        }
    }

    /// The shape of the items of a list.
    pub fn item(self) -> Self {
        match self {
            Self::Table(place) => Self::Table(child(place, "[]")),
            Self::Schema(schema) => schema.get("items").map_or(Self::Table(&PLAIN), Self::Schema),
        }
    }

    /// True when one manager owns the map whole.
    pub fn atomic_map(self) -> bool {
        match self {
            Self::Table(place) => matches!(place.rule, Rule::Atomic | Rule::Replaced),
            Self::Schema(schema) => {
                schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic")
            }
        }
    }

    /// True when a strategic patch replaces the map instead of merging it.
    pub fn replaced_map(self) -> bool {
        matches!(
            self,
            Self::Table(Place {
                rule: Rule::Replaced,
                ..
            })
        )
    }

    pub fn list(self) -> ListShape {
        match self {
            Self::Table(place) => match place.rule {
                Rule::Set => ListShape::Set,
                Rule::Keyed(_, keys) => ListShape::Keyed(keys.iter().map(|k| (*k).to_owned()).collect()),
                _ => ListShape::Atomic,
            },
            Self::Schema(schema) => match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
                Some("set") => ListShape::Set,
                Some("map") => ListShape::Keyed(
                    schema
                        .get("x-kubernetes-list-map-keys")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                ),
                _ => ListShape::Atomic,
            },
        }
    }

    pub fn patch_list(self) -> PatchList {
        match self {
            Self::Table(place) => match place.rule {
                Rule::Set => PatchList::Union,
                Rule::Keyed(key, _) | Rule::KeyedPatch(key) => PatchList::Keyed(key),
                _ => PatchList::Replace,
            },
            Self::Schema(_) => PatchList::Replace,
        }
    }

    /// The value that an absent key of a list item stands for (`protocol: TCP` of ports).
    pub fn key_default(self, key: &str) -> Option<Value> {
        match self {
            Self::Table(_) => (key == "protocol").then(|| Value::from("TCP")),
            Self::Schema(schema) => schema
                .get("properties")
                .and_then(|p| p.get(key))
                .and_then(|p| p.get("default"))
                .cloned(),
        }
    }

    /// The key fields of an item of a keyed list; `None` when one is missing.
    pub fn item_key(self, keys: &[String], item: &Value) -> Option<Map<String, Value>> {
        keys.iter()
            .map(|key| {
                let value = item.get(key).filter(|v| !v.is_null()).cloned();
                Some((key.clone(), value.or_else(|| self.item().key_default(key))?))
            })
            .collect()
    }
}

fn child(place: &'static Place, name: &str) -> &'static Place {
    place
        .children
        .iter()
        .find(|(field, _)| *field == name)
        .map_or(&PLAIN, |(_, place)| *place)
}

const fn plain(children: &'static [(&'static str, &'static Place)]) -> Place {
    Place {
        rule: Rule::Plain,
        children,
    }
}

const fn list(
    key: &'static str,
    keys: &'static [&'static str],
    items: &'static [(&'static str, &'static Place)],
) -> Place {
    Place {
        rule: Rule::Keyed(key, keys),
        children: items,
    }
}

const fn bare(rule: Rule) -> Place {
    Place { rule, children: &[] }
}

static PLAIN: Place = plain(&[]);
static ATOMIC: Place = bare(Rule::Atomic);
static REPLACED: Place = bare(Rule::Replaced);
static SET: Place = bare(Rule::Set);
static BY_NAME: Place = bare(Rule::Keyed("name", &["name"]));
static BY_TYPE: Place = bare(Rule::Keyed("type", &["type"]));
static BY_IP: Place = bare(Rule::Keyed("ip", &["ip"]));
static BY_UID: Place = bare(Rule::Keyed("uid", &["uid"]));
static JOB_CONDITIONS: Place = bare(Rule::KeyedPatch("type"));
static MOUNTS: Place = bare(Rule::Keyed("mountPath", &["mountPath"]));
static DEVICES: Place = bare(Rule::Keyed("devicePath", &["devicePath"]));
static CONTAINER_PORTS: Place = bare(Rule::Keyed("containerPort", &["containerPort", "protocol"]));
static SERVICE_PORTS: Place = bare(Rule::Keyed("port", &["port", "protocol"]));
static SPREAD: Place = list(
    "topologyKey",
    &["topologyKey", "whenUnsatisfiable"],
    &[("[]", &SPREAD_ITEM)],
);
static SPREAD_ITEM: Place = plain(&[("labelSelector", &ATOMIC)]);

static META: Place = plain(&[("finalizers", &SET), ("ownerReferences", &BY_UID)]);

static ENV: Place = list("name", &["name"], &[("[]", &ENV_ITEM)]);
static ENV_ITEM: Place = plain(&[("valueFrom", &VALUE_FROM)]);
static VALUE_FROM: Place = plain(&[
    ("configMapKeyRef", &ATOMIC),
    ("fieldRef", &ATOMIC),
    ("resourceFieldRef", &ATOMIC),
    ("secretKeyRef", &ATOMIC),
]);
static RESOURCES: Place = plain(&[("claims", &BY_NAME)]);
static CONTAINERS: Place = list("name", &["name"], &[("[]", &CONTAINER)]);
static CONTAINER: Place = plain(&[
    ("env", &ENV),
    ("ports", &CONTAINER_PORTS),
    ("resources", &RESOURCES),
    ("volumeMounts", &MOUNTS),
    ("volumeDevices", &DEVICES),
]);
static POD_SPEC: Place = plain(&[
    ("containers", &CONTAINERS),
    ("initContainers", &CONTAINERS),
    ("ephemeralContainers", &CONTAINERS),
    ("volumes", &BY_NAME),
    ("imagePullSecrets", &BY_NAME),
    ("resourceClaims", &BY_NAME),
    ("schedulingGates", &BY_NAME),
    ("topologySpreadConstraints", &SPREAD),
    ("hostAliases", &BY_IP),
    ("nodeSelector", &ATOMIC),
]);
static POD_STATUS: Place = plain(&[("conditions", &BY_TYPE), ("podIPs", &BY_IP), ("hostIPs", &ATOMIC)]);
static TEMPLATE: Place = plain(&[("metadata", &META), ("spec", &POD_SPEC)]);
static WORKLOAD_SPEC: Place = plain(&[("selector", &ATOMIC), ("template", &TEMPLATE)]);
static CONDITIONS: Place = plain(&[("conditions", &BY_TYPE)]);
static JOB_STATUS: Place = plain(&[("conditions", &JOB_CONDITIONS)]);
static JOB_TEMPLATE: Place = plain(&[("metadata", &META), ("spec", &WORKLOAD_SPEC)]);
static CRON_SPEC: Place = plain(&[("jobTemplate", &JOB_TEMPLATE)]);
static NODE_SPEC: Place = plain(&[("podCIDRs", &SET)]);
static NODE_STATUS: Place = plain(&[("conditions", &BY_TYPE), ("addresses", &BY_TYPE)]);
static SERVICE_SPEC: Place = plain(&[("ports", &SERVICE_PORTS), ("selector", &ATOMIC)]);
static CSI_SPEC: Place = plain(&[("drivers", &BY_NAME)]);
static PDB_SPEC: Place = plain(&[("selector", &REPLACED)]);
static PVC_SPEC: Place = plain(&[("selector", &ATOMIC), ("dataSource", &ATOMIC)]);

static POD: Place = plain(&[("metadata", &META), ("spec", &POD_SPEC), ("status", &POD_STATUS)]);
static WORKLOAD: Place = plain(&[
    ("metadata", &META),
    ("spec", &WORKLOAD_SPEC),
    ("status", &CONDITIONS),
]);
static JOB: Place = plain(&[
    ("metadata", &META),
    ("spec", &WORKLOAD_SPEC),
    ("status", &JOB_STATUS),
]);
static CRON_JOB: Place = plain(&[("metadata", &META), ("spec", &CRON_SPEC)]);
static NODE: Place = plain(&[
    ("metadata", &META),
    ("spec", &NODE_SPEC),
    ("status", &NODE_STATUS),
]);
static SERVICE: Place = plain(&[
    ("metadata", &META),
    ("spec", &SERVICE_SPEC),
    ("status", &CONDITIONS),
]);
static PDB: Place = plain(&[("metadata", &META), ("spec", &PDB_SPEC), ("status", &CONDITIONS)]);
static PVC: Place = plain(&[("metadata", &META), ("spec", &PVC_SPEC), ("status", &CONDITIONS)]);
static CSI_NODE: Place = plain(&[("metadata", &META), ("spec", &CSI_SPEC)]);
static SERVICE_ACCOUNT: Place = plain(&[
    ("metadata", &META),
    ("secrets", &BY_NAME),
    ("imagePullSecrets", &BY_NAME),
]);
static EVENT: Place = plain(&[
    ("metadata", &META),
    ("involvedObject", &ATOMIC),
    ("regarding", &ATOMIC),
    ("related", &ATOMIC),
]);
static OTHER: Place = plain(&[("metadata", &META), ("status", &CONDITIONS)]);

fn root(kind: &str) -> &'static Place {
    match kind {
        "Pod" => &POD,
        "PodTemplate" => &TEMPLATE,
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "ReplicationController" => &WORKLOAD,
        "Job" => &JOB,
        "CronJob" => &CRON_JOB,
        "Node" => &NODE,
        "Service" => &SERVICE,
        "PodDisruptionBudget" => &PDB,
        "PersistentVolumeClaim" => &PVC,
        "CSINode" => &CSI_NODE,
        "ServiceAccount" => &SERVICE_ACCOUNT,
        "Event" => &EVENT,
        _ => &OTHER,
    }
}
