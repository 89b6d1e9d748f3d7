//! Pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{AGE, NAME, NONE, age, col, condition, list, name, or_none, text, wide};
use super::pod_status;
use super::render::Printer;

pub(super) const POD: Printer = (
    &[
        NAME,
        col("Ready"),
        col("Status"),
        col("Restarts"),
        AGE,
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ],
    cells,
);

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let seen = pod_status::of(pod, now);
    let ip = match list(pod, "status.podIPs").first() {
        Some(first) => text(first, "ip"),
        None => text(pod, "status.podIP"),
    };
    vec![
        name(pod),
        json!(format!("{}/{}", seen.ready, seen.total)),
        json!(seen.status),
        json!(seen.restarts),
        age(pod, now),
        or_none(ip),
        or_none(text(pod, "spec.nodeName")),
        or_none(text(pod, "status.nominatedNodeName")),
        json!(gates(pod)),
    ]
}

fn gates(pod: &Value) -> String {
    let gates = list(pod, "spec.readinessGates");
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let passed = gates
        .iter()
        .filter(|gate| {
            condition(pod, text(gate, "conditionType")).is_some_and(|c| text(c, "status") == "True")
        })
        .count();
    format!("{passed}/{}", gates.len())
}
