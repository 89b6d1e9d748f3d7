//! Small helpers over JSON objects: conditions, statuses, safe access for writing.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The object at `path`, made when missing; anything else there is replaced.
pub fn object_at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    path.iter().fold(as_object(value), |map, key| {
        as_object(map.entry(*key).or_insert_with(|| json!({})))
    })
}

#[allow(clippy::expect_used)]
fn as_object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    // The line above made it an object.
    value.as_object_mut().expect("an object")
}

/// Whole seconds in UTC, as Kubernetes writes times.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A condition to set.
#[derive(Clone, Copy, Debug)]
pub struct Cond<'a> {
    pub kind: &'a str,
    pub status: bool,
    pub reason: &'a str,
    pub message: &'a str,
}

/// Sets a condition in `status.conditions`. The transition time moves only when the status changes; an equal
/// condition is left alone.
pub fn set(object: &mut Value, cond: Cond<'_>, now: Timestamp) {
    let status = if cond.status { "True" } else { "False" };
    set_text(object, cond, status, now);
}

/// As [`set`], for a status that may be `Unknown`.
pub fn set_text(object: &mut Value, cond: Cond<'_>, status: &str, now: Timestamp) {
    let list = object_at(object, &["status"])
        .entry("conditions")
        .or_insert_with(|| json!([]));
    if !list.is_array() {
        *list = json!([]);
    }
    let Some(list) = list.as_array_mut() else {
        return;
    };
    let mut fresh = json!({"type": cond.kind, "status": status, "lastTransitionTime": time(now)});
    let fields = object_at(&mut fresh, &[]);
    if !cond.reason.is_empty() {
        fields.insert("reason".into(), cond.reason.into());
    }
    if !cond.message.is_empty() {
        fields.insert("message".into(), cond.message.into());
    }
    match list.iter_mut().find(|c| c["type"] == cond.kind) {
        None => list.push(fresh),
        Some(old) => {
            if old["status"] == status {
                fields.insert("lastTransitionTime".into(), old["lastTransitionTime"].clone());
            }
            let fields = fields.clone();
            object_at(old, &[]).extend(fields);
            for key in ["reason", "message"] {
                if fresh.get(key).is_none() {
                    object_at(old, &[]).remove(key);
                }
            }
        }
    }
}

/// Status text of a condition of a JSON object, empty when absent.
pub fn status_of<'a>(object: &'a Value, kind: &str) -> &'a str {
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == kind)
        .and_then(|c| c["status"].as_str())
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_time_moves_with_the_status_only() {
        let mut object = json!({});
        let at = |s: i64| Timestamp::from_second(s).expect("in range");
        let cond = Cond {
            kind: "Ready",
            status: true,
            reason: "",
            message: "",
        };
        set(&mut object, cond, at(10));
        let before = object.clone();
        set(&mut object, cond, at(20));
        assert_eq!(object, before);
        set(
            &mut object,
            Cond {
                status: false,
                ..cond
            },
            at(30),
        );
        assert_eq!(
            object["status"]["conditions"][0]["lastTransitionTime"],
            "1970-01-01T00:00:30Z"
        );
        assert_eq!(status_of(&object, "Ready"), "False");
    }
}
