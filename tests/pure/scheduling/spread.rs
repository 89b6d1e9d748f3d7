//! Topology spread: items 54 to 63, cases 94 to 112.

use super::words::*;
use crate::cluster::{Cluster, taint};

/// A node of little room with pods of an app on it.
fn occupied(c: &mut Cluster, zone: &str, app: &str, n: usize) {
    let node = format!("n-{zone}");
    c.node(&node, zone, "status: {allocatable: {cpu: 50m}}");
    for i in 0..n {
        c.bound(&format!("{app}-{zone}-{i}"), &node, "cpu: '0'\nmemory: '0'");
    }
}

fn in_zones(zones: &str) -> String {
    format!("[{}]", is(ZONE, "In", zones))
}

#[test]
fn item_55_spread_over_any_key() {
    for (key, values) in [
        (ZONE, 3),
        (CAPACITY, 2),
        (ARCH, 2),
        ("karpenter.k8s.aws/instance-family", 2),
        ("custom", 4),
    ] {
        let mut c = Cluster::without_pools();
        for (i, kind) in c.types.iter_mut().enumerate() {
            kind["architecture"] = serde_json::json!(if i == 0 { "arm64" } else { "amd64" });
            let family = if i == 2 { "f" } else { "g" };
            kind["requirements"] = serde_json::json!([{"key": "karpenter.k8s.aws/instance-family",
                "operator": "In", "values": [family]}]);
        }
        c.pool_wants("default", &format!("[{}]", is("custom", "In", "a, b, c, d")));
        c.pods(
            2 * values,
            "p",
            &format!("cpu: 100m\n{}", spreads(&[spread(key, "p", 1, "")])),
        );
        let plan = c.plan();
        plan.all_placed();
        assert_eq!(plan.spread(key), vec![2; values], "{key}");
    }
    let mut c = Cluster::new();
    c.pods(3, "p", &spreads(&[spread(HOST, "p", 1, "")]));
    assert_eq!(c.plan().sizes(), [1, 1, 1]);
}

#[test]
fn item_54_preferences_can_be_ignored() {
    let soft = spread(ZONE, "p", 1, "").replace("DoNotSchedule", "ScheduleAnyway");
    let mut c = Cluster::new();
    c.pods(
        3,
        "p",
        &format!(
            "cpu: 100m\n{}\n{}",
            spreads(&[soft]),
            affinity(&[
                would_be_away(&term(HOST, "p")),
                prefers(&[(1, is(ZONE, "In", "z1"))])
            ])
        ),
    );
    assert_eq!(c.plan().sizes(), [1, 1, 1]);
    c.settings.ignore_preferences = true;
    let plan = c.plan();
    assert_eq!(plan.sizes(), [3]);
    assert_eq!(plan.demand("p-0", ZONE), "");
}

#[test]
fn case_94_a_wide_skew_over_closed_zones() {
    let mut c = Cluster::without_pools();
    c.pool_wants("default", &in_zones("z3"));
    occupied(&mut c, "z1", "p", 1);
    occupied(&mut c, "z2", "p", 1);
    c.pods(
        9,
        "p",
        &format!("cpu: 100m\n{}", spreads(&[spread(ZONE, "p", 5, "")])),
    );
    let plan = c.plan();
    assert_eq!(plan.by(ZONE), counts(&[("z3", 6)]));
    assert_eq!(plan.unplaced().len(), 3);
}

#[test]
fn case_95_recovery_from_3_0_0() {
    let mut c = Cluster::new();
    occupied(&mut c, "z1", "p", 3);
    c.pods(
        3,
        "p",
        &format!("cpu: 100m\n{}", spreads(&[spread(ZONE, "p", 1, "")])),
    );
    let plan = c.plan();
    plan.all_placed();
    assert_eq!(plan.spread(ZONE), [2, 1], "3, 2, 1 together");
    assert!(!plan.by(ZONE).contains_key("z1"));
}

#[test]
fn case_99_and_item_55_two_apps_of_two_architectures() {
    let mut c = Cluster::new();
    let mut arm = c.types[1].clone();
    arm["name"] = serde_json::json!("arm");
    arm["architecture"] = serde_json::json!("arm64");
    c.types.push(arm);
    for (app, arch) in [("a", "amd64"), ("b", "arm64")] {
        c.pods(
            2,
            app,
            &format!(
                "cpu: 100m\nnodeSelector: {{{ARCH}: {arch}}}\n{}",
                spreads(&[spread(HOST, app, 1, "")])
            ),
        );
    }
    assert_eq!(c.plan().sizes(), [1, 1, 1, 1]);
}

#[test]
fn case_103_required_zones_and_then_the_rest() {
    let mut c = Cluster::new();
    for (zone, n) in [("z1", 3), ("z2", 3), ("z3", 0)] {
        occupied(&mut c, zone, "p", n);
    }
    let rule = spreads(&[spread(ZONE, "p", 1, "")]);
    let bound_to = affinity(&[needs(&[&[is(ZONE, "In", "z2, z3")]])]);
    c.pods(3, "p", &format!("cpu: 200m\n{rule}\n{bound_to}"));
    assert_eq!(c.plan().by(ZONE), counts(&[("z3", 3)]));
    for i in 0..3 {
        c.pod(&format!("p-free-{i}"), &format!("cpu: 100m\n{rule}"));
    }
    let plan = c.plan();
    plan.all_placed();
    // 3, 3, 0 and six more are 4, 4, 4.
    assert_eq!(plan.by(ZONE), counts(&[("z1", 1), ("z2", 1), ("z3", 4)]));
}

#[test]
fn item_60_and_case_104_whose_nodes_count() {
    let build = |selector: &str, more: &str| {
        let mut c = Cluster::new();
        occupied(&mut c, "z1", "p", 1);
        let wants = format!(
            "cpu: 100m\n{}\n{selector}",
            spreads(&[spread(CAPACITY, "p", 1, more)])
        );
        c.pods(5, "p", &wants);
        let plan = c.plan();
        plan.by(CAPACITY).get("spot").copied().unwrap_or(0)
    };
    // The node in z1 is on demand. Pods that select zone z2 and spot do not look at it: spot is their only domain.
    let selecting = format!("nodeSelector: {{{ZONE}: z2, {CAPACITY}: spot}}");
    assert_eq!(build(&selecting, ""), 5);
    // Ignoring the selector, on demand counts: 1 there, so at most 2 on spot.
    assert_eq!(build(&selecting, "nodeAffinityPolicy: Ignore"), 2);
    // Without a selector it counts anyhow: 3 on spot and 2 more on demand.
    assert_eq!(build("", ""), 3);
}

/// Pools of one domain each of the key `d`, the second behind a taint.
fn two_domains() -> Cluster {
    let mut c = Cluster::without_pools();
    c.pool_wants("open", &format!("[{}]", is("d", "In", "foo")));
    c.pool_wants("closed", &format!("[{}]", is("d", "In", "bar")));
    c.objects[1]["spec"]["template"]["spec"]["taints"] = serde_json::json!([taint("t", "", "NoSchedule")]);
    c
}

#[test]
fn case_106_taints_ignored_or_honoured() {
    for (policy, placed) in [("Honor", 4), ("Ignore", 1)] {
        let mut c = two_domains();
        let more = format!("nodeTaintsPolicy: {policy}");
        c.pods(
            4,
            "p",
            &format!("cpu: 100m\n{}", spreads(&[spread("d", "p", 1, &more)])),
        );
        assert_eq!(c.plan().by("d"), counts(&[("foo", placed)]), "{policy}");
    }
}

#[test]
fn case_107_two_tainted_pools_that_share_a_domain() {
    let mut c = Cluster::without_pools();
    for (name, values) in [("one", "foo, bar"), ("two", "foo, baz")] {
        c.pool_wants(name, &format!("[{}]", is("d", "In", values)));
        let pool = c.objects.last_mut().expect("the pool");
        pool["spec"]["template"]["spec"]["taints"] = serde_json::json!([taint(name, "", "NoSchedule")]);
    }
    let rule = spreads(&[spread("d", "p", 1, "nodeTaintsPolicy: Honor")]);
    for (pool, n) in [("one", 2), ("two", 4)] {
        for i in 0..n {
            let pod = format!("p-{pool}-{i}");
            c.pod(
                &pod,
                &format!("cpu: 100m\ntolerations: [{{key: {pool}, operator: Exists}}]\n{rule}"),
            );
        }
    }
    let plan = c.plan();
    plan.all_placed();
    // The reference has 2 on foo and 3 on baz. The same numbers, the other way round: what stands behind the first
    // taint is not counted for those that tolerate the second only, so each app is even by itself.
    assert_eq!(plan.by("d"), counts(&[("foo", 3), ("bar", 1), ("baz", 2)]));
}

#[test]
fn case_108_domains_on_nodes_that_do_not_match() {
    let build = |more: &str| {
        let mut c = Cluster::without_pools();
        c.pool_wants(
            "default",
            &format!("[{}, {}]", is("d", "In", "foo"), is("tier", "In", "a")),
        );
        // A domain that only nodes without the pod's tier have.
        c.node(
            "n1",
            "z1",
            "{metadata: {labels: {d: bar, tier: b}}, status: {allocatable: {cpu: 50m}}}",
        );
        c.pods(
            5,
            "p",
            &format!(
                "cpu: 100m\nnodeSelector: {{tier: a}}\n{}",
                spreads(&[spread("d", "p", 1, more)])
            ),
        );
        c.plan().by("d")
    };
    assert_eq!(build("nodeAffinityPolicy: Ignore"), counts(&[("foo", 1)]));
    assert_eq!(build(""), counts(&[("foo", 5)]));
}

#[test]
fn case_110_three_keys_at_once() {
    for n in [1, 2, 3, 6, 12] {
        let mut c = Cluster::new();
        let rules = [
            spread(ZONE, "p", 1, ""),
            spread(CAPACITY, "p", 1, ""),
            spread(HOST, "p", 2, ""),
        ];
        c.pods(n, "p", &format!("cpu: 100m\n{}", spreads(&rules)));
        let plan = c.plan();
        plan.all_placed();
        for (key, values) in [(ZONE, 3), (CAPACITY, 2)] {
            let most = plan.spread(key)[0];
            assert!(
                most <= n.div_ceil(values).max(n / values + 1),
                "{n} {key}: {:?}",
                plan.by(key)
            );
            let least = if plan.spread(key).len() < values {
                0
            } else {
                *plan.spread(key).last().expect("one")
            };
            assert!(most - least <= 1, "{n} {key}: {:?}", plan.by(key));
        }
        assert!(plan.sizes()[0] <= 2);
    }
}

#[test]
fn item_59_match_label_keys() {
    let mut c = Cluster::new();
    for revision in ["r1", "r2"] {
        for i in 0..2 {
            let rule = spread(HOST, "p", 1, "matchLabelKeys: [rev, absent]");
            c.pod(
                &format!("p-{revision}-{i}"),
                &format!("labels: {{rev: {revision}}}\n{}", spreads(&[rule])),
            );
        }
    }
    assert_eq!(c.plan().sizes(), [2, 2]);
}

#[test]
fn item_61_domains_of_pools_types_and_nodes() {
    let rule = |key: &str| format!("cpu: 100m\n{}", spreads(&[spread(key, "p", 1, "")]));
    // A value that only the pool's requirement knows, one that only types know, one that only a node has.
    let mut c = Cluster::without_pools();
    c.pool_wants("default", &format!("[{}]", is("of-pool", "In", "a, b")));
    c.kind("large")["requirements"] =
        serde_json::json!([{"key": "of-type", "operator": "In", "values": ["x"]}]);
    c.kind("small")["requirements"] =
        serde_json::json!([{"key": "of-type", "operator": "In", "values": ["y"]}]);
    c.kind("medium")["requirements"] = serde_json::json!([{"key": "of-type", "operator": "DoesNotExist"}]);
    let placed = |c: &Cluster, key: &str| {
        let mut c = c.clone();
        c.pods(4, "p", &rule(key));
        let plan = c.plan();
        plan.by(key)
    };
    assert_eq!(placed(&c, "of-pool"), counts(&[("a", 2), ("b", 2)]));
    assert_eq!(placed(&c, "of-type"), counts(&[("x", 2), ("y", 2)]));
    assert_eq!(placed(&c, "nobodys"), counts(&[]));
    c.node("n1", "z1", "{metadata: {labels: {nobodys: mine}}}");
    assert_eq!(placed(&c, "nobodys"), counts(&[("mine", 4)]));
    // A zone that only a node has holds the others back.
    c.node("n9", "z9", "status: {allocatable: {cpu: 50m}}");
    assert_eq!(placed(&c, ZONE), counts(&[("z1", 1), ("z2", 1), ("z3", 1)]));
}

#[test]
fn item_62_who_is_counted() {
    let rule = format!("cpu: 100m\n{}", spreads(&[spread(ZONE, "p", 1, "")]));
    let build = |change: &str, counted: bool| {
        let mut c = Cluster::new();
        c.node("n1", "z1", "");
        c.bound("p-old", "n1", &format!("cpu: 100m\n{change}"));
        c.pod("p-new", &rule);
        let home = c.plan().node_of("p-new");
        assert_eq!(home.is_none(), counted, "{change}");
    };
    build("", true);
    build("status: {phase: Succeeded}", false);
    build("status: {phase: Failed}", false);
    build("metadata: {deletionTimestamp: '2026-01-01T01:00:00Z'}", false);
    build("namespace: other", false);
    build("labels: {app: other}", false);
    // On a node without the label.
    let mut c = Cluster::new();
    c.foreign_node(
        "n0",
        "z1",
        "metadata: {labels: {topology.kubernetes.io/zone: null}}",
    );
    c.objects.last_mut().expect("the node")["metadata"]["labels"]
        .as_object_mut()
        .expect("labels")
        .remove(ZONE);
    c.bound("p-old", "n0", "cpu: 100m");
    c.node("n1", "z1", "");
    c.pod("p-new", &rule);
    assert_eq!(c.plan().node_of("p-new").as_deref(), Some("n1"));
    // Pods of the batch are not counted where they were: the drained one finds z1 empty.
    let mut c = Cluster::new();
    c.node("n1", "z1", "");
    c.node("n2", "z1", "");
    c.bound("p-0", "n1", &rule);
    let moved = c.solve(&["n1"], kerf::decide::scheduling::Purpose::Simulate);
    assert_eq!(moved.node_of("p-0").as_deref(), Some("n2"));
}

#[test]
fn item_63_schedule_anyway_is_hard_until_it_hurts() {
    let soft = |key: &str| spread(key, "p", 1, "").replace("DoNotSchedule", "ScheduleAnyway");
    let mut c = Cluster::new();
    c.pods(6, "p", &format!("cpu: 100m\n{}", spreads(&[soft(ZONE)])));
    assert_eq!(c.plan().spread(ZONE), [2, 2, 2]);
    // Only one zone can be had: the wish falls, the pods do not.
    let mut c = Cluster::without_pools();
    c.pool_wants("default", &in_zones("z1"));
    occupied(&mut c, "z2", "q", 0);
    c.pods(6, "p", &format!("cpu: 100m\n{}", spreads(&[soft(ZONE)])));
    let plan = c.plan();
    plan.all_placed();
    assert_eq!(plan.by(ZONE), counts(&[("z1", 6)]));
    // Several: the first falls first, and the last takes its place in the list.
    let mut c = Cluster::new();
    c.pods(2, "p", &spreads(&[soft("no-such-key"), soft(HOST)]));
    assert_eq!(c.plan().sizes(), [1, 1], "the second wish is kept");
}
