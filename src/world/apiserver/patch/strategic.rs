//! Strategic merge patch: a merge patch that knows which lists merge by key, with directives in the patch
//! (`$patch`, `$retainKeys`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x`).

use serde_json::{Map, Value};

use super::strategic_list::{self, Order};
use crate::world::apiserver::kinds::Kind;
use crate::world::apiserver::shape::{PatchList, Shape};

pub(super) const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Patches an object of a built-in kind; on an error the object is left as it was.
///
/// # Errors
/// A directive that makes no sense, or a list item without its merge key.
pub fn strategic(kind: &Kind, target: &mut Value, patch: &Value) -> Result<(), String> {
    let patch = patch.as_object().ok_or("a strategic merge patch is an object")?;
    let mut changed = target.clone();
    let object = changed
        .as_object_mut()
        .ok_or("the object to patch is no object")?;
    merge_map(object, patch, Shape::of(kind))?;
    *target = changed;
    Ok(())
}

pub(super) fn merge_map(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    shape: Shape<'_>,
) -> Result<(), String> {
    match patch.get(DIRECTIVE).map(|d| (d, d.as_str())) {
        None | Some((_, Some("merge"))) => {}
        Some((_, Some("replace"))) => {
            *target = plain_map(patch);
            return Ok(());
        }
        Some((_, Some("delete"))) => {
            target.clear();
            return Ok(());
        }
        Some((other, _)) => return Err(format!("unknown patch type found: {other}")),
    }
    if let Some(keep) = patch.get(RETAIN) {
        let keep = keep
            .as_array()
            .ok_or("the value of $retainKeys is no list of field names")?;
        let field = |key: &str| keep.iter().any(|k| k.as_str() == Some(key));
        if let Some(key) = patch
            .iter()
            .find(|(key, value)| !key.starts_with('$') && !value.is_null() && !field(key))
        {
            return Err(format!(
                "$retainKeys does not name {}, which the patch sets",
                key.0
            ));
        }
        target.retain(|key, _| field(key));
    }
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix(DELETE_FROM) {
            delete_from(target, list, value)?;
        }
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        merge_field(target, patch, key, value, shape.field(key))?;
    }
    // An order may come without items: kubectl sends it when it only removes some.
    for (key, order) in patch {
        let Some(list) = key.strip_prefix(ORDER) else {
            continue;
        };
        if patch.contains_key(list) {
            continue;
        }
        if let Some(Value::Array(items)) = target.get_mut(list) {
            let order = Order::parse(order, list)?;
            strategic_list::sort(items, &order, shape.field(list).patch_list(), &items.clone());
        }
    }
    Ok(())
}

fn merge_field(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    key: &str,
    value: &Value,
    shape: Shape<'_>,
) -> Result<(), String> {
    match value {
        Value::Null => {
            target.remove(key);
        }
        Value::Object(fields) => {
            if shape.replaced_map() && !fields.contains_key(DIRECTIVE) {
                target.insert(key.to_owned(), Value::Object(plain_map(fields)));
                return Ok(());
            }
            let slot = target.entry(key).or_insert(Value::Null);
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            if let Value::Object(inner) = slot {
                merge_map(inner, fields, shape)?;
            }
        }
        Value::Array(items) => {
            let order = patch
                .get(&format!("{ORDER}{key}"))
                .map(|order| Order::parse(order, key))
                .transpose()?;
            let slot = target.entry(key).or_insert(Value::Null);
            if !slot.is_array() {
                *slot = Value::Array(Vec::new());
            }
            if let Value::Array(mine) = slot {
                strategic_list::merge(mine, items, shape, order.as_ref())?;
            }
        }
        other => {
            target.insert(key.to_owned(), other.clone());
        }
    }
    Ok(())
}

fn delete_from(target: &mut Map<String, Value>, list: &str, gone: &Value) -> Result<(), String> {
    let gone = gone
        .as_array()
        .ok_or_else(|| format!("the value of {DELETE_FROM}{list} is no list"))?;
    if let Some(Value::Array(items)) = target.get_mut(list) {
        items.retain(|item| !gone.contains(item));
    }
    Ok(())
}

/// A map of a patch as it is stored: without directives and nulls.
pub(super) fn plain_map(patch: &Map<String, Value>) -> Map<String, Value> {
    patch
        .iter()
        .filter(|(key, value)| !key.starts_with('$') && !value.is_null())
        .map(|(key, value)| (key.clone(), plain(value)))
        .collect()
}

pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(plain_map(fields)),
        Value::Array(items) => Value::Array(
            items
                .iter()
                .filter(|item| item.get(DIRECTIVE).is_none())
                .map(plain)
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The key of an item as text to compare by.
pub(super) fn item_key(item: &Value, list: PatchList) -> Option<&Value> {
    match list {
        PatchList::Keyed(key) => item.get(key),
        PatchList::Union | PatchList::Replace => Some(item),
    }
}

#[cfg(test)]
#[path = "strategic_tests.rs"]
mod tests;
