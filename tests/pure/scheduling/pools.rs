//! Pools: items 36 to 38 and 52.

use super::words::*;
use crate::cluster::Cluster;

#[test]
fn item_36_labels_and_annotations_of_claims() {
    let mut c = Cluster::without_pools();
    c.pool(
        "web",
        "template: {metadata: {labels: {team: a}, annotations: {note: x}}, spec: {expireAfter: 24h, \
         terminationGracePeriod: 1h}}",
    );
    c.pod("p", "nodeSelector: {team: a}");
    let first = c.clone();
    let plan = first.plan();
    let draft = &plan.claim_of("p").draft;
    let label = |key: &str| draft.labels.get(key).map(ToString::to_string);
    assert_eq!(label("team").as_deref(), Some("a"));
    assert_eq!(label("karpenter.sh/nodepool").as_deref(), Some("web"));
    assert_eq!(
        label("karpenter.k8s.aws/ec2nodeclass").as_deref(),
        Some("default")
    );
    assert_eq!(label(ZONE), None, "well-known ones come with the instance");
    let note = |key: &str| draft.annotations.get(key).map(ToString::to_string);
    assert_eq!(note("note").as_deref(), Some("x"));
    assert_eq!(note("karpenter.sh/nodepool-hash-version").as_deref(), Some("v3"));
    let hash = note("karpenter.sh/nodepool-hash").expect("a hash");
    // The hash follows the template.
    c.change(
        "NodePool",
        "web",
        "spec: {template: {metadata: {labels: {team: a, more: b}}}}",
    );
    let again = c.plan();
    let other = again.claim_of("p").draft.annotations["karpenter.sh/nodepool-hash"].to_string();
    assert_ne!(hash, other);
    assert_eq!(draft.expire_after.map(|d| d.as_secs()), Some(24 * 3600));
    assert_eq!(draft.termination_grace.map(|d| d.as_secs()), Some(3600));
}

#[test]
fn item_37_limits_start_from_what_is_there() {
    let mut c = Cluster::without_pools();
    c.pool("default", "limits: {cpu: '20'}");
    c.node("n1", "z1", "status: {allocatable: {cpu: 100m}}");
    // 4 are left of 20: large is out of reach, and of two claims of up to 4 only one opens.
    c.pods(
        2,
        "p",
        "cpu: 1100m\nlabels: {app: p}\ncontainers: [{name: a, ports: [{hostPort: 80}]}]",
    );
    for i in 0..2 {
        let resources = serde_json::json!({"requests": {"cpu": "1100m", "memory": "1Gi"}});
        c.objects[3 + i]["spec"]["containers"][0]["resources"] = resources;
    }
    let first = c.clone();
    let plan = first.plan();
    assert_eq!(plan.options(), ["small", "medium"]);
    assert_eq!(plan.unplaced(), [("p-1".to_owned(), "pool_limit")].into());
    // A node on its way out no longer counts.
    c.change(
        "NodeClaim",
        "claim-n1",
        "metadata: {deletionTimestamp: '2026-01-01T01:00:00Z'}",
    );
    assert_eq!(c.plan().options(), ["small", "medium", "large"]);
    // An overdrawn resource closes the pool, whatever the types have of it.
    let mut c = Cluster::without_pools();
    c.pool("default", "limits: {nvidia.com/gpu: '1'}");
    c.node(
        "n1",
        "z1",
        "status: {capacity: {nvidia.com/gpu: '2'}, allocatable: {cpu: 100m}}",
    );
    c.pod("p", "");
    assert_eq!(c.plan().unplaced()["p"], "pool_limit");
}

#[test]
fn item_38_the_number_of_nodes() {
    let mut c = Cluster::without_pools();
    c.pool("default", "limits: {nodes: '3'}");
    c.node("n1", "z1", "status: {allocatable: {cpu: 100m}}");
    c.pods(3, "p", "cpu: 15");
    let plan = c.plan();
    assert_eq!(plan.sizes(), [1, 1]);
    assert_eq!(plan.unplaced(), [("p-2".to_owned(), "node_limit")].into());
    // Karpenter counts the nodes of a pass only after it (Q4).
    c.settings.parity = true;
    assert_eq!(c.plan().sizes(), [1, 1, 1]);
}

#[test]
fn item_52_claims_compose_what_their_pods_ask() {
    let mut c = Cluster::new();
    c.pod("a", &affinity(&[needs(&[&[is(ZONE, "In", "z1, z2")]])]));
    c.pod("b", &affinity(&[needs(&[&[is(ZONE, "In", "z2, z3")]])]));
    c.pod(
        "c",
        &format!(
            "nodeSelector: {{{CAPACITY}: spot}}\n{}",
            spreads(&[spread(HOST, "c", 1, "")])
        ),
    );
    let plan = c.plan();
    assert_eq!(plan.sizes(), [3]);
    assert_eq!(
        (plan.domain("a", ZONE), plan.domain("a", CAPACITY)),
        ("z2".to_owned(), "spot".to_owned())
    );
    let requirements = &plan.claim_of("a").draft.requirements;
    assert!(requirements.get(HOST).is_none(), "the placeholder is gone");
    for key in ["karpenter.sh/registered", "karpenter.sh/initialized"] {
        assert!(requirements.get(key).is_none());
    }
}

#[test]
fn case_141_pods_never_open_claims_of_static_pools() {
    let mut c = Cluster::new();
    c.pool("fixed", "replicas: 3");
    c.settings.static_capacity = true;
    c.pods(3, "p", &spreads(&[spread(HOST, "p", 1, "")]));
    let plan = c.plan();
    plan.all_placed();
    assert!(
        plan.solution
            .claims
            .iter()
            .all(|claim| &*claim.draft.pool == "default")
    );
    // Alone it serves nobody.
    c.objects
        .retain(|o| o["kind"] != "NodePool" || o["metadata"]["name"] != "default");
    assert_eq!(c.plan().unplaced().len(), 3);
}
