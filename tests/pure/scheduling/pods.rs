//! What pods ask for, taints and ports: items 20 to 29, cases 47 to 51 and 73.

use super::words::*;
use crate::cluster::{Cluster, instance_type, taint};

/// Types of 10c/4Gi, 11c/5Gi and 12c/6Gi.
fn cores() -> Cluster {
    let mut c = Cluster::new();
    c.types.clear();
    for (name, cpu, memory, dollars) in [
        ("ten", 10, 4, 1.0),
        ("eleven", 11, 5, 1.1),
        ("twelve", 12, 6, 1.2),
    ] {
        c.types.push(instance_type(
            name,
            &cpu.to_string(),
            &format!("{memory}Gi"),
            dollars,
        ));
    }
    c
}

fn container(name: &str, cpu: &str, memory: &str, more: &str) -> String {
    format!("{{name: {name}, resources: {{requests: {{cpu: '{cpu}', memory: {memory}}}}}{more}}}")
}

const SIDECAR: &str = ", restartPolicy: Always";

/// The type that a pod of these containers launches.
fn launched(app: (&str, &str), init: &[(&str, &str, bool)]) -> Vec<String> {
    let init: Vec<String> = init
        .iter()
        .enumerate()
        .map(|(i, (cpu, memory, side))| {
            container(&format!("i{i}"), cpu, memory, if *side { SIDECAR } else { "" })
        })
        .collect();
    let mut c = cores();
    c.pod(
        "p",
        &format!(
            "containers: [{}]\ninitContainers: [{}]",
            container("app", app.0, app.1, ""),
            init.join(", ")
        ),
    );
    c.plan().launches()
}

#[test]
fn case_47_init_first_then_a_sidecar() {
    assert_eq!(
        launched(("6", "2Gi"), &[("10", "4Gi", false), ("4.9", "2.9Gi", true)]),
        ["eleven"]
    );
}

#[test]
fn case_48_a_sidecar_first_and_a_small_init() {
    assert_eq!(
        launched(("6", "2Gi"), &[("4.9", "2.9Gi", true), ("5", "1Gi", false)]),
        ["eleven"]
    );
}

#[test]
fn case_49_a_sidecar_under_a_large_init() {
    assert_eq!(
        launched(("5", "1Gi"), &[("4.9", "2.9Gi", true), ("6", "2Gi", false)]),
        ["eleven"]
    );
}

#[test]
fn case_50_the_pods_own_amount_wins() {
    let mut c = cores();
    c.pod(
        "p",
        &format!(
            "containers: [{}, {}]\nresources: {{requests: {{cpu: '9.9', memory: 3.9Gi}}}}",
            container("a", "6", "3Gi", ""),
            container("b", "6", "3Gi", "")
        ),
    );
    assert_eq!(c.plan().launches(), ["ten"]);
}

#[test]
fn case_51_an_init_container_above_every_type() {
    assert_eq!(launched(("1", "1Gi"), &[("12", "6Gi", false)]), ["twelve"]);
    let mut c = cores();
    c.pod(
        "p",
        &format!("initContainers: [{}]", container("i", "13", "1Gi", "")),
    );
    assert_eq!(c.plan().unplaced()["p"], "instance_types");
}

#[test]
fn item_20_everything_together_and_one_pod() {
    let mut c = cores();
    c.pod(
        "p",
        &format!(
            "containers: [{}]\ninitContainers: [{}, {}]\noverhead: {{cpu: 250m, memory: 64Mi}}",
            container("a", "2", "1Gi", ""),
            container("s", "1", "512Mi", SIDECAR),
            container("i", "1500m", "256Mi", "")
        ),
    );
    let plan = c.plan();
    let requests = &plan.claim_of("p").draft.requests;
    // 2 + 1 while running against 1 + 1.5 while starting, and the overhead.
    assert_eq!(
        (requests.cpu, requests.memory, requests.pods),
        (3250, (1536 + 64) << 20, 1)
    );
}

#[test]
fn item_21_a_resize_counts_what_the_kubelet_says() {
    let resized = |conditions: &str| {
        let mut c = Cluster::without_pools();
        c.node("n1", "z1", "status: {allocatable: {cpu: '4'}}");
        c.bound(
            "old",
            "n1",
            &format!(
                "cpu: 3\nstatus: {{conditions: {conditions}, containerStatuses: [{{name: main, \
                 resources: {{requests: {{cpu: '1'}}}}, allocatedResources: {{cpu: '1'}}}}]}}"
            ),
        );
        // The builder sets the conditions of running pods; these are the kubelet's.
        let old = c.objects.last_mut().expect("the pod");
        old["status"]["conditions"] = crate::cluster::parse(conditions);
        c.pod("p", "cpu: 2");
        c.plan_unchecked().node_of("p")
    };
    // Wanted 3, running with 1: the greater counts, unless the kubelet cannot give it.
    assert_eq!(resized("[]"), None);
    let stuck = "[{type: PodResizePending, status: 'True', reason: Infeasible}]";
    assert_eq!(resized(stuck).as_deref(), Some("n1"));
}

#[test]
fn item_22_overfull_nodes_take_nothing_and_zero_fits_everywhere() {
    let mut c = Cluster::without_pools();
    c.node("n1", "z1", "status: {allocatable: {cpu: '2', memory: 1Gi}}");
    c.bound("old", "n1", "cpu: 100m\nmemory: 2Gi");
    c.pod("p", "cpu: 100m\nmemory: '0'");
    // Kubernetes itself would take it; Karpenter does not touch such a node.
    assert_eq!(
        c.plan_unchecked().node_of("p"),
        None,
        "memory is overdrawn, so nothing fits"
    );
    let mut c = Cluster::new();
    c.pod(
        "p",
        "containers: [{name: a, resources: {requests: {cpu: '1', memory: 1Gi, nvidia.com/gpu: '0'}}}]",
    );
    c.plan().all_placed();
}

#[test]
fn item_27_taints_of_every_effect() {
    for (effect, placed) in [
        ("NoSchedule", false),
        ("NoExecute", false),
        ("PreferNoSchedule", true),
    ] {
        let mut c = Cluster::new();
        let pool = &mut c.objects[0]["spec"]["template"]["spec"];
        pool["taints"] = serde_json::json!([taint("t", "v", effect)]);
        pool["startupTaints"] = serde_json::json!([taint("s", "", "NoExecute")]);
        c.pod("p", "");
        assert_eq!(c.plan().unplaced().is_empty(), placed, "{effect}");
        for toleration in [
            "{key: t, operator: Exists}",
            "{key: t, value: v}",
            "{operator: Exists}",
            &format!("{{key: t, value: v, effect: {effect}}}"),
        ] {
            let mut c = c.clone();
            c.pod("q", &format!("tolerations: [{toleration}]"));
            assert!(!c.plan().unplaced().contains_key("q"), "{effect} {toleration}");
        }
        for toleration in ["{key: t, value: w}", "{key: u, operator: Exists}"] {
            let mut c = c.clone();
            c.pod("q", &format!("tolerations: [{toleration}]"));
            assert_eq!(
                c.plan().unplaced().contains_key("q"),
                !placed,
                "{effect} {toleration}"
            );
        }
    }
}

#[test]
fn case_73_limits_of_daemons_count_as_requests() {
    let mut c = Cluster::new();
    c.daemon(
        "d",
        "containers: [{name: a, resources: {limits: {cpu: 1500m, memory: 1Gi}}}]\n\
         initContainers: [{name: i, resources: {limits: {cpu: 1600m}}}]",
    );
    c.pod("p", "cpu: 1");
    let plan = c.plan();
    assert_eq!(plan.launches(), ["medium"], "2.6 of 4 cores, not 1 of 2");
    assert_eq!(plan.claim_of("p").draft.requests.cpu, 2600);
}

#[test]
fn item_24_daemons_of_each_type_and_the_least_of_them_once() {
    let mut c = Cluster::new();
    c.daemon("all", "cpu: 200m\nmemory: 100Mi");
    c.daemon(
        "few",
        &format!("cpu: 400m\nmemory: 100Mi\nnodeSelector: {{{TYPE}: large}}"),
    );
    c.pods(3, "p", "cpu: 500m");
    let plan = c.plan();
    assert_eq!(plan.sizes(), [3]);
    // small and medium get one daemon, large two; 1.5 + 0.2 fits small.
    assert_eq!(plan.options(), ["small", "medium", "large"]);
    assert_eq!(plan.claim_of("p-0").draft.requests.cpu, 1700);
    // Only large is left: its two daemons are the least.
    let mut c2 = c.clone();
    c2.pod("q", "cpu: 10");
    // 10 and three halves and both daemons.
    assert_eq!(c2.plan().claim_of("q").draft.requests.cpu, 10_000 + 1500 + 600);
}

#[test]
fn item_25_the_newest_pod_of_a_daemon_speaks_for_it() {
    let owned = |age: &str, cpu: &str| {
        format!(
            "cpu: {cpu}\nmetadata: {{creationTimestamp: '{age}', \
             ownerReferences: [{{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: uid-ds-d, controller: true}}]}}\n\
             affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: \
             [{{matchExpressions: [{}]}}]}}}}}}",
            is(HOST, "In", "n1")
        )
    };
    let mut c = Cluster::new();
    c.daemon(
        "d",
        &format!("cpu: 100m\n{}", affinity(&[needs(&[&[is(ARCH, "In", "amd64")]])])),
    );
    c.node("n1", "z9", "status: {allocatable: {cpu: 1500m}}");
    c.bound("d-old", "n1", &owned("2026-01-01T00:00:00Z", "300m"));
    c.bound("d-new", "n1", &owned("2026-01-01T00:05:00Z", "700m"));
    c.pod("p", "cpu: 1");
    // 0.7 of the newest, and not pinned to its host, since the template says where.
    assert_eq!(c.plan().claim_of("p").draft.requests.cpu, 1700);
}

#[test]
fn item_26_and_case_68_an_unexpected_daemon_frees_nothing() {
    let mut c = Cluster::without_pools();
    c.daemon("d", "cpu: 1\nnodeSelector: {special: 'yes'}");
    c.node("n1", "z1", "status: {allocatable: {cpu: '4'}}");
    c.bound(
        "d-1",
        "n1",
        "cpu: 1\nmetadata: {ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: uid-ds-d}]}",
    );
    c.pod("fits", "cpu: 3");
    assert_eq!(c.plan().node_of("fits").as_deref(), Some("n1"));
    // What it uses is used: it is not given back as a negative remainder.
    c.pod("more", "cpu: 500m");
    assert_eq!(c.plan().node_of("more"), None);
}

#[test]
fn item_23_and_case_35_huge_pages_are_taken_from_memory() {
    let kind = |huge: &str| {
        let mut t = instance_type("huge", "8", "16Gi", 1.0);
        t["resources"]["hugepages-2Mi"] = serde_json::json!(huge);
        t
    };
    let plan = |huge: &str, memory: &str| {
        let mut c = Cluster::new();
        c.types = vec![kind(huge)];
        c.pod("p", &format!("memory: {memory}"));
        c.plan().placed().len()
    };
    assert_eq!((plan("6Gi", "10Gi"), plan("6Gi", "11Gi")), (1, 0));
    assert_eq!(
        (plan("20Gi", "1Mi"), plan("20Gi", "0")),
        (0, 1),
        "no less than nothing"
    );
    let mut c = Cluster::new();
    c.types = vec![kind("6Gi")];
    c.pod(
        "p",
        "containers: [{name: a, resources: {requests: {cpu: '1', memory: 1Gi, hugepages-2Mi: 4Gi}}}]",
    );
    c.plan().all_placed();
}
