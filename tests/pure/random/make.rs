//! What random clusters are made of. Left out on purpose, because Karpenter's rules and Kubernetes' differ there by
//! design: a self-affine pod that is pinned to a domain (case 117), several required affinity terms on one pod, and
//! nodes that are leaving. With parity, left out as well is what Karpenter overlooks and kerf otherwise does not:
//! `PreferNoSchedule` on nodes, host ports of daemons that do not run yet, domains of claims without a node,
//! `nodeAffinityPolicy: Ignore` and `nodeTaintsPolicy: Honor`, alternatives beside spread, preferences that undo a
//! requirement, and pods that a spread constraint counts but that do not have it.

use serde_json::{Value, json};

use super::Dice;
use super::pods::{REQUIRED, app};
use crate::cluster::{Cluster, instance_type, merge, taint};

pub const ZONES: [&str; 3] = ["z1", "z2", "z3"];
pub const APPS: [&str; 4] = ["a", "b", "c", "d"];
pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const HOST: &str = "kubernetes.io/hostname";
pub const CAPACITY: &str = "karpenter.sh/capacity-type";
pub const ARCH: &str = "kubernetes.io/arch";

pub fn cluster(seed: u64, parity: bool) -> Cluster {
    let mut d = Dice::new(seed);
    d.plain = parity;
    let mut out = Cluster::without_pools();
    types(&mut d, &mut out);
    for name in ["other", "default"] {
        let labels = if name == "other" {
            json!({"team": "x"})
        } else {
            json!({})
        };
        out.add(json!({"kind": "Namespace", "metadata": {"name": name, "labels": labels}}));
    }
    for i in 0..d.between(1, 3) {
        pool(&mut d, &mut out, &format!("pool{i}"));
    }
    for i in 0..d.below(3) {
        daemon(&mut d, &mut out, &format!("ds{i}"));
    }
    volumes(&mut d, &mut out);
    let nodes = d.below(7);
    for i in 0..nodes {
        node(&mut d, &mut out, i);
    }
    for i in 0..d.between(1, 5) {
        app(&mut d, &mut out, i);
    }
    d.shuffle(&mut out.objects);
    out
}

fn types(d: &mut Dice, out: &mut Cluster) {
    for (name, cpu, memory, dollars) in [("arm", 4, 8, 0.15), ("wide", 8, 16, 0.41), ("tiny", 1, 2, 0.06)] {
        out.types.push(instance_type(
            name,
            &cpu.to_string(),
            &format!("{memory}Gi"),
            dollars,
        ));
    }
    for kind in &mut out.types {
        if kind["name"] == "arm" {
            kind["architecture"] = json!("arm64");
        }
        if d.chance(30) {
            kind["resources"]["pods"] = json!(d.between(2, 8).to_string());
        }
        if d.chance(40) {
            kind["overhead"] = json!({"cpu": "80m", "memory": "300Mi"});
        }
        let size = if d.chance(50) { "big" } else { "little" };
        kind["requirements"] = json!([{"key": "size", "operator": "In", "values": [size]}]);
        for offering in kind["offerings"].as_array_mut().expect("offerings") {
            if d.chance(10) {
                offering["available"] = json!(false);
            }
        }
    }
}

pub fn some(d: &mut Dice, from: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = from.iter().map(|s| (*s).to_owned()).collect();
    d.shuffle(&mut out);
    out.truncate(d.between(1, from.len()));
    out
}

fn effect(d: &mut Dice) -> &'static str {
    let kinds = if d.plain { 2 } else { 3 };
    ["NoSchedule", "NoExecute", "PreferNoSchedule"][d.below(kinds)]
}

fn pool(d: &mut Dice, out: &mut Cluster, name: &str) {
    let mut wants: Vec<Value> = Vec::new();
    let mut wish = |key: &str, values: Vec<String>| {
        wants.push(json!({"key": key, "operator": "In", "values": values}));
    };
    if d.chance(35) {
        wish(ZONE, some(d, &ZONES));
    }
    if d.chance(40) {
        wish(CAPACITY, some(d, &["spot", "on-demand"]));
    }
    if d.chance(30) {
        wish(ARCH, some(d, &["amd64", "arm64"]));
    }
    if d.chance(25) {
        wish("team", some(d, &["x", "y"]));
    }
    if d.chance(10) {
        wants.push(json!({"key": "node.kubernetes.io/instance-type", "operator": "Exists", "minValues": 2}));
    }
    out.pool(name, "");
    let mut spec = json!({"template": {"spec": {"requirements": wants}}});
    if d.chance(25) {
        let effect = effect(d);
        spec["template"]["spec"]["taints"] = json!([taint("dedicated", "x", effect)]);
    }
    if d.chance(15) {
        spec["template"]["spec"]["startupTaints"] = json!([taint("starting", "", "NoSchedule")]);
    }
    if d.chance(30) {
        spec["weight"] = json!(d.between(1, 3));
    }
    if d.chance(20) {
        spec["limits"] = json!({"cpu": d.between(2, 40).to_string()});
    } else if d.chance(10) {
        spec["limits"] = json!({"nodes": d.between(1, 4).to_string()});
    }
    merge(&mut out.objects.last_mut().expect("the pool")["spec"], &spec);
}

fn daemon(d: &mut Dice, out: &mut Cluster, name: &str) {
    out.daemon(name, &format!("cpu: {}m\nmemory: 100Mi", d.between(1, 6) * 50));
    let mut spec = json!({});
    if d.chance(40) {
        spec["nodeSelector"] = json!({ARCH: d.pick(&["amd64", "arm64"])});
    }
    if d.chance(30) {
        spec["tolerations"] = json!([{"operator": "Exists"}]);
    }
    let template = &mut out.objects.last_mut().expect("the daemon")["spec"]["template"]["spec"];
    merge(template, &spec);
    if d.chance(20) && !d.plain {
        template["containers"][0]["ports"] = json!([{"hostPort": 80}]);
    }
}

fn volumes(d: &mut Dice, out: &mut Cluster) {
    for zone in ZONES {
        let term = json!({"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]});
        out.add(
            json!({"kind": "PersistentVolume", "metadata": {"name": format!("pv-{zone}")}, "spec":
            {"csi": {"driver": "ebs.csi.aws.com"},
             "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}}),
        );
        out.add(json!({"kind": "PersistentVolumeClaim",
            "metadata": {"name": format!("in-{zone}"), "namespace": "default",
                "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": format!("pv-{zone}"), "storageClassName": "gone"},
            "status": {"phase": "Bound"}}));
    }
    let values = some(d, &ZONES);
    out.add(json!({"kind": "StorageClass", "metadata": {"name": "late"},
        "provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer",
        "allowedTopologies": [{"matchLabelExpressions": [{"key": ZONE, "values": values}]}]}));
    out.add(
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "late", "namespace": "default"},
        "spec": {"storageClassName": "late"}, "status": {"phase": "Pending"}}),
    );
}

fn node(d: &mut Dice, out: &mut Cluster, i: usize) {
    let name = format!("node{i}");
    let zone = *d.pick(&["z1", "z2", "z3", "z3", "z4"]);
    let cpu = d.between(2, 16);
    let room = json!({"cpu": cpu.to_string(), "memory": format!("{}Gi", 2 * cpu)});
    let kind = d.below(10);
    if kind == 0 {
        out.foreign_node(&name, zone, "");
    } else {
        out.node(&name, zone, "");
    }
    let count = out.objects.len();
    let pool = format!("pool{}", d.below(3));
    let labels = json!({"karpenter.sh/nodepool": pool,
        "karpenter.sh/capacity-type": d.pick(&["spot", "on-demand"]),
        "kubernetes.io/arch": d.pick(&["amd64", "amd64", "arm64"])});
    let team = d.chance(30).then(|| *d.pick(&["x", "y"]));
    let taints = if d.chance(20) {
        json!([taint("dedicated", "x", effect(d))])
    } else {
        json!([])
    };
    let first = if kind == 0 { count - 1 } else { count - 2 };
    for object in &mut out.objects[first..] {
        if kind != 0 {
            merge(&mut object["metadata"]["labels"], &labels);
        }
        if let Some(team) = team {
            object["metadata"]["labels"]["team"] = json!(team);
        }
        object["spec"]["taints"] = taints.clone();
        for field in ["capacity", "allocatable"] {
            merge(&mut object["status"][field], &room);
        }
    }
    match kind {
        2 if d.plain => {}
        1 => {
            // Still starting.
            let node = &mut out.objects[first];
            node["metadata"]["labels"]["karpenter.sh/initialized"] = json!("false");
            let list = node["spec"]["taints"].as_array_mut().expect("taints");
            list.push(taint("node.kubernetes.io/not-ready", "", "NoSchedule"));
            list.push(taint("starting", "", "NoSchedule"));
            out.objects[first + 1]["spec"]["startupTaints"] = json!([taint("starting", "", "NoSchedule")]);
        }
        2 => {
            // Launched, the node has not joined.
            out.objects.remove(first);
            out.objects[first]["metadata"]["name"] = json!(name);
            return;
        }
        3 => out.add(
            json!({"kind": "CSINode", "metadata": {"name": name}, "spec": {"drivers":
            [{"name": "ebs.csi.aws.com", "allocatable": {"count": d.between(0, 2)}}]}}),
        ),
        _ => {}
    }
    for k in 0..d.below(4) {
        bound(d, out, &name, &format!("old-{i}-{k}"));
    }
}

fn bound(d: &mut Dice, out: &mut Cluster, node: &str, name: &str) {
    let app = *d.pick(&APPS);
    out.bound(
        name,
        node,
        &format!(
            "cpu: {}m\nmemory: 256Mi\nlabels: {{app: {app}}}",
            d.between(1, 5) * 100
        ),
    );
    let pod = out.objects.last_mut().expect("the pod");
    if d.chance(15) {
        let target = *d.pick(&APPS);
        let key = *d.pick(&[ZONE, HOST]);
        // It must not contradict itself or what runs beside it, so it avoids an app that nobody old has.
        let term =
            json!({"topologyKey": key, "labelSelector": {"matchLabels": {"app": target, "new": "yes"}}});
        pod["spec"]["affinity"] = json!({"podAntiAffinity": {REQUIRED: [term]}});
    }
    if d.chance(8) {
        pod["metadata"]["namespace"] = json!("other");
    }
    if d.chance(8) {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:20:00Z");
    }
    if d.chance(5) {
        pod["status"]["phase"] = json!("Succeeded");
    }
}
