//! Sets of field paths and their `FieldsV1` form: `f:name` for fields, `k:{…}` for items of keyed lists, `v:…`
//! for members of sets, `.` for a place itself beside what it contains.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SERVER_META;
use crate::world::apiserver::shape::{ListShape, Shape};

/// A set of paths as a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    pub(super) below: BTreeMap<String, Node>,
}

/// One path and the paths below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) owned: bool,
    pub(super) set: FieldSet,
}

impl FieldSet {
    pub(super) fn is_empty(&self) -> bool {
        self.below.values().all(|node| !node.owned && node.set.is_empty())
    }

    pub(super) fn node(&mut self, element: &str) -> &mut Node {
        self.below.entry(element.to_owned()).or_default()
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        for (element, node) in &other.below {
            let mine = out.node(element);
            mine.owned |= node.owned;
            mine.set = mine.set.union(&node.set);
        }
        out
    }

    /// Paths of ours that `other` does not have in any form, itself or through something below.
    pub(super) fn difference(&self, other: &Self) -> Self {
        self.combine(other, |mine, theirs| {
            mine && theirs.is_none_or(|t| !t.owned && t.set.is_empty())
        })
    }

    /// Paths of ours that are exactly paths of `other`, too.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |mine, theirs| mine && theirs.is_some_and(|t| t.owned))
    }

    /// Paths of ours without those of `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        self.combine(other, |mine, theirs| mine && theirs.is_none_or(|t| !t.owned))
    }

    fn combine(&self, other: &Self, keep: fn(bool, Option<&Node>) -> bool) -> Self {
        let none = Self::default();
        let mut out = Self::default();
        for (element, node) in &self.below {
            let theirs = other.below.get(element);
            let kept = Node {
                owned: keep(node.owned, theirs),
                set: node.set.combine(theirs.map_or(&none, |t| &t.set), keep),
            };
            if kept.owned || !kept.set.is_empty() {
                out.below.insert(element.clone(), kept);
            }
        }
        out
    }

    /// Without paths below (or at) paths of `gone`.
    pub(super) fn without_below(&self, gone: &Self) -> Self {
        let mut out = Self::default();
        for (element, node) in &self.below {
            let kept = match gone.below.get(element) {
                Some(theirs) if theirs.owned => continue,
                Some(theirs) => Node {
                    owned: node.owned,
                    set: node.set.without_below(&theirs.set),
                },
                None => node.clone(),
            };
            if kept.owned || !kept.set.is_empty() {
                out.below.insert(element.clone(), kept);
            }
        }
        out
    }

    /// Readable paths in order: `.spec.containers[name="c"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    fn collect(&self, prefix: &str, out: &mut Vec<String>) {
        for (element, node) in &self.below {
            let path = format!("{prefix}{}", readable(element));
            if node.owned {
                out.push(path.clone());
            }
            node.set.collect(&path, out);
        }
    }

    pub(super) fn to_json(&self) -> Value {
        Value::Object(self.to_map())
    }

    fn to_map(&self) -> Map<String, Value> {
        let mut out = Map::new();
        for (element, node) in &self.below {
            let mut inner = node.set.to_map();
            if node.owned && !inner.is_empty() {
                inner.insert(".".to_owned(), Value::Object(Map::new()));
            }
            if node.owned || !inner.is_empty() {
                out.insert(element.clone(), Value::Object(inner));
            }
        }
        out
    }

    pub(super) fn from_json(value: &Value) -> Self {
        let mut out = Self::default();
        for (element, inner) in value.as_object().into_iter().flatten() {
            if element == "." {
                continue;
            }
            let set = Self::from_json(inner);
            let owned = inner.get(".").is_some() || set.is_empty();
            out.below.insert(normal(element), Node { owned, set });
        }
        out
    }
}

/// Keys may come with their members in another order or with spaces.
fn normal(element: &str) -> String {
    match element.split_once(':') {
        Some((kind @ ("k" | "v"), text)) => match serde_json::from_str::<Value>(text) {
            Ok(value) => format!("{kind}:{value}"),
            Err(_) => element.to_owned(),
        },
        _ => element.to_owned(),
    }
}

fn readable(element: &str) -> String {
    let Some((kind, text)) = element.split_once(':') else {
        return element.to_owned();
    };
    match (kind, serde_json::from_str::<Value>(text)) {
        ("k", Ok(Value::Object(keys))) => {
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        ("v", Ok(value)) => format!("[={value}]"),
        _ => format!(".{text}"),
    }
}

pub(super) fn field(name: &str) -> String {
    format!("f:{name}")
}

pub(super) fn key(keys: Map<String, Value>) -> String {
    format!("k:{}", Value::Object(keys))
}

pub(super) fn member(value: &Value) -> String {
    format!("v:{value}")
}

/// The items of a list by path element; `None` when the list is atomic or its items have no proper keys.
pub(super) fn elements<'v>(items: &'v [Value], shape: Shape<'_>) -> Option<Vec<(String, &'v Value)>> {
    match shape.list() {
        ListShape::Atomic => None,
        ListShape::Set => Some(items.iter().map(|item| (member(item), item)).collect()),
        ListShape::Keyed(keys) => items
            .iter()
            .map(|item| Some((key(shape.item_key(&keys, item)?), item)))
            .collect(),
    }
}

/// Every path that an object sets.
pub(super) fn of(value: &Value, shape: Shape<'_>) -> FieldSet {
    let mut out = FieldSet::default();
    match value {
        Value::Object(map) if !shape.atomic_map() => {
            for (name, value) in map {
                let inner = shape.field(name);
                let node = out.node(&field(name));
                node.set = of(value, inner);
                node.owned = node.set.is_empty();
            }
        }
        Value::Array(items) => {
            for (element, item) in elements(items, shape).unwrap_or_default() {
                let node = out.node(&element);
                node.owned = true;
                node.set = of(item, shape.item());
            }
        }
        _ => {}
    }
    out
}

/// Drops what identifies the object or belongs to the server.
pub(super) fn forget_server_fields(set: &mut FieldSet) {
    for top in ["f:apiVersion", "f:kind"] {
        set.below.remove(top);
    }
    let mut empty = false;
    if let Some(meta) = set.below.get_mut("f:metadata") {
        for name in SERVER_META {
            meta.set.below.remove(&field(name));
        }
        meta.set.below.remove("f:deletionGracePeriodSeconds");
        meta.owned = false;
        empty = meta.set.is_empty();
    }
    if empty {
        set.below.remove("f:metadata");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::apiserver::testkit::kind;

    #[test]
    fn sets_keep_the_wire_form() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "1"},
            "finalizers": ["x/y"]}, "spec": {"nodeSelector": {"a": "b"}, "containers": [
            {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "args": ["x"], "resources": {}}]}});
        let kind = kind("pods");
        let mut set = of(&pod, Shape::of(&kind));
        forget_server_fields(&mut set);
        let want = json!({"f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {"v:\"x/y\"": {}}},
            "f:spec": {"f:nodeSelector": {}, "f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:image": {},
                "f:args": {}, "f:resources": {}, "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":
                    {".": {}, "f:containerPort": {}}}}}}});
        assert_eq!(set.to_json(), want);
        assert_eq!(FieldSet::from_json(&want), set);
        assert_eq!(
            set.paths().last().map(String::as_str),
            Some(".spec.nodeSelector"),
            "{:?}",
            set.paths()
        );
        assert!(
            set.paths()
                .contains(&".spec.containers[name=\"c\"].image".to_owned())
        );
        let spaced = json!({"k:{\"protocol\": \"TCP\", \"containerPort\": 80}": {}});
        assert_eq!(
            FieldSet::from_json(&spaced).to_json(),
            json!({"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {}})
        );
    }

    #[test]
    fn set_algebra() {
        let set = |value: &Value| FieldSet::from_json(value);
        let a = set(&json!({"f:x": {}, "f:y": {".": {}, "f:z": {}}}));
        let b = set(&json!({"f:y": {"f:z": {}, "f:w": {}}}));
        assert_eq!(a.difference(&b).to_json(), json!({"f:x": {}}));
        assert_eq!(a.without(&b).to_json(), json!({"f:x": {}, "f:y": {}}));
        assert_eq!(a.intersection(&b).to_json(), json!({"f:y": {"f:z": {}}}));
        assert_eq!(
            a.union(&b).to_json(),
            json!({"f:x": {}, "f:y": {".": {}, "f:z": {}, "f:w": {}}})
        );
        assert_eq!(b.without_below(&set(&json!({"f:y": {}}))).to_json(), json!({}));
        assert_eq!(
            b.without_below(&set(&json!({"f:y": {"f:w": {}}}))).to_json(),
            json!({"f:y": {"f:z": {}}})
        );
    }
}
