//! Every case of `lifecycle §24` is a test whose name carries its number, exactly once, or has a reason here.

use std::collections::BTreeMap;
use std::path::Path;

/// How many cases there are.
const CASES: u32 = 87;

/// Where numbered tests are.
const PLACES: [&str; 3] = ["src/decide/lifecycle/tests", "src/act", "src/engine"];

/// Cases that cannot happen here, and why.
const NOT_HERE: [(u32, &str); 2] = [
    (
        17,
        "registration hooks are an extension point for other providers; the AWS provider has none, so nothing can be \
         pending",
    ),
    (
        31,
        "ResourceSlices are not watched: dynamic resource allocation is ignored by default (IGNORE_DRA_REQUESTS), and \
         a claim never gets the annotation that names drivers",
    ),
];

/// The numbers in a name like `case_40_41_something`.
fn numbers(name: &str) -> Vec<u32> {
    name.split('_').map_while(|part| part.parse().ok()).collect()
}

fn collect(place: &Path, found: &mut BTreeMap<u32, Vec<String>>) {
    for entry in std::fs::read_dir(place).expect("the sources are there") {
        let path = entry.expect("entry").path();
        if path.is_dir() || path.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        for line in text.lines() {
            let Some((_, name)) = line.split_once("fn case_") else {
                continue;
            };
            for number in numbers(name) {
                found.entry(number).or_default().push(path.display().to_string());
            }
        }
    }
}

#[test]
fn every_case_is_tested_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    for place in PLACES {
        collect(&root.join(place), &mut found);
    }
    for (number, _) in NOT_HERE {
        found.entry(number).or_default().push("not here".to_owned());
    }
    let wrong: Vec<String> = (1..=CASES)
        .filter_map(|n| match found.get(&n).map_or(0, Vec::len) {
            1 => None,
            count => Some(format!("case {n}: {count} tests {:?}", found.get(&n))),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found.keys().all(|n| (1..=CASES).contains(n)), "{found:?}");
}
