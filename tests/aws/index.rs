//! Every case of `aws §26` is a test whose name carries its number, or has a reason here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const CASES: u32 = 106;

/// Where the numbers are those of `aws §26`. Elsewhere a test says so in its name (`aws_case_…`).
const PLACES: [&str; 3] = ["src/cloud", "src/world/ec2", "tests/aws"];

/// Cases that are tested under another number, and where.
const ELSEWHERE: [(u32, &str, &str); 4] = [
    (
        18,
        "src/decide/lifecycle/tests/pools.rs",
        "fn a_deleted_class_waits_for_its_claims(",
    ),
    (
        99,
        "src/decide/lifecycle/tests/proposals.rs",
        "fn case_58_machines_without_claims_are_garbage_after_thirty_seconds(",
    ),
    (100, "src/decide/lifecycle/tests/tagging.rs", "fn aws_case_100_"),
    (
        5,
        "src/decide/lifecycle/tests/pools.rs",
        "fn case_66_readiness_follows_the_class(",
    ),
];

/// Cases that cannot happen here, and why.
const NOT_HERE: [(u32, &str); 12] = [
    (19, NO_DRY_RUN),
    (20, NO_DRY_RUN),
    (21, NO_DRY_RUN),
    (22, NO_DRY_RUN),
    (23, NO_DRY_RUN),
    (45, NO_DISCOVERY),
    (46, NO_DISCOVERY),
    (
        54,
        "zonal shift needs a port to Application Recovery Controller, which is not there",
    ),
    (78, ONE_FLEET),
    (79, ONE_FLEET),
    (
        80,
        "instances are described by one filter for all, or one by one: no batch of ids that one unknown id could spoil",
    ),
    (
        81,
        "instances are terminated one by one: no batch that one protected instance could spoil",
    ),
];
const NO_DRY_RUN: &str = "a class is judged by what reading calls say: dry runs create a launch template and call \
                          RunInstances, which are writes nobody approved; the first launch tells the same reasons";
const NO_DISCOVERY: &str =
    "memory is the formula's value: what a node reports is not fed back to the provider";
const ONE_FLEET: &str = "a fleet is for one claim, so that its client token and tag name that claim (exactly-once \
                         launches); equal requests are not merged";

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("the sources are there") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The numbers in a name: `case_7_…`, `cases_1_and_2_…`, `cases_26_to_28_…`.
fn numbers(name: &str) -> Vec<u32> {
    let mut out: Vec<u32> = Vec::new();
    let mut range = false;
    for part in name.split('_') {
        match part.parse::<u32>() {
            Ok(number) => {
                let from = out.last().filter(|_| range).map_or(number, |last| last + 1);
                out.extend(from..=number);
                range = false;
            }
            Err(_) if part == "and" => {}
            Err(_) if part == "to" => range = true,
            Err(_) => break,
        }
    }
    out
}

#[test]
fn every_case_is_tested_or_has_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut files = Vec::new();
    for place in PLACES {
        sources(&root.join(place), &mut files);
    }
    let own = files.len();
    sources(&root.join("src/decide"), &mut files);
    for (i, path) in files.iter().enumerate() {
        let text = std::fs::read_to_string(path).expect("text");
        for line in text.lines().map(str::trim) {
            let mark = if i < own { "fn case" } else { "fn aws_case" };
            let line = line.strip_prefix("async ").unwrap_or(line);
            let Some(rest) = line.strip_prefix(mark) else {
                continue;
            };
            let name = rest.strip_prefix('s').unwrap_or(rest).trim_start_matches('_');
            for number in numbers(name) {
                found.entry(number).or_default().push(path.display().to_string());
            }
        }
    }
    for (number, file, test) in ELSEWHERE {
        let text = std::fs::read_to_string(root.join(file)).expect("text");
        assert!(text.contains(test), "case {number}: {file} has no {test}");
        found.entry(number).or_default().push(file.to_owned());
    }
    let here: Vec<u32> = found.keys().copied().collect();
    for (number, reason) in NOT_HERE {
        assert!(
            !here.contains(&number),
            "case {number} is tested, and said not to be: {reason}"
        );
        found.entry(number).or_default().push(reason.to_owned());
    }
    let missing: Vec<u32> = (1..=CASES).filter(|n| !found.contains_key(n)).collect();
    assert_eq!(missing, [] as [u32; 0]);
    assert!(found.keys().all(|n| (1..=CASES).contains(n)), "{found:?}");
}

#[test]
fn numbers_are_read_from_names() {
    assert_eq!(numbers("7_one_published_image"), [7]);
    assert_eq!(numbers("1_and_2_terms"), [1, 2]);
    assert_eq!(numbers("26_to_28_pods"), [26, 27, 28]);
    assert_eq!(numbers("52_61_and_64_a_reservation"), [52, 61, 64]);
    assert_eq!(numbers("case"), [] as [u32; 0]);
}
