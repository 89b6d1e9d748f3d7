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
        (
            "selector.yaml",
            pod("1") + "  nodeSelector: {karpenter.sh/other: x}\n",
            "document 1, Pod/default/p spec.nodeSelector[\"karpenter.sh/other\"]",
        ),
        (
            "operator.yaml",
            pod("1")
                + "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
                   [{matchExpressions: [{key: a, operator: Near}]}]}}}\n",
            "matchExpressions[0].operator: \"Near\" is not one of",
        ),
        (
            "twice.yaml",
            pod("1") + "---\n" + &pod("2"),
            "document 2, Pod/default/p: is given twice",
        ),
        (
            "large.yaml",
            pod("1") + &"# more than ten megabytes\n".repeat(450_000),
            "larger than 10 MB",
        ),
    ] {
        let path = dir.join(name);
        std::fs::write(&path, text).expect("written");
        let run = kerf(&["plan", "-f", path.to_str().expect("text")]);
        assert_eq!(run.code, Some(2), "{name}: {} {}", run.stdout, run.stderr);
        assert_eq!(run.stdout, "", "{name}: no partial plan");
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

/// Karpenter's settings as flags and as environment variables, on files.
#[test]
fn settings_are_refused_when_they_are_unknown_and_heard_when_they_are_not() {
    let file = data("2000-pods.yaml");
    for (flags, word) in [
        (
            ["--feature-gates", "NodeOverlays=true"],
            "did you mean \"NodeOverlay\"?",
        ),
        (["--feature-gates", "NodeOverlay=on"], "true or false"),
        (["--min-values-policy", "Loose"], "Strict, BestEffort"),
        (["--preference-policy", "Sometimes"], "Respect, Ignore"),
        (["--scheduler-config", "podTopologySpred: {}"], "podTopologySpred"),
        (["--batch-idle-duration=-1s", "--parity"], "batch-idle-duration"),
    ] {
        for command in ["plan", "consolidate"] {
            let run = kerf(&[command, "-f", &file, flags[0], flags[1]]);
            assert_eq!(run.code, Some(2), "{flags:?}: {}", run.stdout);
            assert!(run.stderr.contains(word), "{flags:?}: {}", run.stderr);
            assert_eq!(run.stdout, "");
        }
    }
    let by_environment = std::process::Command::new(env!("CARGO_BIN_EXE_kerf"))
        .args(["plan", "-f", &file])
        .env("FEATURE_GATES", "Nope=true")
        .output()
        .expect("the binary starts");
    assert_eq!(by_environment.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&by_environment.stderr).contains("Nope"));
}

const GATED: &str = r#"
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
      requirements: []
---
apiVersion: karpenter.sh/v1alpha1
kind: NodeOverlay
metadata: {name: cheap}
spec:
  requirements: [{key: node.kubernetes.io/instance-type, operator: In, values: [medium]}]
  price: "0.001"
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: c, ports: [{hostPort: 80}], resources: {requests: {cpu: 1, memory: 1Gi}}}
---
apiVersion: autoscaling.x-k8s.io/v1beta1
kind: CapacityBuffer
metadata: {name: spare}
spec: {scalableRef: {kind: Deployment, name: web}, percentage: 50}
"#;

const TYPES: &str = r#"[
 {"name":"small","architecture":"amd64","operatingSystems":["linux"],
  "resources":{"cpu":"2","memory":"4Gi","pods":"20"},
  "offerings":[{"capacityType":"on-demand","zone":"z1","price":0.1},
   {"capacityType":"reserved","zone":"z1","reservationCapacity":2,"Requirements":[
    {"key":"karpenter.k8s.aws/capacity-reservation-id","operator":"In","values":["cr-1"]}]}]},
 {"name":"medium","architecture":"amd64","operatingSystems":["linux"],
  "resources":{"cpu":"4","memory":"8Gi","pods":"20"},
  "offerings":[{"Price":0.2,"Available":true,"Requirements":[
   {"key":"karpenter.sh/capacity-type","operator":"In","values":["on-demand"]},
   {"key":"topology.kubernetes.io/zone","operator":"In","values":["z1"]}]}]}]"#;

#[test]
fn gates_open_reservations_overlays_and_buffers() {
    let dir = folder("plan-gates");
    let path = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (manifests, types) = (path("gated.yaml", GATED), path("types.json", TYPES));
    let with = |gates: &str| {
        plan(&[
            "-f",
            &manifests,
            "--instance-types",
            &types,
            "--feature-gates",
            gates,
        ])
    };
    let launches = |v: &Value, field: &str| -> Vec<String> {
        let claims = v["nodeClaims"].as_array().expect("claims");
        claims
            .iter()
            .map(|c| c["launch"][field].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    // Two instances are reserved: the third pod waits for what becomes of them.
    let plain = with("NodeOverlay=false");
    assert_eq!(launches(&plain, "capacityType"), ["reserved", "reserved"]);
    assert_eq!(launches(&plain, "reservationId"), ["cr-1", "cr-1"]);
    assert_eq!(plain["deferred"][0]["pod"], "default/web-2");
    assert_eq!(plain["deferred"][0]["reasons"][0]["code"], "reserved");
    assert_eq!(plain["unschedulable"].as_array().map(Vec::len), Some(0));
    assert!(plain.get("buffers").is_none());
    // Reserved capacity costs a ten millionth, which no overlay here undercuts; without its gate there is none.
    let overlaid = with("NodeOverlay=true");
    assert_eq!(launches(&overlaid, "capacityType"), ["reserved"; 2]);
    let unreserved = with("ReservedCapacity=false,NodeOverlay=true");
    assert_eq!(launches(&unreserved, "instanceType"), ["medium"; 3]);
    let gone = path(
        "types.json",
        &TYPES.replace(
            "\"reservationCapacity\":2",
            "\"reservationCapacity\":0,\"available\":false",
        ),
    );
    assert_eq!(gone, types);
    assert_eq!(launches(&with("NodeOverlay=true"), "instanceType"), ["medium"; 3]);
    assert_eq!(launches(&with("NodeOverlay=false"), "instanceType"), ["small"; 3]);
    // Half of three, rounded up, and each with the port of its own.
    let buffered = with("CapacityBuffer=true");
    assert_eq!(buffered["nodeClaims"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        buffered["buffers"][0],
        serde_json::json!({"buffer": "default/spare", "onExisting": 0, "onNew": 2, "unschedulable": 0})
    );
    std::fs::remove_dir_all(dir).expect("clean");
}
