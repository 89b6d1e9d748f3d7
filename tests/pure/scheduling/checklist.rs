//! Items of the checklist about what comes out: 74, 77, 81.

use std::collections::BTreeMap;

use serde_json::json;

use super::words::*;
use crate::cluster::{Cluster, taint};

#[test]
fn item_74_and_case_144_pods_with_resource_claims_are_refused() {
    let mut c = Cluster::new();
    c.pod("dra", "resourceClaims: [{name: gpu, resourceClaimName: mine}]");
    c.pod("q", "");
    let plan = c.plan();
    assert_eq!(plan.unplaced(), [("dra".to_owned(), "resource_claims")].into());
    assert_eq!(plan.claims(), [["q"]]);
    // Daemons that need devices are left out of the overhead.
    c.daemon(
        "d",
        "cpu: 500m\nresourceClaims: [{name: gpu, resourceClaimName: mine}]",
    );
    assert_eq!(c.plan().claim_of("q").draft.requests.cpu, 1000);
}

/// One cluster, many refusals; each has its own reason.
#[test]
fn item_77_a_typed_reason_for_each_pod_and_pool() {
    let mut c = Cluster::without_pools();
    c.pool_wants("plain", &format!("[{}]", is(ZONE, "In", "z1, z2")));
    c.pool("tainted", "");
    c.objects[1]["spec"]["template"]["spec"]["taints"] = json!([taint("t", "", "NoSchedule")]);
    c.pool("full", "limits: {cpu: '0'}\nweight: 9");
    c.daemon(
        "port",
        "cpu: 10m\ncontainers: [{name: a, ports: [{hostPort: 99}]}]",
    );
    c.pod("size", "cpu: 100");
    c.pod("zone", &format!("nodeSelector: {{{ZONE}: z3}}"));
    c.pod("label", "nodeSelector: {nobody: x}");
    c.pod("host-port", "containers: [{name: a, ports: [{hostPort: 99}]}]");
    c.pod("alone", &affinity(&[near(&term(HOST, "nobody"))]));
    c.pod("restricted", "nodeSelector: {karpenter.sh/mine: x}");
    c.pod(
        "volume",
        "volumes: [{name: v, persistentVolumeClaim: {claimName: none}}]",
    );
    let plan = c.plan();
    let of = |pod: &str| -> BTreeMap<String, &str> {
        let one = plan
            .solution
            .unschedulable
            .iter()
            .find(|u| u.pod.ends_with(pod))
            .expect("refused");
        one.pools
            .iter()
            .map(|(pool, r)| (pool.to_string(), r.code()))
            .collect()
    };
    for (pod, plain) in [
        ("size", "instance_types"),
        ("zone", "requirement"),
        ("label", "unknown_label"),
        ("host-port", "host_port"),
        ("alone", "topology"),
    ] {
        let wanted = [
            ("full", "pool_limit"),
            ("plain", plain),
            ("tainted", "untolerated_taints"),
        ];
        assert_eq!(of(pod), wanted.map(|(p, r)| (p.to_owned(), r)).into(), "{pod}");
    }
    assert_eq!(of("restricted"), [(String::new(), "ignored")].into());
    assert_eq!(of("volume"), [(String::new(), "ignored")].into());
    // The order of the reasons is the order in which pools were asked.
    let first = plan
        .solution
        .unschedulable
        .iter()
        .find(|u| u.pod.ends_with("size"))
        .expect("refused");
    let order: Vec<&str> = first.pools.iter().map(|(p, _)| &**p).collect();
    assert_eq!(order, ["full", "tainted", "plain"]);
}

#[test]
fn item_81_equal_input_gives_equal_plans() {
    let mut c = Cluster::new();
    for kind in &mut c.types {
        crate::cluster::price(kind, "on-demand", 1.0);
        crate::cluster::price(kind, "spot", 1.0);
    }
    c.node("n2", "z2", "");
    c.node("n1", "z1", "");
    c.pods(
        7,
        "a",
        &format!("cpu: 5\n{}", spreads(&[spread(ZONE, "a", 1, "")])),
    );
    c.pods(7, "b", "cpu: 700m");
    let once = c.plan().fingerprint();
    assert_eq!(c.plan().fingerprint(), once);
    c.objects.reverse();
    c.types.reverse();
    assert_eq!(c.plan().fingerprint(), once);
    // Ties: the first zone by name, the first type by name, the first node by name.
    let mut c = Cluster::new();
    for kind in &mut c.types {
        crate::cluster::price(kind, "on-demand", 1.0);
        crate::cluster::price(kind, "spot", 1.0);
    }
    c.pod("p", &spreads(&[spread(ZONE, "p", 1, "")]));
    let plan = c.plan();
    assert_eq!(plan.domain("p", ZONE), "z1");
    assert_eq!(plan.options(), ["large", "medium", "small"]);
}
