//! Promises that hold whatever happens: random clusters under random events, read back from their ledgers by a checker
//! that shares nothing with the product.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::SignedDuration;
use serde_json::Value;

use crate::support::{Story, demo, folder, number};

/// A small generator: the same seed, the same cluster.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.roll(of.len() as u64)).expect("small")]
    }
}

const HEADER: &str =
    "apiVersion: v1\nkind: List\nitems: []\nscenario:\n  name: random\n  description: Random.\n";
const CLASS: &str = "---\napiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: default}\nspec:\n  \
    role: r\n  amiFamily: AL2023\n  amiSelectorTerms: [{name: amazon-eks-node-al2023-x86_64-standard-*}]\n  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: kerf-demo}}]\n  \
    securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: kerf-demo}}]\n";

/// What a pool promises.
#[derive(Debug, Default)]
struct Promise {
    budget: usize,
    grace: bool,
}

/// A scenario and the promises of its pools.
fn cluster(seed: u64) -> (String, BTreeMap<String, Promise>) {
    let mut dice = Dice(seed);
    let mut steps = String::from("  steps:\n");
    let mut objects = String::from(CLASS);
    let mut promises = BTreeMap::new();
    let mut apps = Vec::new();
    for pool in ["left", "right"] {
        let budget = 1 + dice.roll(3);
        let grace = dice.roll(2) == 0;
        let capacity = dice.one(&["[spot]", "[on-demand]", "[spot, on-demand]"]);
        let life = if grace {
            "      expireAfter: 18m\n      terminationGracePeriod: 3m\n"
        } else {
            ""
        };
        write!(
            objects,
            "---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {{name: {pool}}}\nspec:\n  template:\n    \
             metadata: {{labels: {{side: {pool}}}}}\n    spec:\n{life}      nodeClassRef: {{group: karpenter.k8s.aws, \
             kind: EC2NodeClass, name: default}}\n      requirements:\n      - {{key: karpenter.sh/capacity-type, operator: In, \
             values: {capacity}}}\n      - {{key: kubernetes.io/arch, operator: In, values: [amd64]}}\n      - {{key: \
             karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}}\n      - {{key: \
             karpenter.k8s.aws/instance-cpu, operator: In, values: [\"2\", \"4\", \"8\"]}}\n  disruption:\n    \
             consolidationPolicy: WhenEmptyOrUnderutilized\n    consolidateAfter: {}s\n    budgets: [{{nodes: \"{budget}\"}}]\n",
            dice.roll(40),
        )
        .expect("text");
        let budget = usize::try_from(budget).expect("small");
        promises.insert(pool.to_owned(), Promise { budget, grace });
        for n in 0..2 {
            let app = format!("{pool}{n}");
            let protected = if dice.roll(4) == 0 {
                "\n      annotations: {karpenter.sh/do-not-disrupt: \"true\"}"
            } else {
                ""
            };
            write!(
                objects,
                "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {app}, namespace: default}}\nspec:\n  \
                 replicas: {}\n  selector: {{matchLabels: {{app: {app}}}}}\n  template:\n    metadata:\n      labels: {{app: \
                 {app}}}{protected}\n    spec:\n      terminationGracePeriodSeconds: 5\n      nodeSelector: {{side: {pool}}}\n      \
                 containers:\n      - name: c\n        image: registry.k8s.io/pause:3.10\n        resources: {{requests: {{cpu: {}m, \
                 memory: 1Gi}}}}\n---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {app}, namespace: \
                 default}}\nspec:\n  maxUnavailable: {}\n  selector: {{matchLabels: {{app: {app}}}}}\n",
                3 + dice.roll(8),
                200 + 100 * dice.roll(12),
                1 + dice.roll(2),
            )
            .expect("text");
            apps.push(app);
        }
    }
    for _ in 0..6 {
        let at = 120 + dice.roll(18 * 60);
        let action = match dice.roll(6) {
            0 | 1 => {
                let app = dice.roll(apps.len() as u64);
                let app = &apps[usize::try_from(app).expect("small")];
                format!(
                    "scale: {{deployment: default/{app}, replicas: {}}}",
                    1 + dice.roll(12)
                )
            }
            2 => "spotInterrupt: {count: 2}".to_owned(),
            3 => "killMachine: {count: 1}".to_owned(),
            4 => "releaseImages: v20260301".to_owned(),
            _ => "refuseCall: {call: CreateFleet, code: InternalError, times: 2}".to_owned(),
        };
        writeln!(steps, "    - {{at: {at}s, {action}}}").expect("text");
    }
    (format!("{HEADER}{steps}{objects}"), promises)
}

/// The cluster as the ledger tells it, and what was promised.
#[derive(Default)]
struct Checker {
    pods: BTreeMap<String, Value>,
    claims: BTreeMap<String, Value>,
    nodes: BTreeMap<String, Value>,
    decisions: BTreeMap<u64, Value>,
    /// Node → pool, of candidates of voluntary disruptions under way.
    going: BTreeMap<String, String>,
    wrong: Vec<String>,
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

fn is_voluntary(decision: &Value) -> bool {
    matches!(text(decision, "kind"), "emptiness" | "consolidation" | "drift")
}

impl Checker {
    fn read(&mut self, entry: &Value, promises: &BTreeMap<String, Promise>) {
        let body = &entry["body"];
        match text(body, "type") {
            "observed" => {
                for delta in body["deltas"].as_array().into_iter().flatten() {
                    self.observe(delta);
                }
            }
            "proposed" => {
                let decision = body["decision"].clone();
                let id = decision["id"].as_u64().expect("id");
                self.proposed(&decision, promises);
                self.decisions.insert(id, decision);
            }
            "ruled" if text(body, "state") == "acting" => {
                self.began(body["id"].as_u64().expect("id"), promises);
            }
            "ruled" if matches!(text(body, "state"), "rolledBack" | "failed") => {
                let id = body["id"].as_u64().expect("id");
                for (node, _) in candidates(&self.decisions[&id]) {
                    self.going.remove(&node);
                }
            }
            "acted" => self.acted(entry, promises),
            _ => {}
        }
    }

    fn observe(&mut self, delta: &Value) {
        let (what, row) = (text(delta, "what"), &delta["row"]);
        let (table, key) = match what.trim_end_matches("Gone") {
            "pod" => (
                &mut self.pods,
                format!("{}/{}", text(row, "namespace"), text(row, "name")),
            ),
            "claim" => (&mut self.claims, text(row, "name").to_owned()),
            "node" => (&mut self.nodes, text(row, "name").to_owned()),
            _ => return,
        };
        if what.ends_with("Gone") {
            let key = row.as_str().expect("a key");
            table.remove(key);
            self.going.remove(key);
        } else {
            table.insert(key, row.clone());
        }
    }

    fn protected_on(&self, node: &str) -> Option<&str> {
        self.pods
            .iter()
            .find(|(_, p)| {
                text(p, "node") == node
                    && text(p, "do_not_disrupt") == "true"
                    && p["deleting"].is_null()
                    && matches!(text(p, "phase"), "Running" | "Pending")
            })
            .map(|(key, _)| key.as_str())
    }

    fn proposed(&mut self, decision: &Value, promises: &BTreeMap<String, Promise>) {
        if !is_voluntary(decision) {
            return;
        }
        for (node, pool) in candidates(decision) {
            let waived = text(decision, "kind") == "drift" && promises[&pool].grace;
            if let Some(pod) = self.protected_on(&node).filter(|_| !waived) {
                self.wrong
                    .push(format!("{} takes {node} with protected {pod}", decision["id"]));
            }
        }
    }

    /// Budgets: so many nodes of a pool are under way at once, and no more.
    fn began(&mut self, id: u64, promises: &BTreeMap<String, Promise>) {
        let decision = self.decisions[&id].clone();
        if !is_voluntary(&decision) {
            return;
        }
        for (node, pool) in candidates(&decision) {
            self.going.insert(node, pool);
        }
        for (pool, promise) in promises {
            let here = self.going.values().filter(|p| *p == pool).count();
            if here > promise.budget {
                let budget = promise.budget;
                self.wrong
                    .push(format!("{id}: {here} nodes of {pool} under way, budget {budget}"));
            }
        }
    }

    fn acted(&mut self, entry: &Value, promises: &BTreeMap<String, Promise>) {
        let body = &entry["body"];
        let effect = &body["effect"];
        let at = text(entry, "at");
        match text(effect, "do") {
            "evict" => {
                let key = format!("{}/{}", text(effect, "namespace"), text(effect, "pod"));
                let pod = self.pods.get(&key);
                if pod.is_some_and(|p| text(p, "do_not_disrupt") == "true") {
                    self.wrong
                        .push(format!("{at} protected {key} was sent to eviction"));
                }
            }
            "deletePod" => {
                let key = format!("{}/{}", text(effect, "namespace"), text(effect, "pod"));
                let node = self.pods.get(&key).map_or("", |p| text(p, "node")).to_owned();
                let pool = self
                    .nodes
                    .get(&node)
                    .map_or("", |n| text(&n["labels"], "karpenter.sh/nodepool"));
                if !pool.is_empty() && !promises[pool].grace {
                    self.wrong
                        .push(format!("{at} {key} was deleted by force without a grace period"));
                }
            }
            "deleteClaim" => self.deleted(body, at),
            _ => {}
        }
    }

    /// Replacement ready before removal.
    fn deleted(&mut self, body: &Value, at: &str) {
        let claim = text(&body["effect"], "claim");
        let Some(decision) = body["id"].as_u64().and_then(|id| self.decisions.get(&id)) else {
            return;
        };
        let takes: BTreeSet<&str> = decision["evidence"]["candidates"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| text(c, "claim"))
            .collect();
        if !is_voluntary(decision) || !takes.contains(claim) || text(&body["result"], "result") != "done" {
            return;
        }
        for made in created(decision) {
            let ready = self
                .claims
                .get(&made)
                .is_some_and(|c| text(&c["conditions"]["Initialized"], "status") == "True");
            if !ready {
                self.wrong.push(format!(
                    "{at} {claim} went before its replacement {made} was ready"
                ));
            }
        }
    }
}

fn candidates(decision: &Value) -> Vec<(String, String)> {
    decision["evidence"]["candidates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|c| (text(c, "node").to_owned(), text(c, "pool").to_owned()))
        .collect()
}

fn created(decision: &Value) -> Vec<String> {
    decision["effects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|e| text(e, "do") == "createClaim")
        .map(|e| text(e, "name").to_owned())
        .collect()
}

fn check(story: &Story, promises: &BTreeMap<String, Promise>) -> Vec<String> {
    let mut checker = Checker::default();
    for entry in &story.entries {
        checker.read(entry, promises);
    }
    assert!(!checker.decisions.is_empty(), "something was decided");
    checker.wrong
}

#[test]
fn promises_hold_in_random_clusters() {
    let dir = folder("property");
    let mut disrupted = 0;
    for seed in 1..=8 {
        let (scenario, promises) = cluster(seed);
        let file = dir.join(format!("{seed}.yaml"));
        std::fs::write(&file, &scenario).expect("written");
        let file = file.to_str().expect("text");
        let seed = seed.to_string();
        let story = demo(&[
            "--scenario",
            file,
            "--seed",
            &seed,
            "--for",
            "40m",
            "--mode",
            "auto",
        ]);
        let wrong = check(&story, &promises);
        assert!(wrong.is_empty(), "seed {seed}: {}\n{scenario}", wrong.join("\n"));
        assert_eq!(
            number(&story.summary, "/orphans"),
            0,
            "seed {seed}: {}",
            story.summary
        );
        let waiting = story.waiting(SignedDuration::from_mins(4));
        assert!(waiting.is_empty(), "seed {seed}: {waiting:?}\n{scenario}");
        disrupted += story
            .entries
            .iter()
            .filter(|e| {
                let decision = &e["body"]["decision"];
                text(&e["body"], "type") == "proposed" && is_voluntary(decision)
            })
            .count();
    }
    assert!(
        disrupted > 20,
        "the clusters must give the checker something: {disrupted}"
    );
    std::fs::remove_dir_all(dir).expect("clean");
}

/// The checker itself finds what it looks for.
#[test]
fn a_broken_promise_is_found() {
    let promises = BTreeMap::from([(
        "left".to_owned(),
        Promise {
            budget: 1,
            grace: false,
        },
    )]);
    let mut checker = Checker::default();
    let decision = |id: u64, node: &str| {
        serde_json::json!({"body": {"type": "proposed", "decision": {
            "id": id, "kind": "consolidation", "effects": [{"do": "createClaim", "name": "new"}],
            "evidence": {"candidates": [{"node": node, "claim": node, "pool": "left"}]}}}})
    };
    let pod = serde_json::json!({"body": {"type": "observed", "deltas": [{"what": "pod", "row": {"namespace": "d",
        "name": "p", "node": "n1", "do_not_disrupt": "true", "phase": "Running"}}]}});
    let acting = |id: u64| serde_json::json!({"body": {"type": "ruled", "id": id, "state": "acting"}});
    let deleted = serde_json::json!({"at": "t", "body": {"type": "acted", "id": 1,
        "effect": {"do": "deleteClaim", "claim": "n1"}, "result": {"result": "done"}}});
    let evicted = serde_json::json!({"at": "t", "body": {"type": "acted",
        "effect": {"do": "evict", "namespace": "d", "pod": "p"}}});
    for entry in [
        pod,
        decision(1, "n1"),
        acting(1),
        decision(2, "n2"),
        acting(2),
        deleted,
        evicted,
    ] {
        checker.read(&entry, &promises);
    }
    assert_eq!(checker.wrong.len(), 4, "{:?}", checker.wrong);
}
