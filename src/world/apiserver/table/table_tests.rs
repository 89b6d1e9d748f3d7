use serde_json::json;

use super::*;
use crate::world::apiserver::testkit::kind;

fn now() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().unwrap()
}

/// The cells of one object, wide ones included, as one line.
fn line(key: &str, mut object: Value) -> String {
    object["metadata"]["name"] = json!("x");
    object["metadata"]["creationTimestamp"] = json!("2026-01-05T09:51:23Z");
    let kind = kind(key);
    let table = render(&kind, &[object], IncludeObject::None, now(), true);
    let cells = table["rows"][0]["cells"].as_array().unwrap().clone();
    assert_eq!(
        cells.len(),
        table["columnDefinitions"].as_array().unwrap().len(),
        "{key}"
    );
    let cells: Vec<String> = cells
        .into_iter()
        .map(|c| match c {
            Value::String(text) => text,
            other => other.to_string(),
        })
        .collect();
    cells.join("|")
}

fn columns(key: &str) -> String {
    let table = render(&kind(key), &[], IncludeObject::None, now(), true);
    let names: Vec<String> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            let mark = if c["priority"] == 1 { "*" } else { "" };
            format!("{mark}{}", c["name"].as_str().unwrap())
        })
        .collect();
    names.join(" ")
}

/// `kube-wire §6`; `*` marks the wide ones.
#[test]
fn every_kind_has_its_columns() {
    for (key, want) in [
        (
            "nodes",
            "Name Status Roles Age Version *Internal-IP *External-IP *OS-Image *Kernel-Version *Container-Runtime",
        ),
        (
            "pods",
            "Name Ready Status Restarts Age *IP *Node *Nominated Node *Readiness Gates",
        ),
        ("namespaces", "Name Status Age"),
        (
            "events",
            "Last Seen Type Reason Object *Subobject *Source Message *First Seen *Count *Name",
        ),
        (
            "services",
            "Name Type Cluster-IP External-IP Port(s) Age *Selector",
        ),
        ("configmaps", "Name Data Age"),
        (
            "persistentvolumeclaims",
            "Name Status Volume Capacity Access Modes StorageClass VolumeAttributesClass Age *VolumeMode",
        ),
        (
            "persistentvolumes",
            "Name Capacity Access Modes Reclaim Policy Status Claim StorageClass VolumeAttributesClass Reason Age *VolumeMode",
        ),
        (
            "deployments.apps",
            "Name Ready Up-to-date Available Age *Containers *Images *Selector",
        ),
        (
            "replicasets.apps",
            "Name Desired Current Ready Age *Containers *Images *Selector",
        ),
        (
            "daemonsets.apps",
            "Name Desired Current Ready Up-to-date Available Node Selector Age *Containers *Images *Selector",
        ),
        ("statefulsets.apps", "Name Ready Age *Containers *Images"),
        (
            "jobs.batch",
            "Name Status Completions Duration Age *Containers *Images *Selector",
        ),
        (
            "poddisruptionbudgets.policy",
            "Name Min Available Max Unavailable Allowed Disruptions Age",
        ),
        ("leases.coordination.k8s.io", "Name Holder Age"),
        (
            "storageclasses.storage.k8s.io",
            "Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age",
        ),
        ("csinodes.storage.k8s.io", "Name Drivers Age"),
        (
            "volumeattachments.storage.k8s.io",
            "Name Attacher PV Node Attached Age",
        ),
        (
            "priorityclasses.scheduling.k8s.io",
            "Name Value Global-Default Age PreemptionPolicy",
        ),
        (
            "customresourcedefinitions.apiextensions.k8s.io",
            "Name Created At",
        ),
        (
            "nodepools.karpenter.sh",
            "Name NodeClass Nodes Ready Age *Weight *CPU *Memory",
        ),
        (
            "nodeclaims.karpenter.sh",
            "Name Type Capacity Zone Node Ready Age *ImageID *ID *NodePool *NodeClass *Drifted",
        ),
        ("ec2nodeclasses.karpenter.k8s.aws", "Name Ready Age *Role"),
        ("nodeoverlays.karpenter.sh", "Name Ready Age *Weight"),
    ] {
        assert_eq!(columns(key), want, "{key}");
    }
}

#[test]
fn cells_of_the_cluster() {
    let conditions = |ready: &str| json!([{"type": "Ready", "status": ready}]);
    let node = |conditions: Value, unschedulable: bool| {
        json!({"metadata": {"labels": {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/gpu": ""}},
            "spec": {"unschedulable": unschedulable}, "status": {"conditions": conditions,
                "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                "nodeInfo": {"kubeletVersion": "v1.32.1", "osImage": "Linux", "kernelVersion": "6.1",
                    "containerRuntimeVersion": "containerd://2"}}})
    };
    let rest = "8m37s|v1.32.1|10.0.0.1|<none>|Linux|6.1|containerd://2";
    assert_eq!(
        line("nodes", node(conditions("True"), false)),
        format!("x|Ready|gpu,worker|{rest}")
    );
    assert_eq!(
        line("nodes", node(conditions("Unknown"), true)),
        format!("x|NotReady,SchedulingDisabled|gpu,worker|{rest}")
    );
    assert_eq!(
        line("nodes", json!({})),
        "x|Unknown|<none>|8m37s||<none>|<none>|<unknown>|<unknown>|<unknown>"
    );
    assert_eq!(
        line(
            "poddisruptionbudgets.policy",
            json!({"spec": {"maxUnavailable": "25%"}, "status": {"disruptionsAllowed": 2}})
        ),
        "x|N/A|25%|2|8m37s"
    );
    assert_eq!(
        line(
            "leases.coordination.k8s.io",
            json!({"spec": {"holderIdentity": "me"}})
        ),
        "x|me|8m37s"
    );
    assert_eq!(
        line(
            "priorityclasses.scheduling.k8s.io",
            json!({"value": 1000, "globalDefault": true})
        ),
        "x|1000|true|8m37s|PreemptLowerPriority"
    );
    assert_eq!(
        line("customresourcedefinitions.apiextensions.k8s.io", json!({})),
        "x|2026-01-05T09:51:23Z"
    );
}

#[test]
fn cells_of_workloads() {
    let spec = json!({"replicas": 3, "selector": {"matchLabels": {"b": "2", "a": "1"}},
        "template": {"spec": {"nodeSelector": {"z": "1"}, "containers": [{"name": "c", "image": "i:1"}, {"name": "d", "image": "j"}]}}});
    let with = |status: Value| json!({"spec": spec, "status": status});
    assert_eq!(
        line(
            "deployments.apps",
            with(json!({"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}))
        ),
        "x|2/3|3|1|8m37s|c,d|i:1,j|a=1,b=2"
    );
    assert_eq!(
        line(
            "replicasets.apps",
            with(json!({"replicas": 2, "readyReplicas": 1}))
        ),
        "x|3|2|1|8m37s|c,d|i:1,j|a=1,b=2"
    );
    assert_eq!(
        line(
            "daemonsets.apps",
            with(json!({"desiredNumberScheduled": 4, "currentNumberScheduled": 3, "numberReady": 2}))
        ),
        "x|4|3|2|0|0|z=1|8m37s|c,d|i:1,j|a=1,b=2"
    );
    assert_eq!(
        line("statefulsets.apps", with(json!({}))),
        "x|0/3|8m37s|c,d|i:1,j"
    );
    let job = json!({"spec": {"completions": 2, "parallelism": 1}, "status": {"succeeded": 2,
        "startTime": "2026-01-05T09:52:00Z", "completionTime": "2026-01-05T09:53:30Z",
        "conditions": [{"type": "Complete", "status": "True"}]}});
    assert_eq!(line("jobs.batch", job), "x|Complete|2/2|90s|8m37s|||<none>");
    let parallel = json!({"spec": {"parallelism": 4}, "status": {}});
    assert_eq!(line("jobs.batch", parallel), "x|Running|0/1 of 4||8m37s|||<none>");
    let cron = json!({"spec": {"schedule": "* * * * *", "suspend": false}, "status": {"active": [{}]}});
    assert_eq!(
        line("cronjobs.batch", cron),
        "x|* * * * *|<none>|False|1|<none>|8m37s|||<none>"
    );
}

#[test]
fn cells_of_services_and_storage() {
    let service = json!({"spec": {"type": "NodePort", "clusterIP": "10.0.0.9", "selector": {"a": "1"},
        "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}});
    assert_eq!(
        line("services", service),
        "x|NodePort|10.0.0.9|<none>|80:30080/TCP,53/UDP|8m37s|a=1"
    );
    let balancer = json!({"spec": {"type": "LoadBalancer"}});
    assert_eq!(
        line("services", balancer),
        "x|LoadBalancer|<none>|<pending>|<none>|8m37s|<none>"
    );
    assert_eq!(
        line(
            "configmaps",
            json!({"data": {"a": "1", "b": "2"}, "binaryData": {"c": ""}})
        ),
        "x|3|8m37s"
    );
    let claim = json!({"spec": {"volumeName": "v", "storageClassName": "gp3", "volumeMode": "Filesystem"},
        "status": {"phase": "Bound", "capacity": {"storage": "8Gi"}, "accessModes": ["ReadWriteOnce"]}});
    assert_eq!(
        line("persistentvolumeclaims", claim),
        "x|Bound|v|8Gi|RWO|gp3|<unset>|8m37s|Filesystem"
    );
    let volume = json!({"spec": {"capacity": {"storage": "8Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "d", "name": "c"}, "storageClassName": "gp3"},
        "status": {"phase": "Bound"}});
    assert_eq!(
        line("persistentvolumes", volume),
        "x|8Gi|RWO,RWX|Delete|Bound|d/c|gp3|<unset>||8m37s|<unset>"
    );
    let class = json!({"provisioner": "ebs", "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}});
    assert_eq!(
        line("storageclasses.storage.k8s.io", class),
        "x (default)|ebs|Delete|Immediate|false|8m37s"
    );
    assert_eq!(
        line("csinodes.storage.k8s.io", json!({"spec": {"drivers": [{}, {}]}})),
        "x|2|8m37s"
    );
}

#[test]
fn cells_of_events_in_both_forms() {
    let core = json!({"type": "Normal", "reason": "Started", "message": "ok\n", "count": 3,
        "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"},
        "source": {"component": "kubelet", "host": "n"},
        "firstTimestamp": "2026-01-05T09:00:00Z", "lastTimestamp": "2026-01-05T09:59:00Z"});
    assert_eq!(
        line("events", core),
        "60s|Normal|Started|pod/p|spec.containers{c}|kubelet, n|ok|60m|3|x"
    );
    let new = json!({"type": "Warning", "reason": "Slow", "note": "hm", "regarding": {"kind": "Node", "name": "n"},
        "reportingController": "kerf", "eventTime": "2026-01-05T09:59:30.000000Z",
        "series": {"count": 7, "lastObservedTime": "2026-01-05T09:59:50.000000Z"}});
    assert_eq!(line("events", new), "10s|Warning|Slow|node/n||kerf|hm|30s|7|x");
}

#[test]
fn cells_of_custom_resources() {
    let pool = json!({"spec": {"weight": 7, "template": {"spec": {"nodeClassRef": {"name": "general"}}}},
        "status": {"nodes": 3, "resources": {"cpu": "8"}, "conditions": [{"type": "Ready", "status": "True"}]}});
    assert_eq!(
        line("nodepools.karpenter.sh", pool),
        "x|general|3|True|8m37s|7|8|null"
    );
    let claim = json!({"metadata": {"labels": {"node.kubernetes.io/instance-type": "m5.large",
        "karpenter.sh/capacity-type": "spot", "topology.kubernetes.io/zone": "a", "karpenter.sh/nodepool": "web"}},
        "status": {"nodeName": "n", "conditions": [{"type": "Drifted", "status": "True"}]}});
    assert_eq!(
        line("nodeclaims.karpenter.sh", claim),
        "x|m5.large|spot|a|n|null|8m37s|null|null|web|null|True"
    );
}

#[test]
fn rows_carry_what_was_asked_for() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Succeeded"}});
    let kind = kind("pods");
    let row = |include| render(&kind, std::slice::from_ref(&pod), include, now(), false)["rows"][0].clone();
    assert_eq!(
        row(IncludeObject::Metadata)["object"]["kind"],
        "PartialObjectMetadata"
    );
    assert_eq!(row(IncludeObject::Metadata)["object"]["metadata"]["name"], "p");
    assert_eq!(row(IncludeObject::Object)["object"], pod);
    assert_eq!(row(IncludeObject::None).get("object"), None);
    assert_eq!(row(IncludeObject::None)["conditions"][0]["reason"], "Succeeded");
    assert!(render(&kind, &[], IncludeObject::None, now(), false)["columnDefinitions"].is_null());
    assert_eq!(IncludeObject::parse("Object"), Some(IncludeObject::Object));
    assert_eq!(IncludeObject::parse("x"), None);

    let table = scale(
        &json!({"metadata": {"name": "d"}, "spec": {"replicas": 3}, "status": {"replicas": 2}}),
        IncludeObject::None,
        now(),
    );
    assert_eq!(table["rows"][0]["cells"], json!(["d", 3, 2, "<unknown>"]));
}
