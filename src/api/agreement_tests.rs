//! The hand-kept definitions and the types say the same, and the examples of the reference read without loss.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schema::Checker;

/// Every property path of a schema; lists and maps add `[]`.
fn paths(schema: &Value, root: &Value, at: &str, out: &mut BTreeSet<String>, depth: usize) {
    assert!(depth < 20, "a schema that holds itself: {at}");
    if let Some(target) = schema["$ref"]
        .as_str()
        .and_then(|r| root.pointer(r.trim_start_matches('#')))
    {
        return paths(target, root, at, out, depth + 1);
    }
    for option in schema["anyOf"].as_array().into_iter().flatten() {
        paths(option, root, at, out, depth + 1);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{at}.{name}");
        out.insert(path.clone());
        paths(property, root, &path, out, depth + 1);
    }
    for part in ["items", "additionalProperties"] {
        if schema[part].is_object() {
            paths(&schema[part], root, &format!("{at}[]"), out, depth + 1);
        }
    }
}

fn agree<S: schemars::JsonSchema, T: schemars::JsonSchema>(kind: &str) {
    let checker = Checker::new();
    let crd = checker.schema(kind).expect(kind);
    for (part, typed) in [
        (
            "spec",
            serde_json::to_value(schemars::schema_for!(S)).expect("json"),
        ),
        (
            "status",
            serde_json::to_value(schemars::schema_for!(T)).expect("json"),
        ),
    ] {
        let (mut written, mut ours) = (BTreeSet::new(), BTreeSet::new());
        paths(&crd["properties"][part], crd, part, &mut written, 0);
        paths(&typed, &typed, part, &mut ours, 0);
        let only_crd: Vec<_> = written.difference(&ours).collect();
        let only_type: Vec<_> = ours.difference(&written).collect();
        assert!(
            only_crd.is_empty() && only_type.is_empty(),
            "{kind}: only in YAML {only_crd:?}, only in type {only_type:?}"
        );
    }
}

#[test]
fn types_and_definitions_have_the_same_fields() {
    use super::{
        capacitybuffer as cb, ec2nodeclass as ec2, nodeclaim as nc, nodeoverlay as no, nodepool as np,
    };
    agree::<np::NodePoolSpec, np::NodePoolStatus>("NodePool");
    agree::<nc::NodeClaimSpec, nc::NodeClaimStatus>("NodeClaim");
    agree::<no::NodeOverlaySpec, no::NodeOverlayStatus>("NodeOverlay");
    agree::<ec2::Ec2NodeClassSpec, ec2::Ec2NodeClassStatus>("EC2NodeClass");
    agree::<cb::CapacityBufferSpec, cb::CapacityBufferStatus>("CapacityBuffer");
}

#[test]
fn every_rule_of_the_definitions_compiles() {
    let checker = Checker::new();
    assert_eq!(checker.kinds().count(), super::crds::ALL.len());
    for kind in checker.kinds() {
        let rules = kube_cel::compile_schema(checker.schema(kind).expect(kind));
        assert!(!rules.has_errors(), "{kind}: {:?}", rules.compilation_errors());
    }
}

/// `api §3.3`, `§4.4`, `§5`, `§6`, `§7.9`.
const EXAMPLES: &str = include_str!("../../tests/data/api-examples.yaml");

#[test]
fn examples_are_accepted_and_survive_a_round_trip() {
    let checker = Checker::new();
    let objects: Vec<Value> = serde_saphyr::from_multiple(EXAMPLES).expect("yaml");
    assert!(objects.len() >= 7);
    for object in objects {
        let kind = object["kind"].as_str().expect("kind");
        assert_eq!(checker.check(kind, &object, None), [], "{kind}");
        let again = match kind {
            "NodePool" => round::<super::nodepool::NodePool>(&object),
            "NodeClaim" => round::<super::nodeclaim::NodeClaim>(&object),
            "NodeOverlay" => round::<super::nodeoverlay::NodeOverlay>(&object),
            "EC2NodeClass" => round::<super::ec2nodeclass::EC2NodeClass>(&object),
            _ => round::<super::capacitybuffer::CapacityBuffer>(&object),
        };
        assert_eq!(texts(&again), texts(&object), "{kind}");
    }
}

fn round<T: serde::de::DeserializeOwned + serde::Serialize>(object: &Value) -> Value {
    let typed: T = serde_json::from_value(object.clone()).expect("reads");
    serde_json::to_value(typed).expect("writes")
}

/// Numbers of quantities come back as text: compare with every number as text.
fn texts(value: &Value) -> Value {
    match value {
        Value::Number(n) => n.to_string().into(),
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Object(fields) => Value::Object(fields.iter().map(|(k, v)| (k.clone(), texts(v))).collect()),
        other => other.clone(),
    }
}
