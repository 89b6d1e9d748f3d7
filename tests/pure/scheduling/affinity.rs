//! Affinity and anti-affinity: items 64 to 66, cases 28 and 114 to 127.

use super::words::*;
use crate::cluster::Cluster;

#[test]
fn case_28_a_wish_that_hurts_falls() {
    let mut c = Cluster::new();
    c.node("n1", "z1", "status: {allocatable: {cpu: 200m}}");
    c.bound("friend", "n1", "cpu: 100m");
    c.pod(
        "p",
        &format!(
            "cpu: 100m\nnodeSelector: {{{ZONE}: z2}}\n{}",
            affinity(&[would_be_near(&term(ZONE, "friend"))])
        ),
    );
    assert_eq!(c.plan().domain("p", ZONE), "z2");
}

#[test]
fn case_114_the_target_comes_later_in_the_queue() {
    let mut c = Cluster::new();
    c.pod(
        "big",
        &format!("cpu: 1500m\n{}", affinity(&[near(&term(HOST, "small"))])),
    );
    c.pod("small", "cpu: 100m");
    let plan = c.plan();
    plan.all_placed();
    assert!(plan.same_node("big", "small"));
}

#[test]
fn case_116_a_host_group_sees_all_domains() {
    let mut c = Cluster::new();
    c.node("n1", "z1", "status: {allocatable: {cpu: 200m}}");
    c.bound("p-0", "n1", "cpu: 100m");
    let rule = affinity(&[near(&term(HOST, "p")), needs(&[&[is(ZONE, "In", "z2, z3")]])]);
    for i in 1..4 {
        c.pod(&format!("p-{i}"), &rule);
    }
    assert_eq!(c.plan().unplaced().len(), 3);
}

#[test]
fn case_118_the_second_of_a_kind_joins_the_first() {
    let mut c = Cluster::new();
    c.booting("b1", "z2", "");
    let rule = affinity(&[near(&term(ZONE, "p"))]);
    c.pods(2, "p", &rule);
    let plan = c.plan();
    assert_eq!(plan.existing()["b1"].len(), 2);
    // Also when the first's node is only planned.
    let mut c = Cluster::new();
    c.pods(2, "p", &rule);
    let plan = c.plan();
    assert_eq!(plan.sizes(), [2]);
    assert!(!plan.domain("p-0", ZONE).contains(','), "one zone");
}

#[test]
fn case_119_nobody_has_the_label() {
    let mut c = Cluster::new();
    c.pod("a", &affinity(&[near(&term(HOST, "nobody"))]));
    assert_eq!(c.plan().unplaced()["a"], "topology");
    let chain = |c: &mut Cluster, with_end: bool| {
        c.pod(
            "a",
            &format!("cpu: 900m\n{}", affinity(&[near(&term(HOST, "b"))])),
        );
        c.pod(
            "b",
            &format!("cpu: 500m\n{}", affinity(&[near(&term(HOST, "c"))])),
        );
        if with_end {
            c.pod("c", "cpu: 100m");
        }
    };
    let mut c = Cluster::new();
    chain(&mut c, true);
    assert_eq!(c.plan().sizes(), [3]);
    let mut c = Cluster::new();
    chain(&mut c, false);
    assert_eq!(c.plan().unplaced().len(), 2);
}

#[test]
fn case_121_zonal_affinity_waits_for_a_zone() {
    // The target could be in any zone still: nobody knows where to go.
    let mut c = Cluster::new();
    c.pod("target", "cpu: 1500m");
    c.pod(
        "p",
        &format!("cpu: 1\n{}", affinity(&[near(&term(ZONE, "target"))])),
    );
    assert_eq!(c.plan().unplaced()["p"], "topology");
    // Pinned, it is known.
    let mut c = Cluster::new();
    c.pod("target", &format!("cpu: 1500m\nnodeSelector: {{{ZONE}: z2}}"));
    c.pod(
        "p",
        &format!("cpu: 1\n{}", affinity(&[near(&term(ZONE, "target"))])),
    );
    let plan = c.plan();
    plan.all_placed();
    assert_eq!(plan.domain("p", ZONE), "z2");
}

#[test]
fn case_124_carriers_keep_the_plain_pod_away() {
    let rule = affinity(&[away(&term(ZONE, "plain"))]);
    let mut c = Cluster::new();
    for zone in ["z1", "z2", "z3"] {
        c.pod(
            &format!("carrier-{zone}"),
            &format!("cpu: 1500m\nnodeSelector: {{{ZONE}: {zone}}}\n{rule}"),
        );
    }
    c.pod("plain", "cpu: 100m");
    assert_eq!(c.plan().unplaced(), [("plain".to_owned(), "topology")].into());
}

#[test]
fn case_125_the_next_pass_knows() {
    let rule = affinity(&[away(&term(ZONE, "plain"))]);
    let mut c = Cluster::new();
    c.pod("carrier", &format!("cpu: 1500m\n{rule}"));
    c.pod("plain", "cpu: 100m");
    let plan = c.plan();
    assert_eq!(plan.unplaced(), [("plain".to_owned(), "topology")].into());
    let mut c = Cluster::new();
    c.node("n1", "z1", "");
    c.bound("carrier", "n1", &rule);
    c.pod("plain", "cpu: 100m");
    let plan = c.plan();
    plan.all_placed();
    assert!(!plan.domain("plain", ZONE).contains("z1"));
}

#[test]
fn item_64_bootstrap_namespaces_and_selectors() {
    let mut c = Cluster::new();
    c.pods(
        4,
        "p",
        &format!("cpu: 100m\n{}", affinity(&[near(&term(ZONE, "p"))])),
    );
    let plan = c.plan();
    assert_eq!(plan.spread(ZONE), [4]);
    // A pod in a namespace with a label, chosen by that label.
    for (more, placed) in [
        ("", false),
        (", namespaces: [other]", true),
        (", namespaces: [third]", false),
        (", namespaceSelector: {}", true),
        (", namespaceSelector: {matchLabels: {team: x}}", true),
        (", namespaceSelector: {matchLabels: {team: other}}", false),
        (
            ", namespaces: [other], namespaceSelector: {matchLabels: {team: other}}",
            true,
        ),
    ] {
        let mut c = Cluster::new();
        c.yaml("{kind: Namespace, metadata: {name: other, labels: {team: x}}}");
        c.yaml("{kind: Namespace, metadata: {name: default, labels: {}}}");
        c.node("n1", "z1", "");
        c.bound("friend", "n1", "namespace: other");
        let mut there = term(HOST, "friend");
        there.insert_str(there.len() - 1, more);
        c.pod("p", &affinity(&[near(&there)]));
        assert_eq!(c.plan().node_of("p").is_some(), placed, "{more}");
    }
}

#[test]
fn item_65_open_claims_block_all_they_could_become() {
    let rule = affinity(&[away(&term(ZONE, "p"))]);
    let mut c = Cluster::without_pools();
    c.pool_wants("default", &format!("[{}]", is(ZONE, "In", "z1, z2")));
    c.change("NodePool", "default", "spec: {weight: 9}");
    c.pod("p-0", &rule);
    c.pod("p-1", &rule);
    assert_eq!(c.plan().unplaced().len(), 1, "p-0 may come up in z1 or in z2");
    // A zone that the first cannot become is free.
    c.pool_wants("third", &format!("[{}]", is(ZONE, "In", "z3")));
    let plan = c.plan();
    plan.all_placed();
    assert_eq!(plan.domain("p-0", ZONE), "z1,z2");
    assert_eq!(plan.domain("p-1", ZONE), "z3");
}

#[test]
fn item_66_wishes_bind_until_they_hurt_and_never_the_other_way() {
    let mut c = Cluster::new();
    c.pods(
        2,
        "p",
        &format!("cpu: 100m\n{}", affinity(&[would_be_away(&term(HOST, "p"))])),
    );
    assert_eq!(c.plan().sizes(), [1, 1]);
    // The one with the wish is there; the plain one is not kept away by it.
    let mut c = Cluster::new();
    c.node("n1", "z1", "");
    c.bound("shy", "n1", &affinity(&[would_be_away(&term(HOST, "plain"))]));
    c.pod("plain", "");
    assert_eq!(c.plan().node_of("plain").as_deref(), Some("n1"));
}
