//! What is read, and what is said about mistakes.

use std::time::Duration;

use super::{Action, Scenario, ScenarioError, parse};

fn scenario(body: &str) -> Result<Scenario, String> {
    let text = format!("# A comment.\napiVersion: v1\nkind: List\nitems: []\nscenario:\n{body}");
    parse("dir/day.yaml", &text).map_err(|e| e.to_string())
}

#[test]
fn a_whole_scenario_is_read() {
    let read = scenario(
        "  description: A day.\n  repeat: 10m\n  config: {bootScale: 0.5, imagePullSeconds: [0, 1]}\n  steps:\n  \
         - at: 5m\n    log: later\n  - at: 30s\n    scale: {deployment: shop/web, replicas: 4}\n  \
         - {at: 1m, spotInterrupt: {share: 0.5}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    )
    .expect("a scenario");
    assert_eq!((read.name.as_str(), read.manifests.len()), ("day", 1));
    assert_eq!(read.repeat, Some(Duration::from_secs(600)));
    let times: Vec<u64> = read.steps.iter().map(|s| s.at.as_secs()).collect();
    assert_eq!(times, [30, 60, 300]);
    assert!(
        matches!(&read.steps[0].action, Action::Scale { target, replicas: 4 } if target.namespace == "shop")
    );
    assert!((read.tuning.boot_scale - 0.5).abs() < 1e-9);
}

#[test]
fn manifests_alone_are_a_scenario() {
    let text =
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n";
    let read = parse("a.yaml", text).expect("a scenario");
    assert_eq!(
        (read.name.as_str(), read.manifests.len(), read.steps.len()),
        ("a", 1, 0)
    );
}

#[test]
fn errors_say_where_and_what_is_allowed() {
    for (body, want) in [
        (
            "  stepz: []\n",
            "dir/day.yaml: document 1 (line 2), field scenario.stepz: unknown; allowed here: name,",
        ),
        (
            "  steps:\n  - {at: 1, log: x}\n",
            "field scenario.steps[0].at: is 1; write a duration like 500ms, 30s",
        ),
        (
            "  steps:\n  - {at: 1s}\n",
            "field scenario.steps[0]: needs exactly one action: scale, apply, delete, patch, spotInterrupt",
        ),
        (
            "  steps:\n  - {at: 1s, scale: {deployment: web, replicas: -1}}\n",
            "field scenario.steps[0].scale.replicas: must be a whole number, 0 or more",
        ),
        (
            "  steps:\n  - {at: 1s, iceOffering: {instanceType: a, zone: b, capacityType: free, for: 1m}}\n",
            "field scenario.steps[0].iceOffering.capacityType: is \"free\"; allowed: spot, on-demand",
        ),
        (
            "  steps:\n  - {at: 1s, spotInterrupt: {share: 30}}\n",
            "field scenario.steps[0].spotInterrupt.share: must be a number from 0 to 1",
        ),
        (
            "  repeat: 10s\n  steps:\n  - {at: 20s, log: x}\n",
            "field scenario.repeat: must be longer than the last step, which is at 20s",
        ),
        (
            "  name: x\n---\nkind: Pod\n",
            "document 2 (line 8), field apiVersion: is required",
        ),
    ] {
        let error = scenario(body).expect_err(body);
        assert!(error.contains(want), "{error}\nwanted: {want}");
    }
}

#[test]
fn broken_yaml_names_its_line() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: [\n";
    let error = parse("x.yaml", text).expect_err("broken");
    assert!(
        matches!(error, ScenarioError::Yaml { line: 6..=7, .. }),
        "{error}"
    );
    assert!(matches!(
        parse("x.yaml", "# nothing\n"),
        Err(ScenarioError::Empty { .. })
    ));
}
