//! Objects as manifests have them.

use serde_json::{Value, json};

/// YAML to JSON; nothing is an empty object.
pub fn parse(text: &str) -> Value {
    if text.trim().is_empty() {
        return json!({});
    }
    serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Objects are merged, everything else is replaced.
pub fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// A row of an instance-type file: amd64 and linux, in z1, z2 and z3, on demand and as spot at 40 % of the price.
pub fn instance_type(name: &str, cpu: &str, memory: &str, dollars: f64) -> Value {
    let offerings: Vec<Value> = ["z1", "z2", "z3"]
        .iter()
        .flat_map(|zone| {
            [("on-demand", dollars), ("spot", dollars * 0.4)].map(|(capacity, price)| {
                json!({"capacityType": capacity, "zone": zone, "price": price, "available": true})
            })
        })
        .collect();
    json!({"name": name, "architecture": "amd64", "operatingSystems": ["linux"],
        "resources": {"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "20Gi"},
        "requirements": [], "offerings": offerings})
}

/// The price of one offering, for every zone of a capacity type.
pub fn price(kind: &mut Value, capacity_type: &str, dollars: f64) {
    for offering in kind["offerings"].as_array_mut().expect("offerings") {
        if offering["capacityType"] == capacity_type {
            offering["price"] = json!(dollars);
        }
    }
}

pub fn taint(key: &str, value: &str, effect: &str) -> Value {
    json!({"key": key, "value": value, "effect": effect})
}

pub fn pool(name: &str) -> Value {
    json!({"apiVersion": "karpenter.sh/v1", "kind": "NodePool",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "generation": 1},
        "spec": {"template": {"spec": {"requirements": [], "nodeClassRef":
            {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}}}}})
}

/// Takes the keys out that do not belong into a pod's spec.
fn fill(object: &mut Value, wants: &Value) {
    let mut spec = wants.as_object().expect("a map").clone();
    let text = |v: Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let cpu = spec.remove("cpu").map_or("1".to_owned(), text);
    let memory = spec.remove("memory").map_or("1Gi".to_owned(), text);
    if let Some(labels) = spec.remove("labels") {
        merge(&mut object["metadata"]["labels"], &labels);
    }
    if let Some(namespace) = spec.remove("namespace") {
        object["metadata"]["namespace"] = namespace;
    }
    for part in ["metadata", "status"] {
        if let Some(change) = spec.remove(part) {
            merge(&mut object[part], &change);
        }
    }
    let mut whole = json!({"containers":
        [{"name": "main", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]});
    merge(&mut whole, &Value::Object(spec));
    object["spec"] = whole;
}

pub fn pod(name: &str, wants: &Value) -> Value {
    let app = name.split('-').next().unwrap_or(name);
    let mut out = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"),
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"app": app}},
        "status": {"phase": "Pending", "conditions":
            [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}});
    fill(&mut out, wants);
    out
}

pub fn bound(mut pod: Value, node: &str) -> Value {
    pod["spec"]["nodeName"] = json!(node);
    if pod["status"]["phase"] == "Pending" {
        pod["status"]["phase"] = json!("Running");
    }
    pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
    pod
}

pub fn daemon(name: &str, wants: &Value) -> Value {
    let mut template = json!({"metadata": {"labels": {"daemon": name}}});
    fill(&mut template, wants);
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-ds-{name}")},
        "spec": {"template": template}})
}

/// A Node of 16c/32Gi and its NodeClaim.
pub fn node(name: &str, zone: &str) -> (Value, Value) {
    let labels = json!({
        "karpenter.sh/nodepool": "default", "node.kubernetes.io/instance-type": "large",
        "topology.kubernetes.io/zone": zone, "karpenter.sh/capacity-type": "on-demand",
        "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
        "karpenter.sh/registered": "true", "karpenter.sh/initialized": "true",
    });
    let room = json!({"cpu": "16", "memory": "32Gi", "pods": "110", "ephemeral-storage": "20Gi"});
    let id = format!("aws:///{zone}/{name}");
    let node = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": labels},
        "spec": {"providerID": id},
        "status": {"capacity": room, "allocatable": room,
            "conditions": [{"type": "Ready", "status": "True"}]}});
    let claim = json!({"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim",
        "metadata": {"name": format!("claim-{name}"), "uid": format!("uid-claim-{name}"), "labels": labels},
        "spec": {"requirements": [], "nodeClassRef":
            {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}},
        "status": {"providerID": id, "nodeName": name, "capacity": room, "allocatable": room}});
    (node, claim)
}
