//! Cases 52 to 58 and items 35 to 38: limits and the order of pools.

use super::support::*;
use crate::decide::scheduling::Purpose;
use crate::model::condition::Status;

fn limited(cpu: i64) -> World {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("cpu".into(), cpu);
    });
    w
}

#[test]
fn case_52_a_full_pool() {
    let mut w = limited(20_000);
    w.node("n1", "z1", 20_000, |_, _| {});
    w.bound("filler", "n1", |s| s.requests = resources(20_000, GI));
    w.pod("p", |_| {});
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "pool_limit")]);
}

#[test]
fn case_53_pessimism_within_a_pass() {
    let mut w = limited(3000);
    w.pods(2, "p", |s| s.requests = resources(1500, GI));
    let plan = w.plan();
    assert_eq!(sizes(&plan), [1]);
    assert_eq!(refusals(&plan), [("p-1".to_owned(), "pool_limit")]);
}

#[test]
fn case_54_and_55_types_above_the_rest() {
    let mut w = limited(2000);
    w.pod("p", |s| s.requests = resources(2100, GI));
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "instance_types")]);
    let mut w = limited(2000);
    w.node("n1", "z1", 2000, |_, _| {});
    w.bound("q", "n1", |s| s.requests = resources(1750, GI));
    w.pod("p", |s| s.requests = resources(1750, GI));
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "pool_limit")]);
}

#[test]
fn case_56_a_limit_of_pods() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("pods".into(), 1);
    });
    w.pod("p", |_| {});
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "pool_limit")]);
}

#[test]
fn case_57_a_limit_of_nodes_and_q4() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.limits.insert("nodes".into(), 2);
    });
    w.pods(3, "p", |s| s.requests = resources(15_000, GI));
    let plan = w.plan();
    assert_eq!(sizes(&plan), [1, 1]);
    assert_eq!(refusals(&plan), [("p-2".to_owned(), "node_limit")]);
    w.settings.parity = true;
    assert_eq!(sizes(&w.plan()), [1, 1, 1]);
}

#[test]
fn case_58_a_leaving_node_frees_its_share() {
    let mut w = limited(2000);
    w.node("n1", "z1", 2000, |_, c| c.deleting = Some(now()));
    w.pod("p", |_| {});
    assert_eq!(sizes(&w.plan()), [1]);
}

#[test]
fn simulations_free_the_candidates_share() {
    let mut w = limited(16_000);
    w.node("n1", "z1", 16_000, |_, _| {});
    w.bound("p", "n1", |_| {});
    let pods = ["default/p".into()];
    let plan = w.plan_of(&pods, &["n1"], Purpose::Simulate);
    assert_eq!(sizes(&plan), [1]);
}

#[test]
fn item_35_order_of_pools_and_who_takes_part() {
    let mut w = World::new();
    w.snapshot.pools.remove("default");
    w.pool("a", |p| p.weight = 5);
    w.pool("b", |p| p.weight = 5);
    w.pool("z", |p| p.weight = 1);
    w.pod("p", |_| {});
    // Q3: of equal weights the later name comes first.
    assert_eq!(&*w.plan().claims[0].draft.pool, "b");
    w.pool("static", |p| {
        p.weight = 100;
        p.replicas = Some(3);
    });
    w.pool("leaving", |p| {
        p.weight = 100;
        p.deleting = Some(now());
    });
    w.pool("broken", |p| {
        p.weight = 100;
        p.invalid = vec!["bad".into()];
    });
    w.pool("unready", |p| {
        p.weight = 100;
        p.conditions.insert("Ready".into(), condition(Status::False));
    });
    let plan = w.plan();
    assert_eq!(&*plan.claims[0].draft.pool, "b");
    let before: Vec<&str> = plan.claims[0]
        .evidence
        .pools_refused
        .iter()
        .map(|(n, _)| &**n)
        .collect();
    assert_eq!(before, ["unready", "static", "leaving", "broken"]);
}

#[test]
fn item_10_no_pool_at_all() {
    let mut w = World::new();
    w.snapshot.pools.remove("default");
    w.pod("p", |_| {});
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "no_pools")]);
}

#[test]
fn weight_does_not_keep_a_pod_off_a_lighter_pools_claim_q19() {
    let mut w = World::new();
    w.pool("heavy", |p| {
        p.weight = 9;
        p.template
            .requirements
            .add(crate::model::Requirement::is_in("k", ["h"]));
    });
    w.pool("default", |p| {
        p.template
            .requirements
            .add(crate::model::Requirement::is_in("k", ["d"]));
    });
    w.pod("big", |s| {
        s.requests = resources(3000, GI);
        s.node_selector = labels(&[("k", "d")]);
    });
    w.pod("tiny", |s| s.requests = resources(100, 1));
    assert_eq!(sizes(&w.plan()), [2]);
}
