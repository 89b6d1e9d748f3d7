//! Triggers and passes: items 1, 2, 5 to 8, case 66.

use jiff::{SignedDuration, Timestamp};
use kerf::decide::scheduling::{Memory, pass};
use kerf::decide::{Dirty, Fuel, Outcome, Reserved};
use kerf::model::decision::Proposal;

use crate::cluster::{Cluster, now};

/// Follows the timers of provisioning over a cluster that does not change; seconds since the start and what was
/// proposed.
fn follow(cluster: &Cluster, seconds: i64) -> Vec<(i64, Proposal)> {
    let snapshot = cluster.snapshot();
    let mut memory = Memory::default();
    let reserved = Reserved::default();
    let mut at: Timestamp = now();
    let mut dirty = Dirty {
        all: true,
        ..Dirty::default()
    };
    let mut out = Vec::new();
    loop {
        let mut fuel = Fuel::UNLIMITED;
        let outcome: Outcome = pass(
            &snapshot,
            &mut memory,
            &dirty,
            &reserved,
            at,
            &cluster.settings,
            &mut fuel,
        );
        dirty.all = false;
        let since = at.duration_since(now()).as_secs();
        out.extend(outcome.proposals.into_iter().map(|p| (since, p)));
        match outcome.wake_at {
            Some(next) if next <= now() + SignedDuration::from_secs(seconds) => at = next,
            _ => return out,
        }
    }
}

fn subjects(seen: &[(i64, Proposal)]) -> Vec<String> {
    let all = seen.iter().flat_map(|(_, p)| &p.subjects);
    let mut out: Vec<String> = all.map(|s| s.replace("default/", "")).collect();
    out.sort();
    out.dedup();
    out
}

#[test]
fn item_1_five_rules_make_a_pod_provisionable() {
    let owner = |kind: &str, api: &str| {
        format!("metadata: {{ownerReferences: [{{apiVersion: {api}, kind: {kind}, name: o, uid: o}}]}}")
    };
    for (what, wants, provisionable) in [
        ("plain", String::new(), true),
        (
            "another reason",
            "status: {conditions: [{type: PodScheduled, status: 'False', reason: SchedulingGated}]}"
                .to_owned(),
            false,
        ),
        ("no condition", "status: {conditions: []}".to_owned(), false),
        (
            "the condition's status is not looked at",
            "status: {conditions: [{type: PodScheduled, status: 'True', reason: Unschedulable}]}".to_owned(),
            true,
        ),
        ("has a node", "nodeName: n1".to_owned(), false),
        ("preempts", "status: {nominatedNodeName: n1}".to_owned(), false),
        ("of a DaemonSet", owner("DaemonSet", "apps/v1"), false),
        ("mirror", owner("Node", "v1"), false),
        ("of a ReplicaSet", owner("ReplicaSet", "apps/v1"), true),
        ("another scheduler's", "schedulerName: other".to_owned(), true),
        (
            "leaving",
            "metadata: {deletionTimestamp: '2026-01-01T01:00:00Z'}".to_owned(),
            true,
        ),
    ] {
        let mut c = Cluster::new();
        c.pod("p", &wants);
        assert_eq!(
            c.snapshot().pods["default/p"].is_provisionable(),
            provisionable,
            "{what}"
        );
        assert_eq!(
            subjects(&follow(&c, 5)),
            ["p"][usize::from(!provisionable)..],
            "{what}"
        );
    }
}

#[test]
fn item_2_every_ten_seconds_while_it_waits() {
    let mut c = Cluster::new();
    c.pod("p", "");
    let times: Vec<i64> = follow(&c, 35).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [1, 11, 21, 31]);
    // A node with the disrupted taint triggers too: its pods need a place.
    let mut c = Cluster::new();
    c.node(
        "n1",
        "z1",
        "spec: {taints: [{key: karpenter.sh/disrupted, effect: NoSchedule}]}",
    );
    c.change(
        "NodeClaim",
        "claim-n1",
        "metadata: {deletionTimestamp: '2026-01-01T01:00:00Z'}",
    );
    c.bound(
        "web",
        "n1",
        "metadata: {ownerReferences: [{kind: ReplicaSet, name: r, uid: r, apiVersion: apps/v1}]}",
    );
    let seen = follow(&c, 15);
    assert_eq!(seen.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 11]);
    assert_eq!(subjects(&seen), ["web"]);
}

#[test]
fn case_66_and_item_7_whose_pods_need_a_place() {
    let owned = |kind: &str| {
        format!("ownerReferences: [{{apiVersion: apps/v1, kind: {kind}, name: o, uid: o, controller: true}}]")
    };
    let leaving = "deletionTimestamp: '2026-01-01T01:00:00Z'";
    let pdb = |name: &str, spec: &str| {
        format!(
            "{{kind: PodDisruptionBudget, metadata: {{name: {name}, namespace: default}}, \
             spec: {{selector: {{matchLabels: {{app: web}}}}, {spec}}}}}"
        )
    };
    for (what, meta, budgets, wanted) in [
        ("active", owned("ReplicaSet"), vec![], true),
        ("of a DaemonSet", owned("DaemonSet"), vec![], false),
        (
            "leaving, of a ReplicaSet",
            format!("{}, {leaving}", owned("ReplicaSet")),
            vec![],
            false,
        ),
        (
            "leaving, of a StatefulSet",
            format!("{}, {leaving}", owned("StatefulSet")),
            vec![],
            true,
        ),
        (
            "none may go",
            owned("ReplicaSet"),
            vec![pdb("a", "maxUnavailable: 0")],
            false,
        ),
        (
            "no share may go",
            owned("ReplicaSet"),
            vec![pdb("a", "maxUnavailable: 0%")],
            false,
        ),
        (
            "all must stay",
            owned("ReplicaSet"),
            vec![pdb("a", "minAvailable: 100%")],
            false,
        ),
        (
            "one may go",
            owned("ReplicaSet"),
            vec![pdb("a", "maxUnavailable: 1")],
            true,
        ),
        (
            "two budgets",
            owned("ReplicaSet"),
            vec![pdb("a", "maxUnavailable: 1"), pdb("b", "maxUnavailable: 1")],
            false,
        ),
        (
            "do-not-disrupt",
            format!(
                "{}, annotations: {{karpenter.sh/do-not-disrupt: 'true'}}",
                owned("ReplicaSet")
            ),
            vec![],
            false,
        ),
    ] {
        let mut c = Cluster::new();
        c.node(
            "n1",
            "z1",
            "spec: {taints: [{key: karpenter.sh/disrupted, effect: NoSchedule}]}",
        );
        c.change(
            "NodeClaim",
            "claim-n1",
            "metadata: {deletionTimestamp: '2026-01-01T01:00:00Z'}",
        );
        c.bound("web", "n1", &format!("metadata: {{{meta}}}"));
        for budget in &budgets {
            c.yaml(budget);
        }
        assert_eq!(
            subjects(&follow(&c, 5)),
            ["web"][usize::from(!wanted)..],
            "{what}"
        );
    }
}

#[test]
fn item_5_one_snapshot_for_nodes_and_pods() {
    // A pass sees one picture: what is bound in it is off the pending list and on its node, never both or neither.
    let mut c = Cluster::new();
    c.node("n1", "z1", "status: {allocatable: {cpu: '2'}}");
    c.pods(2, "p", "cpu: 1500m");
    let before = c.snapshot();
    let bound = c
        .objects
        .iter_mut()
        .find(|o| o["metadata"]["name"] == "p-0")
        .expect("the pod");
    bound["spec"]["nodeName"] = serde_json::json!("n1");
    let after = c.plan();
    assert_eq!(after.batch.len(), 1);
    assert_eq!(after.claims(), [["p-1"]], "p-0 holds its room");
    // The earlier picture did not change under whoever holds it.
    assert!(before.pods["default/p-0"].node.is_none());
}
