//! Label and annotation keys with another name in v1, wherever they stand.

use serde_json::Value;

use super::{Fate, Note};
use crate::api::names;

/// (old, new).
const RENAMED: [(&str, &str); 3] = [
    ("karpenter.sh/do-not-evict", names::DO_NOT_DISRUPT),
    ("karpenter.sh/do-not-consolidate", names::DO_NOT_DISRUPT),
    ("karpenter.sh/provisioner-name", names::NODEPOOL),
];

/// Renames keys of maps and the `key`, `topologyKey` fields of selectors and requirements.
pub(super) fn everywhere(value: &mut Value, path: &str, notes: &mut Vec<Note>) {
    match value {
        Value::Object(map) => {
            for (old, new) in RENAMED {
                if let Some(inner) = map.remove(old) {
                    notes.push(changed(path, old, new));
                    map.entry(new).or_insert(inner);
                }
            }
            for (name, inner) in map.iter_mut() {
                if let (Value::String(text), "key" | "topologyKey") = (&mut *inner, name.as_str()) {
                    if let Some((old, new)) = RENAMED.iter().find(|(old, _)| old == text) {
                        notes.push(changed(path, old, new));
                        *text = (*new).to_owned();
                    }
                } else {
                    everywhere(inner, path, notes);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| everywhere(item, path, notes)),
        _ => {}
    }
}

fn changed(path: &str, old: &str, new: &str) -> Note {
    Note {
        path: format!("{path} {old}"),
        fate: Fate::Changed,
        text: format!("is {new} in v1"),
    }
}
