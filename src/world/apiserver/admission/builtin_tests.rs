use serde_json::{Value, json};

use super::*;
use crate::world::apiserver::testkit::kind;

/// What a create or an update is refused for, defaults filled in first: `field: reason`.
fn refused(key: &str, object: &Value, old: Option<&Value>) -> Vec<String> {
    let kind = kind(key);
    let full = |object: &Value| {
        let mut object = object.clone();
        defaults(&kind, &mut object);
        object
    };
    let old = old.map(full);
    validate(&kind, &full(object), old.as_ref())
        .into_iter()
        .map(|c| format!("{}: {}", c.field, c.reason.trim_start_matches("FieldValue")))
        .collect()
}

fn set(object: &Value, pointer: &str, value: Value) -> Value {
    let mut out = object.clone();
    if let Some(slot) = out.pointer_mut(pointer) {
        *slot = value;
    } else {
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        out.pointer_mut(parent).unwrap()[last] = value;
    }
    out
}

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d"},
        "spec": {"containers": [{"name": "a", "image": "i:1"}]}})
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "p", "namespace": "d"},
        "spec": {"selector": {"matchLabels": {"a": "1"}}, "template": {"metadata": {"labels": {"a": "1", "b": "2"}},
            "spec": {"containers": [{"name": "a", "image": "i:1"}]}}}})
}

#[test]
fn pods_are_checked() {
    assert_eq!(refused("pods", &pod(), None), Vec::<String>::new());
    for (pointer, value, want) in [
        ("/spec/containers", json!([]), "spec.containers: Required"),
        (
            "/spec/containers/0/image",
            json!(""),
            "spec.containers[0].image: Required",
        ),
        (
            "/spec/containers/0/name",
            json!("A_b"),
            "spec.containers[0].name: Invalid",
        ),
        (
            "/spec/containers",
            json!([{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]),
            "spec.containers[1].name: Duplicate",
        ),
        (
            "/spec/containers/0/resources",
            json!({"requests": {"cpu": "ten"}}),
            "spec.containers[0].resources.requests[cpu]: Invalid",
        ),
        (
            "/spec/containers/0/resources",
            json!({"requests": {"cpu": "-1"}}),
            "spec.containers[0].resources.requests[cpu]: Invalid",
        ),
        (
            "/spec/containers/0/resources",
            json!({"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}),
            "spec.containers[0].resources.requests: Invalid",
        ),
        (
            "/spec/containers/0/ports",
            json!([{"containerPort": 70000}]),
            "spec.containers[0].ports[0].containerPort: Invalid",
        ),
        (
            "/spec/containers/0/volumeMounts",
            json!([{"name": "v", "mountPath": "/x"}]),
            "spec.containers[0].volumeMounts[0].name: NotFound",
        ),
        (
            "/spec/restartPolicy",
            json!("Sometimes"),
            "spec.restartPolicy: NotSupported",
        ),
        ("/spec/nodeSelector", json!({"a": "b c"}), "nodeSelector: Invalid"),
        (
            "/spec/tolerations",
            json!([{"key": "a", "effect": "Never"}]),
            "spec.tolerations[0].effect: NotSupported",
        ),
        (
            "/spec/topologySpreadConstraints",
            json!([{"maxSkew": 0, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]),
            "spec.topologySpreadConstraints[0].maxSkew: Invalid",
        ),
        ("/metadata/namespace", json!(""), "metadata.namespace: Required"),
    ] {
        assert_eq!(
            refused("pods", &set(&pod(), pointer, value), None),
            [want],
            "{pointer}"
        );
    }
}

#[test]
fn pods_hardly_change() {
    let old = pod();
    let change = |pointer: &str, value: Value| refused("pods", &set(&old, pointer, value), Some(&old));
    assert_eq!(
        change("/spec/containers/0/image", json!("i:2")),
        Vec::<String>::new()
    );
    assert_eq!(
        change("/metadata/labels", json!({"a": "b"})),
        Vec::<String>::new()
    );
    assert_eq!(change("/spec/nodeName", json!("n")), ["spec: Forbidden"]);
    assert_eq!(
        change("/spec/containers/0/command", json!(["x"])),
        ["spec: Forbidden"]
    );
    let gated = set(&old, "/spec/schedulingGates", json!([{"name": "g"}]));
    assert_eq!(
        refused(
            "pods",
            &set(&gated, "/spec/schedulingGates", json!([])),
            Some(&gated)
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        refused("pods", &gated, Some(&old)),
        ["spec.schedulingGates: Forbidden"]
    );
    let tolerant = set(
        &old,
        "/spec/tolerations",
        json!([{"key": "x", "operator": "Exists"}]),
    );
    assert_eq!(refused("pods", &tolerant, Some(&old)), Vec::<String>::new());
    assert_eq!(
        refused("pods", &old, Some(&tolerant)),
        ["spec.tolerations: Forbidden"]
    );
}

#[test]
fn workloads_are_checked() {
    let key = "deployments.apps";
    assert_eq!(refused(key, &deployment(), None), Vec::<String>::new());
    for (pointer, value, want) in [
        ("/spec/replicas", json!(-1), "spec.replicas: Invalid"),
        (
            "/spec/selector",
            json!({"matchLabels": {"a": "2"}}),
            "spec.template.metadata.labels: Invalid",
        ),
        ("/spec/selector", json!({}), "spec.selector: Invalid"),
        ("/spec/selector", Value::Null, "spec.selector: Required"),
        (
            "/spec/template/spec/restartPolicy",
            json!("Never"),
            "spec.template.spec.restartPolicy: NotSupported",
        ),
        (
            "/spec/template/spec/containers/0/image",
            json!(""),
            "spec.template.spec.containers[0].image: Required",
        ),
    ] {
        assert_eq!(
            refused(key, &set(&deployment(), pointer, value), None),
            [want],
            "{pointer}"
        );
    }
    let expression = json!({"matchExpressions": [{"key": "b", "operator": "In", "values": ["2"]}, {"key": "c", "operator": "DoesNotExist"}]});
    assert_eq!(
        refused(
            key,
            &set(&deployment(), "/spec/selector", expression.clone()),
            None
        ),
        Vec::<String>::new()
    );
    let old = deployment();
    assert_eq!(
        refused(key, &set(&old, "/spec/selector", expression), Some(&old)),
        ["spec.selector: Invalid"]
    );
    assert_eq!(
        refused(key, &set(&old, "/spec/replicas", json!(9)), Some(&old)),
        Vec::<String>::new()
    );

    let job = json!({"metadata": {"name": "j", "namespace": "d"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]}}}});
    assert_eq!(refused("jobs.batch", &job, None), Vec::<String>::new());
    let always = set(&job, "/spec/template/spec/restartPolicy", json!("Always"));
    assert_eq!(
        refused("jobs.batch", &always, None),
        ["spec.template.spec.restartPolicy: Required"]
    );
    let other = set(&job, "/spec/template/spec/containers/0/image", json!("k"));
    assert_eq!(
        refused("jobs.batch", &other, Some(&job)),
        ["spec.template: Invalid"]
    );
}

#[test]
fn other_kinds_are_checked() {
    let of = |extra: Value| {
        let mut out = json!({"metadata": {"name": "x", "namespace": "d"}});
        for (key, value) in extra.as_object().unwrap() {
            out[key] = value.clone();
        }
        out
    };
    for (key, object, want) in [
        (
            "nodes",
            json!({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}),
            vec![],
        ),
        (
            "nodes",
            json!({"spec": {"taints": [{"key": "a"}]}}),
            vec!["spec.taints[0].effect: Required"],
        ),
        (
            "nodes",
            json!({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "value": "b", "effect": "NoSchedule"}]}}),
            vec!["spec.taints[1]: Duplicate"],
        ),
        (
            "nodes",
            json!({"status": {"capacity": {"cpu": "-1"}}}),
            vec!["status.capacity[cpu]: Invalid"],
        ),
        ("services", json!({"spec": {"ports": [{"port": 80}]}}), vec![]),
        ("services", json!({"spec": {}}), vec!["spec.ports: Required"]),
        (
            "services",
            json!({"spec": {"ports": [{"port": 80}, {"port": 81}]}}),
            vec!["spec.ports[0].name: Required", "spec.ports[1].name: Required"],
        ),
        (
            "services",
            json!({"spec": {"type": "Odd", "ports": [{"port": 80}]}}),
            vec!["spec.type: NotSupported"],
        ),
        (
            "poddisruptionbudgets.policy",
            json!({"spec": {"minAvailable": "50%"}}),
            vec![],
        ),
        (
            "poddisruptionbudgets.policy",
            json!({"spec": {"minAvailable": 1, "maxUnavailable": 1}}),
            vec!["spec: Invalid"],
        ),
        (
            "poddisruptionbudgets.policy",
            json!({"spec": {"minAvailable": "half"}}),
            vec!["spec.minAvailable: Invalid"],
        ),
        (
            "persistentvolumeclaims",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Gi"}}}}),
            vec![],
        ),
        (
            "persistentvolumeclaims",
            json!({"spec": {}}),
            vec!["spec.accessModes: Required", "spec.resources[storage]: Required"],
        ),
        (
            "priorityclasses.scheduling.k8s.io",
            json!({"value": 2_000_000_000}),
            vec!["value: Forbidden"],
        ),
        ("configmaps", json!({"data": {"a": "b"}}), vec![]),
    ] {
        assert_eq!(refused(key, &of(object.clone()), None), want, "{key} {object}");
    }
    let old = of(json!({"value": 1}));
    let new = of(json!({"value": 2}));
    assert_eq!(
        refused("priorityclasses.scheduling.k8s.io", &new, Some(&old)),
        ["value: Invalid"]
    );
}

#[test]
fn unknown_fields_have_paths() {
    let kind = kind("deployments.apps");
    let mut object = deployment();
    object["spec"]["zzz"] = json!(1);
    object["metadata"]["labls"] = json!({});
    object["metadata"]["creationTimestamp"] = Value::Null;
    object["spec"]["template"]["spec"]["containers"][0]["imag"] = json!("x");
    object["spec"]["strategy"] = json!({});
    assert_eq!(
        unknown_fields(&kind, &object),
        [
            "metadata.labls",
            "spec.template.spec.containers[0].imag",
            "spec.zzz"
        ]
    );
    prune(&kind, &mut object);
    let mut want = deployment();
    want["spec"]["strategy"] = json!({});
    assert_eq!(object, want);
    assert_eq!(unknown_fields(&kind, &want), Vec::<String>::new());
}

#[test]
fn bodies_of_the_wrong_shape_cannot_be_decoded() {
    let kind = kind("deployments.apps");
    let bad = set(&deployment(), "/spec/replicas", json!("three"));
    let error = decode_error(&kind, &bad).unwrap();
    assert!(
        error.starts_with("Deployment in version \"v1\" cannot be handled as a Deployment: "),
        "{error}"
    );
    assert_eq!(decode_error(&kind, &deployment()), None);
    assert_eq!(refused("deployments.apps", &bad, None), [": TypeInvalid"]);
}
