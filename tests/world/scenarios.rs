//! Every scenario of trouble ends as it should, with the same ledger each time.

use serde_json::Value;

use crate::support::{Story, demo, number};

fn play(name: &str, time: &str) -> Story {
    demo(&["--scenario", name, "--seed", "7", "--for", time, "--mode", "auto"])
}

fn count(story: &Story, wanted: impl Fn(&Value) -> bool) -> usize {
    story.entries.iter().filter(|e| wanted(&e["body"])).count()
}

fn proposed(story: &Story, kind: &str) -> usize {
    count(story, |b| {
        b["type"] == "proposed" && b["decision"]["kind"] == kind
    })
}

fn alarm<'a>(story: &'a Story, name: &str) -> Option<&'a str> {
    story
        .entries
        .iter()
        .map(|e| &e["body"])
        .find(|b| b["type"] == "alarm" && b["name"] == name && b["cleared"] == false)
        .and_then(|b| b["text"].as_str())
}

fn ends_well(story: &Story) {
    let s = &story.summary;
    assert_eq!(number(s, "/orphans"), 0, "{s}");
    assert_eq!(number(s, "/pods/pending"), 0, "{s}");
}

#[test]
fn scale_down_empties_nodes_within_the_budget() {
    let story = play("scale-down", "30m");
    ends_well(&story);
    let s = &story.summary;
    assert_eq!(number(s, "/pods/running") - 3 * number(s, "/nodes"), 40, "{s}");
    assert!(number(s, "/nodes") * 3 < number(s, "/launched") * 2, "{s}");
}

#[test]
fn nodes_of_an_old_image_drift_two_at_a_time() {
    let story = play("ami-drift", "60m");
    ends_well(&story);
    let s = &story.summary;
    assert_eq!(number(s, "/launched"), 16, "every node is replaced once: {s}");
    let together = |b: &Value| b["decision"]["subjects"].as_array().map_or(0, Vec::len);
    assert!(proposed(&story, "drift") >= 4, "{s}");
    assert_eq!(
        count(&story, |b| b["type"] == "proposed"
            && together(b) > 2
            && b["decision"]["kind"] == "drift"),
        0,
        "{s}"
    );
}

#[test]
fn expired_nodes_are_replaced() {
    let story = play("expiration", "45m");
    ends_well(&story);
    assert!(proposed(&story, "expiration") >= 8, "{}", story.summary);
}

#[test]
fn a_spot_storm_is_weathered() {
    let story = play("spot-storm", "25m");
    ends_well(&story);
    assert!(proposed(&story, "interruption") >= 20, "{}", story.summary);
    assert!(number(&story.summary, "/launched") >= 80, "{}", story.summary);
}

#[test]
fn a_stuck_budget_holds_one_pool_and_not_the_other() {
    let story = play("stuck-pdb", "60m");
    let s = &story.summary;
    assert_eq!(number(s, "/orphans"), 0, "{s}");
    assert!(alarm(&story, "drain").is_some(), "the stuck drain is an alarm");
    let forced = count(&story, |b| {
        b["type"] == "acted" && b["effect"]["do"] == "deletePod"
    });
    assert!(forced > 0, "the pool with a grace period ends by force");
}

#[test]
fn a_third_machine_is_not_bought_in_vain() {
    let story = play("registration-failure", "100m");
    let s = &story.summary;
    assert_eq!(number(s, "/orphans"), 0, "{s}");
    let text = alarm(&story, "guard runaway").expect("the guard trips");
    assert!(text.contains("2 machines bought for it"), "{text}");
    assert!(text.contains("predicted") && text.contains("arrived"), "{text}");
    assert_eq!(
        number(s, "/pods/pending"),
        4,
        "the search pods wait for a person: {s}"
    );
}

#[test]
fn a_few_unhealthy_nodes_are_repaired_and_many_are_not() {
    let story = play("unhealthy-nodes", "100m");
    ends_well(&story);
    assert!(proposed(&story, "repair") >= 1, "{}", story.summary);
    let blocked = count(&story, |b| b["effect"]["reason"] == "NodeRepairBlocked");
    assert!(blocked > 0, "the rest is left alone");
}

#[test]
fn the_same_seed_is_the_same_trouble() {
    for (name, time) in [
        ("spot-storm", "12m"),
        ("ami-drift", "20m"),
        ("registration-failure", "50m"),
    ] {
        let hash = || {
            let story = play(name, time);
            assert_eq!(number(&story.summary, "/orphans"), 0, "{name}: {}", story.summary);
            story.summary["ledgerHash"].as_str().expect("a hash").to_owned()
        };
        assert_eq!(hash(), hash(), "{name}");
    }
}
