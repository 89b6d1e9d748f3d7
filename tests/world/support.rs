//! Running the binary and reading what it prints.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A run of `kerf` that ended.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn kerf(args: &[&str]) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_kerf"))
        .args(args)
        .output()
        .expect("the binary starts");
    Run {
        code: status.code(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// The JSON lines of a headless run: entries, then the summary.
pub struct Story {
    pub entries: Vec<Value>,
    pub summary: Value,
}

impl Story {
    /// Pods without a node at the end, for longer than `most`: what was on a node may have lost it just before.
    pub fn waiting(&self, most: SignedDuration) -> Vec<String> {
        let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
        let time = |e: &Value| text(e, "at").parse::<Timestamp>().expect("a time");
        let mut since: BTreeMap<String, Timestamp> = BTreeMap::new();
        for entry in &self.entries {
            for delta in entry["body"]["deltas"].as_array().into_iter().flatten() {
                let row = &delta["row"];
                match delta["what"].as_str() {
                    Some("pod") => {
                        let name = format!("{}/{}", text(row, "namespace"), text(row, "name"));
                        if row["node"].is_null() {
                            since.entry(name).or_insert_with(|| time(entry));
                        } else {
                            since.remove(&name);
                        }
                    }
                    Some("podGone") => {
                        since.remove(row.as_str().expect("a name"));
                    }
                    _ => {}
                }
            }
        }
        let end = self.entries.last().map(time).expect("entries");
        since.retain(|_, at| end.duration_since(*at) > most);
        since.into_keys().collect()
    }
}

/// `kerf demo --headless --output json` with more flags; it must succeed.
pub fn demo(args: &[&str]) -> Story {
    let run = kerf(&[&["demo", "--headless", "--output", "json"], args].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    story(&run.stdout)
}

pub fn story(stdout: &str) -> Story {
    let mut entries: Vec<Value> = stdout
        .lines()
        .map(|l| serde_json::from_str(l).expect("each line is JSON"))
        .collect();
    let summary = entries.pop().expect("a summary");
    assert_eq!(summary["schema"], "kerf/summary/v1");
    assert!(entries.iter().all(|e| e["schema"] == "kerf/entry/v1"));
    Story { entries, summary }
}

/// A folder of this test's own, empty.
pub fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("kerf-test-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("temp folder");
    dir
}

pub fn number(value: &Value, pointer: &str) -> u64 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("{pointer} in {value}"))
}
