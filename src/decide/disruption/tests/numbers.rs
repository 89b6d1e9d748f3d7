//! Every case of `disruption §25` is a test, once.

use std::collections::BTreeMap;

const FILES: [&str; 12] = [
    include_str!("balanced.rs"),
    include_str!("budgets.rs"),
    include_str!("consolidation.rs"),
    include_str!("drift.rs"),
    include_str!("eligibility.rs"),
    include_str!("emptiness.rs"),
    include_str!("fixed.rs"),
    include_str!("multi.rs"),
    include_str!("placing.rs"),
    include_str!("queue.rs"),
    include_str!("revalidation.rs"),
    include_str!("several.rs"),
];

#[test]
fn every_number_is_there_exactly_once() {
    let mut found: BTreeMap<u32, u32> = BTreeMap::new();
    for line in FILES.iter().flat_map(|f| f.lines()) {
        let name = line
            .strip_prefix("fn case_")
            .or_else(|| line.strip_prefix("fn cases_"));
        for part in name.into_iter().flat_map(|n| n.split('_')) {
            match part.parse() {
                Ok(number) if part.len() == 3 => *found.entry(number).or_default() += 1,
                _ => break,
            }
        }
    }
    let missing: Vec<u32> = (1..=118).filter(|n| !found.contains_key(n)).collect();
    let twice: Vec<u32> = found.iter().filter(|(_, c)| **c != 1).map(|(n, _)| *n).collect();
    assert_eq!((missing, twice), (vec![], vec![]));
    assert_eq!(found.len(), 118);
}
