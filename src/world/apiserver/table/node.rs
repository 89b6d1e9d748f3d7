//! Nodes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{AGE, NAME, NONE, age, at, col, condition, list, name, or_none, text, truth, wide};
use super::render::Printer;

pub(super) const NODE: Printer = (
    &[
        NAME,
        col("Status"),
        col("Roles"),
        AGE,
        col("Version"),
        wide("Internal-IP"),
        wide("External-IP"),
        wide("OS-Image"),
        wide("Kernel-Version"),
        wide("Container-Runtime"),
    ],
    cells,
);

fn cells(node: &Value, now: Timestamp) -> Vec<Value> {
    let info = |field: &str| text(node, &format!("status.nodeInfo.{field}"));
    let unknown = |text: &str| Value::from(if text.is_empty() { "<unknown>" } else { text });
    vec![
        name(node),
        json!(status(node)),
        json!(roles(node)),
        age(node, now),
        json!(info("kubeletVersion")),
        address(node, "InternalIP"),
        address(node, "ExternalIP"),
        unknown(info("osImage")),
        unknown(info("kernelVersion")),
        unknown(info("containerRuntimeVersion")),
    ]
}

fn status(node: &Value) -> String {
    let ready = match condition(node, "Ready").map(|c| text(c, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    if truth(node, "spec.unschedulable") {
        format!("{ready},SchedulingDisabled")
    } else {
        ready.to_owned()
    }
}

fn roles(node: &Value) -> String {
    let labels = at(node, "metadata.labels").and_then(Value::as_object);
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) => Some(role),
                None if key == "kubernetes.io/role" => value.as_str(),
                None => None,
            },
        )
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        NONE.to_owned()
    } else {
        roles.join(",")
    }
}

fn address(node: &Value, kind: &str) -> Value {
    let found = list(node, "status.addresses")
        .iter()
        .find(|a| text(a, "type") == kind);
    or_none(found.map_or("", |a| text(a, "address")))
}
