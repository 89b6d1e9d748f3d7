use serde_json::{Value, json};

use super::super::testing::{claim, class, settings};
use super::*;

fn render_with(spec: Value, labels: &[(&str, &str)]) -> Result<String, BadUserData> {
    let class = class(spec);
    let mut claim = claim([], 100, 100);
    for (key, value) in labels {
        claim.labels.insert((*key).into(), (*value).into());
    }
    let settings = settings();
    render(&Boot::new(&class, &claim, &settings, CapacityType::Spot, 29))
}

fn text(spec: Value) -> String {
    render_with(spec, &[]).expect("user data")
}

fn node_config(text: &str) -> Value {
    let part = mime::split(text).pop().expect("part");
    assert_eq!(part.content_type, "application/node.eks.aws");
    serde_saphyr::from_str(&part.body).expect("yaml")
}

#[test]
fn al2023_tells_nodeadm_everything() {
    let config = node_config(&text(
        json!({"amiFamily": "AL2023", "kubelet": {"podsPerCore": 10}}),
    ));
    assert_eq!(config["kind"], "NodeConfig");
    assert_eq!(config["spec"]["cluster"]["name"], "demo");
    assert_eq!(config["spec"]["cluster"]["cidr"], "10.100.0.0/16");
    let kubelet = &config["spec"]["kubelet"]["config"];
    assert_eq!(kubelet["maxPods"], 29);
    assert_eq!(kubelet["podsPerCore"], 10);
    assert_eq!(kubelet["clusterDNS"], json!(["10.100.0.10"]));
    assert_eq!(
        kubelet["registerWithTaints"],
        json!([{"key": "karpenter.sh/unregistered", "effect": "NoExecute"}])
    );
    assert_eq!(
        config["spec"]["kubelet"]["flags"][0],
        "--node-labels=\"karpenter.sh/capacity-type=spot,karpenter.sh/do-not-sync-taints=true,karpenter.sh/nodepool=web\""
    );
}

/// `aws §26` case 87.
#[test]
fn case_87_labels_that_a_kubelet_may_not_set_stay_away() {
    let labels = [
        ("kubernetes.io/bar", "x"),
        ("foo.node-restriction.kubernetes.io/bar", "x"),
        ("team", "shop"),
    ];
    let text = render_with(json!({"amiFamily": "AL2023"}), &labels).expect("user data");
    assert!(text.contains("team=shop"));
    assert!(!text.contains("kubernetes.io/bar"));
}

/// `aws §26` case 88.
#[test]
fn case_88_custom_parts_come_first() {
    let shell = text(json!({"amiFamily": "AL2023", "userData": "#!/bin/bash\necho hello"}));
    let parts = mime::split(&shell);
    assert_eq!(parts.len(), 2);
    assert!(parts[0].content_type.starts_with("text/x-shellscript"));
    assert_eq!(parts[0].body, "#!/bin/bash\necho hello");
    let yaml = "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {}";
    let parts = mime::split(&text(json!({"amiFamily": "AL2023", "userData": yaml})));
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|p| p.content_type == "application/node.eks.aws"));
    let multipart = mime::join(&[mime::Part::shell("a"), mime::Part::shell("b")]);
    assert_eq!(
        mime::split(&text(json!({"amiFamily": "AL2023", "userData": multipart}))).len(),
        3
    );
    let class = class(json!({"amiFamily": "AL2023"}));
    let mut without = settings();
    without.cluster_cidr = String::new();
    let claim = claim([], 100, 100);
    assert!(render(&Boot::new(&class, &claim, &without, CapacityType::Spot, 29)).is_err());
}

/// `aws §26` case 89.
#[test]
fn case_89_bottlerocket_merges() {
    let custom = "[settings.kubernetes]\nmax-pods = 5\n[settings.kubernetes.node-taints]\nx = [\"y:NoSchedule\"]\n\
                  [settings.kubernetes.node-labels]\nown = \"1\"\n[settings.host-containers.admin]\nenabled = true\n";
    let text = text(json!({"amiFamily": "Bottlerocket", "userData": custom}));
    let out: Value = toml::from_str(&text).expect("toml");
    let kubernetes = &out["settings"]["kubernetes"];
    assert_eq!(kubernetes["max-pods"], 29);
    assert_eq!(kubernetes["cluster-name"], "demo");
    assert_eq!(
        kubernetes["node-taints"],
        json!({"karpenter.sh/unregistered": [":NoExecute"]})
    );
    assert_eq!(kubernetes["node-labels"]["own"], "1");
    assert_eq!(kubernetes["node-labels"]["karpenter.sh/nodepool"], "web");
    assert_eq!(out["settings"]["host-containers"]["admin"]["enabled"], true);
    let broken = render_with(json!({"amiFamily": "Bottlerocket", "userData": "[settings"}), &[]);
    assert!(broken.is_err());
}

/// `aws §26` case 90.
#[test]
fn case_90_bottlerocket_names_directories_before_1_46() {
    for (version, names_them) in [("v1.45.0", true), ("1.46.0", false), ("latest", false)] {
        let text = text(json!({
            "amiSelectorTerms": [{"alias": format!("bottlerocket@{version}")}],
            "instanceStorePolicy": "RAID0",
        }));
        assert!(text.contains("000-mount-instance-storage"), "{version}");
        assert_eq!(text.contains("/var/lib/kubelet"), names_them, "{version}");
    }
}

/// `aws §26` case 91.
#[test]
fn case_91_custom_text_is_untouched() {
    let custom = "#!/bin/sh\r\nwhatever\n";
    assert_eq!(text(json!({"amiFamily": "Custom", "userData": custom})), custom);
}

#[test]
fn al2_calls_the_bootstrap_script_last() {
    let text = text(json!({"amiFamily": "AL2", "userData": "echo hi\r\n", "kubelet": {
        "kubeReserved": {"memory": "1Gi", "cpu": "100m"}, "evictionHard": {"memory.available": "5%"}}}));
    let parts = mime::split(&text);
    assert_eq!(parts.len(), 2);
    let script = &parts[1].body;
    for want in [
        "/etc/eks/bootstrap.sh 'demo'",
        "--dns-cluster-ip '10.100.0.10'",
        "--max-pods=29",
        "--kube-reserved=\"cpu=100m,memory=1Gi\"",
        "--eviction-hard=\"memory.available<5%\"",
    ] {
        assert!(script.contains(want), "{want} in {script}");
    }
}
