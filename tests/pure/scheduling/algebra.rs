//! Requirements and labels: items 12 to 19, cases 7 to 10.

use kerf::model::{Operator, Requirement, Requirements};

use super::words::*;
use crate::cluster::Cluster;

fn rule(operator: Operator, values: &[&str]) -> Requirement {
    Requirement::new("k", operator, values.iter().copied())
}

fn spec(r: &Requirement) -> Vec<(&'static str, String)> {
    let text = |v: Vec<kerf::model::Name>| v.join(",");
    r.to_spec()
        .into_iter()
        .map(|(o, v)| (o.as_str(), text(v)))
        .collect()
}

use Operator::{DoesNotExist, Exists, Gt, Gte, In, Lt, Lte, NotIn};

#[test]
fn item_12_eight_operators_in_canonical_form() {
    for (operator, values, complement, gte, lte, derived) in [
        (In, &["1", "2"][..], false, None, None, In),
        (NotIn, &["1"], true, None, None, NotIn),
        (Exists, &[], true, None, None, Exists),
        (DoesNotExist, &[], false, None, None, DoesNotExist),
        (Gt, &["5"], true, Some(6), None, Exists),
        (Lt, &["5"], true, None, Some(4), Exists),
        (Gte, &["5"], true, Some(5), None, Exists),
        (Lte, &["5"], true, None, Some(5), Exists),
    ] {
        let r = rule(operator, values);
        let found = (r.complement, r.gte, r.lte, r.operator());
        assert_eq!(found, (complement, gte, lte, derived), "{operator:?}");
    }
}

#[test]
fn case_7_bounds_are_written_inclusively() {
    let between = rule(Gt, &["1"]).intersection(&rule(Lt, &["9"]));
    assert_eq!(spec(&between), [("Gte", "2".to_owned()), ("Lte", "8".to_owned())]);
    assert_eq!(
        rule(Gt, &["9"]).intersection(&rule(Lt, &["1"])).operator(),
        DoesNotExist
    );
    // On a claim, from the pool through the pod to what is created.
    let mut c = Cluster::without_pools();
    c.pool_wants("default", "[{key: k, operator: Exists}]");
    c.pod(
        "p",
        &affinity(&[needs(&[&[is("k", "Gt", "'1'"), is("k", "Lt", "'9'")]])]),
    );
    let plan = c.plan();
    let on_claim = plan.claim_of("p").draft.requirements.get("k").expect("the key");
    assert_eq!(spec(on_claim), [("Gte", "2".to_owned()), ("Lte", "8".to_owned())]);
}

#[test]
fn case_8_the_tighter_bound_stays() {
    let both = rule(Gt, &["3"]).intersection(&rule(Gte, &["3"]));
    assert_eq!((both.gte, both.lte), (Some(4), None));
    let both = rule(Lt, &["9"]).intersection(&rule(Lte, &["5"]));
    assert_eq!((both.gte, both.lte), (None, Some(5)));
    let most = i64::MAX.to_string();
    assert_eq!(rule(Gt, &[&most]).operator(), DoesNotExist);
    assert!(!rule(Gt, &[&most]).has(&most));
}

#[test]
fn case_9_words_are_outside_every_bound() {
    for operator in [Gt, Lt, Gte, Lte] {
        assert!(!rule(operator, &["5"]).has("abc"), "{operator:?}");
    }
    let list = rule(In, &["abc", "7"]).intersection(&rule(Gt, &["1"]));
    assert_eq!(spec(&list), [("In", "7".to_owned())]);
}

#[test]
fn item_13_intersection_and_its_test() {
    let cases: [(Requirement, Requirement, bool, (&str, &str)); 8] = [
        (rule(In, &["a", "b"]), rule(In, &["b", "c"]), true, ("In", "b")),
        (rule(In, &["a"]), rule(In, &["b"]), false, ("DoesNotExist", "")),
        (rule(In, &["a", "b"]), rule(NotIn, &["b"]), true, ("In", "a")),
        (rule(NotIn, &["a"]), rule(NotIn, &["b"]), true, ("NotIn", "a,b")),
        (rule(Exists, &[]), rule(In, &["a"]), true, ("In", "a")),
        (
            rule(Exists, &[]),
            rule(DoesNotExist, &[]),
            false,
            ("DoesNotExist", ""),
        ),
        (
            rule(DoesNotExist, &[]),
            rule(DoesNotExist, &[]),
            false,
            ("DoesNotExist", ""),
        ),
        (rule(In, &["1", "5", "x"]), rule(Gte, &["2"]), true, ("In", "5")),
    ];
    for (a, b, meets, (operator, values)) in cases {
        for (x, y) in [(&a, &b), (&b, &a)] {
            assert_eq!(x.has_intersection(y), meets, "{x} and {y}");
            assert_eq!(
                spec(&x.intersection(y)),
                [(operator, values.to_owned())],
                "{x} and {y}"
            );
        }
    }
    let mut few = rule(Exists, &[]);
    few.min_values = Some(2);
    let mut more = rule(In, &["a", "b", "c"]);
    more.min_values = Some(3);
    assert_eq!(few.intersection(&more).min_values, Some(3));
    assert_eq!(few.intersection(&rule(In, &["a"])).min_values, Some(2));
}

/// The table of `scheduling §5.7`: rows by the node side, answers for a custom key, a well-known key of a potential
/// node, a well-known key of a real one.
#[test]
fn items_14_and_15_what_a_node_may_leave_undefined() {
    let other = rule(In, &["y"]);
    let x = rule(In, &["x"]);
    let rows: [(Option<Requirement>, Requirement, [bool; 3]); 19] = [
        (None, x.clone(), [false, true, false]),
        (None, rule(NotIn, &["x"]), [true; 3]),
        (None, rule(Exists, &[]), [false, true, false]),
        (None, rule(DoesNotExist, &[]), [true; 3]),
        (None, rule(Gt, &["1"]), [false, true, false]),
        (None, rule(Lte, &["1"]), [false, true, false]),
        (Some(x.clone()), x.clone(), [true; 3]),
        (Some(x.clone()), other.clone(), [false; 3]),
        (Some(x.clone()), rule(NotIn, &["x"]), [false; 3]),
        (Some(x.clone()), rule(NotIn, &["y"]), [true; 3]),
        (Some(x.clone()), rule(Exists, &[]), [true; 3]),
        (Some(x.clone()), rule(DoesNotExist, &[]), [false; 3]),
        (Some(rule(NotIn, &["x"])), x.clone(), [false; 3]),
        (Some(rule(NotIn, &["x"])), rule(DoesNotExist, &[]), [true; 3]),
        (Some(rule(Exists, &[])), x.clone(), [true; 3]),
        (Some(rule(Exists, &[])), rule(DoesNotExist, &[]), [false; 3]),
        (Some(rule(DoesNotExist, &[])), x.clone(), [false; 3]),
        (Some(rule(DoesNotExist, &[])), rule(Exists, &[]), [false; 3]),
        (Some(rule(DoesNotExist, &[])), rule(NotIn, &["x"]), [true; 3]),
    ];
    for (node, pod, wanted) in rows {
        let node: Requirements = node.into_iter().collect();
        let pod: Requirements = [pod].into_iter().collect();
        let custom = node.compatible(&pod, |_| false).is_ok();
        let potential = node.compatible(&pod, |_| true).is_ok();
        assert_eq!([custom, potential, custom], wanted, "{node:?} {pod:?}");
    }
}

#[test]
fn item_16_aliases_of_keys() {
    for (alias, values, key, value) in [
        ("failure-domain.beta.kubernetes.io/zone", "z2", ZONE, "z2"),
        ("topology.ebs.csi.aws.com/zone", "z2", ZONE, "z2"),
        ("beta.kubernetes.io/arch", "amd64", ARCH, "amd64"),
        ("beta.kubernetes.io/os", "linux", "kubernetes.io/os", "linux"),
        ("beta.kubernetes.io/instance-type", "medium", TYPE, "medium"),
    ] {
        let mut c = Cluster::new();
        c.pod("p", &affinity(&[needs(&[&[is(alias, "In", values)]])]));
        // A real node has the EBS key from its driver, which the checker does not play.
        let plan = if alias.contains("ebs") {
            c.plan_unchecked()
        } else {
            c.plan()
        };
        assert_eq!(plan.domain("p", key), value, "{alias}");
        assert!(plan.claim_of("p").draft.requirements.get(alias).is_none());
    }
    // In pools and storage classes alike.
    let mut c = Cluster::without_pools();
    c.pool_wants(
        "default",
        &format!("[{}]", is("failure-domain.beta.kubernetes.io/zone", "In", "z3")),
    );
    c.pod("p", "");
    assert_eq!(c.plan().domain("p", ZONE), "z3");
}

#[test]
fn item_18_hints_for_unknown_labels() {
    for key in ["nodepool", "karpenter/nodepool"] {
        let mut c = Cluster::new();
        c.pod("p", &format!("nodeSelector: {{{key}: default}}"));
        let plan = c.plan();
        let kerf::model::decision::Refusal::UnknownLabel { hint, .. } = plan.refusal("p") else {
            panic!("{:?}", plan.refusal("p"));
        };
        assert_eq!(hint.as_deref(), Some("karpenter.sh/nodepool"), "{key}");
    }
}

#[test]
fn joined_rules_never_lose_that_a_label_must_be_there() {
    // The pool has no such label, the pod demands one and prefers none.
    let mut c = Cluster::new();
    let demand = needs(&[&["{key: team, operator: Exists}".to_owned()]]);
    c.pod("p", &affinity(&[demand]));
    let pod = c.objects.last_mut().expect("the pod");
    pod["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] = serde_json::json!([{"weight": 2, "preference": {"matchExpressions":
            [{"key": "team", "operator": "DoesNotExist"}]}}]);
    assert_eq!(c.plan().unplaced().len(), 1);
    // Two values of one label.
    let mut c = Cluster::new();
    c.pod(
        "p",
        &affinity(&[needs(&[&[is("team", "In", "a"), is("team", "In", "b")]])]),
    );
    assert_eq!(c.plan().unplaced()["p"], "requirement");
    // NotIn would be content without the label, Exists is not.
    let mut c = Cluster::without_pools();
    c.foreign_node("n1", "z1", "");
    c.pod(
        "p",
        &affinity(&[needs(&[&[
            "{key: team, operator: Exists}".to_owned(),
            is("team", "NotIn", "a"),
        ]])]),
    );
    assert_eq!(c.plan().unplaced().len(), 1);
}
