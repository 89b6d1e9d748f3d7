//! Every number has a test, or a reason why it has none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where tests of these numbers are. Other folders number the cases of other references.
const ROOMS: [&str; 5] = [
    "src/decide/scheduling",
    "src/decide/packing",
    "src/model",
    "src/observe",
    "tests/pure/scheduling",
];

/// Number → why it is no test of its own.
const ITEMS_WITHOUT: &[(u32, &str)] = &[
    (
        45,
        "src/cloud/aws/launch/filters_tests.rs has it, under the numbers of the AWS cases",
    ),
    (73, STATIC),
    (
        78,
        "no events are sent about pods; the ledger has the same facts, each once",
    ),
    (
        79,
        "log lines are no output of a decision; item 77 has the facts, src/words their sentences",
    ),
    (80, "there is no metrics endpoint"),
    (
        82,
        "there are no events and metrics about pods for virtual ones to be kept out of",
    ),
];
const CASES_WITHOUT: &[(u32, &str)] = &[(142, STATIC), (143, STATIC), (145, NO_DEVICES), (146, NO_DEVICES)];
const STATIC: &str = "src/decide/lifecycle/tests/static_pools.rs has it: static pools are the lifecycle's";
const NO_DEVICES: &str =
    "devices are not allocated: pods that claim some are refused, as with Karpenter's default (item 74)";

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The numbers in a name: `case_1_and_2_x`, `cases_61_to_63_x`, `item_122_124_x`.
fn numbers(name: &str, word: &str) -> BTreeSet<u32> {
    let mut out = BTreeSet::new();
    let mut parts = name
        .split('_')
        .skip_while(|p| *p != word && *p != format!("{word}s"))
        .skip(1);
    let mut last: Option<u32> = None;
    let mut range = false;
    for part in &mut parts {
        match (part, part.parse::<u32>()) {
            ("to", _) => range = true,
            ("and", _) => {}
            (_, Ok(n)) => {
                let from = last.filter(|_| range).unwrap_or(n);
                out.extend(from..=n);
                last = Some(n);
                range = false;
            }
            _ => break,
        }
    }
    out
}

/// Number → names of the tests with it.
fn tests(word: &str) -> BTreeMap<u32, Vec<String>> {
    let mut files = Vec::new();
    for room in ROOMS {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(room), &mut files);
    }
    let mut out: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line == "#[test]" {
                is_test = true;
            } else if let (true, Some(rest)) = (is_test, line.strip_prefix("fn ")) {
                let name = rest.split('(').next().unwrap_or_default();
                for n in numbers(name, word) {
                    out.entry(n).or_default().push(name.to_owned());
                }
                is_test = false;
            }
        }
    }
    out
}

fn settled(word: &str, last: u32, without: &[(u32, &str)]) {
    let tests = tests(word);
    let reasons: BTreeMap<u32, &str> = without.iter().copied().collect();
    assert_eq!(reasons.len(), without.len(), "a number has two reasons");
    let open: Vec<u32> = (1..=last)
        .filter(|n| !tests.contains_key(n) && !reasons.contains_key(n))
        .collect();
    assert_eq!(open, [0; 0], "{word}: neither test nor reason");
    let both: Vec<_> = reasons.keys().filter(|n| tests.contains_key(n)).collect();
    assert!(both.is_empty(), "{word}: a reason for what is tested: {both:?}");
    let beyond: Vec<_> = tests
        .keys()
        .chain(reasons.keys())
        .filter(|n| !(1..=last).contains(n))
        .collect();
    assert!(beyond.is_empty(), "{word}: there is no {beyond:?}");
}

#[test]
fn every_item_of_the_checklist_is_settled() {
    settled("item", 82, ITEMS_WITHOUT);
}

#[test]
fn every_tricky_case_is_settled() {
    settled("case", 146, CASES_WITHOUT);
}

#[test]
fn numbers_are_read_from_names() {
    let of = |name: &str| numbers(name, "case").into_iter().collect::<Vec<_>>();
    assert_eq!(of("case_7_bounds"), [7]);
    assert_eq!(of("cases_61_to_63_taints_of_2"), [61, 62, 63]);
    assert_eq!(of("case_1_and_2_keys"), [1, 2]);
    assert_eq!(of("a_thing_case_62"), [62]);
    assert_eq!(of("item_3_x"), [0; 0]);
}
