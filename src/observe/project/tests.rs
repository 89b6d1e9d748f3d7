use serde_json::{Value, json};

use super::*;
use crate::observe::slim;

#[expect(
    clippy::needless_pass_by_value,
    reason = "`json!` makes the argument at the call"
)]
fn pod(spec: Value, status: Value) -> crate::model::Pod {
    let object = json!({"metadata": {"name": "p", "namespace": "n"}, "spec": spec, "status": status});
    let object: slim::Pod = serde_json::from_value(object).expect("pod");
    Projector::new("").pod(&object)
}

fn cpu(spec: Value) -> i64 {
    pod(spec, json!({})).spec.requests.cpu
}

/// `scheduling §8.1`.
#[test]
fn requests_count_sidecars_init_peak_overhead_and_pod_level() {
    let c = |cpu: &str| json!({"name": cpu, "resources": {"requests": {"cpu": cpu}}});
    let side =
        |cpu: &str| json!({"name": cpu, "restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}});
    assert_eq!(cpu(json!({"containers": [c("1"), c("500m")]})), 1500);
    assert_eq!(
        cpu(json!({"containers": [c("1")], "initContainers": [c("3")]})),
        3000
    );
    assert_eq!(
        cpu(json!({"containers": [c("1")], "initContainers": [side("1"), c("3")]})),
        4000
    );
    assert_eq!(
        cpu(json!({"containers": [c("1")], "initContainers": [c("3"), side("1")]})),
        3000
    );
    assert_eq!(
        cpu(json!({"containers": [c("1")], "overhead": {"cpu": "250m"}})),
        1250
    );
    let level =
        json!({"containers": [c("1")], "resources": {"requests": {"cpu": "4"}}, "overhead": {"cpu": "1"}});
    assert_eq!(cpu(level), 5000);
    let limited = json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1"}}}]});
    let requests = pod(limited, json!({})).spec.requests.clone();
    assert_eq!((requests.cpu, requests.memory, requests.pods), (1000, 1 << 30, 1));
}

#[test]
fn a_resize_counts_the_greater_amount_unless_it_cannot_happen() {
    let spec = json!({"containers": [{"name": "a", "resources": {"requests": {"cpu": "4"}}}]});
    let status = |conditions: Value| {
        json!({"conditions": conditions, "containerStatuses": [
            {"name": "a", "resources": {"requests": {"cpu": "1"}}, "allocatedResources": {"cpu": "2"}}]})
    };
    assert_eq!(pod(spec.clone(), status(json!([]))).spec.requests.cpu, 4000);
    let stuck = json!([{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]);
    assert_eq!(pod(spec, status(stuck)).spec.requests.cpu, 2000);
}

#[test]
fn equal_pods_share_their_spec_and_labels() {
    let mut projector = Projector::new("");
    let mut make = |name: &str| {
        let object = json!({"metadata": {"name": name, "labels": {"app": "a"}}, "spec": {"containers": []}});
        projector.pod(&serde_json::from_value(object).expect("pod"))
    };
    let (a, b) = (make("a"), make("b"));
    assert!(Arc::ptr_eq(&a.spec, &b.spec) && Arc::ptr_eq(&a.labels, &b.labels));
}

#[test]
fn a_pod_keeps_what_placing_it_depends_on() {
    let p = pod(
        json!({"nodeSelector": {"a": "b"}, "priority": 7, "containers": [
                {"name": "c", "ports": [{"hostPort": 80}, {"containerPort": 1}]}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "e", "ephemeral": {}},
                {"name": "x", "emptyDir": {}}],
            "tolerations": [{"operator": "Exists"}],
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "k", "operator": "Gt", "values": ["3"]}]}, {"matchFields": []}]}}}}),
        json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}),
    );
    assert!(p.is_provisionable());
    assert_eq!(p.spec.host_ports.len(), 1);
    assert_eq!(&*p.spec.host_ports[0].ip, "0.0.0.0");
    assert_eq!(p.spec.volume_claims, ["data".into(), "p-e".into()]);
    assert!(p.spec.spread[0].hard && p.spec.spread[0].honor_affinity && !p.spec.spread[0].honor_taints);
    assert_eq!(p.spec.required_terms[0][0].gte, Some(4));
    assert!(p.spec.has_match_fields);
    assert_eq!(p.spec.grace_seconds, 30);
}

#[test]
fn a_pool_gets_the_defaults_of_its_schema() {
    let object = json!({"metadata": {"name": "p"}, "spec": {"limits": {"cpu": 10}, "template": {"spec": {
        "requirements": [{"key": "beta.kubernetes.io/arch", "operator": "In", "values": ["arm64"], "minValues": 1}],
        "nodeClassRef": {"group": "g", "kind": "k", "name": "c"}}}}, "status": null});
    let row = Projector::new("").pool(&serde_json::from_value(object).expect("pool"));
    assert_eq!(row.limits.get("cpu"), Some(&10_000));
    assert_eq!(row.disruption.consolidate_after, Some(std::time::Duration::ZERO));
    assert_eq!(&*row.disruption.budgets[0].nodes, "10%");
    assert_eq!(
        row.template.expire_after,
        Some(std::time::Duration::from_secs(720 * 3600))
    );
    assert_eq!(
        row.template
            .requirements
            .get("kubernetes.io/arch")
            .and_then(|r| r.min_values),
        Some(1)
    );
    assert!(row.invalid.is_empty());
}
