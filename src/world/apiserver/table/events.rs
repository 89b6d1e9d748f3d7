//! Events, in the core form or in that of events.k8s.io.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;
use super::cells::{at, col, name, number, text, wide};
use super::render::Printer;

pub(super) const EVENT: Printer = (
    &[
        col("Last Seen"),
        col("Type"),
        col("Reason"),
        col("Object"),
        wide("Subobject"),
        wide("Source"),
        col("Message"),
        wide("First Seen"),
        ("Count", "integer", "", "", 1),
        ("Name", "string", "name", "", 1),
    ],
    cells,
);

fn cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let either = |a: &str, b: &str| at(event, a).or_else(|| at(event, b));
    let about = either("involvedObject", "regarding").unwrap_or(&Value::Null);
    let first = either("firstTimestamp", "deprecatedFirstTimestamp").or_else(|| at(event, "eventTime"));
    let last = at(event, "series.lastObservedTime")
        .or_else(|| either("lastTimestamp", "deprecatedLastTimestamp"))
        .or(first);
    let count = match at(event, "series.count") {
        Some(count) => count.as_i64().unwrap_or(1),
        None => number(event, "count")
            .max(number(event, "deprecatedCount"))
            .max(1),
    };
    let message = either("message", "note")
        .and_then(Value::as_str)
        .unwrap_or_default();
    vec![
        json!(age::since(last, now)),
        json!(text(event, "type")),
        json!(text(event, "reason")),
        json!(format!(
            "{}/{}",
            text(about, "kind").to_lowercase(),
            text(about, "name")
        )),
        json!(text(about, "fieldPath")),
        json!(source(event)),
        json!(message.trim()),
        json!(age::since(first, now)),
        json!(count),
        name(event),
    ]
}

fn source(event: &Value) -> String {
    let source = at(event, "source")
        .or_else(|| at(event, "deprecatedSource"))
        .unwrap_or(&Value::Null);
    let component = match text(source, "component") {
        "" => match text(event, "reportingComponent") {
            "" => text(event, "reportingController"),
            component => component,
        },
        component => component,
    };
    match text(source, "host") {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    }
}
