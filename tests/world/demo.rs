//! The main job, end to end.

use crate::support::{demo, folder, kerf, number};

const INFLATE: [&str; 8] = [
    "--scenario",
    "inflate",
    "--seed",
    "7",
    "--speed",
    "max",
    "--for",
    "20m",
];

#[test]
fn auto_serves_every_pod_and_leaves_nothing_behind() {
    let story = demo(&[&INFLATE[..], &["--mode", "auto"]].concat());
    let s = &story.summary;
    assert_eq!(number(s, "/pods/pending"), 0, "{s}");
    assert_eq!(number(s, "/orphans"), 0, "{s}");
    assert!(number(s, "/launched") > 0 && number(s, "/terminated") > 0, "{s}");
    assert!(number(s, "/pods/running") > 0, "{s}");
    assert_eq!(number(s, "/writesWhilePaused"), 0, "{s}");
    assert_eq!(number(s, "/simulatedSeconds"), 1200, "{s}");
    let instances: std::collections::BTreeSet<&str> = story
        .entries
        .iter()
        .filter_map(|e| e.pointer("/body/result/providerId").and_then(|v| v.as_str()))
        .collect();
    assert_eq!(
        instances.len() as u64,
        number(s, "/launched"),
        "each launch is an instance of its own"
    );
}

#[test]
fn the_same_seed_is_the_same_run_at_every_speed() {
    let hash = |speed: &str| {
        let args = [
            "--scenario",
            "inflate",
            "--seed",
            "7",
            "--for",
            "20m",
            "--mode",
            "auto",
            "--speed",
            speed,
        ];
        demo(&args).summary["ledgerHash"]
            .as_str()
            .expect("a hash")
            .to_owned()
    };
    let first = hash("max");
    assert_eq!(first, hash("max"));
    assert_eq!(first, hash("3600x"));
    let other = demo(&[
        "--scenario",
        "inflate",
        "--seed",
        "8",
        "--for",
        "20m",
        "--mode",
        "auto",
    ]);
    assert_ne!(
        other.summary["ledgerHash"].as_str(),
        Some(first.as_str()),
        "another seed is another run"
    );
}

#[test]
fn ask_without_approvals_launches_nothing() {
    let story = demo(&[&INFLATE[..], &["--mode", "ask"]].concat());
    assert_eq!(number(&story.summary, "/launched"), 0, "{}", story.summary);
    assert!(number(&story.summary, "/decisions/proposed") > 0, "it must ask");
    assert!(number(&story.summary, "/pods/pending") > 0, "nobody approved");
}

#[test]
fn observe_makes_no_write_call() {
    let story = demo(&[&INFLATE[..], &["--mode", "observe"]].concat());
    assert_eq!(number(&story.summary, "/apiWrites"), 0, "{}", story.summary);
    assert_eq!(number(&story.summary, "/launched"), 0, "{}", story.summary);
    assert!(
        number(&story.summary, "/decisions/proposed") > 0,
        "it still says what it would do"
    );
}

#[test]
fn the_other_scenarios_end_well() {
    for name in ["batch-burst", "mixed-arch", "spot-interruption", "steady"] {
        let story = demo(&[
            "--scenario",
            name,
            "--seed",
            "3",
            "--for",
            "30m",
            "--mode",
            "auto",
        ]);
        assert_eq!(number(&story.summary, "/orphans"), 0, "{name}: {}", story.summary);
        assert!(
            number(&story.summary, "/launched") > 0,
            "{name}: {}",
            story.summary
        );
    }
}

#[test]
fn six_simulated_hours() {
    let story = demo(&[
        "--scenario",
        "steady",
        "--for",
        "6h",
        "--mode",
        "auto",
        "--seed",
        "5",
    ]);
    assert_eq!(number(&story.summary, "/simulatedSeconds"), 6 * 3600);
    assert_eq!(number(&story.summary, "/orphans"), 0, "{}", story.summary);
}

#[test]
fn a_recording_verifies_and_an_edited_one_does_not() {
    let dir = folder("recording");
    let file = dir.join("run.kerf");
    let path = file.to_str().expect("text");
    let story = demo(&[&INFLATE[..], &["--mode", "auto", "--record", path]].concat());
    let run = kerf(&["verify", path, "--output", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(answer["ledgerHash"], story.summary["ledgerHash"]);

    let bytes = std::fs::read(&file).expect("the recording");
    let text = zstd::stream::decode_all(&bytes[..]).expect("zstd");
    let edited = String::from_utf8(text).expect("text").replacen(
        "\"state\":\"approved\"",
        "\"state\":\"rejected\"",
        1,
    );
    std::fs::write(
        &file,
        zstd::stream::encode_all(edited.as_bytes(), 1).expect("zstd"),
    )
    .expect("written");
    assert_eq!(kerf(&["verify", path]).code, Some(1));
    std::fs::remove_dir_all(dir).expect("clean");
}
