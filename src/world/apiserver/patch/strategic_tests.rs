use serde_json::json;

use super::*;
use crate::world::apiserver::testkit::kind;

fn patched(key: &str, target: &Value, patch: &Value) -> Result<Value, String> {
    let mut value = target.clone();
    strategic(&kind(key), &mut value, patch).map(|()| value)
}

fn pod(containers: &Value) -> Value {
    json!({"spec": {"containers": containers}})
}

#[test]
fn containers_merge_by_name() {
    let start = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "a", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}],
         "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}], "args": ["x", "y"]},
        {"name": "b", "image": "b:1"}]}}}});
    // What `kubectl set image` sends.
    let patch = json!({"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
        "containers": [{"name": "a", "image": "a:2"}]}}}});
    let out = patched("deployments.apps", &start, &patch).unwrap();
    let first = &out["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(first["image"], "a:2");
    assert_eq!(first["env"].as_array().unwrap().len(), 2);
    assert_eq!(out["spec"]["template"]["spec"]["containers"][1]["image"], "b:1");
    assert!(!out.to_string().contains('$'));

    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "a", "args": ["z"], "env": [{"name": "X", "$patch": "delete"}, {"name": "Y", "value": "3"}],
         "ports": [{"containerPort": 81}]}]}}}});
    let out = patched("deployments.apps", &start, &patch).unwrap();
    let first = &out["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(first["args"], json!(["z"]));
    assert_eq!(first["env"], json!([{"name": "Y", "value": "3"}]));
    assert_eq!(first["ports"].as_array().unwrap().len(), 2);
}

#[test]
fn list_items_are_deleted_replaced_and_ordered() {
    let start =
        pod(&json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}, {"name": "c", "image": "1"}]));
    let names = |patch: &Value| -> Vec<String> {
        let out = patched("pods", &start, patch).unwrap();
        out["spec"]["containers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| {
                format!(
                    "{}{}",
                    c["name"].as_str().unwrap(),
                    c["image"].as_str().unwrap_or("-")
                )
            })
            .collect()
    };
    assert_eq!(
        names(&pod(&json!([{"name": "b", "$patch": "delete"}, {"name": "d"}]))),
        ["a1", "c1", "d-"]
    );
    assert_eq!(
        names(&pod(&json!([{"$patch": "replace"}, {"name": "z", "image": "9"}]))),
        ["z9"]
    );
    assert_eq!(
        names(&pod(&json!([{"name": "a", "$patch": "replace"}]))),
        ["a-", "b1", "c1"]
    );
    assert_eq!(
        names(
            &json!({"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "b"}],
            "containers": [{"name": "a", "image": "2"}]}})
        ),
        ["c1", "a2", "b1"]
    );
    // The order alone, as sent when only the order changed; b is not named and keeps its place after a.
    assert_eq!(
        names(&json!({"spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "c"}]}})),
        ["a1", "b1", "c1"]
    );
}

#[test]
fn primitive_lists_join_and_shrink() {
    let start = json!({"metadata": {"finalizers": ["a", "b"]}});
    let out = patched(
        "nodes",
        &start,
        &json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"],
            "$setElementOrder/finalizers": ["c", "b"], "finalizers": ["c", "b"]}}),
    )
    .unwrap();
    assert_eq!(out["metadata"]["finalizers"], json!(["c", "b"]));
    let out = patched(
        "nodes",
        &start,
        &json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"]}}),
    )
    .unwrap();
    assert_eq!(out["metadata"]["finalizers"], json!(["a"]));
}

#[test]
fn lists_without_a_key_are_replaced() {
    let start = json!({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let out = patched(
        "nodes",
        &start,
        &json!({"spec": {"taints": [{"key": "b", "effect": "NoExecute"}]},
            "status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Disk", "status": "True"}]}}),
    )
    .unwrap();
    assert_eq!(
        out["spec"]["taints"],
        json!([{"key": "b", "effect": "NoExecute"}])
    );
    assert_eq!(
        out["status"]["conditions"],
        json!([{"type": "Ready", "status": "False"}, {"type": "Disk", "status": "True"}])
    );
    let out = patched(
        "nodes",
        &start,
        &json!({"spec": {"taints": null, "unschedulable": true}}),
    )
    .unwrap();
    assert_eq!(out["spec"], json!({"unschedulable": true}));
}

#[test]
fn maps_are_retained_replaced_and_cleared() {
    let start = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let out = patched(
        "deployments.apps",
        &start,
        &json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
    )
    .unwrap();
    assert_eq!(out["spec"]["strategy"], json!({"type": "Recreate"}));

    let volumes = json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}});
    let out = patched(
        "pods",
        &volumes,
        &json!({"spec": {"volumes": [{"$retainKeys": ["name", "configMap"], "name": "v", "configMap": {"name": "c"}}]}}),
    )
    .unwrap();
    assert_eq!(
        out["spec"]["volumes"],
        json!([{"name": "v", "configMap": {"name": "c"}}])
    );

    let labels = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
    let replace = json!({"metadata": {"labels": {"$patch": "replace", "c": "3"}}});
    assert_eq!(
        patched("pods", &labels, &replace).unwrap()["metadata"]["labels"],
        json!({"c": "3"})
    );
    let delete = json!({"metadata": {"labels": {"$patch": "delete"}}});
    assert_eq!(
        patched("pods", &labels, &delete).unwrap()["metadata"]["labels"],
        json!({})
    );

    let budget = json!({"spec": {"selector": {"matchLabels": {"a": "1"}}}});
    let other = json!({"spec": {"selector": {"matchLabels": {"b": "2"}}}});
    assert_eq!(
        patched("poddisruptionbudgets.policy", &budget, &other).unwrap(),
        other
    );
}

#[test]
fn new_values_lose_nulls_and_directives() {
    let out = patched(
        "pods",
        &json!({}),
        &json!({"metadata": {"annotations": {"a": null, "b": "1"}}, "spec": {"$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "a", "resources": null}]}}),
    )
    .unwrap();
    assert_eq!(
        out,
        json!({"metadata": {"annotations": {"b": "1"}}, "spec": {"containers": [{"name": "a"}]}})
    );
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    let start = pod(&json!([{"name": "a"}]));
    for bad in [
        json!([1]),
        json!({"spec": {"x": 1, "containers": [{"image": "no name"}]}}),
        json!({"spec": {"containers": ["text"]}}),
        json!({"spec": {"$patch": "explode"}}),
        json!({"spec": {"$retainKeys": "x"}}),
        json!({"spec": {"$retainKeys": ["a"], "b": 1}}),
        json!({"spec": {"$setElementOrder/containers": "x", "containers": []}}),
        json!({"metadata": {"$deleteFromPrimitiveList/finalizers": 1}}),
    ] {
        let mut value = start.clone();
        assert!(
            strategic(&kind("pods"), &mut value, &bad).is_err(),
            "{bad} was accepted"
        );
        assert_eq!(value, start);
    }
}
