//! Rules that look at other nodes: PodTopologySpread and InterPodAffinity of kube-scheduler.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::filter::untolerated;
use super::labels::{Labels, required_terms, selects, suits};
use super::machine::{Machine, World};
use super::{list, texts};

fn labels_of(pod: &Value) -> Labels {
    texts(&pod["metadata"]["labels"])
}

fn namespace(pod: &Value) -> &str {
    pod["metadata"]["namespace"].as_str().unwrap_or("default")
}

fn hard(pod: &Value) -> impl Iterator<Item = &Value> {
    list(&pod["spec"]["topologySpreadConstraints"]).filter(|c| c["whenUnsatisfiable"] != "ScheduleAnyway")
}

fn key(rule: &Value) -> &str {
    rule["topologyKey"].as_str().expect("a topology key")
}

/// The constraint counts a pod with these labels; `matchLabelKeys` add the placed pod's own values.
fn counts(constraint: &Value, placed: &Labels, other: &Labels) -> bool {
    let same = list(&constraint["matchLabelKeys"])
        .filter_map(Value::as_str)
        .all(|key| placed.get(key).is_none_or(|mine| other.get(key) == Some(mine)));
    selects(&constraint["labelSelector"], other) && same
}

/// Some hard rule of the pod looks at a label of nodes.
fn asks_about(pod: &Value, label: &str) -> bool {
    let spec = &pod["spec"];
    let affinity = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let near = required_terms(pod, "podAffinity");
    hard(pod).chain(near).any(|rule| key(rule) == label)
        || !spec["nodeSelector"][label].is_null()
        || affinity.to_string().contains(label)
}

/// Pods that a constraint counts, by domain, over the nodes that it looks at: surely, and at most. Pods on a new node
/// that ask nothing about its domain are counted by those who plan only from when it is decided (`scheduling §18.6`).
fn domains(world: &World, pod: &Value, constraint: &Value) -> BTreeMap<String, (i64, i64)> {
    let mine = labels_of(pod);
    let has_all_keys = |m: &Machine| hard(pod).all(|c| m.labels.contains_key(key(c)));
    let mut out = BTreeMap::new();
    for machine in world.machines.iter().filter(|m| has_all_keys(m)) {
        let affine = constraint["nodeAffinityPolicy"] == "Ignore" || suits(pod, &machine.labels);
        let clean = constraint["nodeTaintsPolicy"] != "Honor"
            || untolerated(pod, &machine.taints, &["NoSchedule", "NoExecute"]).is_none();
        if !affine || !clean {
            continue;
        }
        let (surely, most) = out
            .entry(machine.labels[key(constraint)].clone())
            .or_insert((0, 0));
        for other in &machine.pods {
            if namespace(other) == namespace(pod) && counts(constraint, &mine, &labels_of(other)) {
                *most += 1;
                *surely += i64::from(!machine.fresh || asks_about(other, key(constraint)));
            }
        }
    }
    out
}

pub fn spread(world: &World, pod: &Value, at: usize) -> Option<String> {
    let machine = &world.machines[at];
    let mine = labels_of(pod);
    for constraint in hard(pod) {
        let Some(domain) = machine.labels.get(key(constraint)) else {
            return Some(format!("spread: no label {}", key(constraint)));
        };
        let there = domains(world, pod, constraint);
        let mut least = there.values().map(|(_, most)| *most).min().unwrap_or(0);
        let wanted = constraint["minDomains"].as_i64().unwrap_or(1);
        if i64::try_from(there.len()).expect("few") < wanted {
            least = 0;
        }
        let itself = i64::from(counts(constraint, &mine, &mine));
        let here = there.get(domain).map_or(0, |(surely, _)| *surely);
        if here + itself - least > constraint["maxSkew"].as_i64().expect("a skew") {
            return Some(format!("spread over {}: {domain} in {there:?}", key(constraint)));
        }
    }
    None
}

/// An affinity term of `owner` selects a pod.
fn term_selects(world: &World, owner: &Value, term: &Value, pod: &Value) -> bool {
    let listed: BTreeSet<&str> = list(&term["namespaces"]).filter_map(Value::as_str).collect();
    let selector = &term["namespaceSelector"];
    let none = Labels::new();
    let space = world.namespaces.get(namespace(pod)).unwrap_or(&none);
    let in_space = if listed.is_empty() && selector.is_null() {
        namespace(pod) == namespace(owner)
    } else {
        listed.contains(namespace(pod)) || selects(selector, space)
    };
    in_space && selects(&term["labelSelector"], &labels_of(pod))
}

/// Required affinity: somewhere in the domain of each term is a pod that all terms select; the first of a kind may
/// start.
pub fn affinity(world: &World, pod: &Value, at: usize) -> Option<String> {
    let terms = required_terms(pod, "podAffinity");
    if terms.is_empty() {
        return None;
    }
    let here = &world.machines[at].labels;
    let all = |other: &Value| terms.iter().all(|t| term_selects(world, pod, t, other));
    if let Some(lacking) = terms.iter().find(|t| !here.contains_key(key(t))) {
        return Some(format!("affinity: no label {}", key(lacking)));
    }
    let met = terms.iter().all(|t| {
        let near = |m: &&Machine| m.labels.get(key(t)) == here.get(key(t));
        world.machines.iter().filter(near).any(|m| m.pods.iter().any(all))
    });
    let nobody = !world.machines.iter().any(|m| m.pods.iter().any(all));
    if met || (nobody && all(pod)) {
        return None;
    }
    Some("affinity: nobody it wants is there".to_owned())
}

/// Required anti-affinity, of the pod and of those that are there.
pub fn anti_affinity(world: &World, pod: &Value, at: usize) -> Option<String> {
    let here = &world.machines[at].labels;
    for machine in &world.machines {
        let near = |term: &Value| {
            let mine = here.get(key(term));
            mine.is_some() && machine.labels.get(key(term)) == mine
        };
        for other in &machine.pods {
            for (owner, target) in [(pod, other), (other, pod)] {
                let clash = required_terms(owner, "podAntiAffinity")
                    .into_iter()
                    .find(|t| near(t) && term_selects(world, owner, t, target));
                if let Some(term) = clash {
                    return Some(format!(
                        "anti-affinity of {} over {} with {} on {}",
                        owner["metadata"]["name"],
                        key(term),
                        target["metadata"]["name"],
                        machine.name
                    ));
                }
            }
        }
    }
    None
}

/// Order of binding: pods with hard spread constraints first, into their emptiest domain.
pub fn crowd(world: &World, pod: &Value, at: usize) -> (bool, i64) {
    let here = &world.machines[at].labels;
    let mut total = 0;
    let mut any = false;
    for constraint in hard(pod) {
        any = true;
        if let Some(domain) = here.get(key(constraint)) {
            total += domains(world, pod, constraint)
                .get(domain)
                .map_or(0, |(surely, _)| *surely);
        }
    }
    (!any, total)
}

/// No rule of the pod, and none of a pod that is there, looks at anything but the node.
pub fn is_simple(world: &World, pod: &Value) -> bool {
    let rules = ["podAffinity", "podAntiAffinity"];
    let spec = &pod["spec"];
    let free =
        rules.iter().all(|r| spec["affinity"][r].is_null()) && spec["topologySpreadConstraints"].is_null();
    let someone = |p: &Value| !required_terms(p, "podAntiAffinity").is_empty();
    let everyone = world
        .waiting
        .values()
        .chain(world.machines.iter().flat_map(|m| &m.pods));
    free && !everyone.into_iter().any(someone)
}
