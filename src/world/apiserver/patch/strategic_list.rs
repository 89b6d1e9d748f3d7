//! Lists in strategic patches: merged by key, joined as sets, or replaced; then put in the wished order.

use serde_json::Value;

use super::strategic::{DIRECTIVE, item_key, merge_map, plain, plain_map};
use crate::world::apiserver::shape::{PatchList, Shape};

/// The value of `$setElementOrder/x`.
pub(super) struct Order(Vec<Value>);

impl Order {
    pub(super) fn parse(value: &Value, list: &str) -> Result<Self, String> {
        value
            .as_array()
            .map(|items| Self(items.clone()))
            .ok_or_else(|| format!("the value of $setElementOrder/{list} is no list"))
    }

    fn position(&self, key: &Value, list: PatchList) -> Option<usize> {
        self.0.iter().position(|item| item_key(item, list) == Some(key))
    }
}

pub(super) fn merge(
    mine: &mut Vec<Value>,
    patch: &[Value],
    shape: Shape<'_>,
    order: Option<&Order>,
) -> Result<(), String> {
    let before = mine.clone();
    let list = shape.patch_list();
    match list {
        PatchList::Replace => {
            *mine = patch.iter().map(plain).collect();
            return Ok(());
        }
        PatchList::Union => {
            for item in patch {
                if !mine.contains(item) {
                    mine.push(item.clone());
                }
            }
        }
        PatchList::Keyed(key) => merge_keyed(mine, patch, key, shape)?,
    }
    if let Some(order) = order {
        sort(mine, order, list, &before);
    }
    Ok(())
}

fn merge_keyed(mine: &mut Vec<Value>, patch: &[Value], key: &str, shape: Shape<'_>) -> Result<(), String> {
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).map(str::to_owned);
    // An item that says replace without a key stands for the whole list.
    if patch
        .iter()
        .any(|item| directive(item).as_deref() == Some("replace") && item.get(key).is_none())
    {
        *mine = patch
            .iter()
            .filter(|item| item.get(DIRECTIVE).is_none())
            .map(plain)
            .collect();
        return Ok(());
    }
    for item in patch {
        let fields = item
            .as_object()
            .ok_or_else(|| format!("{item} is no object, so it has no {key}"))?;
        let value = item
            .get(key)
            .filter(|value| !value.is_null())
            .ok_or_else(|| format!("map: {item} does not contain declared merge key: {key}"))?;
        let at = mine.iter().position(|other| other.get(key) == Some(value));
        match directive(item).as_deref() {
            Some("delete") => mine.retain(|other| other.get(key) != Some(value)),
            Some("replace") => {
                let new = Value::Object(plain_map(fields));
                match at.and_then(|at| mine.get_mut(at)) {
                    Some(slot) => *slot = new,
                    None => mine.push(new),
                }
            }
            None | Some("merge") => {
                if let Some(Value::Object(slot)) = at.and_then(|at| mine.get_mut(at)) {
                    merge_map(slot, fields, shape.item())?;
                } else {
                    let mut new = serde_json::Map::new();
                    merge_map(&mut new, fields, shape.item())?;
                    mine.push(Value::Object(new));
                }
            }
            Some(other) => return Err(format!("unknown patch type found: {other}")),
        }
    }
    Ok(())
}

/// Items that the order names follow it; the others keep their place relative to the list as it was.
pub(super) fn sort(mine: &mut Vec<Value>, order: &Order, list: PatchList, before: &[Value]) {
    let place_before = |item: &Value| {
        let key = item_key(item, list);
        before.iter().position(|other| item_key(other, list) == key)
    };
    let (mut named, mut others): (Vec<(usize, Value)>, Vec<Value>) = (Vec::new(), Vec::new());
    for item in mine.drain(..) {
        match item_key(&item, list).and_then(|key| order.position(key, list)) {
            Some(at) => named.push((at, item)),
            None => others.push(item),
        }
    }
    named.sort_by_key(|(at, _)| *at);
    let mut named = named.into_iter().map(|(_, item)| item).peekable();
    let mut others = others.into_iter().peekable();
    loop {
        let first_other = match (others.peek(), named.peek()) {
            (None, None) => return,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(name)) => match (place_before(other), place_before(name)) {
                (Some(other), Some(name)) => other < name,
                // What is new comes after what was there.
                (Some(_), None) => true,
                (None, _) => false,
            },
        };
        let next = if first_other { others.next() } else { named.next() };
        mine.extend(next);
    }
}
