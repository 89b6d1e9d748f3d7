//! The nodes that pods will find: those that are there, those that boot, and what new claims become.

use std::collections::BTreeMap;

use kerf::decide::scheduling::Planned;
use serde_json::{Value, json};

use super::amount::{Amounts, amounts};
use super::labels::Labels;
use super::{filter, key, list, pool, texts};
use crate::cluster::{Cluster, Plan};
use crate::random::Dice;

#[derive(Clone, Debug)]
pub struct Machine {
    pub name: String,
    pub labels: Labels,
    /// Those that stay once it has started.
    pub taints: Vec<Value>,
    pub room: Amounts,
    /// Attach limits by driver.
    pub limits: BTreeMap<String, i64>,
    pub pods: Vec<Value>,
    /// It is there and takes pods.
    pub open: bool,
    /// A claim of the plan made it. Where it will be may have been open when pods were put on it that ask nothing about
    /// that; those, neither Karpenter nor kerf counts for a spread constraint (`scheduling §18.6`).
    pub fresh: bool,
}

impl Machine {
    pub fn describe(&self) -> String {
        let pods: Vec<String> = self.pods.iter().map(key).collect();
        let label = |key: &str| self.labels.get(key).map_or("-", String::as_str);
        format!(
            "{} ({} in {}, {}): {}",
            self.name,
            label("node.kubernetes.io/instance-type"),
            label("topology.kubernetes.io/zone"),
            label("karpenter.sh/capacity-type"),
            pods.join(" ")
        )
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub machines: Vec<Machine>,
    /// Pods of the batch, without a node.
    pub waiting: BTreeMap<String, Value>,
    pub namespaces: BTreeMap<String, Labels>,
    /// PersistentVolumeClaims by `namespace/name`; volumes and classes by name.
    pub claims: BTreeMap<String, Value>,
    pub volumes: BTreeMap<String, Value>,
    pub classes: BTreeMap<String, Value>,
}

impl World {
    /// `dice` picks other nodes than the expected ones.
    pub fn new(cluster: &Cluster, plan: &Plan<'_>, mut dice: Option<&mut Dice>) -> Result<Self, String> {
        let of = |kind: &'static str| cluster.objects.iter().filter(move |o| o["kind"] == kind);
        let named = |o: &Value| o["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let mut out = Self {
            machines: there(cluster, plan),
            waiting: BTreeMap::new(),
            namespaces: of("Namespace")
                .map(|n| (named(n), texts(&n["metadata"]["labels"])))
                .collect(),
            claims: of("PersistentVolumeClaim").map(|c| (key(c), c.clone())).collect(),
            volumes: of("PersistentVolume").map(|v| (named(v), v.clone())).collect(),
            classes: of("StorageClass").map(|c| (named(c), c.clone())).collect(),
        };
        for claim in &plan.solution.claims {
            out.machines
                .push(become_node(cluster, claim, dice.as_deref_mut())?);
        }
        for pod in of("Pod") {
            if plan.batch.contains(&key(pod)) {
                let mut pod = pod.clone();
                if let Some(spec) = pod["spec"].as_object_mut() {
                    spec.remove("nodeName");
                }
                out.waiting.insert(key(&pod), pod);
            } else {
                out.keep(pod);
            }
        }
        for daemon in of("DaemonSet") {
            out.start(daemon);
        }
        Ok(out)
    }

    pub fn find(&self, name: &str) -> Option<usize> {
        self.machines.iter().position(|m| m.name == name)
    }

    /// A pod that is bound and will still be there.
    fn keep(&mut self, pod: &Value) {
        let over = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        let leaving = !pod["metadata"]["deletionTimestamp"].is_null();
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        if let (false, Some(i)) = (over || leaving, self.find(node)) {
            self.machines[i].pods.push(pod.clone());
        }
    }

    /// Puts a DaemonSet's pod on every machine that it belongs on and that lacks it.
    fn start(&mut self, daemon: &Value) {
        let uid = &daemon["metadata"]["uid"];
        let name = daemon["metadata"]["name"].as_str().unwrap_or_default();
        let mut pod = daemon["spec"]["template"].clone();
        pod["metadata"]["namespace"] = daemon["metadata"]["namespace"].clone();
        pod["metadata"]["ownerReferences"] = json!([{"kind": "DaemonSet", "uid": uid}]);
        for machine in &mut self.machines {
            let mine = |p: &Value| list(&p["metadata"]["ownerReferences"]).any(|o| o["uid"] == *uid);
            if filter::belongs(&pod, machine) && !machine.pods.iter().any(mine) {
                pod["metadata"]["name"] = json!(format!("{name}-{}", machine.name));
                machine.pods.push(pod.clone());
            }
        }
    }
}

/// Nodes and launched claims, except those that go.
fn there(cluster: &Cluster, plan: &Plan<'_>) -> Vec<Machine> {
    let mut out = Vec::new();
    let of = |kind: &'static str| cluster.objects.iter().filter(move |o| o["kind"] == kind);
    let id_of_node = |o: &Value| o["spec"]["providerID"].as_str().unwrap_or_default().to_owned();
    let id_of_claim = |o: &Value| o["status"]["providerID"].as_str().unwrap_or_default().to_owned();
    let is = |node: &Value, label: &str| node["metadata"]["labels"][label] == "true";
    let limits = |name: &str| -> BTreeMap<String, i64> {
        of("CSINode")
            .filter(|n| n["metadata"]["name"] == name)
            .flat_map(|n| list(&n["spec"]["drivers"]))
            .filter_map(|d| {
                Some((
                    d["name"].as_str()?.to_owned(),
                    d["allocatable"]["count"].as_i64()?,
                ))
            })
            .collect()
    };
    for node in of("Node") {
        let name = node["metadata"]["name"].as_str().expect("a name");
        if plan.without.contains(name) {
            continue;
        }
        let claim =
            of("NodeClaim").find(|c| !id_of_node(node).is_empty() && id_of_claim(c) == id_of_node(node));
        let starting = claim.is_some() && !is(node, "karpenter.sh/initialized");
        let registered = claim.is_none() || is(node, "karpenter.sh/registered");
        let startup = |t: &Value| {
            claim.is_some_and(|c| {
                list(&c["spec"]["startupTaints"]).any(|s| s["key"] == t["key"] && s["effect"] == t["effect"])
            })
        };
        let (labels, taints) = if registered {
            (&node["metadata"]["labels"], &node["spec"]["taints"])
        } else {
            let c = claim.expect("only claims register");
            (&c["metadata"]["labels"], &c["spec"]["taints"])
        };
        let mut room = amounts(&node["status"]["allocatable"]);
        if let (true, Some(c)) = (starting, claim) {
            for (key, amount) in amounts(&c["status"]["allocatable"]) {
                let mine = room.entry(key).or_default();
                if *mine == 0 {
                    *mine = amount;
                }
            }
        }
        let leaving = claim.is_some_and(|c| !c["metadata"]["deletionTimestamp"].is_null());
        let mut labels = texts(labels);
        labels
            .entry("kubernetes.io/hostname".to_owned())
            .or_insert_with(|| name.to_owned());
        out.push(Machine {
            name: name.to_owned(),
            labels,
            taints: list(taints)
                .filter(|t| !(starting && (startup(t) || passing(t))))
                .cloned()
                .collect(),
            room,
            limits: limits(name),
            pods: Vec::new(),
            open: !leaving,
            fresh: false,
        });
    }
    for claim in of("NodeClaim") {
        let name = claim["metadata"]["name"].as_str().expect("a name");
        let id = id_of_claim(claim);
        if id.is_empty() || plan.without.contains(name) || of("Node").any(|n| id_of_node(n) == id) {
            continue;
        }
        let mut labels = texts(&claim["metadata"]["labels"]);
        labels.insert("kubernetes.io/hostname".to_owned(), name.to_owned());
        out.push(Machine {
            name: name.to_owned(),
            labels,
            taints: list(&claim["spec"]["taints"]).cloned().collect(),
            room: amounts(&claim["status"]["allocatable"]),
            limits: BTreeMap::new(),
            pods: Vec::new(),
            open: claim["metadata"]["deletionTimestamp"].is_null(),
            fresh: false,
        });
    }
    out
}

/// Taints that a node loses while it starts.
fn passing(taint: &Value) -> bool {
    let key = taint["key"].as_str().unwrap_or_default();
    let effect = taint["effect"].as_str().unwrap_or_default();
    key.starts_with("readiness.k8s.io/")
        || matches!(
            (key, effect),
            ("node.kubernetes.io/not-ready", "NoSchedule" | "NoExecute")
                | (
                    "node.kubernetes.io/unreachable" | "node.cloudprovider.kubernetes.io/uninitialized",
                    "NoSchedule"
                )
                | ("karpenter.sh/unregistered", "NoExecute")
        )
}

/// The node that the cloud makes of a claim: the cheapest offering, or any other that the claim allows.
fn become_node(cluster: &Cluster, claim: &Planned, dice: Option<&mut Dice>) -> Result<Machine, String> {
    let draft = &claim.draft;
    let mut choices: Vec<(i64, &Value, &Value)> = Vec::new();
    for kind in cluster
        .types
        .iter()
        .filter(|t| draft.instance_types.iter().any(|n| t["name"] == **n))
    {
        for offering in list(&kind["offerings"]).filter(|o| o["available"] != false) {
            let allowed = [
                ("topology.kubernetes.io/zone", "zone"),
                ("karpenter.sh/capacity-type", "capacityType"),
            ]
            .iter()
            .all(|(key, field)| pool::allows(&draft.requirements, key, offering[field].as_str()));
            // The launch leaves out offerings that lack what the claim needs beside the usual.
            let mut here = amounts(&kind["resources"]);
            here.extend(amounts(&offering["capacityOverride"]));
            let mut special = draft.requests.extended.iter();
            let enough = special.all(|(key, n)| {
                let have = here.get(&**key).copied().unwrap_or(0);
                have >= i128::from(*n) * 1_000_000_000
            });
            if allowed && enough {
                #[allow(clippy::cast_possible_truncation)]
                let price = (offering["price"].as_f64().expect("a price") * 1e9) as i64;
                choices.push((price, kind, offering));
            }
        }
    }
    choices.sort_by_key(|(price, kind, offering)| {
        (*price, kind["name"].to_string(), offering["zone"].to_string())
    });
    let pick = dice.map_or(0, |d| d.below(choices.len().max(1)));
    let Some((_, kind, offering)) = choices.get(pick) else {
        return Err(format!(
            "no offering suits claim {}: {:?}",
            draft.name, draft.requirements
        ));
    };
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut labels: Labels = draft
        .labels
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    for rule in list(&kind["requirements"]) {
        let mut values = list(&rule["values"]).filter_map(Value::as_str);
        if let ("In", Some(only), None) = (
            rule["operator"].as_str().unwrap_or_default(),
            values.next(),
            values.next(),
        ) {
            labels.insert(text(&rule["key"]), only.to_owned());
        }
    }
    for (key, value) in [
        ("node.kubernetes.io/instance-type", &kind["name"]),
        ("beta.kubernetes.io/instance-type", &kind["name"]),
        ("kubernetes.io/arch", &kind["architecture"]),
        ("beta.kubernetes.io/arch", &kind["architecture"]),
        ("kubernetes.io/os", &kind["operatingSystems"][0]),
        ("beta.kubernetes.io/os", &kind["operatingSystems"][0]),
        ("topology.kubernetes.io/zone", &offering["zone"]),
        ("failure-domain.beta.kubernetes.io/zone", &offering["zone"]),
        ("karpenter.sh/capacity-type", &offering["capacityType"]),
    ] {
        labels.insert(key.to_owned(), text(value));
    }
    for key in ["karpenter.sh/registered", "karpenter.sh/initialized"] {
        labels.insert(key.to_owned(), "true".to_owned());
    }
    labels.insert("kubernetes.io/hostname".to_owned(), draft.name.to_string());
    let mut room = amounts(&kind["resources"]);
    for (key, amount) in amounts(&kind["overhead"]) {
        *room.entry(key).or_default() -= amount;
    }
    room.extend(amounts(&offering["capacityOverride"]));
    let huge: i128 = room
        .iter()
        .filter(|(k, _)| k.starts_with("hugepages-"))
        .map(|(_, v)| *v)
        .sum();
    if let Some(memory) = room.get_mut("memory") {
        *memory = (*memory - huge).max(0);
    }
    Ok(Machine {
        name: draft.name.to_string(),
        labels,
        taints: draft
            .taints
            .iter()
            .map(|t| json!({"key": &*t.key, "value": &*t.value, "effect": t.effect.as_str()}))
            .collect(),
        room,
        limits: BTreeMap::new(),
        pods: Vec::new(),
        open: false,
        fresh: true,
    })
}
