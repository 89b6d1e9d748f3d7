//! `kerf plan --explain` and `kerf explain` on files and on a recording.

use serde_json::Value;

use crate::support::{Run, folder, kerf};

fn reasons() -> String {
    format!("{}/tests/data/plan/reasons.yaml", env!("CARGO_MANIFEST_DIR"))
}

const NOW: &str = "2026-01-05T09:00:00Z";

fn good(run: Run) -> String {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&good(kerf(args))).expect("JSON")
}

#[test]
fn every_reason_is_another_and_has_its_remedy() {
    let file = reasons();
    let plan = json(&["plan", "-o", "json", "--now", NOW, "-f", &file]);
    let left: Vec<&Value> = plan["unschedulable"].as_array().expect("a list").iter().collect();
    let of = |name: &str| -> &Value {
        left.iter()
            .find(|u| u["pod"] == format!("default/{name}"))
            .unwrap_or_else(|| panic!("{name} is left over"))
    };
    for (pod, says, type_, does) in [
        (
            "typo-type",
            "instance type m5d.x2large does not exist; did you mean m5d.2xlarge?",
            "m5d.2xlarge",
            "write m5d.2xlarge for m5d.x2large",
        ),
        (
            "typo-label",
            "team paymnets does not exist; did you mean payments?",
            "",
            "write payments for paymnets",
        ),
        ("typo-key", "label taem", "", "write the label team for taem"),
        ("no-zone", "no such zone: us-west-2a", "", ""),
        (
            "too-big",
            "too small: cpu 500 needed",
            "",
            "lower cpu from 500 to ",
        ),
        (
            "needs-gpu",
            "taint nvidia.com/gpu=true:NoSchedule",
            "",
            "tolerate nvidia.com/gpu=true:NoSchedule",
        ),
        (
            "over-limit",
            "over the limit: cpu 1 left",
            "",
            "raise limit cpu of NodePool tiny from 1 to 2",
        ),
    ] {
        let one = of(pod);
        let text = one["summary"].as_str().expect("text");
        assert!(text.contains(says), "{pod}: {text}");
        let miss = &one["nearestMiss"];
        assert!(
            miss["change"].as_str().is_some_and(|c| c.starts_with(does)),
            "{pod}: {miss}"
        );
        assert_eq!(miss["checked"], true, "{pod}");
        assert!(
            miss["pricePerHour"].as_f64().is_some_and(|p| p > 0.0),
            "{pod}: {miss}"
        );
        if !type_.is_empty() {
            assert_eq!(miss["instanceType"], type_);
        }
    }
    let causes = |pod: &str| -> Vec<String> {
        let reasons = of(pod)["reasons"].as_array().expect("a list");
        reasons
            .iter()
            .filter_map(|r| r["cause"].as_str().map(str::to_owned))
            .collect()
    };
    assert!(causes("no-zone").contains(&"no_such_zone".to_owned()));
    assert!(causes("too-big").contains(&"too_small".to_owned()));
    assert!(causes("over-limit").contains(&"over_limit".to_owned()));
    assert_eq!(plan["totals"]["pods"], 1);
}

#[test]
fn the_text_is_plain_in_a_pipe_and_tells_the_whole_with_explain() {
    let file = reasons();
    let text = good(kerf(&[
        "plan",
        "-o",
        "text",
        "--now",
        NOW,
        "-f",
        &file,
        "--explain",
    ]));
    assert!(!text.contains('\u{1b}'), "no colour in a pipe");
    for part in [
        "1 new node for 1 pod",
        "7 pods have no place",
        "would fit",
        "considered",
        "What constraints cost",
        "NODECLAIM",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let again = good(kerf(&[
        "plan",
        "-o",
        "text",
        "--now",
        NOW,
        "-f",
        &file,
        "--explain",
    ]));
    assert_eq!(text, again, "twice the same bytes");
    let coloured = good(kerf(&[
        "plan", "-o", "text", "--color", "always", "--now", NOW, "-f", &file,
    ]));
    assert!(coloured.contains("\u{1b}["));
    let run = kerf(&["plan", "--now", NOW, "-f", &file, "--fail-on", "unschedulable"]);
    assert_eq!(run.code, Some(1));
    let run = kerf(&["plan", "--now", NOW, "-f", &file, "--fail-on", "cost>0.0001"]);
    assert_eq!(run.code, Some(1));
    let run = kerf(&["plan", "--now", NOW, "-f", &file, "--fail-on", "money"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
}

#[test]
fn one_pod_or_one_claim_of_files() {
    let file = reasons();
    let pod = json(&[
        "explain", "pod", "too-big", "-o", "json", "--now", NOW, "-f", &file,
    ]);
    assert_eq!(pod["schema"], "kerf/explain/v1");
    assert_eq!(pod["state"], "unschedulable");
    assert!(pod["remedies"].as_array().is_some_and(|r| !r.is_empty()), "{pod}");
    let pod = json(&[
        "explain",
        "pod",
        "default/fine",
        "-o",
        "json",
        "--now",
        NOW,
        "-f",
        &file,
    ]);
    assert_eq!(pod["state"], "placed");
    assert!(
        pod["why"]["ranking"].as_array().is_some_and(|r| r.len() > 3),
        "{pod}"
    );
    let claim = json(&[
        "explain", "decision", "1", "-o", "json", "--now", NOW, "-f", &file,
    ]);
    assert_eq!(claim["claim"]["pods"], serde_json::json!(["default/fine"]));
    let run = kerf(&["explain", "pod", "fnie", "--now", NOW, "-f", &file]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("did you mean fine?"), "{}", run.stderr);
    let run = kerf(&["explain", "pod", "fi\u{1b}[2Jne", "--now", NOW, "-f", &file]);
    assert_eq!(run.code, Some(2));
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    let run = kerf(&["explain", "pod", "fine"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("-f FILE"), "{}", run.stderr);
}

#[test]
fn a_recording_tells_of_pods_nodes_and_decisions() {
    let dir = folder("explain");
    let file = dir.join("run.kerf");
    let file = file.to_str().expect("text");
    good(kerf(&[
        "demo",
        "--headless",
        "--for",
        "6m",
        "--record",
        file,
        "--scenario",
        "inflate",
        "-o",
        "json",
    ]));
    let decision = json(&["explain", "decision", "#1", "-o", "json", "-f", file]);
    assert_eq!(decision["kind"], "decision");
    let claims = decision["evidence"]["claims"].as_array().expect("claims");
    let claim = claims.first().expect("one").clone();
    let node = json(&[
        "explain",
        "node",
        claim["claim"].as_str().expect("text"),
        "-o",
        "json",
        "--recording",
        file,
    ]);
    assert_eq!(node["decision"], decision["decision"]);
    assert!(
        node["why"]["funnel"]["considered"]
            .as_u64()
            .is_some_and(|n| n > 100)
    );
    let pod = claim["pods"][0].as_str().expect("text");
    let pod = json(&["explain", "pod", pod, "-o", "json", "-f", file]);
    assert!(
        pod["decisions"].as_array().is_some_and(|d| !d.is_empty()),
        "{pod}"
    );
    let text = good(kerf(&["explain", "decision", "1", "-o", "text", "-f", file]));
    assert!(text.contains("NodePools by weight"), "{text}");
    let run = kerf(&["explain", "decision", "9999", "-f", file]);
    assert_eq!(run.code, Some(2));
    std::fs::remove_dir_all(dir).expect("clean");
}
