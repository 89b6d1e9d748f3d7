//! Putting applied fields into an object and taking dropped ones out of it.

use serde_json::Value;

use super::fields::{self, FieldSet};
use crate::world::apiserver::shape::Shape;

/// `live` with the fields of `applied`: maps by key, keyed lists by item, sets joined, the rest replaced.
pub(super) fn merge(live: &Value, applied: &Value, shape: Shape<'_>) -> Value {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if !shape.atomic_map() => {
            let mut out = live.clone();
            for (name, value) in applied {
                let merged = match live.get(name) {
                    Some(mine) => merge(mine, value, shape.field(name)),
                    None => value.clone(),
                };
                out.insert(name.clone(), merged);
            }
            Value::Object(out)
        }
        (Value::Array(mine), Value::Array(theirs)) => {
            let (Some(old), Some(new)) = (fields::elements(mine, shape), fields::elements(theirs, shape))
            else {
                return applied.clone();
            };
            let mut out: Vec<Value> = old
                .iter()
                .map(|(element, item)| {
                    new.iter()
                        .find(|(e, _)| e == element)
                        .map_or_else(|| (*item).clone(), |(_, value)| merge(item, value, shape.item()))
                })
                .collect();
            out.extend(
                new.iter()
                    .filter(|(element, _)| old.iter().all(|(e, _)| e != element))
                    .map(|(_, value)| (*value).clone()),
            );
            Value::Array(out)
        }
        _ => applied.clone(),
    }
}

/// Removes the paths of `dropped` that are not in `kept`, and collections that thereby became empty.
pub(super) fn remove(object: &mut Value, shape: Shape<'_>, dropped: &FieldSet, kept: &FieldSet) {
    let nothing = FieldSet::default();
    for (element, node) in &dropped.below {
        let theirs = kept.below.get(element);
        let spared = theirs.is_some_and(|t| t.owned || !t.set.is_empty());
        let below = theirs.map_or(&nothing, |t| &t.set);
        let Some(inner) = find(object, shape, element) else {
            continue;
        };
        let here = match element.strip_prefix("f:") {
            Some(name) => shape.field(name),
            None => shape.item(),
        };
        let gone = if node.owned && !spared {
            true
        } else {
            let was_empty = is_empty(inner);
            remove(inner, here, &node.set, below);
            !was_empty && is_empty(inner) && !theirs.is_some_and(|t| t.owned)
        };
        if gone {
            take_out(object, shape, element);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn position(items: &[Value], shape: Shape<'_>, element: &str) -> Option<usize> {
    fields::elements(items, shape)?
        .iter()
        .position(|(e, _)| e == element)
}

fn find<'v>(object: &'v mut Value, shape: Shape<'_>, element: &str) -> Option<&'v mut Value> {
    match object {
        Value::Object(map) => map.get_mut(element.strip_prefix("f:")?),
        Value::Array(items) => {
            let at = position(items, shape, element)?;
            items.get_mut(at)
        }
        _ => None,
    }
}

fn take_out(object: &mut Value, shape: Shape<'_>, element: &str) {
    match object {
        Value::Object(map) => {
            if let Some(name) = element.strip_prefix("f:") {
                map.remove(name);
            }
        }
        Value::Array(items) => {
            if let Some(at) = position(items, shape, element) {
                items.remove(at);
            }
        }
        _ => {}
    }
}
