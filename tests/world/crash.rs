//! The process is killed at arbitrary moments and started again on the same state.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{demo, folder, number};

#[test]
fn a_kill_during_launches_leaves_no_orphan_and_no_duplicate() {
    for (round, wait) in [150, 400, 900].into_iter().enumerate() {
        let dir = folder(&format!("crash-{round}"));
        let state = dir.to_str().expect("text");
        let args = [
            "--scenario",
            "inflate",
            "--seed",
            "7",
            "--mode",
            "auto",
            "--state",
            state,
        ];
        let mut child = Command::new(env!("CARGO_BIN_EXE_kerf"))
            .args([
                "demo",
                "--headless",
                "--output",
                "json",
                "--for",
                "20m",
                "--speed",
                "60x",
            ])
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("killed");
        child.wait().expect("gone");

        let story = demo(&[&args[..], &["--for", "25m"]].concat());
        let s = &story.summary;
        assert_eq!(number(s, "/orphans"), 0, "killed after {wait} ms: {s}");
        assert_eq!(number(s, "/pods/pending"), 0, "killed after {wait} ms: {s}");
        // One instance a claim: nothing was launched twice for one token.
        let mut tokens = std::collections::BTreeMap::new();
        for entry in &story.entries {
            for delta in entry
                .pointer("/body/deltas")
                .and_then(|d| d.as_array())
                .into_iter()
                .flatten()
            {
                if delta["what"] == "instance" {
                    let (row, id) = (&delta["row"], delta["row"]["provider_id"].as_str().expect("id"));
                    if let Some(token) = row["token"].as_str() {
                        let first = tokens.entry(token.to_owned()).or_insert_with(|| id.to_owned());
                        assert_eq!(first, id, "two instances for token {token}");
                    }
                }
            }
        }
        std::fs::remove_dir_all(dir).expect("clean");
    }
}
