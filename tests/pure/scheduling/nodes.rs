//! Nodes that are there: items 50, cases 66 and 70.

use super::words::*;
use crate::cluster::{Cluster, Plan};

#[test]
fn item_50_claims_without_a_node_take_pods() {
    let mut c = Cluster::new();
    c.booting(
        "b1",
        "z2",
        "metadata: {labels: {karpenter.sh/initialized: 'false'}}",
    );
    c.pods(3, "p", "cpu: 4");
    let plan = c.plan();
    assert_eq!(plan.existing()["b1"].len(), 3);
    assert!(plan.claims().is_empty());
    // Zone rules know where it will be.
    c.pod("q", &format!("nodeSelector: {{{ZONE}: z1}}"));
    assert_eq!(c.plan().claims(), [["q"]]);
}

#[test]
fn case_70_one_partly_free_node_however_the_batches_come() {
    for batches in [vec![9], vec![1; 9], vec![4, 5], vec![2, 3, 4]] {
        let mut c = Cluster::new();
        c.types.retain(|t| t["name"] == "medium");
        let mut made = 0;
        for (round, n) in batches.iter().enumerate() {
            for i in 0..*n {
                c.pod(&format!("p-{round}-{i}"), "cpu: 1500m");
            }
            let settled = settle(&c.plan());
            made += settled.1;
            c = settled.0;
        }
        assert_eq!(made, 5, "{batches:?}: 9 pods, two a node");
    }
}

/// The cluster after a plan was carried out, and the number of nodes that it took.
fn settle(plan: &Plan<'_>) -> (Cluster, usize) {
    let mut c = plan.cluster.clone();
    let claims = plan.claims();
    let mut homes: Vec<(String, String)> = Vec::new();
    let nodes = c.objects.iter().filter(|o| o["kind"] == "Node").count();
    for (i, pods) in claims.iter().enumerate() {
        let name = format!("node-{}", nodes + i);
        c.node(
            &name,
            "z1",
            "status: {capacity: {cpu: '4', memory: 8Gi}, allocatable: {cpu: '4', memory: 8Gi}}",
        );
        homes.extend(pods.iter().map(|p| (p.clone(), name.clone())));
    }
    for (node, pods) in plan.existing() {
        homes.extend(pods.into_iter().map(|p| (p, node.clone())));
    }
    for (pod, node) in homes {
        let object = c
            .objects
            .iter_mut()
            .find(|o| o["kind"] == "Pod" && o["metadata"]["name"] == pod)
            .expect("the pod");
        object["spec"]["nodeName"] = serde_json::json!(node);
        object["status"] = serde_json::json!({"phase": "Running"});
    }
    (c, claims.len())
}
