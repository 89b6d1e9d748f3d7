//! From the bytes of a request to the object in JSON.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::message::{Field, Kind, Message, Shape, message};
use super::reader::{Broken, Fields, Raw, packed};
use crate::world::apiserver::kinds::group_version;
use crate::world::apiserver::names::seconds;
use crate::world::apiserver::wire::base64;

/// First bytes of every body.
const MAGIC: &[u8] = b"k8s\0";

/// What kubectl creates, by the group of its version. A kind outside has no message in the table.
const KINDS: &[(&str, &str, &[&str])] = &[
    (
        "",
        "v1",
        &[
            "ConfigMap",
            "Namespace",
            "PersistentVolumeClaim",
            "Pod",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("apps", "v1", &["Deployment"]),
    (
        "authentication.k8s.io",
        "v1",
        &["SelfSubjectReview", "TokenRequest"],
    ),
    (
        "authorization.k8s.io",
        "v1",
        &["SelfSubjectAccessReview", "SelfSubjectRulesReview"],
    ),
    ("autoscaling", "v2", &["HorizontalPodAutoscaler"]),
    ("batch", "v1", &["CronJob", "Job"]),
    ("networking.k8s.io", "v1", &["Ingress"]),
    ("policy", "v1", &["Eviction", "PodDisruptionBudget"]),
    (
        "rbac.authorization.k8s.io",
        "v1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io", "v1", &["PriorityClass"]),
];

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    #[error("the body is no Kubernetes protobuf: it does not begin with k8s")]
    NoEnvelope,
    #[error("{message}: the body ends early or is broken")]
    Broken { message: String },
    #[error("{message}.{field} is no text in UTF-8")]
    NoText { message: String, field: String },
    #[error("{message}: unknown field number {number}")]
    UnknownField { message: String, number: u32 },
    /// Nothing that kubectl creates from its own types.
    #[error("no protobuf message is known for {kind} of {api_version}")]
    UnknownKind { api_version: String, kind: String },
}

/// Reads the envelope and the object in it. Fields that are not set are left out, as JSON clients do.
pub fn decode(body: &[u8]) -> Result<Value, ProtobufError> {
    let inner = body.strip_prefix(MAGIC).ok_or(ProtobufError::NoEnvelope)?;
    let broken = || ProtobufError::Broken {
        message: "the envelope".to_owned(),
    };
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Fields(inner) {
        match field.map_err(|_| broken())? {
            (1, Raw::Bytes(meta)) => {
                for field in Fields(meta) {
                    match field.map_err(|_| broken())? {
                        (1, Raw::Bytes(text)) => api_version = String::from_utf8_lossy(text).into_owned(),
                        (2, Raw::Bytes(text)) => kind = String::from_utf8_lossy(text).into_owned(),
                        _ => {}
                    }
                }
            }
            (2, Raw::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    // Options of a delete go with the group of what is deleted.
    let known = kind == "DeleteOptions"
        || KINDS.iter().any(|(group, version, kinds)| {
            group_version(group, version) == api_version && kinds.contains(&kind.as_str())
        });
    let Some(fields) = message(&kind).filter(|_| known) else {
        return Err(ProtobufError::UnknownKind { api_version, kind });
    };
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.clone().into());
    read(&kind, fields, raw, &mut object)?;
    Ok(Value::Object(object))
}

/// Adds the fields of a message to `out`.
fn read(
    name: &str,
    fields: &Message,
    bytes: &[u8],
    out: &mut Map<String, Value>,
) -> Result<(), ProtobufError> {
    for field in Fields(bytes) {
        let (number, raw) = field.map_err(|Broken| broken(name))?;
        let Some(field) = fields.get(&number) else {
            if raw.is_empty() {
                continue;
            }
            return Err(ProtobufError::UnknownField {
                message: name.to_owned(),
                number,
            });
        };
        if field.kind == Kind::Ignored {
            continue;
        }
        match field.shape {
            Shape::Inline => {
                if let (Kind::Message(inner), Raw::Bytes(bytes)) = (field.kind, raw) {
                    read(inner, inner_message(inner)?, bytes, out)?;
                }
            }
            Shape::One => {
                if let Some(value) = one(name, field, raw)? {
                    out.insert(field.name.to_owned(), value);
                }
            }
            Shape::List => {
                let list = out.entry(field.name).or_insert_with(|| Value::Array(Vec::new()));
                let Value::Array(list) = list else { continue };
                match (field.kind, raw) {
                    (Kind::Int, Raw::Bytes(bytes)) => {
                        let numbers = packed(bytes).map_err(|Broken| broken(name))?;
                        list.extend(numbers.into_iter().map(|n| Value::from(n.cast_signed())));
                    }
                    _ => list.push(item(name, field, raw)?),
                }
            }
            Shape::Map => {
                let Raw::Bytes(entry) = raw else {
                    return Err(broken(name));
                };
                let (key, value) = pair(name, field, entry)?;
                let map = out.entry(field.name).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(map) = map {
                    map.insert(key, value);
                }
            }
        }
    }
    Ok(())
}

fn broken(name: &str) -> ProtobufError {
    ProtobufError::Broken {
        message: name.to_owned(),
    }
}

fn inner_message(name: &str) -> Result<&'static Message, ProtobufError> {
    // The table names only messages that it has; a test reads all of it.
    message(name).ok_or_else(|| broken(name))
}

/// An entry of a map: key and value, either of which is left out when empty.
fn pair(name: &str, field: &Field, entry: &[u8]) -> Result<(String, Value), ProtobufError> {
    let mut key = String::new();
    let mut value = Raw::Bytes(&[]);
    for part in Fields(entry) {
        match part.map_err(|Broken| broken(name))? {
            (1, Raw::Bytes(bytes)) => key = text(name, field, bytes)?,
            (2, raw) => value = raw,
            _ => {}
        }
    }
    Ok((key, item(name, field, value)?))
}

/// A value that stands alone: `None` when it says that the field is not set.
fn one(name: &str, field: &Field, raw: Raw<'_>) -> Result<Option<Value>, ProtobufError> {
    let unset = match field.kind {
        // A time of zero seconds is Go's zero time, a message of its own is there or not.
        Kind::Time | Kind::Quantity => raw.is_empty(),
        Kind::Message(_) => false,
        Kind::IntOrString => {
            !field.zero_counts
                && matches!(int_or_string(name, field, raw)?, Value::Number(n) if n.as_i64() == Some(0))
        }
        _ => raw.is_empty() && !field.zero_counts,
    };
    if unset {
        return Ok(None);
    }
    item(name, field, raw).map(Some)
}

/// A value, also an empty one.
fn item(name: &str, field: &Field, raw: Raw<'_>) -> Result<Value, ProtobufError> {
    Ok(match (field.kind, raw) {
        (Kind::Text, Raw::Bytes(bytes)) => text(name, field, bytes)?.into(),
        (Kind::Bytes, Raw::Bytes(bytes)) => base64(bytes).into(),
        (Kind::Int, Raw::Number(n)) => n.cast_signed().into(),
        (Kind::Bool, Raw::Number(n)) => (n != 0).into(),
        (Kind::Quantity, Raw::Bytes(bytes)) => quantity(name, field, bytes)?.into(),
        (Kind::Time, Raw::Bytes(bytes)) => time(name, bytes)?,
        (Kind::IntOrString, raw) => int_or_string(name, field, raw)?,
        (Kind::Message(inner), Raw::Bytes(bytes)) => {
            let mut object = Map::new();
            read(inner, inner_message(inner)?, bytes, &mut object)?;
            Value::Object(object)
        }
        _ => return Err(broken(name)),
    })
}

fn text(name: &str, field: &Field, bytes: &[u8]) -> Result<String, ProtobufError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| ProtobufError::NoText {
        message: name.to_owned(),
        field: field.name.to_owned(),
    })
}

/// `Quantity { 1: text }`.
fn quantity(name: &str, field: &Field, bytes: &[u8]) -> Result<String, ProtobufError> {
    for part in Fields(bytes) {
        if let (1, Raw::Bytes(bytes)) = part.map_err(|Broken| broken(name))? {
            return text(name, field, bytes);
        }
    }
    Ok("0".to_owned())
}

/// `Time { 1: seconds, 2: nanoseconds }`; the API writes whole seconds.
fn time(name: &str, bytes: &[u8]) -> Result<Value, ProtobufError> {
    let mut at = 0;
    for part in Fields(bytes) {
        if let (1, Raw::Number(n)) = part.map_err(|Broken| broken(name))? {
            at = n.cast_signed();
        }
    }
    let at = Timestamp::from_second(at).map_err(|_| broken(name))?;
    Ok(seconds(at).into())
}

/// `IntOrString { 1: type (0 number, 1 text), 2: number, 3: text }`.
fn int_or_string(name: &str, field: &Field, raw: Raw<'_>) -> Result<Value, ProtobufError> {
    let Raw::Bytes(bytes) = raw else {
        return Err(broken(name));
    };
    let (mut kind, mut number, mut string) = (0, 0, String::new());
    for part in Fields(bytes) {
        match part.map_err(|Broken| broken(name))? {
            (1, Raw::Number(n)) => kind = n,
            (2, Raw::Number(n)) => number = n.cast_signed(),
            (3, Raw::Bytes(bytes)) => string = text(name, field, bytes)?,
            _ => {}
        }
    }
    Ok(if kind == 1 { string.into() } else { number.into() })
}
