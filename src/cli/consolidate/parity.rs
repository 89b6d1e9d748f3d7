//! The recorded decisions of `tests/data/parity-consolidation` (its README says what they are), against
//! ours under parity.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Facts, to_json};
use crate::cli::instance_types;
use crate::decide::{Fuel, Settings, disruption};
use crate::model::snapshot::ANY_CLASS;
use crate::model::{Delta, Snapshot};
use crate::observe::Projector;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity-consolidation")
}

fn unzip(path: &Path) -> Value {
    let bytes = std::fs::read(path).expect("shipped");
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_end(&mut plain)
        .expect("gzip");
    serde_json::from_slice(&plain).expect("json")
}

fn row<T: serde::de::DeserializeOwned>(item: &Value) -> T {
    serde_json::from_value(item.clone()).expect("an object of its kind")
}

fn snapshot(input: &Value) -> Snapshot {
    let mut projector = Projector::new("");
    let mut deltas = Vec::new();
    for item in input["items"].as_array().expect("a list") {
        deltas.push(match item["kind"].as_str().unwrap_or("") {
            "EC2NodeClass" => Delta::Class(Arc::new(projector.class(&row(item)))),
            "NodePool" => Delta::Pool(Arc::new(projector.pool(&row(item)))),
            "Node" => Delta::Node(Arc::new(projector.node(&row(item)))),
            "NodeClaim" => Delta::Claim(Arc::new(projector.claim(&row(item)))),
            "Pod" => Delta::Pod(Arc::new(projector.pod(&row(item)))),
            "PodDisruptionBudget" => Delta::Pdb(Arc::new(projector.pdb(&row(item)))),
            "DaemonSet" => Delta::Daemon(Arc::new(projector.daemon(&row(item)))),
            other => panic!("unexpected {other}"),
        });
    }
    let catalogue = folder().join("../parity/catalogs/us-east-1.json.gz");
    deltas.push(Delta::Catalogue {
        class: ANY_CLASS.into(),
        types: Arc::new(instance_types::read(&catalogue).expect("catalogue")),
    });
    let mut out = Snapshot::default();
    out.apply(&deltas);
    out
}

fn sorted(list: &Value) -> Vec<String> {
    let mut out: Vec<String> = list
        .as_array()
        .into_iter()
        .flatten()
        .map(|v| v.as_str().unwrap_or("").to_owned())
        .collect();
    out.sort();
    out
}

fn digest(names: &[String]) -> String {
    let hash = Sha256::digest(names.join("\n"));
    hash.iter()
        .take(8)
        .fold(String::new(), |text, b| format!("{text}{b:02x}"))
}

/// Says in one text how the answer differs from the recording.
fn differences(case: &str) -> Vec<String> {
    let expected = unzip(&folder().join(case).join("expected.json.gz"));
    let args = std::fs::read_to_string(folder().join(case).join("args")).expect("args");
    let settings = Settings {
        parity: true,
        spot_to_spot: args.contains("SpotToSpotConsolidation=true"),
        ..Settings::default()
    };
    let snapshot = snapshot(&unzip(&folder().join(case).join("input.json.gz")));
    let now = "2026-01-01T12:00:00Z".parse().expect("a constant");
    let outcome = disruption::once(&snapshot, now, &settings, &mut Fuel::UNLIMITED.clone());
    let got = to_json(&outcome, &Facts::default());
    let (got, want) = (&got["commands"][0], &expected["command"]);
    let mut out = Vec::new();
    let mut same = |what: &str, got: String, want: String| {
        if got != want {
            out.push(format!("{case}: {what} is {got}, not {want}"));
        }
    };
    if want.is_null() {
        same("command", got.to_string(), "null".into());
        return out;
    }
    same(
        "method",
        got["method"].to_string(),
        expected["method"].to_string(),
    );
    same(
        "decision",
        got["decision"].to_string(),
        want["decision"].to_string(),
    );
    let (mine, theirs) = (sorted(&got["candidates"]), sorted(&want["candidates"]));
    if expected["identicalInAllRuns"] == true {
        same("candidates", mine.join(" "), theirs.join(" "));
        let cents = |v: &Value| format!("{:.6}", v.as_f64().unwrap_or(f64::NAN));
        same(
            "savings",
            cents(&got["savingsPerHour"]),
            cents(&want["savingsUsdPerHour"]),
        );
    } else {
        same("candidates", mine.len().to_string(), theirs.len().to_string());
    }
    let theirs = want["replacements"].as_array().cloned().unwrap_or_default();
    let count = got["replacements"].as_array().map_or(0, Vec::len);
    same("replacements", count.to_string(), theirs.len().to_string());
    for (mine, theirs) in got["replacements"].as_array().into_iter().flatten().zip(&theirs) {
        let types = sorted(&mine["instanceTypes"]);
        same(
            "types",
            types.len().to_string(),
            theirs["instanceTypesTotal"].to_string(),
        );
        same(
            "digest",
            format!("{:?}", digest(&types)),
            theirs["instanceTypesSortedSha256"].to_string(),
        );
        let (launch, cheapest) = (&mine["launch"], &theirs["cheapestOffering"]);
        same(
            "type",
            launch["instanceType"].to_string(),
            cheapest["type"].to_string(),
        );
        same("zone", launch["zone"].to_string(), cheapest["zone"].to_string());
        same(
            "capacity",
            launch["capacityType"].to_string(),
            cheapest["capacityType"].to_string(),
        );
        same(
            "pods",
            sorted(&mine["pods"]).len().to_string(),
            sorted(&theirs["pods"]).len().to_string(),
        );
    }
    out
}

#[test]
fn recorded_decisions_are_ours() {
    let cases = [
        "k01-empty-percent",
        "k03-empty-count-ties",
        "k11-delete-one",
        "k14-replace-cheaper",
        "k17-od-to-spot",
        "k22-spot-on-many",
        "k28-multi-2to1",
        "k37-pdb-zero",
        "k45-zone-spread-hard",
        "k55-balanced-approve",
    ];
    let different: Vec<String> = cases.into_iter().flat_map(differences).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}
