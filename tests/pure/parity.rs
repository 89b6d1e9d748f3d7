//! The decisions of real Karpenter on fifteen workloads (`tests/data/parity/README.md`), against ours with parity on.
//!
//! Where Karpenter's answer does not vary, ours is the same: the pods without a place, and each claim's pool, pods,
//! requests, instance types and cheapest price. Where it varies, ours is within its range.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use kerf::cli::instance_types;
use kerf::decide::scheduling::{Problem, Purpose, Solution, prepare, solve_prepared};
use kerf::decide::{Fuel, Settings};
use kerf::model::snapshot::ANY_CLASS;
use kerf::model::{Catalogue, Delta, Name, Snapshot};
use kerf::observe::Projector;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity")
}

fn json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .expect("gzip");
    serde_json::from_str(&text).expect("JSON")
}

fn catalogue() -> Arc<Catalogue> {
    static ONCE: OnceLock<Arc<Catalogue>> = OnceLock::new();
    ONCE.get_or_init(|| {
        let path = folder().join("catalogs/us-east-1.json.gz");
        Arc::new(instance_types::read(&path).expect("instance types"))
    })
    .clone()
}

fn object<T: serde::de::DeserializeOwned>(item: &Value) -> T {
    serde_json::from_value(item.clone()).expect("an object")
}

fn snapshot(input: &Value) -> Snapshot {
    let mut projector = Projector::new("");
    let mut deltas = Vec::new();
    for item in input["items"].as_array().expect("a list") {
        deltas.push(match item["kind"].as_str().expect("a kind") {
            "Pod" => Delta::Pod(Arc::new(projector.pod(&object(item)))),
            "Node" => Delta::Node(Arc::new(projector.node(&object(item)))),
            "NodeClaim" => Delta::Claim(Arc::new(projector.claim(&object(item)))),
            "NodePool" => Delta::Pool(Arc::new(projector.pool(&object(item)))),
            "DaemonSet" => Delta::Daemon(Arc::new(projector.daemon(&object(item)))),
            "EC2NodeClass" => Delta::Class(Arc::new(projector.class(&object(item)))),
            other => panic!("{other}"),
        });
    }
    let mut out = Snapshot::default();
    out.apply(&deltas);
    out.catalogues.insert(ANY_CLASS.into(), catalogue());
    out
}

fn decide(snapshot: &Snapshot) -> Solution {
    let now = "2026-01-01T00:10:00Z".parse().expect("a time");
    let settings = Settings {
        parity: true,
        ..Settings::default()
    };
    let pods: Vec<Name> = snapshot
        .pods
        .iter()
        .filter(|(_, p)| p.is_provisionable())
        .map(|(key, _)| key.clone())
        .collect();
    let without = BTreeSet::new();
    let problem = Problem {
        snapshot,
        pods: &pods,
        without: &without,
        now,
        settings: &settings,
        purpose: Purpose::Provision,
    };
    let mut fuel = Fuel::UNLIMITED;
    solve_prepared(&prepare(snapshot, &settings, now), &problem, &mut fuel)
}

/// Pool, pods, CPU and memory of the pods, number and digest of the types, the cheapest type and its price.
type Row = (String, usize, String, usize, String, String, String);

fn dollars(usd: f64) -> String {
    format!("{usd:.6}")
}

fn ours(solution: &Solution) -> Vec<Row> {
    let mut rows: Vec<Row> = solution
        .claims
        .iter()
        .map(|c| {
            let mut types: Vec<&str> = c.draft.instance_types.iter().map(|t| &**t).collect();
            types.sort_unstable();
            let digest = Sha256::digest(types.join("\n"));
            let head = digest.iter().take(8).fold(0_u64, |n, b| (n << 8) | u64::from(*b));
            let hex = format!("{head:016x}");
            let launch = c.draft.expected.as_ref().expect("an offering");
            // With the daemons, as upstream writes them.
            let requests = &c.draft.requests;
            (
                c.draft.pool.to_string(),
                c.draft.pods.len(),
                format!("{} {}", requests.cpu, requests.memory),
                types.len(),
                hex,
                launch.instance_type.to_string(),
                dollars(launch.price_per_hour.as_f64()),
            )
        })
        .collect();
    rows.sort();
    rows
}

fn theirs(expected: &Value) -> Vec<Row> {
    let text = |v: &Value| v.as_str().expect("text").to_owned();
    let amount = |c: &Value, key: &str| {
        let quantity = c["requests"][key].as_str().unwrap_or("0");
        kerf::model::resources::parse_quantity(key, quantity).expect("a quantity")
    };
    let mut rows: Vec<Row> = expected["nodeClaims"]
        .as_array()
        .expect("claims")
        .iter()
        .map(|c| {
            (
                text(&c["nodePool"]),
                c["pods"].as_array().expect("pods").len(),
                format!("{} {}", amount(c, "cpu"), amount(c, "memory")),
                usize::try_from(c["instanceTypesTotal"].as_u64().expect("a count")).expect("small"),
                text(&c["instanceTypesSortedSha256"]),
                text(&c["cheapestOffering"]["type"]),
                dollars(c["cheapestOffering"]["usdPerHour"].as_f64().expect("a price")),
            )
        })
        .collect();
    rows.sort();
    rows
}

fn compare(name: &str) {
    let at = folder().join(name);
    let snapshot = snapshot(&json(&at.join("input.json.gz")));
    let expected = json(&at.join("expected.json.gz"));
    let solution = decide(&snapshot);
    let spread = &expected["distribution"];
    if spread["distinctShapes"] == 1 && expected["identicalInAllRuns"] == true {
        assert_eq!(ours(&solution), theirs(&expected));
        let left: BTreeSet<&str> = solution
            .unschedulable
            .iter()
            .filter_map(|u| u.pod.strip_prefix("default/"))
            .collect();
        let wanted: BTreeSet<&str> = expected["unschedulable"]
            .as_object()
            .expect("pods")
            .keys()
            .map(|k| k.strip_prefix("default/").unwrap_or(k))
            .collect();
        assert_eq!(left, wanted, "pods without a place");
        let on_nodes: BTreeMap<&str, usize> = solution
            .existing
            .iter()
            .map(|(n, pods)| (&**n, pods.len()))
            .collect();
        let wanted: BTreeMap<&str, usize> = expected["existingNodePods"]
            .as_object()
            .expect("nodes")
            .iter()
            .map(|(n, pods)| (n.as_str(), pods.as_array().map_or(0, Vec::len)))
            .filter(|(_, n)| *n > 0)
            .collect();
        assert_eq!(on_nodes, wanted, "pods on nodes that are there");
    } else {
        let within = |key: &str, value: f64| {
            let bound = |end: &str| spread[key][end].as_f64().expect("a bound");
            let slack = 1e-5;
            assert!(
                (bound("min") - slack..=bound("max") + slack).contains(&value),
                "{key} {value} is outside {}",
                spread[key]
            );
        };
        let count = |n: usize| f64::from(u32::try_from(n).expect("small"));
        within("newNodeClaims", count(solution.claims.len()));
        within("unschedulable", count(solution.unschedulable.len()));
        within("usdPerHour", solution.price().as_f64());
    }
}

macro_rules! workloads {
    ($($test:ident: $folder:literal,)*) => {
        $(#[test]
        fn $test() {
            compare($folder);
        })*

        #[test]
        fn every_folder_is_compared() {
            let mut there: Vec<String> = std::fs::read_dir(folder())
                .expect("the folder")
                .filter_map(|e| e.ok()?.file_name().into_string().ok())
                .filter(|n| n.starts_with('w'))
                .collect();
            there.sort();
            assert_eq!(there, [$($folder),*]);
        }
    };
}

workloads! {
    ten_uniform: "w02-ten-uniform",
    five_hundred_random: "w06-500-random",
    too_big: "w11-too-big",
    zone_spread_of_three_apps: "w13-zone-spread-3-apps",
    host_spread_of_sixty: "w15-host-spread-60",
    anti_affinity_over_zones: "w18-anti-zone-8",
    selectors_of_architecture: "w21-arch-selectors",
    taints: "w23-taints",
    operators: "w28-operators",
    limits: "w31-limits",
    daemon_sets: "w32-daemonsets",
    existing_nodes: "w35-existing-nodes",
    init_and_sidecar_containers: "w37-init-sidecar",
    unknown_label: "w44-unknown-label",
    terms_as_alternatives: "w48-or-terms",
}
