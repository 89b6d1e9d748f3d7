//! `kerf plan` and `kerf consolidate` on files.

use serde_json::Value;

use crate::support::{folder, kerf};

fn data(name: &str) -> String {
    format!("{}/tests/data/plan/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn plan(args: &[&str]) -> Value {
    let run = kerf(
        &[
            &["plan", "--output", "json", "--now", "2026-01-05T09:00:00Z"],
            args,
        ]
        .concat(),
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("JSON")
}

#[test]
fn two_thousand_pods_over_the_whole_catalogue() {
    let file = data("2000-pods.yaml");
    let without_times = |mut v: Value| {
        assert_eq!(v["schema"], "kerf/plan/v1");
        v["elapsedMicros"] = 0.into();
        v["indexMicros"] = 0.into();
        v.to_string()
    };
    let first = plan(&["-f", &file]);
    println!(
        "elapsedMicros {} indexMicros {}",
        first["elapsedMicros"], first["indexMicros"]
    );
    assert_eq!(first["totals"]["pods"], 2000);
    assert_eq!(first["unschedulable"].as_array().map(Vec::len), Some(0));
    let claim = &first["nodeClaims"][0];
    assert!(
        claim["launch"]["pricePerHour"].as_f64().is_some_and(|p| p > 0.0),
        "{claim}"
    );
    assert!(
        claim["instanceTypes"]
            .as_array()
            .is_some_and(|t| !t.is_empty() && t.len() <= 600)
    );
    assert_eq!(
        without_times(first),
        without_times(plan(&["-f", &file])),
        "twice the same bytes"
    );
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let run = kerf(&["plan", "-f", &data("typo.yaml")]);
    assert_eq!(run.code, Some(2), "{}", run.stdout);
    for word in ["typo.yaml", "wieght", "weight", "Inn", "NotIn"] {
        assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
    }
    assert_eq!(run.stdout, "", "no partial plan");
}

#[test]
fn broken_input_is_refused() {
    let dir = folder("plan-input");
    let pool = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      \
                nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: missing}\n      requirements: []\n";
    let pod = |cpu: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - {{name: c, image: i, resources: \
             {{requests: {{cpu: {cpu}}}}}}}\n"
        )
    };
    for (name, text, word) in [
        ("class.yaml", pool.to_owned(), "missing"),
        ("empty.yaml", String::new(), "empty"),
        ("yaml.yaml", "a: [1".to_owned(), "yaml.yaml"),
        ("quantity.yaml", pod("1.5.Gi"), "1.5.Gi"),
        ("negative.yaml", pod("'-1'"), "-1"),
    ] {
        let path = dir.join(name);
        std::fs::write(&path, text).expect("written");
        let run = kerf(&["plan", "-f", path.to_str().expect("text")]);
        assert_eq!(run.code, Some(2), "{name}: {} {}", run.stdout, run.stderr);
        assert!(
            run.stderr.contains(word) && run.stderr.contains(name),
            "{name}: {}",
            run.stderr
        );
    }
    let run = kerf(&["plan", "-f", "/nonexistent.yaml"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("/nonexistent.yaml"));
    std::fs::remove_dir_all(dir).expect("clean");
}
