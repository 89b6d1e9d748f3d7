//! `kerf run --mode observe` beside a real Karpenter: what was recorded of one (`tests/data/karpenter-run`) is played
//! through the embedded API, at the times it happened, and must give what each `facts.json` says.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rig::{Process, start_told, story, writes};
use crate::clock::Clock;
use crate::gate::Mode;
use crate::ledger::{Body, View};
use crate::model::{Delta, Status};
use crate::world::Embedded;
use crate::world::apiserver::{ApiServer, Config, DeleteOptions};
use crate::world::ec2::{Ec2, Ec2Config};

fn read(folder: &str, file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/karpenter-run")
        .join(folder)
        .join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_none_or(|e| e != "gz") {
        return String::from_utf8(bytes).expect("utf-8");
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .expect("gzip");
    text
}

fn at(value: &Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("a time")
}

/// Everything that happened, in order of arrival.
fn events(folder: &str) -> Vec<(Timestamp, Value)> {
    let mut out = Vec::new();
    for file in ["watch-nodepools", "watch-nodeclaims", "watch-nodes", "watch-pods"] {
        for line in read(folder, &format!("{file}.jsonl.gz")).lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            out.push((at(&event["at"]), event));
        }
    }
    out.sort_by_key(|(at, _)| *at);
    out
}

/// A pod of the recording's reduced form, or a whole one as it is.
fn pod(row: &Value) -> Value {
    let conditions: Vec<Value> = row["conditions"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(kind, text)| {
            let (status, reason) = text
                .as_str()
                .unwrap_or("")
                .split_once('/')
                .unwrap_or(("Unknown", ""));
            json!({"type": kind, "status": status, "reason": reason, "lastTransitionTime": null})
        })
        .collect();
    let mut spec = json!({"containers": [{
        "name": "web", "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
    }]});
    if row["node"].is_string() {
        spec["nodeName"] = row["node"].clone();
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": row["name"], "namespace": row["namespace"], "ownerReferences": [{
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "web", "controller": true,
        }]},
        "spec": spec,
        "status": {"phase": row["phase"], "conditions": conditions},
    })
}

struct Cluster(Embedded);

impl Cluster {
    fn at(now: Timestamp) -> Self {
        let clock = Clock::starting_at(now);
        let api = ApiServer::new(Config {
            clock,
            seed: 1,
            state: None,
        })
        .expect("a server");
        let ec2 = Ec2::new(Ec2Config::new(1, clock, "demo")).expect("an account");
        Self(Embedded {
            api,
            ec2,
            clock,
            cluster_name: "demo".into(),
            region: "us-east-1".into(),
        })
    }

    /// As it is now; what is not there is made.
    fn put(&self, object: &Value) {
        let api = &self.0.api;
        let (version, kind) = (object["apiVersion"].as_str(), object["kind"].as_str());
        let Some(kind) = api.kind_of(version.unwrap_or(""), kind.unwrap_or("")) else {
            // The kwok provider's own class: no kind of ours.
            return;
        };
        let meta = &object["metadata"];
        let text = |key: &str| meta[key].as_str().unwrap_or("").to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        if api.get(&kind.key, &namespace, &name).is_none() {
            let mut fresh = object.clone();
            if let Some(meta) = fresh["metadata"].as_object_mut() {
                for key in ["uid", "resourceVersion", "generateName", "deletionTimestamp"] {
                    meta.remove(key);
                }
            }
            api.create(&kind.key, &namespace, fresh)
                .unwrap_or_else(|e| panic!("{} {name}: {}", kind.key, e.message));
        }
        if meta["deletionTimestamp"].is_string() {
            // Its finalizers hold it.
            api.delete(&kind.key, &namespace, &name, &DeleteOptions::default())
                .expect("deleted");
        }
        let changed = api.update(&kind.key, &namespace, &name, &mut |live| {
            for key in ["spec", "status"] {
                if !object[key].is_null() {
                    live[key] = object[key].clone();
                }
            }
            for key in ["labels", "annotations", "finalizers"] {
                if !meta[key].is_null() {
                    live["metadata"][key] = meta[key].clone();
                }
            }
        });
        if let Err(error) = changed {
            panic!("{} {name}: {}", kind.key, error.message);
        }
    }

    fn gone(&self, key: &str, namespace: &str, name: &str) {
        let api = &self.0.api;
        let _ = api.update(key, namespace, name, &mut |live| {
            if let Some(meta) = live["metadata"].as_object_mut() {
                meta.remove("finalizers");
            }
        });
        let now = DeleteOptions {
            grace_seconds: Some(0),
            ..DeleteOptions::default()
        };
        let _ = api.delete(key, namespace, name, &now);
        assert!(
            api.get(key, namespace, name).is_none(),
            "{key} {name} is still there"
        );
    }

    fn play(&self, event: &Value) {
        let ended = event["type"] == "DELETED";
        if event["object"].is_object() {
            let object = &event["object"];
            if !ended {
                return self.put(object);
            }
            let key = match object["kind"].as_str() {
                Some("NodePool") => "nodepools.karpenter.sh",
                Some("NodeClaim") => "nodeclaims.karpenter.sh",
                _ => "nodes",
            };
            return self.gone(key, "", object["metadata"]["name"].as_str().unwrap_or(""));
        }
        let text = |key: &str| event[key].as_str().unwrap_or("");
        if ended {
            self.gone("pods", text("namespace"), text("name"));
        } else if let Some(live) = self.0.api.get("pods", text("namespace"), text("name")) {
            let mut whole = live.value().clone();
            let new = pod(event);
            whole["status"] = new["status"].clone();
            if new["spec"]["nodeName"].is_string() {
                whole["spec"]["nodeName"] = new["spec"]["nodeName"].clone();
            }
            self.put(&whole);
        } else {
            self.put(&pod(event));
        }
    }
}

/// What the ledger told.
#[derive(Default)]
struct Told {
    claims: BTreeSet<String>,
    pods: BTreeSet<String>,
    claims_created: usize,
    claims_gone: usize,
    pods_gone: usize,
    pods_created: usize,
    /// Claims that said why they go.
    disrupted: BTreeSet<String>,
    counting: bool,
}

impl Told {
    fn fold(&mut self, delta: &Delta) {
        match delta {
            Delta::Claim(row) => {
                let new = self.claims.insert(row.name.to_string());
                self.claims_created += usize::from(new && self.counting);
                let said = row.conditions.get("DisruptionReason");
                if said.is_some_and(|c| c.status == Status::True) {
                    self.disrupted.insert(row.name.to_string());
                }
            }
            Delta::ClaimGone(_) => self.claims_gone += 1,
            Delta::Pod(row) => {
                let new = self.pods.insert(row.key().to_string());
                self.pods_created += usize::from(new && self.counting);
            }
            Delta::PodGone(_) => self.pods_gone += 1,
            _ => {}
        }
    }
}

fn fleet(view: &View) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for node in view.snapshot.nodes.values() {
        let kind = format!("{}/{}", node.instance_type(), node.capacity_type());
        *out.entry(kind).or_default() += 1;
    }
    out
}

fn same_fleet(run: &Process, want: &Value, when: &str) {
    let view = run.handle.view();
    let types: BTreeMap<String, u64> = serde_json::from_value(want["types"].clone()).expect("types");
    assert_eq!(fleet(&view), types, "{when}");
    // The recording counts what has a node; a machine that never joins costs all the same.
    let joined = |claim: &str| {
        let claim = view.snapshot.claims.get(claim);
        claim.is_some_and(|c| view.snapshot.node_of(&c.provider_id).is_some())
    };
    let prices = view.claim_prices.iter().filter(|(claim, _)| joined(claim));
    let cost: f64 = prices.map(|(_, (price, _))| price.as_f64()).sum();
    let usd = want["usdPerHour"].as_f64().expect("a number");
    assert!(
        (cost - usd).abs() < 0.0001,
        "{when}: ${cost}/h, recorded ${usd}/h"
    );
}

fn observe(folder: &'static str) {
    let facts: Value = serde_json::from_str(&read(folder, "facts.json")).expect("JSON");
    let before: Value = serde_json::from_str(&read(folder, "snapshot-before.json.gz")).expect("JSON");
    story(async move {
        let cluster = Cluster::at(at(&facts["from"]));
        for item in before["items"].as_array().into_iter().flatten() {
            cluster.put(item);
        }
        let told = Rc::new(RefCell::new(Told::default()));
        let listening = told.clone();
        let listener = Box::new(
            move |entry: &crate::ledger::Entry, _: &crate::ledger::chain::Line| {
                if let Body::Observed { deltas } = &entry.body {
                    let mut told = listening.borrow_mut();
                    for delta in deltas {
                        told.fold(delta);
                    }
                }
            },
        );
        let run = start_told(&cluster.0, "kerf", Mode::Observe, false, Some(listener));
        cluster.0.clock.sleep_until(at(&facts["from"])).await;
        cluster.0.clock.sleep(std::time::Duration::from_millis(100)).await;
        same_fleet(&run, &facts["start"], "at the start");
        told.borrow_mut().counting = true;
        for (when, event) in events(folder) {
            cluster.0.clock.sleep_until(when).await;
            cluster.play(&event);
        }
        cluster.0.clock.sleep_until(at(&facts["to"])).await;
        cluster.0.clock.sleep(std::time::Duration::from_secs(1)).await;
        same_fleet(&run, &facts["end"], "at the end");
        let told = told.borrow();
        let counts = [
            ("claimsCreated", told.claims_created),
            ("claimsDeleted", told.claims_gone),
            ("podsCreated", told.pods_created),
            ("podsDeleted", told.pods_gone),
        ];
        for (key, n) in counts {
            assert_eq!(facts[key], n, "{folder}: {key}");
        }
        let view = run.handle.view();
        let unbound = view
            .snapshot
            .pods
            .values()
            .filter(|p| p.is_active() && p.node.is_none())
            .count();
        assert_eq!(facts["podsUnboundAtEnd"], unbound);
        for command in facts["commands"].as_array().into_iter().flatten() {
            for claim in command["nodes"].as_array().into_iter().flatten() {
                let claim = claim.as_str().expect("a name");
                assert!(told.disrupted.contains(claim), "{claim} was seen to go, and why");
            }
        }
        assert_eq!(view.host.disconnected, None, "read without a complaint");
        assert_eq!(writes(&cluster.0, "kerf"), 0);
        run.kill();
    });
}

#[test]
fn the_first_pod_of_a_cluster() {
    observe("one-pod");
}

#[test]
fn a_deployment_of_a_hundred() {
    observe("up-100");
}

#[test]
fn a_budget_that_blocks_a_drain() {
    observe("pdb-blocked");
}

#[test]
fn a_controller_that_was_killed_and_came_back() {
    observe("restart");
}
