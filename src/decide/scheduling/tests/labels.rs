//! Cases 1 to 20: labels and requirements.

use super::support::*;
use crate::api::names;
use crate::model::decision::Refusal;
use crate::model::{Operator, Requirement};

fn required(world: &mut World, name: &str, requirement: Requirement) {
    world.pod(name, |s| s.required_terms = vec![vec![requirement]]);
}

fn with(operator: Operator, key: &str, values: &[&str]) -> Requirement {
    Requirement::new(key, operator, values.iter().copied())
}

#[test]
fn case_1_and_2_undefined_custom_keys() {
    for (operator, values, placed) in [
        (Operator::In, &["bar"][..], false),
        (Operator::Exists, &[], false),
        (Operator::Gt, &["1"], false),
        (Operator::NotIn, &["bar"], true),
        (Operator::DoesNotExist, &[], true),
    ] {
        let mut w = World::new();
        required(&mut w, "p", with(operator, "foo", values));
        let plan = w.plan();
        assert_eq!(plan.claims.len() == 1, placed, "{operator:?}");
        if !placed {
            assert_eq!(refusals(&plan), [("p".to_owned(), "unknown_label")]);
        }
    }
}

#[test]
fn case_3_a_label_of_the_pool() {
    for (operator, values, placed) in [
        (Operator::In, &["bar"][..], true),
        (Operator::DoesNotExist, &[], false),
        (Operator::NotIn, &["other"], true),
        (Operator::NotIn, &["bar"], false),
        (Operator::Exists, &[], true),
    ] {
        let mut w = World::new();
        w.pool("default", |p| p.template.labels = labels(&[("foo", "bar")]));
        required(&mut w, "p", with(operator, "foo", values));
        assert_eq!(w.plan().claims.len() == 1, placed, "{operator:?}");
    }
}

#[test]
fn case_4_an_open_key_becomes_a_label() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.requirements.add(Requirement::exists("team"));
    });
    w.pod("a", |s| s.node_selector = labels(&[("team", "a")]));
    w.pod("b", |s| s.node_selector = labels(&[("team", "b")]));
    let plan = w.plan();
    assert_eq!(plan.claims.len(), 2);
    let team = |i: usize| plan.claims[i].draft.labels.get("team").cloned();
    assert_eq!((team(0).as_deref(), team(1).as_deref()), (Some("a"), Some("b")));
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.requirements.add(Requirement::exists("team"));
    });
    w.pod("c", |_| {});
    assert!(w.plan().claims[0].draft.labels.contains_key("team"));
}

#[test]
fn case_5_exists_does_not_widen() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.requirements.add(with(Operator::In, "k", &["x"]));
    });
    required(&mut w, "p", Requirement::exists("k"));
    assert_eq!(
        w.plan().claims[0].draft.requirements.get("k"),
        Some(&Requirement::is_in("k", ["x"]))
    );
}

#[test]
fn case_10_aliases() {
    let mut w = World::new();
    required(
        &mut w,
        "p",
        with(Operator::In, "failure-domain.beta.kubernetes.io/zone", &["z2"]),
    );
    let plan = w.plan();
    assert_eq!(by_domain(&plan, names::ZONE), [("z2".to_owned(), 1)]);
}

#[test]
fn case_11_restricted_keys_are_ignored_with_a_reason() {
    for key in [names::HOSTNAME, "karpenter.sh/other"] {
        let mut w = World::new();
        required(&mut w, "p", with(Operator::In, key, &["x"]));
        let plan = w.plan();
        assert_eq!(refusals(&plan), [("p".to_owned(), "ignored")], "{key}");
        assert!(plan.unschedulable[0].pools[0].0.is_empty());
    }
}

#[test]
fn case_12_kubernetes_labels_are_permitted() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.labels = labels(&[("sub.k8s.io/test", "1")]);
    });
    w.pod("p", |s| s.node_selector = labels(&[("sub.k8s.io/test", "1")]));
    let plan = w.plan();
    assert_eq!(
        plan.claims[0].draft.labels.get("sub.k8s.io/test").map(|v| &**v),
        Some("1")
    );
}

#[test]
fn case_13_an_unknown_zone_falls_at_the_types() {
    let mut w = World::new();
    w.pod("p", |s| s.node_selector = labels(&[(names::ZONE, "unknown")]));
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "instance_types")]);
}

#[test]
fn case_14_real_nodes_get_no_allowance() {
    let mut w = World::new();
    w.snapshot.pools.remove("default");
    w.node("n1", "z1", 4000, |n, c| {
        n.labels.remove(names::ZONE);
        c.labels.remove(names::ZONE);
    });
    w.pod("p", |s| s.node_selector = labels(&[(names::ZONE, "z1")]));
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "no_pools")]);
    w.pool("default", |_| {});
    assert_eq!(sizes(&w.plan()), [1]);
}

#[test]
fn case_15_compatible_pods_share_a_node() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template.requirements.add(Requirement::exists("k"));
    });
    required(&mut w, "a", with(Operator::In, "k", &["1", "2"]));
    required(&mut w, "b", with(Operator::In, "k", &["2", "3"]));
    assert_eq!(sizes(&w.plan()), [2]);
    required(&mut w, "c", with(Operator::In, "k", &["9"]));
    assert_eq!(sizes(&w.plan()), [2, 1]);
}

#[test]
fn case_16_values_are_invented_for_custom_keys_only() {
    let mut w = World::new();
    w.pool("default", |p| {
        for r in [
            with(Operator::NotIn, "a", &["0"]),
            with(Operator::Lt, "b", &["4"]),
            with(Operator::Gt, "c", &["5"]),
            with(Operator::Exists, "d", &[]),
            with(Operator::DoesNotExist, "e", &[]),
            with(Operator::Exists, "karpenter.k8s.aws/instance-family", &[]),
        ] {
            p.template.requirements.add(r);
        }
    });
    w.pod("p", |_| {});
    let plan = w.plan();
    let made = &plan.claims[0].draft.labels;
    let value = |key: &str| made.get(key).and_then(|v| v.parse::<i64>().ok());
    assert_ne!(value("a"), Some(0));
    assert!(value("b").is_some_and(|n| n < 4));
    assert!(value("c").is_some_and(|n| n > 5));
    assert!(value("d").is_some());
    assert!(!made.contains_key("e"));
    assert!(!made.contains_key("karpenter.k8s.aws/instance-family"));
}

#[test]
fn case_17_optional_type_labels() {
    let mut w = World::new();
    let mut gpu = kind("gpu", 4000, 8 * GI, 1.0, &["z1"]);
    gpu.requirements
        .add(Requirement::is_in("example.com/gpu", ["a10"]));
    let mut plain = kind("plain", 4000, 8 * GI, 2.0, &["z1"]);
    plain
        .requirements
        .add(with(Operator::DoesNotExist, "example.com/gpu", &[]));
    w.types([gpu, plain]);
    required(
        &mut w,
        "none",
        with(Operator::DoesNotExist, "example.com/gpu", &[]),
    );
    required(&mut w, "some", Requirement::exists("example.com/gpu"));
    let plan = w.plan();
    let mut seen: Vec<_> = plan
        .claims
        .iter()
        .map(|c| (claims(&plan)[0].len(), c.draft.instance_types.clone()))
        .map(|(_, types)| {
            types
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",")
        })
        .collect();
    seen.sort();
    assert_eq!(seen, ["gpu", "plain"]);
}

#[test]
fn case_18_typo_hint_in_the_refusal() {
    let mut w = World::new();
    w.pod("p", |s| s.node_selector = labels(&[("nodepool", "default")]));
    let plan = w.plan();
    let Refusal::UnknownLabel { hint, .. } = &plan.unschedulable[0].pools[0].1 else {
        panic!("{:?}", plan.unschedulable);
    };
    assert_eq!(hint.as_deref(), Some(names::NODEPOOL));
}

#[test]
fn case_19_required_terms_are_alternatives() {
    let mut w = World::new();
    let zone = |z: &str| vec![Requirement::is_in(names::ZONE, [z])];
    w.pod("two", |s| s.required_terms = vec![zone("nowhere"), zone("z2")]);
    w.pod("one", |s| s.required_terms = vec![zone("nowhere")]);
    let plan = w.plan();
    assert_eq!(by_domain(&plan, names::ZONE), [("z2".to_owned(), 1)]);
    assert_eq!(refusals(&plan), [("one".to_owned(), "instance_types")]);
}

#[test]
fn case_20_match_fields_are_ignored() {
    let mut w = World::new();
    w.pod("p", |s| {
        s.required_terms = vec![vec![]];
        s.has_match_fields = true;
    });
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "ignored")]);
}

#[test]
fn item_9_a_pod_that_wants_no_pool() {
    let mut w = World::new();
    required(&mut w, "p", with(Operator::DoesNotExist, names::NODEPOOL, &[]));
    let plan = w.plan();
    let Refusal::Ignored { cause, .. } = &plan.unschedulable[0].pools[0].1 else {
        panic!("{:?}", plan.unschedulable);
    };
    assert_eq!(&**cause, "nodepool_does_not_exist");
}
