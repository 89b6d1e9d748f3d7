use serde_json::{Value, json};

use super::*;
use crate::world::apiserver::testkit::kind;

fn pool() -> Value {
    json!({"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {
            "requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]}],
            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "general"}}}}})
}

/// A valid pool with one value changed; `null` removes it.
fn with(pointer: &str, value: Value) -> Value {
    let mut out = pool();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let mut place = &mut out;
    for part in parent.split('/').filter(|p| !p.is_empty()) {
        place = match part.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[part],
        };
    }
    match value {
        Value::Null => {
            place.as_object_mut().unwrap().remove(last);
        }
        value => place[last] = value,
    }
    out
}

/// What a create or an update is refused for, one `field: message` a line.
fn refused(key: &str, object: &Value, old: Option<&Value>) -> Vec<String> {
    let kind = kind(key);
    let mut object = object.clone();
    defaults(&kind, &mut object);
    let old = old.map(|old| {
        let mut old = old.clone();
        defaults(&kind, &mut old);
        old
    });
    validate(&kind, &object, old.as_ref())
        .into_iter()
        .map(|c| format!("{}: {}", c.field, c.message))
        .collect()
}

fn pool_refused(object: &Value) -> Vec<String> {
    refused("nodepools.karpenter.sh", object, None)
}

#[test]
fn every_rule_of_the_shipped_definitions_compiles() {
    fn bad(schema: &kube_cel::CompiledSchema) -> usize {
        schema.compilation_errors().len()
            + schema.properties.values().map(bad).sum::<usize>()
            + schema.items.as_deref().map_or(0, bad)
            + schema.additional_properties.as_deref().map_or(0, bad)
    }
    for key in [
        "nodepools.karpenter.sh",
        "nodeclaims.karpenter.sh",
        "nodeoverlays.karpenter.sh",
        "ec2nodeclasses.karpenter.k8s.aws",
        "capacitybuffers.autoscaling.x-k8s.io",
    ] {
        let kind = kind(key);
        let compiled = compiled::of(kind.crd.as_ref().unwrap());
        assert_eq!(bad(&compiled.rules), 0, "{key}");
        let again = compiled::of(kind.crd.as_ref().unwrap());
        assert!(std::sync::Arc::ptr_eq(&compiled, &again), "compiled twice");
    }
}

#[test]
fn defaults_reach_into_defaulted_values() {
    let kind = kind("nodepools.karpenter.sh");
    let mut object = pool();
    defaults(&kind, &mut object);
    assert_eq!(
        object["spec"]["disruption"],
        json!({"consolidateAfter": "0s", "consolidationPolicy": "WhenEmptyOrUnderutilized", "budgets": [{"nodes": "10%"}]})
    );
    assert_eq!(object["spec"]["template"]["spec"]["expireAfter"], "720h");
    let once = object.clone();
    defaults(&kind, &mut object);
    assert_eq!(object, once);

    let mut null = with(
        "/spec/disruption",
        json!({"consolidateAfter": null, "budgets": []}),
    );
    defaults(&kind, &mut null);
    assert_eq!(null["spec"]["disruption"]["consolidateAfter"], "0s");
    assert_eq!(null["spec"]["disruption"]["budgets"], json!([]));
}

#[test]
fn good_pools_pass() {
    for object in [
        pool(),
        with("/spec/limits", json!({"cpu": 100, "memory": "10Gi"})),
        with("/spec/weight", json!(100)),
        with("/spec/template/spec/requirements", json!([])),
        with(
            "/spec/disruption",
            json!({"consolidateAfter": "Never", "budgets": [{"nodes": "5", "schedule": "@daily", "duration": "8h"}]}),
        ),
    ] {
        assert_eq!(pool_refused(&object), Vec::<String>::new(), "{object}");
    }
}

#[test]
fn limits_of_the_schema() {
    for (object, field, message) in [
        (
            with("/spec/weight", json!(0)),
            "spec.weight",
            "Invalid value: 0: spec.weight in body should be greater than or equal to 1",
        ),
        (
            with("/spec/weight", json!(101)),
            "spec.weight",
            "Invalid value: 101: spec.weight in body should be less than or equal to 100",
        ),
        (
            with("/spec/weight", json!("7")),
            "spec.weight",
            "Invalid value: \"string\": spec.weight in body must be of type integer: \"string\"",
        ),
        (
            with("/spec/template/spec/nodeClassRef/name", Value::Null),
            "spec.template.spec.nodeClassRef.name",
            "Required value",
        ),
        (
            with("/spec/template/spec/requirements/0/operator", json!("Near")),
            "spec.template.spec.requirements[0].operator",
            "Unsupported value: \"Near\": supported values: \"In\", ",
        ),
        (
            with("/spec/template/spec/expireAfter", json!("7d")),
            "spec.template.spec.expireAfter",
            "Invalid value: \"7d\": spec.template.spec.expireAfter in body should match ",
        ),
        (
            with(
                "/spec/disruption",
                json!({"consolidateAfter": "0s", "budgets": vec![json!({"nodes": "1"}); 51]}),
            ),
            "spec.disruption.budgets",
            "Too many: 51: must have at most 50 items",
        ),
        (
            with("/spec/limits", json!({"cpu": true})),
            "spec.limits.cpu",
            "Invalid value: \"boolean\": spec.limits.cpu in body must be of type integer or string",
        ),
    ] {
        let found = pool_refused(&object);
        assert!(
            found
                .iter()
                .any(|f| f.starts_with(&format!("{field}: {message}"))),
            "{field}: {message} not in {found:#?}"
        );
    }
}

#[test]
fn type_errors_stop_before_the_rules() {
    let found = pool_refused(&with("/spec/weight", json!("7")));
    assert!(
        found
            .last()
            .unwrap()
            .starts_with("<nil>: Invalid value: null: some validation rules"),
        "{found:?}"
    );
}

/// `api §8.4`, `§3.1`.
#[test]
fn rules_of_pools() {
    let requirement = |key: &str| json!([{"key": key, "operator": "Exists"}]);
    for object in [
        with(
            "/spec/template/spec/requirements",
            requirement("karpenter.sh/nodepool"),
        ),
        with(
            "/spec/template/spec/requirements",
            requirement("karpenter.sh/custom"),
        ),
        with(
            "/spec/template/spec/requirements",
            requirement("kubernetes.io/hostname"),
        ),
        with(
            "/spec/template/spec/requirements",
            json!([{"key": "a", "operator": "In"}]),
        ),
        with(
            "/spec/template/spec/requirements",
            json!([{"key": "a", "operator": "Gt", "values": ["x"]}]),
        ),
        with(
            "/spec/template/spec/requirements",
            json!([{"key": "a", "operator": "In", "values": ["x"], "minValues": 2}]),
        ),
        with(
            "/spec/template/metadata",
            json!({"labels": {"karpenter.sh/nodepool": "x"}}),
        ),
        with(
            "/spec/disruption",
            json!({"budgets": [{"nodes": "1", "schedule": "@daily"}]}),
        ),
    ] {
        let found = pool_refused(&object);
        assert_eq!(found.len(), 1, "{object}: {found:#?}");
        assert!(
            found[0].starts_with("spec.") && found[0].contains(": Invalid value: "),
            "{found:?}"
        );
    }
    for good in [
        requirement("karpenter.k8s.aws/instance-category"),
        requirement("node.kubernetes.io/instance-type"),
        requirement("example.com/team"),
        requirement("kubernetes.io/custom"),
    ] {
        assert_eq!(
            pool_refused(&with("/spec/template/spec/requirements", good)),
            Vec::<String>::new()
        );
    }
}

#[test]
fn transition_rules_look_at_the_old_state() {
    let dynamic = pool();
    let fixed = with("/spec/replicas", json!(3));
    assert_eq!(pool_refused(&fixed), Vec::<String>::new());
    let found = refused("nodepools.karpenter.sh", &fixed, Some(&dynamic));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("spec: Invalid value: \"object\": replicas "),
        "{found:?}"
    );
    assert_eq!(refused("nodepools.karpenter.sh", &dynamic, Some(&fixed)).len(), 1);
    let more = with("/spec/replicas", json!(5));
    assert_eq!(
        refused("nodepools.karpenter.sh", &more, Some(&fixed)),
        Vec::<String>::new()
    );
    let other = with("/spec/template/spec/nodeClassRef/kind", json!("Other"));
    assert_eq!(refused("nodepools.karpenter.sh", &other, Some(&dynamic)).len(), 1);
}

/// What was stored before a rule became stricter may stay while other fields change.
#[test]
fn unchanged_values_are_not_checked_again() {
    let old = with("/spec/template/spec/expireAfter", json!("7d"));
    let mut new = old.clone();
    new["spec"]["weight"] = json!(5);
    assert_eq!(pool_refused(&new).len(), 1);
    assert_eq!(
        refused("nodepools.karpenter.sh", &new, Some(&old)),
        Vec::<String>::new()
    );
}

#[test]
fn node_classes_follow_their_rules() {
    let class = |spec: Value| json!({"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "general"}, "spec": spec});
    let key = "ec2nodeclasses.karpenter.k8s.aws";
    let good = json!({"role": "node", "amiSelectorTerms": [{"alias": "al2023@latest"}],
        "subnetSelectorTerms": [{"tags": {"a": "b"}}], "securityGroupSelectorTerms": [{"tags": {"a": "b"}}]});
    assert_eq!(refused(key, &class(good.clone()), None), Vec::<String>::new());
    let mut filled = class(good.clone());
    defaults(&kind(key), &mut filled);
    assert_eq!(filled["spec"]["metadataOptions"]["httpTokens"], "required");
    let mut both = good.clone();
    both["instanceProfile"] = json!("x");
    assert_eq!(refused(key, &class(both), None).len(), 1);
    let mut none = good.clone();
    none["subnetSelectorTerms"] = json!([{"tags": {"": "b"}}]);
    assert!(!refused(key, &class(none), None).is_empty());
    let mut neither = good;
    neither.as_object_mut().unwrap().remove("role");
    assert_eq!(refused(key, &class(neither), None).len(), 1);
}

#[test]
fn unknown_fields_are_named_and_dropped() {
    let kind = kind("nodepools.karpenter.sh");
    let mut object = pool();
    object["spec"]["zzz"] = json!(1);
    object["extra"] = json!({"a": 1});
    object["metadata"]["nope"] = json!(1);
    object["metadata"]["labels"] = json!({"any": "label"});
    object["spec"]["template"]["spec"]["requirements"][0]["x"] = json!(1);
    object["spec"]["limits"] = json!({"cpu": 1, "anything": 2});
    assert_eq!(
        unknown_fields(&kind, &object),
        [
            "extra",
            "metadata.nope",
            "spec.template.spec.requirements[0].x",
            "spec.zzz"
        ]
    );
    prune(&kind, &mut object);
    assert_eq!(unknown_fields(&kind, &object), Vec::<String>::new());
    let mut want = pool();
    want["metadata"]["labels"] = json!({"any": "label"});
    want["spec"]["limits"] = json!({"cpu": 1, "anything": 2});
    assert_eq!(object, want);
}

#[test]
fn names_and_labels_are_checked() {
    for (pointer, value, field) in [
        ("/metadata/name", json!("Upper"), "metadata.name"),
        ("/metadata/name", json!("a..b"), "metadata.name"),
        ("/metadata/name", Value::Null, "metadata.name"),
        ("/metadata/labels", json!({"-a": "b"}), "metadata.labels"),
        ("/metadata/labels", json!({"a": "b c"}), "metadata.labels"),
        (
            "/metadata/annotations",
            json!({"a b": "x"}),
            "metadata.annotations",
        ),
        ("/metadata/finalizers", json!(["no good"]), "metadata.finalizers"),
        (
            "/metadata/ownerReferences",
            json!([{"apiVersion": "v1", "kind": "Pod", "name": "x"}]),
            "metadata.ownerReferences[0].uid",
        ),
    ] {
        let found = pool_refused(&with(pointer, value));
        assert!(
            found.len() == 1 && found[0].starts_with(field),
            "{pointer}: {found:?}"
        );
    }
    assert_eq!(
        pool_refused(&with("/metadata/name", json!("a.b-c.d"))),
        Vec::<String>::new()
    );
}
