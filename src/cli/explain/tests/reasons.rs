//! One case a reason: its code, its cause, and the first remedy in words of data.

use super::ask;
use crate::api::names;
use crate::decide::Fuel;
use crate::decide::explain::{Effort, Study};
use crate::decide::scheduling::prepare;
use crate::decide::scheduling::tests::support::*;
use crate::model::condition::Status;
use crate::model::decision::Refusal;
use crate::model::decision::cause::Cause;
use crate::model::decision::remedy::{Change, Landing, Remedy};
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::{Name, Requirement, Taint, TaintEffect, UsdPerHour};
use crate::words;

fn taint(key: &str) -> Taint {
    Taint {
        key: key.into(),
        value: "yes".into(),
        effect: TaintEffect::NoSchedule,
    }
}

/// Code and cause of the first pool, sentence of the first remedy.
fn case(w: &World, pod: &str) -> (String, String) {
    let (told, remedies) = ask(w, pod);
    let refusal = &told.pools.first().expect("a pool").1;
    let cause = refusal
        .cause()
        .map_or_else(String::new, |c| format!("/{}", c.code()));
    (
        format!("{}{cause}", refusal.code()),
        remedies.first().map_or_else(String::new, words::remedy),
    )
}

fn expect(w: &World, pod: &str, reason: &str, remedy: &str) {
    let got = case(w, pod);
    assert_eq!((got.0.as_str(), got.1.as_str()), (reason, remedy));
}

#[test]
fn too_small() {
    let mut w = World::new();
    w.daemon("logs", 500, |_| {});
    w.pod("p", |s| s.requests = resources(20_000, GI));
    expect(
        &w,
        "p",
        "instance_types/too_small",
        "lower cpu from 20 to 15500m → default large spot z1 $0.3200/h",
    );
    let (told, _) = ask(&w, "p");
    assert_eq!(
        words::unschedulable(&told),
        "default: too small: cpu 20 needed, the largest type that it may use (large) has 15500m for pods (of 3 types fell \
         3 at cpu)"
    );
}

#[test]
fn a_resource_that_no_type_has() {
    let mut w = World::new();
    w.pod("p", |s| s.requests.set("nvidia.com/gpu", 1));
    expect(
        &w,
        "p",
        "instance_types/too_small",
        "do not ask for nvidia.com/gpu (1) → default small spot z1 $0.0400/h",
    );
}

#[test]
fn an_instance_type_that_does_not_exist() {
    let mut w = World::new();
    w.pod("p", |s| {
        s.node_selector = labels(&[(names::INSTANCE_TYPE, "meduim")]);
    });
    expect(
        &w,
        "p",
        "instance_types/does_not_exist",
        "write medium for meduim (instance-type) → default medium spot z1 $0.0800/h",
    );
    let (told, _) = ask(&w, "p");
    assert_eq!(
        words::unschedulable(&told),
        "instance type meduim does not exist; did you mean medium?"
    );
}

#[test]
fn a_zone_that_does_not_exist() {
    let mut w = World::new();
    w.pod("p", |s| {
        s.required_terms = vec![vec![Requirement::is_in(names::ZONE, ["europe-9"])]];
    });
    expect(
        &w,
        "p",
        "instance_types/no_such_zone",
        "write z1 for europe-9 (zone) → default small spot z1 $0.0400/h",
    );
    let (told, _) = ask(&w, "p");
    assert_eq!(
        words::unschedulable(&told),
        "no such zone: europe-9; there are z1, z2, z3"
    );
}

#[test]
fn labels_of_ones_own() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.labels = labels(&[("team", "payments")]);
    });
    w.pod("value", |s| s.node_selector = labels(&[("team", "paymnets")]));
    w.pod("key", |s| s.node_selector = labels(&[("taem", "payments")]));
    w.pod("none", |s| s.node_selector = labels(&[("stage", "x")]));
    let ends = " → default small spot z1 $0.0400/h";
    expect(
        &w,
        "value",
        "requirement",
        &format!("write payments for paymnets (team){ends}"),
    );
    expect(
        &w,
        "key",
        "unknown_label",
        &format!("write the label team for taem{ends}"),
    );
    expect(
        &w,
        "none",
        "unknown_label",
        &format!("drop the selector stage=x{ends}"),
    );
    let (_, remedies) = ask(&w, "none");
    assert!(
        remedies.iter().any(|r| r.changes
            == [Change::LabelPool {
                pool: "default".into(),
                key: "stage".into(),
                value: "x".into()
            }]),
        "{remedies:?}"
    );
}

#[test]
fn out_of_stock_and_not_offered() {
    let mut w = World::new();
    let mut small = kind("small", 2000, 4 * GI, 0.1, &["z1", "z2"]);
    for offering in small.offerings.iter_mut().filter(|o| &*o.zone == "z1") {
        offering.available = false;
    }
    let mut big = kind("big", 8000, 16 * GI, 0.4, &["z2", "z3"]);
    // It claims the zone and has no offering there.
    big.offerings.retain(|o| &*o.zone == "z2");
    w.types([small, big]);
    w.pod("gone", |s| s.node_selector = labels(&[(names::ZONE, "z1")]));
    w.pod("never", |s| s.node_selector = labels(&[(names::ZONE, "z3")]));
    expect(
        &w,
        "gone",
        "instance_types/out_of_stock",
        "drop the selector zone=z1 → default small spot z2 $0.0400/h",
    );
    let (_, remedies) = ask(&w, "gone");
    assert!(
        remedies.iter().any(|r| r.changes == [Change::Restock]),
        "{remedies:?}"
    );
    let (reason, _) = case(&w, "never");
    assert_eq!(reason, "instance_types/not_offered");
}

#[test]
fn limits_are_raised_as_far_as_needed() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("cpu".into(), 5000);
        // One type, so that a claim takes exactly this off the limit.
        p.template.requirements = [Requirement::is_in(names::INSTANCE_TYPE, ["medium"])]
            .into_iter()
            .collect();
    });
    w.pods(2, "p", |s| s.requests = resources(3500, GI));
    let (told, remedies) = ask(&w, "p-1");
    assert_eq!(told.pools[0].1.code(), "pool_limit");
    assert_eq!(
        words::remedy(&remedies[0]),
        "raise limit cpu of NodePool default from 5 to 8 → default medium spot z1 $0.0800/h"
    );
    // Lowering its CPU helps as well: it shares the first machine. But not by taking the other pod's place.
    let lowered = remedies
        .iter()
        .find(|r| matches!(r.changes[0], Change::LowerRequest { .. }));
    assert!(lowered.is_none(), "{remedies:?}");
}

#[test]
fn a_limit_that_no_type_keeps() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("cpu".into(), 3000);
    });
    w.pod("p", |s| s.requests = resources(3500, GI));
    expect(
        &w,
        "p",
        "instance_types/over_limit",
        "raise limit cpu of NodePool default from 3 to 4 → default medium spot z1 $0.0800/h",
    );
    w.pool("default", |p| {
        p.limits.insert("nodes".into(), 0);
    });
    expect(
        &w,
        "p",
        "node_limit",
        "raise limit nodes of NodePool default from 0 to 1 → default medium spot z1 $0.0800/h",
    );
}

#[test]
fn taints() {
    let mut w = World::new();
    w.pool("default", |p| p.template.taints = vec![taint("gpu")]);
    w.pod("p", |_| {});
    expect(
        &w,
        "p",
        "untolerated_taints",
        "tolerate gpu=yes:NoSchedule → default small spot z1 $0.0400/h",
    );
}

#[test]
fn two_changes_where_one_is_not_enough() {
    let mut w = World::new();
    w.pool("default", |p| p.template.taints = vec![taint("gpu")]);
    w.pod("p", |s| s.requests = resources(20_000, GI));
    expect(
        &w,
        "p",
        "untolerated_taints",
        "tolerate gpu=yes:NoSchedule, and lower cpu from 20 to 16 → default large spot z1 $0.3200/h",
    );
}

#[test]
fn pools_that_are_not_ready_or_leave_nothing() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.conditions.insert(names::READY.into(), condition(Status::False));
    });
    w.pod("p", |_| {});
    expect(
        &w,
        "p",
        "pool_not_ready",
        "mend NodePool default or its EC2NodeClass: not ready → default small spot z1 $0.0400/h",
    );
    w.pool("default", |p| {
        p.template.requirements = [Requirement::is_in(names::INSTANCE_TYPE, ["lareg"])]
            .into_iter()
            .collect();
    });
    expect(
        &w,
        "p",
        "no_instance_types",
        "let NodePool default take instance-type In [large] → default large spot z1 $0.3200/h",
    );
    w.snapshot.pools.remove("default");
    expect(&w, "p", "no_pools", "");
}

#[test]
fn variety() {
    let mut w = World::new();
    w.pool("default", |p| {
        let mut all = Requirement::exists(names::INSTANCE_TYPE);
        all.min_values = Some(2);
        p.template.requirements = [all].into_iter().collect();
    });
    w.pod("p", |s| s.requests = resources(10_000, GI));
    expect(
        &w,
        "p",
        "min_values",
        "lower minValues of instance-type in NodePool default from 2 to 1 → default large spot z1 $0.3200/h",
    );
}

#[test]
fn topology() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("nodes".into(), 1);
    });
    w.pods(2, "p", |s| {
        s.anti_affinity = vec![AffinityTerm {
            topology_key: names::HOSTNAME.into(),
            selector: Some(selector(&[("app", "p")])),
            namespaces: Vec::new(),
            namespace_selector: None,
            weight: None,
        }];
    });
    let (_, remedies) = ask(&w, "p-1");
    let texts: Vec<String> = remedies.iter().map(words::remedy).collect();
    assert_eq!(
        texts,
        [
            "raise limit nodes of NodePool default from 1 to 2 → default small spot z1 $0.0400/h",
            "drop the anti-affinity over hostname → default small spot z1 $0.0400/h, shared by 2 pods (±$0.000/h in all)",
        ]
    );
    assert_eq!(remedies[0].added, UsdPerHour::from_f64(0.04));
    assert_eq!(remedies[1].added, UsdPerHour::ZERO);

    let mut w = World::new();
    w.pod("q", |s| {
        s.node_selector = labels(&[(names::ZONE, "z1")]);
        s.spread = vec![SpreadConstraint {
            topology_key: "rack".into(),
            max_skew: 1,
            hard: true,
            selector: Some(selector(&[("app", "q")])),
            min_domains: None,
            match_label_keys: Vec::new(),
            honor_affinity: true,
            honor_taints: false,
        }];
    });
    expect(
        &w,
        "q",
        "topology",
        "let the spread over rack be ScheduleAnyway → default small spot z1 $0.0400/h",
    );
}

#[test]
fn room_on_a_node_that_is_there() {
    let mut w = World::new();
    w.snapshot.pools.remove("default");
    w.node("n1", "z1", 4000, |n, _| n.taints = vec![taint("mine")]);
    w.pod("p", |_| {});
    let (_, remedies) = ask(&w, "p");
    assert_eq!(remedies[0].landing, Landing::Node { node: "n1".into() });
    assert_eq!(
        words::remedy(&remedies[0]),
        "tolerate mine=yes:NoSchedule → room on n1, no new machine"
    );
}

#[test]
fn what_the_pod_may_not_ask_for() {
    let mut w = World::new();
    w.pod("dra", |s| s.uses_resource_claims = true);
    expect(
        &w,
        "dra",
        "resource_claims",
        "do without resource claims → default small spot z1 $0.0400/h",
    );
    w.pod("volume", |s| s.volume_claims = vec!["data".into()]);
    let (told, remedies) = ask(&w, "volume");
    assert_eq!(told.pools[0].1.code(), "ignored");
    assert_eq!(
        words::remedy(&remedies[0]),
        "do without the volume claim data → default small spot z1 $0.0400/h"
    );
    w.pod("restricted", |s| {
        s.node_selector = labels(&[("karpenter.sh/capacity-tpye", "spot")]);
    });
    let (told, remedies) = ask(&w, "restricted");
    assert!(matches!(told.pools[0].1, Refusal::Ignored { .. }), "{told:?}");
    assert_eq!(
        words::remedy(&remedies[0]),
        "write the label karpenter.sh/capacity-type for karpenter.sh/capacity-tpye → default small spot z1 $0.0400/h"
    );
}

#[test]
fn excluded_by_the_pool() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.requirements = [Requirement::is_in(names::INSTANCE_TYPE, ["small", "medium"])]
            .into_iter()
            .collect();
    });
    w.pod("p", |s| {
        s.node_selector = labels(&[(names::INSTANCE_TYPE, "large")]);
    });
    let (told, remedies) = ask(&w, "p");
    assert_eq!(told.pools[0].1.code(), "requirement");
    let texts: Vec<String> = remedies.iter().map(words::remedy).collect();
    assert_eq!(
        texts,
        [
            "drop the selector instance-type=large → default small spot z1 $0.0400/h",
            "let NodePool default take instance-type In [large medium small] → default large spot z1 $0.3200/h",
        ]
    );
}

#[test]
fn looking_ends_when_it_is_called_off_or_spent() {
    let mut w = World::new();
    w.pod("p", |s| s.requests = resources(20_000, GI));
    let prepared = prepare(&w.snapshot, &w.settings, now());
    let mut study = Study::of_pending(&prepared, None, &mut Fuel::UNLIMITED.clone());
    let key: Name = "default/p".into();
    let mut called_off = Effort {
        stop: &|| true,
        ..Effort::of_a_question()
    };
    let mut spent = Effort {
        pods: 0,
        ..Effort::of_a_question()
    };
    assert_eq!(study.remedies(&key, &mut called_off), Vec::<Remedy>::new());
    assert_eq!(study.remedies(&key, &mut spent), Vec::<Remedy>::new());
    assert!(!study.remedies(&key, &mut Effort::of_a_question()).is_empty());
}

#[test]
fn a_cause_has_a_code_of_its_own() {
    let zone = Cause::DoesNotExist {
        key: names::ZONE.into(),
        values: Vec::new(),
        hints: Vec::new(),
    };
    assert_eq!(zone.code(), "no_such_zone");
}
