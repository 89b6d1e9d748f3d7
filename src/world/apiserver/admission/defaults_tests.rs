use serde_json::{Value, json};

use super::*;
use crate::world::apiserver::testkit::kind;

fn filled(key: &str, mut object: Value) -> Value {
    let kind = kind(key);
    defaults(&kind, &mut object);
    let once = object.clone();
    defaults(&kind, &mut object);
    assert_eq!(object, once, "defaults of {key} are not stable");
    object
}

#[test]
fn pods() {
    let pod = filled(
        "pods",
        json!({"spec": {"containers": [
            {"name": "a", "image": "repo:5000/x/img", "ports": [{"containerPort": 80}],
             "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
             "readinessProbe": {"httpGet": {"port": 80}}, "env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "p"}}}]},
            {"name": "b", "image": "img:1.2"}, {"name": "c", "image": "img:latest"}, {"name": "d", "image": "img@sha256:1"}],
            "volumes": [{"name": "v"}, {"name": "w", "configMap": {"name": "c"}}]}}),
    );
    let spec = &pod["spec"];
    assert_eq!(spec["restartPolicy"], "Always");
    assert_eq!(spec["terminationGracePeriodSeconds"], 30);
    assert_eq!(spec["schedulerName"], "default-scheduler");
    assert_eq!(spec["serviceAccountName"], "default");
    assert_eq!(spec["priority"], 0);
    assert_eq!(spec["tolerations"].as_array().unwrap().len(), 2);
    assert_eq!(spec["tolerations"][0]["tolerationSeconds"], 300);
    let pull: Vec<&str> = spec["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["imagePullPolicy"].as_str().unwrap())
        .collect();
    assert_eq!(pull, ["Always", "IfNotPresent", "Always", "IfNotPresent"]);
    let first = &spec["containers"][0];
    assert_eq!(
        first["resources"]["requests"],
        json!({"cpu": "500m", "memory": "1Gi"})
    );
    assert_eq!(first["ports"][0]["protocol"], "TCP");
    assert_eq!(first["readinessProbe"]["periodSeconds"], 10);
    assert_eq!(first["readinessProbe"]["httpGet"]["scheme"], "HTTP");
    assert_eq!(first["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
    assert_eq!(spec["volumes"][0]["emptyDir"], json!({}));
    assert_eq!(spec["volumes"][1]["configMap"]["defaultMode"], 420);
    assert_eq!(
        pod["status"],
        json!({"phase": "Pending", "qosClass": "Burstable"})
    );
}

#[test]
fn quality_of_service_and_priority() {
    let qos = |resources: Value| {
        filled(
            "pods",
            json!({"spec": {"containers": [{"name": "a", "image": "i", "resources": resources}]}}),
        )["status"]["qosClass"]
            .clone()
    };
    assert_eq!(qos(json!({})), "BestEffort");
    assert_eq!(qos(json!({"requests": {"cpu": "1"}})), "Burstable");
    assert_eq!(qos(json!({"limits": {"cpu": 1, "memory": "1Gi"}})), "Guaranteed");
    assert_eq!(
        qos(
            json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}})
        ),
        "Guaranteed"
    );
    let priority = |class: &str| {
        filled("pods", json!({"spec": {"priorityClassName": class}}))["spec"]["priority"].clone()
    };
    assert_eq!(priority("system-node-critical"), 2_000_001_000_i64);
    assert_eq!(priority("mine"), Value::Null);
    let tolerant = filled("pods", json!({"spec": {"tolerations": [{"operator": "Exists"}]}}));
    assert_eq!(tolerant["spec"]["tolerations"].as_array().unwrap().len(), 1);
}

#[test]
fn workloads() {
    let template = json!({"spec": {"containers": [{"name": "a", "image": "i"}]}});
    let with = |extra: Value| {
        let mut spec = extra;
        spec["template"] = template.clone();
        json!({"spec": spec})
    };
    let deployment = filled("deployments.apps", with(json!({})));
    assert_eq!(deployment["spec"]["replicas"], 1);
    assert_eq!(
        deployment["spec"]["strategy"],
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
    );
    assert_eq!(deployment["spec"]["progressDeadlineSeconds"], 600);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Always");
    assert!(
        pod.get("tolerations").is_none() && pod.get("serviceAccountName").is_none(),
        "{pod}"
    );

    let recreate = filled(
        "deployments.apps",
        with(json!({"replicas": 0, "strategy": {"type": "Recreate"}})),
    );
    assert_eq!(recreate["spec"]["strategy"], json!({"type": "Recreate"}));
    assert_eq!(recreate["spec"]["replicas"], 0);

    let daemons = filled("daemonsets.apps", with(json!({})));
    assert_eq!(
        daemons["spec"]["updateStrategy"]["rollingUpdate"],
        json!({"maxSurge": 0, "maxUnavailable": 1})
    );
    let stateful = filled(
        "statefulsets.apps",
        with(json!({"volumeClaimTemplates": [{"metadata": {"name": "d"}}]})),
    );
    assert_eq!(stateful["spec"]["podManagementPolicy"], "OrderedReady");
    assert_eq!(
        stateful["spec"]["volumeClaimTemplates"][0]["spec"]["volumeMode"],
        "Filesystem"
    );
    assert_eq!(filled("replicasets.apps", with(json!({})))["spec"]["replicas"], 1);

    let job = filled("jobs.batch", with(json!({})));
    assert_eq!(job["spec"]["completions"], 1);
    assert_eq!(job["spec"]["parallelism"], 1);
    assert_eq!(job["spec"]["backoffLimit"], 6);
    let queue = filled("jobs.batch", with(json!({"parallelism": 3})));
    assert_eq!(queue["spec"].get("completions"), None);
}

#[test]
fn other_kinds() {
    let service = filled(
        "services",
        json!({"metadata": {"name": "s", "namespace": "d"}, "spec": {"ports": [{"port": 80}]}}),
    );
    assert_eq!(service["spec"]["type"], "ClusterIP");
    assert_eq!(
        service["spec"]["ports"][0],
        json!({"port": 80, "protocol": "TCP", "targetPort": 80})
    );
    let ip = service["spec"]["clusterIP"].as_str().unwrap().to_owned();
    assert!(ip.starts_with("10."), "{ip}");
    assert_eq!(service["spec"]["clusterIPs"], json!([ip]));
    let headless = filled(
        "services",
        json!({"spec": {"clusterIP": "None", "ports": [{"port": 80}]}}),
    );
    assert_eq!(headless["spec"]["clusterIP"], "None");

    let secret = filled(
        "secrets",
        json!({"stringData": {"a": "foo"}, "data": {"b": "eA=="}}),
    );
    assert_eq!(
        secret,
        json!({"type": "Opaque", "data": {"a": "Zm9v", "b": "eA=="}})
    );
    let class = filled("storageclasses.storage.k8s.io", json!({"provisioner": "x"}));
    assert_eq!(class["volumeBindingMode"], "Immediate");
    let namespace = filled("namespaces", json!({"metadata": {"name": "team"}}));
    assert_eq!(
        namespace["metadata"]["labels"]["kubernetes.io/metadata.name"],
        "team"
    );
    let config = json!({"metadata": {"name": "c"}, "data": {}});
    assert_eq!(filled("configmaps", config.clone()), config);
}
