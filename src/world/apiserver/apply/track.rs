//! Plain writes are managers, too: operation Update, owning what they changed.

use jiff::Timestamp;
use serde_json::Value;

use super::compare::Change;
use super::managers::{Managers, Operation};
use crate::world::apiserver::kinds::Kind;
use crate::world::apiserver::shape::Shape;

/// Brings `managedFields` of `after` up to date for a POST, PUT or PATCH by `manager`: it owns what it changed,
/// others lose that, and nobody owns what is gone. A list that the writer itself changed is taken as written;
/// an empty one (or one empty entry) starts anew.
pub fn track(
    before: Option<&Value>,
    after: &mut Value,
    manager: &str,
    subresource: &str,
    kind: &Kind,
    now: Timestamp,
) {
    let mut managers = known(before, after);
    let mut change = Change::between(before, after, Shape::of(kind));
    // The server resets what does not belong to this path, so it is nobody's change.
    match subresource {
        "" if kind.status => {
            change.changed.below.remove("f:status");
        }
        "status" => change
            .changed
            .below
            .retain(|top, _| top == "f:status" || top == "f:metadata"),
        _ => {}
    }
    managers.forget(&change.removed);
    managers.take_from_others(manager, Operation::Update, subresource, &change.changed);
    if !change.changed.is_empty() {
        let mine = managers
            .get(manager, Operation::Update, subresource)
            .union(&change.changed);
        managers.set(
            manager,
            Operation::Update,
            subresource,
            &kind.api_version(),
            mine,
            now,
        );
    }
    managers.write(after);
}

fn known(before: Option<&Value>, after: &Value) -> Managers {
    let list = |object: &Value| object.get("metadata")?.get("managedFields")?.as_array().cloned();
    let stored = before.map(Managers::read).unwrap_or_default();
    match list(after) {
        None => stored,
        Some(entries) if before.and_then(list).as_ref() == Some(&entries) => stored,
        Some(entries)
            if entries
                .iter()
                .all(|e| e.as_object().is_some_and(serde_json::Map::is_empty)) =>
        {
            Managers::default()
        }
        Some(_) => {
            let written = Managers::read(after);
            if written.is_empty() { stored } else { written }
        }
    }
}
