//! The pods of random clusters that wait for a place.

use serde_json::{Value, json};

use super::Dice;
use super::make::{APPS, ARCH, CAPACITY, HOST, ZONE, ZONES, some};
use crate::cluster::{Cluster, merge};

pub const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub fn app(d: &mut Dice, out: &mut Cluster, i: usize) {
    let app = if d.plain {
        ["a", "b", "c", "d", "e"][i]
    } else {
        *d.pick(&APPS)
    };
    let cpu = *d.pick(&[50, 100, 250, 500, 1000, 1500, 3000]);
    let memory = *d.pick(&[64, 128, 512, 1024, 3000]);
    let mut spec = json!({});
    let pinned = node_wishes(d, &mut spec);
    if d.chance(35) {
        spec["tolerations"] = d
            .pick(&[
                json!([{"operator": "Exists"}]),
                json!([{"key": "dedicated", "operator": "Equal", "value": "x"}]),
                json!([{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}]),
            ])
            .clone();
    }
    if d.chance(35) {
        spec["topologySpreadConstraints"] = spread(d, app);
    }
    pod_affinity(d, &mut spec, app, pinned);
    if d.chance(12) {
        let claim = if d.chance(50) {
            "late".to_owned()
        } else {
            format!("in-{}", d.pick(&ZONES))
        };
        spec["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]);
    }
    let port = d.chance(8).then(|| *d.pick(&[80, 8080]));
    let other = d.chance(8) && spec["volumes"].is_null();
    let version = ["1", "2"];
    for k in 0..d.between(1, 8) {
        out.pod(
            &format!("app{i}-{k}"),
            &format!("cpu: {cpu}m\nmemory: {memory}Mi"),
        );
        let pod = out.objects.last_mut().expect("the pod");
        pod["metadata"]["labels"] = json!({"app": app, "new": "yes", "version": d.pick(&version)});
        merge(&mut pod["spec"], &spec);
        if other {
            pod["metadata"]["namespace"] = json!("other");
        }
        if let Some(port) = port {
            pod["spec"]["containers"][0]["ports"] = json!([{"hostPort": port}]);
        }
    }
}

fn one_of(d: &mut Dice) -> Value {
    let (key, values) = match d.below(5) {
        0 => (ZONE, some(d, &["z1", "z2", "z3", "z4"])),
        1 => (CAPACITY, some(d, &["spot", "on-demand"])),
        2 => (ARCH, some(d, &["amd64", "arm64"])),
        3 => ("team", some(d, &["x", "y"])),
        _ => ("size", some(d, &["big", "little"])),
    };
    let operator = *d.pick(&["In", "In", "In", "NotIn", "Exists", "DoesNotExist"]);
    match operator {
        "Exists" | "DoesNotExist" => json!({"key": key, "operator": operator}),
        _ => json!({"key": key, "operator": operator, "values": values}),
    }
}

/// nodeSelector and node affinity; true when something is required.
fn node_wishes(d: &mut Dice, spec: &mut Value) -> bool {
    let mut pinned = false;
    if d.chance(15) {
        spec["nodeSelector"] = json!({ZONE: d.pick(&ZONES)});
        pinned = true;
    }
    if d.chance(25) {
        let most = if d.plain { 1 } else { 2 };
        let terms: Vec<Value> = (0..d.between(1, most))
            .map(|_| json!({"matchExpressions": [one_of(d)]}))
            .collect();
        spec["affinity"]["nodeAffinity"][REQUIRED] = json!({"nodeSelectorTerms": terms});
        pinned = true;
    }
    if d.chance(15) && !(d.plain && pinned) {
        spec["affinity"]["nodeAffinity"][PREFERRED] =
            json!([{"weight": d.between(1, 9), "preference": {"matchExpressions": [one_of(d)]}}]);
    }
    pinned
}

fn spread(d: &mut Dice, app: &str) -> Value {
    let constraints: Vec<Value> = (0..d.between(1, 2))
        .map(|_| {
            let target = if d.plain || d.chance(85) {
                app
            } else {
                *d.pick(&APPS)
            };
            let mut out = json!({
                "topologyKey": d.pick(if d.plain { &[ZONE, HOST] } else { &[ZONE, ZONE, HOST, CAPACITY] }),
                "maxSkew": d.between(1, 2),
                "whenUnsatisfiable": if d.chance(75) { "DoNotSchedule" } else { "ScheduleAnyway" },
                "labelSelector": {"matchLabels": {"app": target}},
            });
            if d.chance(15) && out["whenUnsatisfiable"] == "DoNotSchedule" {
                out["minDomains"] = json!(d.between(2, 4));
            }
            if d.chance(15) && !d.plain {
                out["nodeAffinityPolicy"] = json!("Ignore");
            }
            if d.chance(20) && !d.plain {
                out["nodeTaintsPolicy"] = json!("Honor");
            }
            if d.chance(15) && !d.plain {
                out["matchLabelKeys"] = json!(["version"]);
            }
            out
        })
        .collect();
    // Kubernetes refuses two constraints of one key and one kind.
    let twice = constraints.len() == 2 && constraints[0]["topologyKey"] == constraints[1]["topologyKey"];
    json!(if twice {
        constraints[..1].to_vec()
    } else {
        constraints
    })
}

fn pod_affinity(d: &mut Dice, spec: &mut Value, app: &str, pinned: bool) {
    if d.chance(20) {
        let target = *d.pick(&APPS);
        let term = affinity_term(d, target);
        if d.chance(25) {
            spec["affinity"]["podAffinity"][PREFERRED] = json!([{"weight": 5, "podAffinityTerm": term}]);
        } else if !(pinned && target == app) {
            spec["affinity"]["podAffinity"][REQUIRED] = json!([term]);
        }
    }
    if d.chance(20) {
        let target = if d.chance(60) { app } else { *d.pick(&APPS) };
        let term = affinity_term(d, target);
        if d.chance(30) {
            spec["affinity"]["podAntiAffinity"][PREFERRED] = json!([{"weight": 5, "podAffinityTerm": term}]);
        } else {
            spec["affinity"]["podAntiAffinity"][REQUIRED] = json!([term]);
        }
    }
}

fn affinity_term(d: &mut Dice, app: &str) -> Value {
    let mut out =
        json!({"topologyKey": d.pick(&[ZONE, HOST]), "labelSelector": {"matchLabels": {"app": app}}});
    match d.below(12) {
        0 => out["namespaces"] = json!(["default", "other"]),
        1 => out["namespaceSelector"] = json!({}),
        2 => out["namespaceSelector"] = json!({"matchLabels": {"team": "x"}}),
        _ => {}
    }
    out
}
