//! What is behind feature gates, in the whole: NodeOverlays and CapacityBuffers.

use crate::support::{demo, folder, number};

const SCENARIO: &str = r#"
apiVersion: v1
kind: List
items: []
scenario: {name: gates, description: A buffer and an overlay and no pods.}
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec:
  role: KarpenterNodeRole-kerf-demo
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: kerf-demo}}]
  securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: kerf-demo}}]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  disruption: {consolidateAfter: 0s, budgets: [{nodes: "100%"}]}
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements:
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
---
apiVersion: karpenter.sh/v1alpha1
kind: NodeOverlay
metadata: {name: savings}
spec:
  requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]
  priceAdjustment: "-50%"
---
apiVersion: karpenter.sh/v1alpha1
kind: NodeOverlay
metadata: {name: late}
spec:
  requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]
  priceAdjustment: "+50%"
---
apiVersion: v1
kind: PodTemplate
metadata: {name: chunk, namespace: default}
template:
  metadata: {labels: {app: chunk}}
  spec:
    containers:
      - {name: hold, image: registry.k8s.io/pause:3.10, resources: {requests: {cpu: 500m, memory: 512Mi}}}
---
apiVersion: autoscaling.x-k8s.io/v1beta1
kind: CapacityBuffer
metadata: {name: spare, namespace: default}
spec: {podTemplateRef: {name: chunk}, replicas: 2}
"#;

#[test]
fn a_buffer_keeps_a_node_that_an_overlay_made_cheaper() {
    let dir = folder("gates");
    let file = dir.join("gates.yaml");
    std::fs::write(&file, SCENARIO).expect("temp folder");
    let file = file.display().to_string();
    let run = |gates: &str| {
        demo(&[
            "--scenario",
            &file,
            "--for",
            "20m",
            "--mode",
            "auto",
            "--feature-gates",
            gates,
        ])
    };
    let off = run("NodeOverlay=false");
    assert_eq!(number(&off.summary, "/nodes"), 0);

    let on = run("NodeOverlay=true,CapacityBuffer=true");
    assert_eq!(number(&on.summary, "/nodes"), 1, "{}", on.summary);
    // Nothing ran on it for a quarter of an hour, and it was not taken away.
    assert_eq!(number(&on.summary, "/terminated"), 0);
    assert_eq!(number(&on.summary, "/pods/pending"), 0);
    let all: String = on.entries.iter().map(ToString::to_string).collect();
    for words in [
        "karpenter.sh/price-overlay-applied",
        "\"reason\":\"Conflict\"",
        "\"reason\":\"Resolved\"",
        "\"reason\":\"RequiresNewCapacity\"",
        "\"reason\":\"FitsExistingCapacity\"",
        "\"buffer_pods\"",
    ] {
        assert!(all.contains(words), "{words} is nowhere in the record");
    }
}
