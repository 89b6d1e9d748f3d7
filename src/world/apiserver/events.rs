//! Events live once, in their core form, and show under `events.k8s.io/v1` too (`kube-wire §3`).

use serde_json::Value;

/// Core field, field of `events.k8s.io/v1`.
const FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("reportingComponent", "reportingController"),
];

/// From the core form.
pub fn to_new(event: &mut Value) {
    rename(event, FIELDS.iter().map(|&(core, new)| (core, new)));
    if let Some(map) = event.as_object_mut() {
        map.insert("apiVersion".to_owned(), "events.k8s.io/v1".into());
    }
}

/// To the core form.
pub fn to_core(event: &mut Value) {
    rename(event, FIELDS.iter().map(|&(core, new)| (new, core)));
    if let Some(map) = event.as_object_mut() {
        map.insert("apiVersion".to_owned(), "v1".into());
    }
}

fn rename<'a>(event: &mut Value, fields: impl Iterator<Item = (&'a str, &'a str)>) {
    if let Some(map) = event.as_object_mut() {
        for (from, to) in fields {
            if let Some(value) = map.remove(from) {
                map.insert(to.to_owned(), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn there_and_back() {
        let core = json!({"apiVersion": "v1", "kind": "Event", "involvedObject": {"name": "p"},
            "message": "m", "reportingComponent": "kerf", "reason": "r"});
        let mut event = core.clone();
        to_new(&mut event);
        assert_eq!(
            event,
            json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "regarding": {"name": "p"},
                "note": "m", "reportingController": "kerf", "reason": "r"})
        );
        to_core(&mut event);
        assert_eq!(event, core);
    }
}
