//! Selectors and node affinity.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{list, texts};

pub type Labels = BTreeMap<String, String>;

/// `metav1.LabelSelector`; an absent one selects nothing.
pub fn selects(selector: &Value, labels: &Labels) -> bool {
    if selector.is_null() {
        return false;
    }
    texts(&selector["matchLabels"])
        .iter()
        .all(|(k, v)| labels.get(k) == Some(v))
        && list(&selector["matchExpressions"]).all(|e| expression(e, labels))
}

/// One expression of a label selector or of node affinity.
pub fn expression(e: &Value, labels: &Labels) -> bool {
    let value = labels.get(e["key"].as_str().expect("a key"));
    let values: Vec<&str> = list(&e["values"]).filter_map(Value::as_str).collect();
    let number = |text: &str| text.parse::<i64>().ok();
    let compare = |f: fn(i64, i64) -> bool| {
        let mine = value.and_then(|v| number(v));
        let theirs = values.first().and_then(|v| number(v));
        mine.zip(theirs).is_some_and(|(a, b)| f(a, b))
    };
    match e["operator"].as_str().expect("an operator") {
        "In" => value.is_some_and(|v| values.contains(&v.as_str())),
        "NotIn" => value.is_none_or(|v| !values.contains(&v.as_str())),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare(|a, b| a > b),
        "Lt" => compare(|a, b| a < b),
        "Gte" => compare(|a, b| a >= b),
        "Lte" => compare(|a, b| a <= b),
        other => panic!("no operator {other}"),
    }
}

/// Terms are alternatives; one without expressions matches nothing.
pub fn any_term(terms: &Value, labels: &Labels) -> bool {
    list(terms).any(|t| {
        list(&t["matchExpressions"]).next().is_some()
            && list(&t["matchExpressions"]).all(|e| expression(e, labels))
    })
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// nodeSelector and required node affinity.
pub fn suits(pod: &Value, labels: &Labels) -> bool {
    let spec = &pod["spec"];
    let required = &spec["affinity"]["nodeAffinity"][REQUIRED];
    texts(&spec["nodeSelector"])
        .iter()
        .all(|(k, v)| labels.get(k) == Some(v))
        && (required.is_null() || any_term(&required["nodeSelectorTerms"], labels))
}

/// Required terms of `podAffinity` or `podAntiAffinity`.
pub fn required_terms<'a>(pod: &'a Value, kind: &str) -> Vec<&'a Value> {
    list(&pod["spec"]["affinity"][kind][REQUIRED]).collect()
}
