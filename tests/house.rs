//! Keeps the import table of the house, the sources of time and the places of writers. Reads sources only.

// All of it is test code; helpers outside `#[test]` functions may give up too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Room → rooms it may import besides itself, `model` and `clock`.
fn table() -> BTreeMap<&'static str, &'static [&'static str]> {
    const ENGINE: &[&str] = &[
        "act",
        "api",
        "cloud",
        "decide",
        "facts",
        "gate",
        "ledger",
        "observe",
        "telemetry",
        "words",
    ];
    const CLI: &[&str] = &[
        "act",
        "api",
        "cloud",
        "decide",
        "engine",
        "facts",
        "gate",
        "ledger",
        "observe",
        "telemetry",
        "ui",
        "words",
        "world",
    ];
    BTreeMap::from([
        ("api", &[] as &[&str]),
        ("model", &["api"]),
        ("observe", &["api", "cloud"]),
        ("decide", &["api"]),
        ("gate", &[]),
        ("act", &["api", "gate", "cloud", "words"]),
        ("ledger", &["gate"]),
        ("engine", ENGINE),
        ("words", &[]),
        ("ui", &["words", "ledger", "gate", "engine"]),
        ("cloud", &["api", "facts"]),
        ("world", &["api", "cloud", "facts"]),
        ("cli", CLI),
        ("telemetry", &[]),
        ("clock", &[]),
        ("facts", &[]),
        ("lib", CLI),
        ("main", &["cli"]),
    ])
}

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> = fs::read_dir(dir)
            .expect("src is readable")
            .map(|e| e.expect("entry").path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("source is text");
                out.push((path, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(out.len() > 50, "the sources were not found");
    out
}

fn relative(path: &Path) -> String {
    path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .expect("under src")
        .to_string_lossy()
        .replace('\\', "/")
}

fn room(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Code lines with comments cut, so that prose may name what code may not.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(i, l)| (i + 1, l.split("//").next().unwrap_or("")))
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table = table();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let path = relative(&path);
        let own = room(&path);
        let allowed = table
            .get(own)
            .unwrap_or_else(|| panic!("{path} is in no room of the table"));
        for (line, code) in code(&text) {
            for part in code.split("crate::").skip(1) {
                // `use crate::{a, b}` names several at once: not the habit here, and not readable by this test.
                let name: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let known = table.contains_key(name.as_str());
                let free = name == own || name == "model" || name == "clock";
                if name.is_empty() {
                    wrong.push(format!("{path}:{line}: write one path a `use crate::room`"));
                } else if known && !free && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{path}:{line}: {own} may not import {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_world_knows_the_low_port_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let path = relative(&path);
        for (line, code) in code(&text).filter(|_| room(&path) == "world") {
            if code.contains("crate::cloud::") && !code.contains("crate::cloud::aws::api") {
                wrong.push(format!("{path}:{line}: {}", code.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn time_comes_from_the_clock() {
    let banned = ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let path = relative(&path);
        // The dashboard, the recorder and the loopback port live in wall time on threads of their own, and the pacer
        // holds the world back to it; benches and the elapsed time of one-shot commands are measurements, not
        // decisions.
        let outside = path == "clock.rs"
            || path.starts_with("ui/")
            || path.starts_with("cli/")
            || path == "world/pace.rs"
            || path.ends_with("loopback.rs");
        for (line, code) in code(&text).filter(|_| !outside) {
            if banned.iter().any(|b| code.contains(b)) {
                wrong.push(format!("{path}:{line}: {}", code.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_observe_and_act_kube_hold_a_cluster_client() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let path = relative(&path);
        let may = ["observe", "world", "cli"].contains(&room(&path)) || path == "act/kube.rs";
        for (line, code) in code(&text).filter(|_| !may) {
            if code.contains("kube::Client") || code.contains("kube::Api") {
                wrong.push(format!("{path}:{line}: {}", code.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_gate_makes_a_warrant() {
    for (path, text) in sources() {
        let path = relative(&path);
        for (line, code) in code(&text) {
            assert!(
                room(&path) == "gate" || !code.contains("Warrant::new("),
                "{path}:{line} makes a warrant"
            );
        }
    }
}

#[test]
fn files_hold_one_idea() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 500)
        .map(|(path, text)| format!("{} has {} lines", relative(&path), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "over 500 lines:\n{}", long.join("\n"));
}
