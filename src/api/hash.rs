//! Static hashes of NodePools and EC2NodeClasses (`api §12`): FNV-1 over Go's view of the objects, so that a
//! cluster can be taken over from Karpenter without replacing every node.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ec2nodeclass::Ec2NodeClassSpec;
use crate::model::nodepool::Template;
use crate::model::{Labels, Taint};

/// Text of `karpenter.sh/nodepool-hash-version`.
pub const NODEPOOL_VERSION: &str = "v3";
/// Text of `karpenter.k8s.aws/ec2nodeclass-hash-version`.
pub const NODE_CLASS_VERSION: &str = "v6";

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| {
        h.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*b)
    })
}

fn ordered(a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    fnv(&bytes)
}

fn finish(a: u64) -> u64 {
    fnv(&a.to_le_bytes())
}

fn text(s: &str) -> u64 {
    fnv(s.as_bytes())
}

/// A Go struct under construction: fields in declaration order, zero values left out by the caller.
struct Struct(u64);

impl Struct {
    fn new(name: &str) -> Self {
        Self(text(name))
    }

    fn field(&mut self, name: &str, value: Option<u64>) -> &mut Self {
        if let Some(value) = value {
            self.0 = finish(self.0 ^ ordered(text(name), value));
        }
        self
    }
}

fn some_text(s: &str) -> Option<u64> {
    (!s.is_empty()).then(|| text(s))
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Option<u64> {
    let hashes: Vec<u64> = entries.map(|(k, v)| ordered(text(k), text(v))).collect();
    (!hashes.is_empty()).then(|| finish(hashes.into_iter().fold(0, |a, b| a ^ b)))
}

fn labels(map_: &Labels) -> Option<u64> {
    map(map_.iter().map(|(k, v)| (&**k, &**v)))
}

fn list(hashes: impl Iterator<Item = u64>) -> Option<u64> {
    let hashes: Vec<u64> = hashes.collect();
    (!hashes.is_empty()).then(|| hashes.into_iter().fold(0, |a, b| a ^ b))
}

fn taints(taints: &[Taint]) -> Option<u64> {
    list(taints.iter().map(|t| {
        let mut s = Struct::new("Taint");
        s.field("Key", some_text(&t.key))
            .field("Value", some_text(&t.value));
        s.field("Effect", Some(text(t.effect.as_str())));
        s.0
    }))
}

fn nanos(time: Option<std::time::Duration>) -> Option<u64> {
    let nanos = i64::try_from(time?.as_nanos()).unwrap_or(i64::MAX);
    Some(fnv(&nanos.to_le_bytes()))
}

/// NodePool v3: the template without its requirements.
pub fn nodepool(template: &Template) -> String {
    let mut meta = Struct::new("ObjectMeta");
    meta.field("Labels", labels(&template.labels))
        .field("Annotations", labels(&template.annotations));
    let plain = template.labels.is_empty() && template.annotations.is_empty();

    let mut class = Struct::new("NodeClassReference");
    class.field("Kind", some_text(&template.class.kind));
    class.field("Name", some_text(&template.class.name));
    class.field("Group", some_text(&template.class.group));

    let mut grace = Struct::new("Duration");
    grace.field(
        "Duration",
        template
            .termination_grace
            .filter(|t| !t.is_zero())
            .and_then(|t| nanos(Some(t))),
    );
    let mut expire = Struct::new("NillableDuration");
    expire.field("Duration", nanos(template.expire_after));

    let mut spec = Struct::new("NodeClaimTemplateSpec");
    spec.field("Taints", taints(&template.taints));
    spec.field("StartupTaints", taints(&template.startup_taints));
    spec.field("NodeClassRef", Some(class.0));
    spec.field(
        "TerminationGracePeriod",
        template.termination_grace.map(|_| grace.0),
    );
    spec.field("ExpireAfter", template.expire_after.map(|_| expire.0));

    let mut all = Struct::new("NodeClaimTemplate");
    all.field("ObjectMeta", (!plain).then_some(meta.0))
        .field("Spec", Some(spec.0));
    all.0.to_string()
}

/// EC2NodeClass v6 without a CA bundle; the family is the one that the spec's terms resolve to.
pub fn node_class(spec: &Ec2NodeClassSpec) -> String {
    // Serialising plain data cannot fail; null would hash as an empty spec.
    let json = serde_json::to_value(spec).unwrap_or_default();
    node_class_with(&json, &family(&json), "")
}

/// What `amiFamily` or the alias says.
fn family(spec: &Value) -> String {
    if let Some(family) = spec["amiFamily"].as_str() {
        return family.to_owned();
    }
    let alias = spec["amiSelectorTerms"]
        .as_array()
        .into_iter()
        .flatten()
        .find_map(|t| t["alias"].as_str());
    match alias.and_then(|a| a.split('@').next()) {
        Some("al2") => "AL2",
        Some("al2023") => "AL2023",
        Some("bottlerocket") => "Bottlerocket",
        Some("windows2019") => "Windows2019",
        Some("windows2022") => "Windows2022",
        Some("windows2025") => "Windows2025",
        _ => "Custom",
    }
    .to_owned()
}

fn node_class_with(spec: &Value, family: &str, ca_bundle: &str) -> String {
    let kubelet = match &spec["kubelet"] {
        Value::Object(map) if !map.is_empty() => canonical(&spec["kubelet"]),
        _ => "null".to_owned(),
    };
    (class_spec(spec) ^ text(family) ^ text(ca_bundle) ^ text(&kubelet)).to_string()
}

/// JSON text with sorted keys.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let parts: Vec<String> = sorted
                .into_iter()
                .map(|(k, v)| format!("{}:{}", Value::from(k.as_str()), canonical(v)))
                .collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// What a JSON field is in Go; pointers count even when they point to a zero value.
#[derive(Clone, Copy)]
enum Go {
    Text,
    TextPointer,
    BoolPointer,
    Bool,
    Int32Pointer,
    Int64Pointer,
    Int32,
    Map,
    Seconds,
}

fn scalar(value: &Value, go: Go) -> Option<u64> {
    if value.is_null() {
        return None;
    }
    let int = value.as_i64().unwrap_or(0);
    let int32 = i32::try_from(int).unwrap_or(0);
    match go {
        Go::Text => some_text(value.as_str()?),
        Go::TextPointer => Some(text(value.as_str()?)),
        Go::BoolPointer => Some(fnv(&[u8::from(value.as_bool()?)])),
        Go::Bool => value.as_bool()?.then(|| fnv(&[1])),
        Go::Int32Pointer => Some(fnv(&int32.to_le_bytes())),
        Go::Int32 => (int32 != 0).then(|| fnv(&int32.to_le_bytes())),
        Go::Int64Pointer => Some(fnv(&int.to_le_bytes())),
        Go::Map => map(value
            .as_object()?
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap_or("")))),
        Go::Seconds => {
            let time = super::shared::go_duration(value.as_str()?)?;
            let mut s = Struct::new("Duration");
            s.field("Duration", (!time.is_zero()).then(|| nanos(Some(time))).flatten());
            Some(s.0)
        }
    }
}

/// A struct whose fields are scalars: (Go name, JSON name, type).
fn flat(name: &str, value: &Value, fields: &[(&str, &str, Go)]) -> Option<u64> {
    value.as_object()?;
    let mut s = Struct::new(name);
    for (go_name, json_name, go) in fields {
        s.field(go_name, scalar(&value[*json_name], *go));
    }
    Some(s.0)
}

fn class_spec(spec: &Value) -> u64 {
    use Go::{Bool, BoolPointer, Int32, Int32Pointer, Int64Pointer, Map, Seconds, Text, TextPointer};
    let items = |key: &str| spec[key].as_array().cloned().unwrap_or_default();
    let device = |m: &Value| {
        let mut s = Struct::new("BlockDeviceMapping");
        s.field("DeviceName", scalar(&m["deviceName"], TextPointer));
        s.field(
            "EBS",
            flat(
                "BlockDevice",
                &m["ebs"],
                &[
                    ("DeleteOnTermination", "deleteOnTermination", BoolPointer),
                    ("Encrypted", "encrypted", BoolPointer),
                    ("IOPS", "iops", Int64Pointer),
                    ("KMSKeyID", "kmsKeyID", TextPointer),
                    ("SnapshotID", "snapshotID", TextPointer),
                    ("Throughput", "throughput", Int64Pointer),
                    (
                        "VolumeInitializationRate",
                        "volumeInitializationRate",
                        Int32Pointer,
                    ),
                    ("VolumeSize", "volumeSize", TextPointer),
                    ("VolumeType", "volumeType", TextPointer),
                ],
            ),
        );
        s.field("RootVolume", scalar(&m["rootVolume"], Bool));
        s.0
    };
    let interface = |m: &Value| {
        let fields = [
            ("NetworkCardIndex", "networkCardIndex", Int32),
            ("DeviceIndex", "deviceIndex", Int32),
            ("InterfaceType", "interfaceType", Text),
        ];
        flat("NetworkInterface", m, &fields).unwrap_or_default()
    };
    let mut s = Struct::new("EC2NodeClassSpec");
    s.field(
        "PlacementGroupSelector",
        flat(
            "PlacementGroupSelector",
            &spec["placementGroupSelector"],
            &[("Name", "name", Text), ("ID", "id", Text)],
        ),
    );
    s.field(
        "AssociatePublicIPAddress",
        scalar(&spec["associatePublicIPAddress"], BoolPointer),
    );
    s.field("UserData", scalar(&spec["userData"], TextPointer));
    s.field("Role", scalar(&spec["role"], Text));
    s.field("InstanceProfile", scalar(&spec["instanceProfile"], TextPointer));
    s.field("Tags", scalar(&spec["tags"], Map));
    s.field(
        "BlockDeviceMappings",
        list(items("blockDeviceMappings").iter().map(device)),
    );
    s.field(
        "InstanceStorePolicy",
        scalar(&spec["instanceStorePolicy"], TextPointer),
    );
    s.field(
        "NetworkInterfaces",
        list(items("networkInterfaces").iter().map(interface)),
    );
    s.field(
        "DetailedMonitoring",
        scalar(&spec["detailedMonitoring"], BoolPointer),
    );
    s.field(
        "MetadataOptions",
        flat(
            "MetadataOptions",
            &spec["metadataOptions"],
            &[
                ("HTTPEndpoint", "httpEndpoint", TextPointer),
                ("HTTPProtocolIPv6", "httpProtocolIPv6", TextPointer),
                ("HTTPPutResponseHopLimit", "httpPutResponseHopLimit", Int64Pointer),
                ("HTTPTokens", "httpTokens", TextPointer),
            ],
        ),
    );
    s.field(
        "ConnectionTracking",
        flat(
            "ConnectionTracking",
            &spec["connectionTracking"],
            &[
                ("TCPEstablishedTimeout", "tcpEstablishedTimeout", Seconds),
                ("UDPStreamTimeout", "udpStreamTimeout", Seconds),
                ("UDPTimeout", "udpTimeout", Seconds),
            ],
        ),
    );
    s.field("Context", scalar(&spec["context"], TextPointer));
    s.field(
        "CPUOptions",
        flat(
            "CPUOptions",
            &spec["cpuOptions"],
            &[("NestedVirtualization", "nestedVirtualization", TextPointer)],
        ),
    );
    s.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn base() -> Value {
        json!({
            "role": "role-1",
            "tags": {"keyTag-1": "valueTag-1", "keyTag-2": "valueTag-2"},
            "userData": "userdata-test-1", "context": "fake-context",
            "detailedMonitoring": false, "associatePublicIPAddress": false,
            "metadataOptions": {"httpEndpoint": "disabled", "httpProtocolIPv6": "disabled",
                "httpPutResponseHopLimit": 1, "httpTokens": "optional"},
            "blockDeviceMappings": [
                {"deviceName": "map-device-1", "ebs": {"deleteOnTermination": false, "encrypted": false, "iops": 0,
                    "kmsKeyID": "fakeKMSKeyID", "snapshotID": "fakeSnapshot", "throughput": 0, "volumeSize": "2G",
                    "volumeType": "standard"}},
                {"deviceName": "map-device-2"},
            ],
        })
    }

    fn hash(change: impl Fn(&mut Value)) -> String {
        let mut spec = base();
        change(&mut spec);
        node_class_with(&spec, "Custom", "test-ca-bundle")
    }

    #[test]
    fn the_node_class_vectors_of_the_reference() {
        assert_eq!(hash(|_| {}), "11148166120438674859");
        assert_eq!(
            hash(|s| s["blockDeviceMappings"][0]["ebs"]["volumeSize"] = "10G".into()),
            "10372902467896351912"
        );
        let profile = |s: &mut Value| {
            s["role"] = Value::Null;
            s["instanceProfile"] = "test-instance-profile".into();
        };
        assert_eq!(hash(profile), "10323991363677716244");
        assert_eq!(
            hash(|s| s["userData"] = "userdata-test-2".into()),
            "11774429238106843388"
        );
        assert_eq!(
            hash(|s| s["detailedMonitoring"] = true.into()),
            "1936848126751988570"
        );
    }

    #[test]
    fn the_nodepool_vector_of_the_reference() {
        let template = Template {
            labels: [("team".into(), "a".into())].into(),
            class: crate::model::nodepool::ClassRef {
                group: "karpenter.k8s.aws".into(),
                kind: "EC2NodeClass".into(),
                name: "default".into(),
            },
            expire_after: Some(std::time::Duration::from_secs(720 * 3600)),
            ..Template::default()
        };
        assert_eq!(nodepool(&template), "1617844334411263980");
    }
}
