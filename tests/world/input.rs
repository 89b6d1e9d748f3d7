//! Bad input: a clear message, an exit code, nothing lost.

use crate::support::{folder, kerf};

fn refused(args: &[&str], words: &[&str]) {
    let run = kerf(args);
    assert_eq!(run.code, Some(2), "{args:?}: {} {}", run.stdout, run.stderr);
    for word in words {
        assert!(
            run.stderr.contains(word),
            "{args:?} does not say {word:?}: {}",
            run.stderr
        );
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn wrong_flags_say_what_is_allowed() {
    refused(
        &["demo", "--headless", "--mode", "yolo"],
        &["observe, ask, supervise or auto"],
    );
    refused(&["demo", "--headless", "--speed", "warp"], &["1x to 3600x"]);
    refused(
        &["demo", "--headless", "--scenario", "nope"],
        &["nope", "inflate"],
    );
    refused(
        &["demo", "--headless", "--listen", "0.0.0.0:6443"],
        &["127.0.0.1"],
    );
    refused(
        &["demo", "--headless", "--listen", "127.0.0.1:0", "--speed", "max"],
        &["--speed max"],
    );
    refused(
        &["demo", "--headless", "--policy", "drift=perhaps"],
        &["auto, ask or off"],
    );
    refused(&["demo", "--headless", "--for=-5m"], &["--for"]);
    refused(&["demo", "--headless", "--for", "soon"], &["--for"]);
    refused(&["demo"], &["--headless"]);
    refused(&["verify", "/nonexistent/run.kerf"], &["/nonexistent/run.kerf"]);
}

#[test]
fn a_busy_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = taken.local_addr().expect("address").to_string();
    let out = folder("busy");
    let config = out.join("kubeconfig");
    let run = kerf(&[
        "demo",
        "--headless",
        "--for",
        "1m",
        "--listen",
        &addr,
        "--kubeconfig-out",
        config.to_str().expect("text"),
    ]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(
        run.stderr.contains(&addr) && run.stderr.contains("in use"),
        "{}",
        run.stderr
    );
    std::fs::remove_dir_all(out).expect("clean");
}

#[test]
fn the_plain_commands_answer() {
    let scenarios = kerf(&["scenarios"]);
    assert_eq!(scenarios.code, Some(0));
    assert!(scenarios.stdout.contains("inflate"));
    let crds = kerf(&["manifests", "crds"]);
    assert_eq!(crds.code, Some(0));
    assert!(crds.stdout.contains("nodepools.karpenter.sh"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(kerf(&["completions", shell]).stdout.contains("kerf"), "{shell}");
    }
    assert!(kerf(&["man"]).stdout.contains(".TH"));
    assert_eq!(kerf(&["--version"]).code, Some(0));
}
