//! kube-scheduler's filters, for one pod on one machine.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::amount::{Amounts, plus, requests};
use super::machine::{Machine, World};
use super::{labels, list, topology};

/// Why the machine does not take the pod.
pub fn refusal(world: &World, pod: &Value, at: usize) -> Option<String> {
    let machine = &world.machines[at];
    if let Some(taint) = untolerated(pod, &machine.taints, &["NoSchedule", "NoExecute"]) {
        return Some(format!("taint {taint}"));
    }
    if !labels::suits(pod, &machine.labels) {
        return Some(format!("its node affinity does not match {:?}", machine.labels));
    }
    no_room(pod, machine)
        .or_else(|| port_taken(pod, machine))
        .or_else(|| volumes(world, pod, machine))
        .or_else(|| topology::spread(world, pod, at))
        .or_else(|| topology::affinity(world, pod, at))
        .or_else(|| topology::anti_affinity(world, pod, at))
}

pub fn untolerated<'a>(pod: &Value, taints: &'a [Value], effects: &[&str]) -> Option<&'a Value> {
    taints
        .iter()
        .filter(|t| effects.contains(&t["effect"].as_str().unwrap_or_default()))
        .find(|taint| !list(&pod["spec"]["tolerations"]).any(|t| tolerates(t, taint)))
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let (effect, key) = (text(&toleration["effect"]), text(&toleration["key"]));
    if !effect.is_empty() && effect != text(&taint["effect"]) {
        return false;
    }
    if !key.is_empty() && key != text(&taint["key"]) {
        return false;
    }
    match text(&toleration["operator"]).as_str() {
        "Exists" => true,
        "" | "Equal" => text(&toleration["value"]) == text(&taint["value"]),
        other => panic!("the checker does not know the toleration operator {other}"),
    }
}

/// Whether the DaemonSet controller puts the pod on the machine.
pub fn belongs(pod: &Value, machine: &Machine) -> bool {
    labels::suits(pod, &machine.labels)
        && untolerated(pod, &machine.taints, &["NoSchedule", "NoExecute"]).is_none()
}

fn no_room(pod: &Value, machine: &Machine) -> Option<String> {
    let wanted = requests(pod);
    let mut used = Amounts::new();
    for other in &machine.pods {
        plus(&mut used, &requests(other));
    }
    for (resource, amount) in &wanted {
        let have = machine.room.get(resource).copied().unwrap_or(0);
        let taken = used.get(resource).copied().unwrap_or(0);
        if *amount > 0 && taken + amount > have {
            return Some(format!("{resource}: {taken} used and {amount} wanted of {have}"));
        }
    }
    None
}

/// (address, port, protocol); no address is every address.
fn ports(pod: &Value) -> Vec<(String, i64, String)> {
    let text = |v: &Value, default: &str| match v.as_str() {
        Some(t) if !t.is_empty() => t.to_owned(),
        _ => default.to_owned(),
    };
    list(&pod["spec"]["containers"])
        .flat_map(|c| list(&c["ports"]))
        .filter_map(|p| Some((p, p["hostPort"].as_i64().filter(|n| *n != 0)?)))
        .map(|(p, port)| (text(&p["hostIP"], "0.0.0.0"), port, text(&p["protocol"], "TCP")))
        .collect()
}

fn port_taken(pod: &Value, machine: &Machine) -> Option<String> {
    let every = |ip: &str| ip == "0.0.0.0" || ip == "::";
    for mine in ports(pod) {
        for other in machine.pods.iter().flat_map(ports) {
            let same = mine.0 == other.0 || every(&mine.0) || every(&other.0);
            if same && mine.1 == other.1 && mine.2 == other.2 {
                return Some(format!("host port {mine:?} is taken"));
            }
        }
    }
    None
}

/// Keys of the claims that a pod mounts.
fn mounts(pod: &Value) -> Vec<String> {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default");
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    list(&pod["spec"]["volumes"])
        .filter_map(|v| match v["persistentVolumeClaim"]["claimName"].as_str() {
            Some(claim) => Some(format!("{namespace}/{claim}")),
            None if !v["ephemeral"].is_null() => Some(format!(
                "{namespace}/{name}-{}",
                v["name"].as_str().unwrap_or_default()
            )),
            None => None,
        })
        .collect()
}

fn volumes(world: &World, pod: &Value, machine: &Machine) -> Option<String> {
    for key in mounts(pod) {
        let Some(claim) = world.claims.get(&key) else {
            return Some(format!("no PersistentVolumeClaim {key}"));
        };
        if let Some(volume) = world
            .volumes
            .get(claim["spec"]["volumeName"].as_str().unwrap_or_default())
        {
            let required = &volume["spec"]["nodeAffinity"]["required"];
            if !required.is_null() && !labels::any_term(&required["nodeSelectorTerms"], &machine.labels) {
                return Some(format!("volume of {key} is elsewhere"));
            }
        } else if let Some(class) = world
            .classes
            .get(claim["spec"]["storageClassName"].as_str().unwrap_or_default())
        {
            let mut terms = list(&class["allowedTopologies"]).peekable();
            let suits = |term: &Value| {
                list(&term["matchLabelExpressions"]).all(|e| {
                    let value = machine.labels.get(e["key"].as_str().unwrap_or_default());
                    value.is_some_and(|v| list(&e["values"]).any(|x| x == v.as_str()))
                })
            };
            if terms.peek().is_some() && !terms.any(suits) {
                return Some(format!("the class of {key} does not reach here"));
            }
        }
    }
    over_attach_limit(world, pod, machine)
}

fn driver(world: &World, key: &str) -> Option<String> {
    let claim = world.claims.get(key)?;
    let named = |v: &Value| v.as_str().map(str::to_owned);
    match claim["spec"]["volumeName"].as_str() {
        Some(volume) => named(&world.volumes.get(volume)?["spec"]["csi"]["driver"]),
        None => named(&world.classes.get(claim["spec"]["storageClassName"].as_str()?)?["provisioner"]),
    }
}

fn over_attach_limit(world: &World, pod: &Value, machine: &Machine) -> Option<String> {
    let mut mounted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in machine.pods.iter().chain([pod]).flat_map(mounts) {
        if let Some(driver) = driver(world, &key) {
            mounted.entry(driver).or_default().insert(key);
        }
    }
    for key in mounts(pod) {
        let Some(driver) = driver(world, &key) else {
            continue;
        };
        let count = i64::try_from(mounted[&driver].len()).expect("few");
        if machine.limits.get(&driver).is_some_and(|limit| count > *limit) {
            return Some(format!("{count} volumes of {driver}"));
        }
    }
    None
}
