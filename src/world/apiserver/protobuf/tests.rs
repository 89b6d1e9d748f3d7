use serde_json::json;

use super::decode::{ProtobufError, decode};

/// A field of text or of a message.
fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
    out.extend(bytes);
    out
}

fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [part(1, api_version.as_bytes()), part(2, kind.as_bytes())].concat();
    let mut out = b"k8s\0".to_vec();
    out.extend(part(1, &meta));
    // May be longer than one byte of length holds.
    out.push(2 << 3 | 2);
    let length = raw.len();
    out.extend([
        u8::try_from(length & 0x7f).unwrap() | 0x80,
        u8::try_from(length >> 7).unwrap(),
    ]);
    out.extend(raw);
    out
}

#[test]
fn zeros_of_pointers_stay_and_others_go() {
    let metadata = [part(1, b"web"), part(2, b""), number(7, 0), part(8, b"")].concat();
    let spec = [
        number(1, 0),
        number(5, 0),
        number(7, 0),
        part(4, &part(2, &part(2, &[part(3, b"25%"), number(1, 1)].concat()))),
    ];
    let raw = [part(1, &metadata), part(2, &spec.concat()), part(3, b"")].concat();
    assert_eq!(
        decode(&body("apps/v1", "Deployment", &raw)),
        Ok(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": 0, "strategy": {"rollingUpdate": {"maxSurge": "25%"}}},
        }))
    );
}

#[test]
fn maps_lists_and_messages_within() {
    let entry = |key: &[u8], value: &[u8]| [part(1, key), part(2, value)].concat();
    let source = part(1, &[part(1, b"settings"), vec![]].concat());
    let env = [
        part(1, b"A"),
        part(3, &part(3, &[source, part(2, b"mode"), number(3, 0)].concat())),
    ]
    .concat();
    let resources = part(2, &entry(b"cpu", &part(1, b"500m")));
    let volume = [part(1, b"v"), part(2, &part(2, b""))].concat();
    let container = [
        part(1, b"c"),
        part(7, &env),
        part(8, &resources),
        part(3, b"a"),
        part(3, b"b"),
    ]
    .concat();
    let security = part(14, &[vec![4 << 3, 5], vec![4 << 3, 6]].concat());
    let spec = [
        part(2, &container),
        part(1, &volume),
        part(7, &entry(b"zone", b"a")),
        security,
    ]
    .concat();
    let decoded = decode(&body("v1", "Pod", &part(2, &spec))).unwrap();
    assert_eq!(
        decoded["spec"],
        json!({
            "containers": [{
                "name": "c", "command": ["a", "b"],
                "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode", "optional": false}}}],
                "resources": {"requests": {"cpu": "500m"}},
            }],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "nodeSelector": {"zone": "a"},
            "securityContext": {"supplementalGroups": [5, 6]},
        })
    );
    let data = [part(2, &entry(b"k", b"abc")), part(1, &part(9, &number(1, 60)))].concat();
    let secret = decode(&body("v1", "Secret", &data)).unwrap();
    assert_eq!(secret["data"], json!({"k": "YWJj"}));
    assert_eq!(secret["metadata"]["deletionTimestamp"], "1970-01-01T00:01:00Z");
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(decode(b"{}"), Err(ProtobufError::NoEnvelope));
    let unknown = decode(&body("apps/v1", "StatefulSet", b""));
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "no protobuf message is known for StatefulSet of apps/v1"
    );
    assert!(matches!(
        decode(&body("v1", "DeploymentSpec", b"")),
        Err(ProtobufError::UnknownKind { .. })
    ));
    let field = decode(&body("v1", "Namespace", &[0xfa, 0x07, 1, 65]));
    assert_eq!(
        field.unwrap_err().to_string(),
        "Namespace: unknown field number 127"
    );
    assert!(decode(&body("v1", "Namespace", &[0xfa, 0x07, 0])).is_ok());
    let whole = body("v1", "Namespace", &part(1, &part(1, b"shop")));
    for length in 0..whole.len() {
        // Ends early anywhere: an error or, between two fields, a smaller object; never a panic.
        let _ = decode(&whole[..length]);
    }
    assert!(matches!(
        decode(&whole[..whole.len() - 1]),
        Err(ProtobufError::Broken { .. })
    ));
    assert!(matches!(
        decode(&body("v1", "Namespace", &part(1, &part(1, b"\xff")))),
        Err(ProtobufError::NoText { .. })
    ));
}
