//! A person at the keys.

use crate::terminal::Terminal;

fn demo(columns: u16, rows: u16, name: &str, more: &[&str]) -> (Terminal, std::path::PathBuf) {
    let dir = std::env::temp_dir().join(format!("kerf-face-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("temp folder");
    let config = dir.join("kubeconfig");
    let path = config.to_str().expect("text");
    let base = [
        "demo",
        "--scenario",
        "inflate",
        "--seed",
        "7",
        "--kubeconfig-out",
        path,
    ];
    (Terminal::start(columns, rows, &[&base[..], more].concat()), dir)
}

#[test]
fn keys_approve_pause_and_force() {
    let (mut t, dir) = demo(160, 45, "keys", &["--mode", "ask", "--speed", "60x"]);
    t.wait("the mode in the header", |s| s.contains("ASK"));
    t.wait("a decision that waits", |s| s.contains("REVIEW"));
    // The review view has the cursor on the decision that waits.
    t.press("7");
    t.wait("the review view", |s| s.contains("Waiting for review"));
    t.press("a");
    t.press("1");
    t.wait("a machine that came of it", |s| {
        s.contains("Launched") || s.contains("Ready")
    });

    t.press("P");
    t.wait("the pause in the header", |s| s.contains("PAUSED"));
    t.press("P");
    t.wait("the pause lifted", |s| !s.contains("PAUSED"));

    t.press("C");
    t.press("9");
    t.wait("the forced consolidation in the log", |s| {
        s.to_lowercase().contains("consolidat")
    });
    t.press("?");
    t.wait("the help", |s| s.contains("Help"));
    t.press("\u{1b}");
    t.press("1");
    t.wait("the overview again", |s| s.contains("Pending pods"));
    t.press("q");
    assert_eq!(t.end(), 0);
    assert!(!t.on_alternate_screen(), "the terminal is given back");
    std::fs::remove_dir_all(dir).expect("clean");
}

#[test]
fn a_small_terminal_says_what_it_needs_and_grows_back() {
    let (mut t, dir) = demo(20, 5, "small", &["--speed", "10x"]);
    t.wait("the needed size", |s| s.contains("80x24") || s.contains("80×24"));
    t.resize(100, 30);
    t.wait("the panes", |s| s.contains("Nodes") && s.contains("Decisions"));
    t.resize(3, 2);
    t.resize(160, 45);
    t.wait("the wide panes", |s| s.contains("Event log"));
    t.press("\u{3}");
    assert_eq!(t.end(), 0);
    assert!(!t.on_alternate_screen());
    std::fs::remove_dir_all(dir).expect("clean");
}
