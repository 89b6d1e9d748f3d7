//! What differs between two states of an object, as sets of paths.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{self, FieldSet};
use crate::world::apiserver::shape::Shape;

/// The difference from an older to a newer state.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    /// Added or set to another value.
    pub(super) changed: FieldSet,
    pub(super) removed: FieldSet,
}

impl Change {
    pub(super) fn between(old: Option<&Value>, new: &Value, shape: Shape<'_>) -> Self {
        let mut change = Self::default();
        walk(old, Some(new), shape, &mut change.changed, &mut change.removed);
        fields::forget_server_fields(&mut change.changed);
        fields::forget_server_fields(&mut change.removed);
        change
    }
}

/// Records differences below one place.
fn walk(
    old: Option<&Value>,
    new: Option<&Value>,
    shape: Shape<'_>,
    changed: &mut FieldSet,
    removed: &mut FieldSet,
) {
    let empty = serde_json::Map::new();
    let map = |value: Option<&Value>| value.is_none_or(Value::is_object);
    if map(old) && map(new) && !shape.atomic_map() {
        let old = old.and_then(Value::as_object).unwrap_or(&empty);
        let new = new.and_then(Value::as_object).unwrap_or(&empty);
        for name in old.keys().chain(new.keys().filter(|k| !old.contains_key(*k))) {
            let here = shape.field(name);
            step(
                &fields::field(name),
                old.get(name),
                new.get(name),
                here,
                changed,
                removed,
            );
        }
        return;
    }
    let (Some(old), Some(new)) = (listed(old, shape), listed(new, shape)) else {
        return;
    };
    let (old_by, new_by) = (by_element(&old), by_element(&new));
    for (element, item) in &old {
        let now = new_by.get(element.as_str()).copied();
        step(element, Some(item), now, shape.item(), changed, removed);
    }
    for (element, item) in new.iter().filter(|(e, _)| !old_by.contains_key(e.as_str())) {
        step(element, None, Some(item), shape.item(), changed, removed);
    }
}

fn by_element<'a>(items: &'a Elements<'a>) -> BTreeMap<&'a str, &'a Value> {
    items
        .iter()
        .rev()
        .map(|(element, item)| (element.as_str(), *item))
        .collect()
}

type Elements<'v> = Vec<(String, &'v Value)>;

/// The items of a list that is owned item by item; an absent one has none.
fn listed<'v>(value: Option<&'v Value>, shape: Shape<'_>) -> Option<Elements<'v>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::Array(items)) => fields::elements(items, shape),
        Some(_) => None,
    }
}

fn step(
    element: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    shape: Shape<'_>,
    changed: &mut FieldSet,
    removed: &mut FieldSet,
) {
    let old = old.filter(|v| !v.is_null());
    let new = new.filter(|v| !v.is_null());
    if old == new {
        return;
    }
    let leaf = |value: Option<&Value>| value.is_some_and(|v| is_leaf(v, shape));
    let item = !element.starts_with("f:");
    match (old, new) {
        (_, None) => {
            let node = removed.node(element);
            node.owned = true;
            walk(old, None, shape, &mut changed.node(element).set, &mut node.set);
        }
        (None, Some(value)) => {
            let node = changed.node(element);
            // A place that came into being is owned itself, but for the fixed parts that every object has.
            node.owned = item || leaf(Some(value)) || (value.is_object() && !is_fixed(element));
            walk(None, new, shape, &mut node.set, &mut FieldSet::default());
        }
        (Some(before), Some(after)) => {
            let node = changed.node(element);
            let both_walk = is_granular(before, shape) && is_granular(after, shape);
            if both_walk && before.is_object() == after.is_object() {
                walk(old, new, shape, &mut node.set, &mut removed.node(element).set);
            } else {
                node.owned = true;
                let gone = removed.node(element);
                if is_leaf(after, shape) {
                    walk(
                        old.filter(|v| !is_leaf(v, shape)),
                        None,
                        shape,
                        &mut FieldSet::default(),
                        &mut gone.set,
                    );
                } else {
                    walk(None, new, shape, &mut node.set, &mut gone.set);
                }
            }
        }
    }
}

fn is_fixed(element: &str) -> bool {
    matches!(
        element,
        "f:metadata"
            | "f:spec"
            | "f:status"
            | "f:template"
            | "f:strategy"
            | "f:updateStrategy"
            | "f:jobTemplate"
    )
}

/// True for a collection whose entries are owned one by one.
fn is_granular(value: &Value, shape: Shape<'_>) -> bool {
    match value {
        Value::Object(_) => !shape.atomic_map(),
        Value::Array(items) => fields::elements(items, shape).is_some(),
        _ => false,
    }
}

/// True for a place that has no paths below: a scalar, an empty or an atomic collection.
fn is_leaf(value: &Value, shape: Shape<'_>) -> bool {
    match value {
        Value::Object(map) => map.is_empty() || shape.atomic_map(),
        Value::Array(items) => items.is_empty() || fields::elements(items, shape).is_none(),
        _ => true,
    }
}
