//! Budgets, autoscalers, leases, priority classes, definitions, roles.

use serde_json::{Value, json};

use super::cells::{AGE, NAME, age, at, col, int, list, name, number, shown, text, truth};
use super::render::Printer;

pub(super) const BUDGET: Printer = (
    &[
        NAME,
        col("Min Available"),
        col("Max Unavailable"),
        int("Allowed Disruptions"),
        AGE,
    ],
    |o, now| {
        vec![
            name(o),
            json!(shown(at(o, "spec.minAvailable"), "N/A")),
            json!(shown(at(o, "spec.maxUnavailable"), "N/A")),
            json!(number(o, "status.disruptionsAllowed")),
            age(o, now),
        ]
    },
);

pub(super) const AUTOSCALER: Printer = (
    &[
        NAME,
        col("Reference"),
        col("Targets"),
        col("MinPods"),
        col("MaxPods"),
        int("Replicas"),
        AGE,
    ],
    |o, now| {
        let reference = format!(
            "{}/{}",
            text(o, "spec.scaleTargetRef.kind"),
            text(o, "spec.scaleTargetRef.name")
        );
        vec![
            name(o),
            json!(reference),
            json!(targets(o)),
            json!(shown(at(o, "spec.minReplicas"), "<unset>")),
            json!(number(o, "spec.maxReplicas").to_string()),
            json!(number(o, "status.currentReplicas")),
            age(o, now),
        ]
    },
);

fn targets(autoscaler: &Value) -> String {
    let current = list(autoscaler, "status.currentMetrics");
    let parts: Vec<String> = list(autoscaler, "spec.metrics")
        .iter()
        .enumerate()
        .map(|(index, metric)| {
            let resource = text(metric, "resource.name");
            let wanted = at(metric, "resource.target.averageUtilization").and_then(Value::as_i64);
            let now = current
                .get(index)
                .and_then(|m| at(m, "resource.current.averageUtilization"))
                .and_then(Value::as_i64);
            let percent = |value: Option<i64>| value.map_or("<unknown>".to_owned(), |v| format!("{v}%"));
            format!("{resource}: {}/{}", percent(now), percent(wanted))
        })
        .collect();
    if parts.is_empty() {
        "<none>".to_owned()
    } else {
        parts.join(", ")
    }
}

pub(super) const LEASE: Printer = (&[NAME, col("Holder"), AGE], |o, now| {
    vec![name(o), json!(text(o, "spec.holderIdentity")), age(o, now)]
});

pub(super) const PRIORITY_CLASS: Printer = (
    &[
        NAME,
        int("Value"),
        col("Global-Default"),
        AGE,
        col("PreemptionPolicy"),
    ],
    |o, now| {
        vec![
            name(o),
            json!(number(o, "value")),
            json!(truth(o, "globalDefault")),
            age(o, now),
            json!(shown(at(o, "preemptionPolicy"), "PreemptLowerPriority")),
        ]
    },
);

/// Definitions show when they were created, not how long ago.
pub(super) const DEFINITION: Printer = (&[NAME, ("Created At", "date", "", "", 0)], |o, _| {
    vec![name(o), json!(text(o, "metadata.creationTimestamp"))]
});

pub(super) const ROLE: Printer = (&[NAME, ("Created At", "date", "", "", 0)], |o, _| {
    vec![name(o), json!(text(o, "metadata.creationTimestamp"))]
});

pub(super) const BINDING: Printer = (&[NAME, col("Role"), AGE], |o, now| {
    let role = format!("{}/{}", text(o, "roleRef.kind"), text(o, "roleRef.name"));
    vec![name(o), json!(role), age(o, now)]
});
