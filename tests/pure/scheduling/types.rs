//! Instance types, prices, variety: items 39 to 44, cases 31 to 46.

use serde_json::json;

use super::words::*;
use crate::cluster::{Cluster, instance_type, price};

#[test]
fn case_31_above_every_type() {
    let mut c = Cluster::new();
    c.pod("much", "cpu: 17");
    c.pod("typo", "cpu: '1000000'");
    let plan = c.plan();
    assert_eq!(
        plan.unplaced(),
        [
            ("much".to_owned(), "instance_types"),
            ("typo".to_owned(), "instance_types")
        ]
        .into()
    );
    let kerf::model::decision::Refusal::InstanceTypes { funnel, requests, .. } = plan.refusal("typo") else {
        panic!("{:?}", plan.refusal("typo"));
    };
    // The amount is in the reason, so that words may doubt it.
    assert_eq!(requests.cpu, 1_000_000_000);
    assert_eq!(funnel.left(), 0);
    let said = |pod: &str| {
        let one = plan
            .solution
            .unschedulable
            .iter()
            .find(|u| u.pod.ends_with(pod))
            .expect("refused");
        kerf::words::unschedulable(one)
    };
    assert!(said("typo").contains("is the unit right?"), "{}", said("typo"));
    assert!(!said("much").contains("is the unit right?"), "{}", said("much"));
}

#[test]
fn case_38_the_runtimes_overhead_needs_room() {
    let launch = |overhead: &str| {
        let mut c = Cluster::new();
        c.pod("p", &format!("cpu: 1500m{overhead}"));
        c.plan().launches().concat()
    };
    assert_eq!(launch(""), "small");
    assert_eq!(launch("\noverhead: {cpu: 800m, memory: 10Mi}"), "medium");
}

#[test]
fn item_39_one_group_must_do_it_all() {
    // Where it fits it is sold out, where it is to be had it is too small.
    let mut c = Cluster::new();
    c.types = vec![
        instance_type("a", "4", "8Gi", 1.0),
        instance_type("b", "2", "4Gi", 1.0),
    ];
    for offering in c.types[0]["offerings"].as_array_mut().expect("offerings") {
        offering["available"] = json!(offering["zone"] != "z1");
    }
    c.pod("p", &format!("cpu: 3\nnodeSelector: {{{ZONE}: z1}}"));
    assert_eq!(c.plan().unplaced()["p"], "instance_types");
    c.pod("q", &format!("cpu: 3\nnodeSelector: {{{ZONE}: z2}}"));
    assert_eq!(c.plan().options(), ["a"]);
}

#[test]
fn item_42_the_capacity_type_stays_open() {
    let mut c = Cluster::new();
    c.pod("p", "");
    let plan = c.plan();
    assert_eq!(plan.domain("p", CAPACITY), "on-demand,spot");
    let expected = plan.claim_of("p").draft.expected.as_ref().expect("an offering");
    assert_eq!(expected.capacity_type.as_str(), "spot");
    // Only what the kept types offer is written.
    let mut c = Cluster::new();
    for kind in &mut c.types {
        kind["offerings"]
            .as_array_mut()
            .expect("offerings")
            .retain(|o| o["capacityType"] == "on-demand");
    }
    c.pod("p", "");
    assert_eq!(c.plan().domain("p", CAPACITY), "on-demand");
}

#[test]
fn case_43_the_greater_min_values_of_one_key_counts() {
    let mut c = Cluster::without_pools();
    c.types.truncate(1);
    let wants = |n: u32, operator: &str, values: &str| {
        format!("{{key: {TYPE}, operator: {operator}, values: [{values}], minValues: {n}}}")
    };
    c.pool_wants(
        "default",
        &format!(
            "[{}, {}]",
            wants(1, "Exists", ""),
            wants(2, "In", "'small', 'medium', 'large'")
        ),
    );
    c.pod("p", "");
    assert!(c.plan().unplaced()["p"].contains("min_values"));
    c.types.push(instance_type("medium", "4", "8Gi", 0.2));
    let plan = c.plan();
    let on_claim = plan.claim_of("p").draft.requirements.get(TYPE).expect("the key");
    assert_eq!(on_claim.min_values, Some(2));
}

/// Types whose label `gen` is the number in their name.
fn generations(numbers: &[u32]) -> Cluster {
    let mut c = Cluster::without_pools();
    c.types = numbers
        .iter()
        .map(|n| {
            let mut t = instance_type(&format!("t{n}"), "4", "8Gi", f64::from(*n));
            t["requirements"] = json!([{"key": "karpenter.k8s.aws/instance-generation", "operator": "In",
                "values": [n.to_string()]}]);
            t
        })
        .collect();
    c.pool_wants(
        "default",
        "[{key: karpenter.k8s.aws/instance-generation, operator: Gt, values: ['2'], minValues: 2}]",
    );
    c.pod("p", "");
    c
}

#[test]
fn case_44_variety_under_a_bound() {
    assert_eq!(generations(&[1, 2, 3, 4]).plan().options(), ["t3", "t4"]);
    assert_eq!(generations(&[1, 2, 3]).plan().unplaced()["p"], "min_values");
}

#[test]
fn item_43_and_case_45_the_cut_may_not_take_the_variety() {
    // 600 cheap types of one family and one dear of another: the cut leaves one family.
    let mut c = Cluster::without_pools();
    c.types = (0..601)
        .map(|i| {
            let family = if i < 600 { "cheap" } else { "dear" };
            let mut t = instance_type(&format!("t{i:03}"), "4", "8Gi", 1.0 + f64::from(i));
            t["requirements"] = json!([{"key": "karpenter.k8s.aws/instance-family", "operator": "In",
                "values": [family]}]);
            t
        })
        .collect();
    c.pool_wants(
        "default",
        "[{key: karpenter.k8s.aws/instance-family, operator: Exists, minValues: 2}]",
    );
    c.pod("p", "");
    let plan = c.plan();
    assert_eq!(plan.unplaced()["p"], "min_values");
    assert!(plan.claims().is_empty(), "the claim is dropped");
    c.settings.min_values_best_effort = true;
    let plan = c.plan();
    assert_eq!(plan.options().len(), 600);
    // One type fewer and nothing is cut.
    c.settings.min_values_best_effort = false;
    c.types.remove(0);
    assert_eq!(c.plan().options().len(), 600);
}

#[test]
fn case_46_all_keys_on_one_set() {
    let mut c = Cluster::without_pools();
    c.types.clear();
    for (name, family, zones) in [("a", "f", 2), ("b", "f", 2), ("c", "g", 2)] {
        let mut t = instance_type(name, &(2 * zones).to_string(), "8Gi", 1.0);
        t["requirements"] =
            json!([{"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": [family]}]);
        c.types.push(t);
    }
    let wants = |types: u32, families: u32| {
        format!(
            "[{{key: {TYPE}, operator: Exists, minValues: {types}}}, \
             {{key: karpenter.k8s.aws/instance-family, operator: Exists, minValues: {families}}}]"
        )
    };
    for (types, families, placed) in [(3, 2, 1), (3, 3, 0), (4, 2, 0)] {
        let mut c = c.clone();
        c.pool_wants("default", &wants(types, families));
        c.pod("p", "");
        assert_eq!(c.plan().placed().len(), placed, "{types} {families}");
    }
}

#[test]
fn item_44_best_effort_only_for_new_claims() {
    let mut c = Cluster::without_pools();
    c.types.truncate(2);
    c.settings.min_values_best_effort = true;
    c.pool_wants(
        "default",
        &format!("[{{key: {TYPE}, operator: Exists, minValues: 2}}]"),
    );
    // Each alone has two types; together only medium, and a claim is not let off its variety later.
    c.pods(2, "p", "cpu: 1500m");
    let plan = c.plan();
    assert_eq!(plan.sizes(), [1, 1]);
    for pod in ["p-0", "p-1"] {
        let relaxed = &plan.claim_of(pod).draft.annotations["karpenter.sh/nodeclaim-min-values-relaxed"];
        assert_eq!(&**relaxed, "false");
    }
    // Nothing but medium from the start: lowered when it opens, and said so.
    let mut c2 = c.clone();
    c2.objects.retain(|o| o["kind"] != "Pod");
    c2.pod("q", "cpu: 3");
    let plan = c2.plan();
    let draft = &plan.claim_of("q").draft;
    assert_eq!(
        &*draft.annotations["karpenter.sh/nodeclaim-min-values-relaxed"],
        "true"
    );
    assert_eq!(draft.requirements.get(TYPE).and_then(|r| r.min_values), Some(1));
}

#[test]
fn prices_of_what_is_to_be_had_decide() {
    let mut c = Cluster::new();
    price(c.kind("large"), "spot", 0.001);
    c.pod("p", "");
    assert_eq!(c.plan().launches(), ["large"]);
    for offering in c.kind("large")["offerings"].as_array_mut().expect("offerings") {
        offering["available"] = json!(offering["capacityType"] != "spot");
    }
    assert_eq!(c.plan().launches(), ["small"]);
}

#[test]
fn item_40_and_case_34_what_one_offering_has_more() {
    let build = |available: bool| {
        let mut c = Cluster::new();
        for offering in c.kind("medium")["offerings"].as_array_mut().expect("offerings") {
            if offering["zone"] == "z2" {
                offering["capacityOverride"] = json!({"example.com/card": "1"});
                offering["available"] = json!(available);
            }
        }
        c.pod(
            "p",
            "containers: [{name: a, resources: {requests: {cpu: '1', memory: 1Gi, example.com/card: '1'}}}]",
        );
        c
    };
    let c = build(true);
    let plan = c.plan();
    assert_eq!(plan.options(), ["medium"]);
    let launch = plan.claim_of("p").draft.expected.as_ref().expect("an offering");
    assert_eq!(&*launch.zone, "z2", "the zone that has the card");
    assert_eq!(build(false).plan().unplaced()["p"], "instance_types");
}
