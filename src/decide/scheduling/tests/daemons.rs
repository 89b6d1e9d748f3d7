//! Cases 71 to 81: daemons on new nodes.

use super::support::*;
use crate::api::names;
use crate::model::taints::{Toleration, TolerationOperator};
use crate::model::{Operator, Requirement, Taint, TaintEffect};

#[test]
fn case_71_counted_once_for_several_pods() {
    let mut w = World::new();
    w.daemon("d", 1000, |_| {});
    w.pods(2, "p", |_| {});
    let plan = w.plan();
    assert_eq!(sizes(&plan), [2]);
    let draft = &plan.claims[0].draft;
    assert_eq!(draft.requests.cpu, 3000);
    assert_eq!(draft.requests.pods, 3);
    assert_eq!(&*draft.instance_types[0], "medium");
    assert_eq!(plan.claims[0].evidence.daemon_overhead.cpu, 1000);
    assert_eq!(plan.claims[0].evidence.daemons, ["default/d".into()]);
}

#[test]
fn case_72_a_daemon_above_every_type() {
    let mut w = World::new();
    w.daemon("d", 100_000, |_| {});
    w.pod("p", |_| {});
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "instance_types")]);
}

#[test]
fn case_74_taints_and_selectors_of_daemons() {
    let taint = Taint {
        key: "t".into(),
        value: "".into(),
        effect: TaintEffect::NoSchedule,
    };
    let overhead = |change: &dyn Fn(&mut World)| {
        let mut w = World::new();
        change(&mut w);
        w.pod("p", |s| {
            s.tolerations = vec![Toleration {
                operator: TolerationOperator::Exists,
                ..Toleration::default()
            }];
        });
        w.plan().claims[0].draft.requests.cpu - 1000
    };
    let tainted = taint.clone();
    assert_eq!(
        overhead(&|w| {
            let taint = tainted.clone();
            w.pool("default", |p| p.template.taints = vec![taint]);
            w.daemon("d", 500, |_| {});
        }),
        0
    );
    assert_eq!(
        overhead(&|w| {
            let taint = taint.clone();
            w.pool("default", |p| p.template.startup_taints = vec![taint]);
            w.daemon("d", 500, |_| {});
        }),
        500
    );
    assert_eq!(
        overhead(&|w| w.daemon("d", 500, |s| s.node_selector = labels(&[("no", "where")]))),
        0
    );
}

#[test]
fn case_75_76_terms_of_daemons() {
    let overhead = |terms: Vec<Vec<Requirement>>| {
        let mut w = World::new();
        w.daemon("d", 500, |s| {
            s.required_terms = terms;
            s.preferred_terms = vec![(1, vec![Requirement::is_in("no", ["where"])])];
        });
        w.pod("p", |_| {});
        w.plan().claims[0].draft.requests.cpu - 1000
    };
    let none = vec![Requirement::is_in("no", ["where"])];
    let some = vec![Requirement::is_in(names::ARCH, ["amd64"])];
    assert_eq!(overhead(vec![none.clone(), some]), 500);
    assert_eq!(overhead(vec![none]), 0);
    assert_eq!(
        overhead(vec![vec![Requirement::new("unknown", Operator::NotIn, ["x"])]]),
        500
    );
}

#[test]
fn case_77_each_daemon_on_its_own_types() {
    let mut w = World::new();
    for (name, cpu, on) in [("l", 1000, "large"), ("s", 300, "small")] {
        w.daemon(name, cpu, |s| {
            s.node_selector = labels(&[(names::INSTANCE_TYPE, on)]);
        });
    }
    // 1.8 + 0.3 does not fit small; medium has no daemon.
    w.pod("p", |s| s.requests = resources(1800, GI));
    let plan = w.plan();
    let types: Vec<&str> = plan.claims[0].draft.instance_types.iter().map(|t| &**t).collect();
    assert_eq!(types, ["medium", "large"]);
    // Q9: the true minimum counts groups without daemons.
    assert_eq!(plan.claims[0].draft.requests.cpu, 1800);
    w.settings.parity = true;
    assert_eq!(w.plan().claims[0].draft.requests.cpu, 2800);
}

#[test]
fn case_80_live_daemon_pods_count() {
    let mut w = World::new();
    w.daemon("d", 500, |_| {});
    w.node("n1", "z9", 100, |_, _| {});
    w.pod_with(
        "d-1",
        |s| s.requests = resources(700, 0),
        |p| {
            p.node = Some("n1".into());
            p.unschedulable = false;
            p.owners = vec![crate::model::pod::Owner {
                kind: "DaemonSet".into(),
                name: "d".into(),
                uid: "uid-d".into(),
                controller: true,
            }];
        },
    );
    w.pod("p", |_| {});
    assert_eq!(w.plan().claims[0].draft.requests.cpu, 1700);
}

#[test]
fn case_81_simulated_labels_match_and_do_not_stay() {
    let mut w = World::new();
    w.daemon("d", 500, |s| {
        s.node_selector = labels(&[(names::REGISTERED, "true"), (names::INITIALIZED, "true")]);
    });
    w.pod("p", |_| {});
    let plan = w.plan();
    assert_eq!(plan.claims[0].draft.requests.cpu, 1500);
    assert!(!plan.claims[0].draft.labels.contains_key(names::REGISTERED));
}
