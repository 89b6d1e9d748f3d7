//! Running the binary and reading what it prints.

use std::path::PathBuf;
use std::process::{Command, Output};

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
