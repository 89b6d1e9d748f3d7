use serde_json::json;

use super::*;
use crate::world::apiserver::testkit::kind;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_603_600 + second).unwrap()
}

fn config(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "d"}, "data": data})
}

fn applied(live: Option<&Value>, body: &Value, manager: &str, force: bool) -> Result<Value, Error> {
    apply(&kind("configmaps"), live, body, manager, force, at(0))
}

fn fields(object: &Value, manager: &str) -> Value {
    object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|e| e["manager"] == manager)
        .map_or(Value::Null, |e| e["fieldsV1"].clone())
}

#[test]
fn a_first_apply_creates_and_owns() {
    let out = applied(None, &config(&json!({"a": "1"})), "kubectl", false).unwrap();
    assert_eq!(out["data"], json!({"a": "1"}));
    assert_eq!(
        out["metadata"]["managedFields"],
        json!([{"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-05T09:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}}])
    );
}

#[test]
fn another_value_conflicts_and_force_takes_it() {
    let live = applied(None, &config(&json!({"a": "1", "b": "1"})), "one", false).unwrap();
    let body = config(&json!({"b": "2"}));
    let error = applied(Some(&live), &body, "two", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 1 conflict: conflict with \"one\": .data.b"
    );
    let Error::Conflicts(conflicts) = error else {
        panic!("not a conflict")
    };
    assert_eq!(conflicts[0].cause().reason, "FieldManagerConflict");
    assert_eq!(conflicts[0].cause().field, ".data.b");

    let out = applied(Some(&live), &body, "two", true).unwrap();
    assert_eq!(out["data"], json!({"a": "1", "b": "2"}));
    assert_eq!(fields(&out, "one"), json!({"f:data": {"f:a": {}}}));
    assert_eq!(fields(&out, "two"), json!({"f:data": {"f:b": {}}}));
}

#[test]
fn conflicts_with_plain_writers_name_the_version() {
    let mut live = config(&json!({"a": "1", "b": "1"}));
    track(None, &mut live, "kubectl-edit", "", &kind("configmaps"), at(0));
    let error = applied(Some(&live), &config(&json!({"a": "2", "b": "2"})), "x", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 2 conflicts: conflicts with \"kubectl-edit\" using v1:\n- .data.a\n- .data.b"
    );
}

#[test]
fn the_same_value_is_shared_and_survives_one_owner() {
    let live = applied(None, &config(&json!({"a": "1", "b": "1"})), "one", false).unwrap();
    let live = applied(Some(&live), &config(&json!({"a": "1"})), "two", false).unwrap();
    assert_eq!(fields(&live, "two"), json!({"f:data": {"f:a": {}}}));
    // "one" drops both: b goes, a stays for "two".
    let live = applied(Some(&live), &config(&json!({})), "one", false).unwrap();
    assert_eq!(live["data"], json!({"a": "1"}));
    assert_eq!(fields(&live, "one"), json!({"f:data": {}}));
    let mut body = config(&json!({}));
    body.as_object_mut().unwrap().remove("data");
    let live = applied(Some(&live), &body, "one", false).unwrap();
    let live = applied(Some(&live), &body, "two", false).unwrap();
    assert!(live.get("data").is_none(), "{live}");
    assert!(live["metadata"].get("managedFields").is_none());
}

#[test]
fn objects_without_owners_get_before_first_apply() {
    let mut live = config(&json!({"a": "1"}));
    live["metadata"]["uid"] = json!("u");
    let error = applied(Some(&live), &config(&json!({"a": "2"})), "kubectl", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a"
    );
    let out = applied(
        Some(&live),
        &config(&json!({"a": "1", "b": "2"})),
        "kubectl",
        false,
    )
    .unwrap();
    assert_eq!(fields(&out, "before-first-apply"), json!({"f:data": {"f:a": {}}}));
    assert_eq!(fields(&out, "kubectl"), json!({"f:data": {"f:a": {}, "f:b": {}}}));
}

#[test]
fn a_repeated_apply_changes_nothing() {
    let body = config(&json!({"a": "1"}));
    let live = applied(None, &body, "kubectl", false).unwrap();
    let again = apply(&kind("configmaps"), Some(&live), &body, "kubectl", false, at(100)).unwrap();
    assert_eq!(again, live);
    let other = apply(
        &kind("configmaps"),
        Some(&live),
        &config(&json!({"a": "2"})),
        "kubectl",
        false,
        at(100),
    )
    .unwrap();
    assert_eq!(
        other["metadata"]["managedFields"][0]["time"], "2026-01-05T09:00:00Z",
        "same set of fields"
    );
    assert_eq!(other["data"]["a"], "2");
}

fn deployment(containers: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "1"}}, "template": {"spec": {"containers": containers}}}})
}

#[test]
fn keyed_lists_merge_item_by_item() {
    let kind = kind("deployments.apps");
    let one = deployment(&json!([{"name": "a", "image": "a:1", "ports": [{"containerPort": 80}]}]));
    let live = apply(&kind, None, &one, "one", false, at(0)).unwrap();
    let two = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"replicas": 3, "template": {"spec": {"containers": [
            {"name": "side", "image": "s:1"}, {"name": "a", "env": [{"name": "X", "value": "1"}]}]}}}});
    let live = apply(&kind, Some(&live), &two, "two", false, at(1)).unwrap();
    let containers = &live["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["image"], "a:1");
    assert_eq!(containers[0]["env"][0]["value"], "1");
    assert_eq!(containers[1]["name"], "side");

    // "two" lets go of everything but the replicas: its sidecar and its env go, the item "a" stays with "one".
    let less = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 3}});
    let live = apply(&kind, Some(&live), &less, "two", false, at(2)).unwrap();
    let containers = live["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    assert_eq!(containers[0].get("env"), None);
    assert_eq!(live["spec"]["replicas"], 3);

    // An item key counts with the default of its missing part.
    let port = deployment(
        &json!([{"name": "a", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]),
    );
    let live = apply(&kind, Some(&live), &port, "one", false, at(3)).unwrap();
    let ports = live["spec"]["template"]["spec"]["containers"][0]["ports"]
        .as_array()
        .unwrap();
    assert_eq!(ports.len(), 1);
}

#[test]
fn sets_and_atomic_values() {
    let kind = kind("nodes");
    let node = |finalizers: &Value, taints: &Value| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "finalizers": finalizers},
            "spec": {"taints": taints}})
    };
    let live = apply(
        &kind,
        None,
        &node(&json!(["a"]), &json!([{"key": "x"}])),
        "one",
        false,
        at(0),
    )
    .unwrap();
    let mut body = node(&json!(["b"]), &json!([]));
    body.as_object_mut().unwrap().remove("spec");
    let live = apply(&kind, Some(&live), &body, "two", false, at(0)).unwrap();
    assert_eq!(live["metadata"]["finalizers"], json!(["a", "b"]));
    let taints = node(&json!(["b"]), &json!([{"key": "y"}]));
    let error = apply(&kind, Some(&live), &taints, "two", false, at(0)).unwrap_err();
    assert!(
        error.to_string().ends_with("conflict with \"one\": .spec.taints"),
        "{error}"
    );
}

#[test]
fn status_can_be_applied_by_itself() {
    let kind = kind("nodes");
    let status = |value: &str| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
            "status": {"conditions": [{"type": "Ready", "status": value}]}})
    };
    let mut live =
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"podCIDR": "x"}});
    track(None, &mut live, "kubelet", "", &kind, at(0));
    let live = apply_to(
        &kind,
        "status",
        Some(&live),
        &status("True"),
        "agent",
        false,
        at(0),
    )
    .unwrap();
    let entry = live["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["manager"] == "agent")
        .unwrap();
    assert_eq!(entry["subresource"], "status");
    let error = apply(&kind, Some(&live), &status("False"), "other", false, at(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Apply failed with 1 conflict: conflict with \"agent\" with subresource \"status\": \
         .status.conditions[type=\"Ready\"].status"
    );
}

#[test]
fn bad_bodies() {
    let bad = |body: &Value| applied(None, body, "x", false).unwrap_err().to_string();
    assert!(bad(&json!({"kind": "ConfigMap"})).starts_with("invalid object type"));
    let mut body = config(&json!({}));
    body["metadata"]["managedFields"] = json!([{}]);
    assert_eq!(bad(&body), "metadata.managedFields must be nil");
}
