use serde_json::json;

use super::*;
use crate::world::apiserver::kinds::Kind;
use crate::world::apiserver::testkit::kind;
use std::sync::Arc;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_603_600 + second).unwrap()
}

fn pods() -> Arc<Kind> {
    kind("pods")
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
fn a_create_owns_everything() {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "1"}, "uid": "u"},
        "spec": {"containers": [{"name": "c", "image": "i"}]}, "status": {"phase": "Pending"}});
    track(None, &mut pod, "kubectl-create", "", &pods(), at(0));
    assert_eq!(
        pod["metadata"]["managedFields"],
        json!([{"manager": "kubectl-create", "operation": "Update", "apiVersion": "v1", "time": "2026-01-05T09:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:a": {}}},
                "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:image": {}}}}}}])
    );
}

#[test]
fn a_change_moves_ownership_and_a_removal_ends_it() {
    let kind = pods();
    let mut one = json!({"metadata": {"labels": {"a": "1", "b": "1", "c": "1"}}});
    track(None, &mut one, "one", "", &kind, at(0));
    let mut two = one.clone();
    two["metadata"]["labels"] = json!({"a": "2", "b": "1", "d": "1"});
    track(Some(&one), &mut two, "two", "", &kind, at(60));
    assert_eq!(
        fields(&two, "one"),
        json!({"f:metadata": {"f:labels": {".": {}, "f:b": {}}}})
    );
    assert_eq!(
        fields(&two, "two"),
        json!({"f:metadata": {"f:labels": {"f:a": {}, "f:d": {}}}})
    );
    let mut three = two.clone();
    three["metadata"].as_object_mut().unwrap().remove("labels");
    track(Some(&two), &mut three, "three", "", &kind, at(90));
    assert_eq!(three["metadata"].get("managedFields"), None);
}

#[test]
fn no_change_keeps_entries_and_times() {
    let kind = pods();
    let mut one = json!({"metadata": {"labels": {"a": "1"}}});
    track(None, &mut one, "one", "", &kind, at(0));
    let mut same = one.clone();
    same["metadata"].as_object_mut().unwrap().remove("managedFields");
    track(Some(&one), &mut same, "two", "", &kind, at(60));
    assert_eq!(same, one);
}

#[test]
fn status_is_owned_through_its_own_path() {
    let kind = pods();
    let mut one = json!({"spec": {"nodeName": "n"}, "status": {"phase": "Pending"}});
    track(None, &mut one, "kubelet", "", &kind, at(0));
    assert_eq!(fields(&one, "kubelet"), json!({"f:spec": {"f:nodeName": {}}}));
    let mut two = one.clone();
    two["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    track(Some(&one), &mut two, "kubelet", "status", &kind, at(1));
    let list = two["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[1]["subresource"], "status");
    assert_eq!(
        list[1]["fieldsV1"],
        json!({"f:status": {"f:phase": {}, "f:conditions": {"k:{\"type\":\"Ready\"}": {".": {}, "f:type": {}, "f:status": {}}}}})
    );
}

/// `kubectl apply --server-side` rewrites the list when an object came from client-side apply.
#[test]
fn a_writer_may_edit_or_clear_the_list() {
    let kind = pods();
    let mut one = json!({"metadata": {"labels": {"a": "1"}}});
    track(None, &mut one, "kubectl-client-side-apply", "", &kind, at(0));
    let mut edited = one.clone();
    edited["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
    edited["metadata"]["managedFields"][0]["operation"] = json!("Apply");
    track(Some(&one), &mut edited, "patcher", "", &kind, at(1));
    assert_eq!(
        fields(&edited, "kubectl"),
        fields(&one, "kubectl-client-side-apply")
    );
    assert_eq!(fields(&edited, "kubectl-client-side-apply"), Value::Null);
    for clear in [json!([]), json!([{}])] {
        let mut cleared = one.clone();
        cleared["metadata"]["managedFields"] = clear;
        track(Some(&one), &mut cleared, "patcher", "", &kind, at(1));
        assert_eq!(cleared["metadata"].get("managedFields"), None);
    }
}

#[test]
fn type_changes_do_not_leave_stale_paths() {
    let kind = kind("configmaps");
    let mut one = json!({"data": {"a": "1"}});
    track(None, &mut one, "one", "", &kind, at(0));
    let mut two = one.clone();
    two["data"] = json!({});
    track(Some(&one), &mut two, "two", "", &kind, at(0));
    assert_eq!(fields(&two, "one"), json!({"f:data": {}}));
    assert_eq!(two["data"], json!({}));
}
