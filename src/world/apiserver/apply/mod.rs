//! Server-side apply and the bookkeeping of plain writes (`kube-wire §9`): who owns which fields is kept in
//! `metadata.managedFields` as one set of field paths a manager.

mod compare;
mod fields;
mod managers;
mod merge;
mod track;

use jiff::Timestamp;
use serde_json::Value;

pub use track::track;

use self::compare::Change;
use self::managers::{Managers, Operation};
use super::kinds::Kind;
use super::shape::Shape;
use super::status::Cause;

/// Why an apply was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 409: others own fields that this one sets to another value.
    #[error("{}", conflict_message(.0))]
    Conflicts(Vec<Conflict>),
    /// 400.
    #[error("{0}")]
    Bad(String),
}

/// One field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// As in the message: `"kubectl-edit" using apps/v1`.
    pub manager: String,
    /// `.spec.replicas`.
    pub field: String,
}

impl Conflict {
    pub fn cause(&self) -> Cause {
        Cause {
            reason: "FieldManagerConflict".to_owned(),
            message: format!("conflict with {}", self.manager),
            field: self.field.clone(),
        }
    }
}

fn conflict_message(conflicts: &[Conflict]) -> String {
    let mut by_manager: Vec<(&str, Vec<&str>)> = Vec::new();
    for conflict in conflicts {
        match by_manager
            .iter_mut()
            .find(|(manager, _)| *manager == conflict.manager)
        {
            Some((_, fields)) => fields.push(&conflict.field),
            None => by_manager.push((&conflict.manager, vec![&conflict.field])),
        }
    }
    let parts: Vec<String> = by_manager
        .iter()
        .map(|(manager, fields)| match fields.as_slice() {
            [field] => format!("conflict with {manager}: {field}"),
            many => format!("conflicts with {manager}:\n- {}", many.join("\n- ")),
        })
        .collect();
    let plural = if conflicts.len() == 1 { "" } else { "s" };
    format!(
        "Apply failed with {} conflict{plural}: {}",
        conflicts.len(),
        parts.join("\n")
    )
}

/// Applies to the object itself; see [`apply_to`].
///
/// # Errors
/// See [`Error`].
pub fn apply(
    kind: &Kind,
    live: Option<&Value>,
    applied: &Value,
    manager: &str,
    force: bool,
    now: Timestamp,
) -> Result<Value, Error> {
    apply_to(kind, "", live, applied, manager, force, now)
}

/// The live object with the applied fields in it and `managedFields` brought up to date, or a new object when
/// there is none yet. What this manager applied before and leaves out now is removed, unless somebody else
/// owns it. A request that changes nothing gives the live object back as it is.
///
/// # Errors
/// See [`Error`].
pub fn apply_to(
    kind: &Kind,
    subresource: &str,
    live: Option<&Value>,
    applied: &Value,
    manager: &str,
    force: bool,
    now: Timestamp,
) -> Result<Value, Error> {
    check_body(applied)?;
    let shape = Shape::of(kind);
    let mut applied = applied.clone();
    strip_nulls(&mut applied);
    let mut wanted = fields::of(&applied, shape);
    fields::forget_server_fields(&mut wanted);

    let Some(live) = live else {
        let mut managers = Managers::default();
        managers.set(
            manager,
            Operation::Apply,
            subresource,
            &kind.api_version(),
            wanted,
            now,
        );
        let mut object = applied;
        managers.write(&mut object);
        return Ok(object);
    };

    let mut managers = Managers::read(live);
    if managers.is_empty() {
        let mut existing = fields::of(live, shape);
        fields::forget_server_fields(&mut existing);
        if !existing.is_empty() {
            managers.set(
                "before-first-apply",
                Operation::Update,
                "",
                &kind.api_version(),
                existing,
                now,
            );
        }
    }
    let before = managers.clone();

    let mut object = merge::merge(live, &applied, shape);
    let change = Change::between(Some(live), &object, shape);
    let conflicts = managers.conflicts(manager, subresource, &change.changed);
    if !conflicts.is_empty() && !force {
        return Err(Error::Conflicts(conflicts));
    }
    managers.take_from_others(manager, Operation::Apply, subresource, &change.changed);

    let last = managers.get(manager, Operation::Apply, subresource);
    let dropped = last.difference(&wanted);
    let others = managers.owned_by_others(manager, Operation::Apply, subresource);
    merge::remove(&mut object, shape, &dropped, &others.union(&wanted));
    managers.set(
        manager,
        Operation::Apply,
        subresource,
        &kind.api_version(),
        wanted,
        now,
    );

    if managers == before && same_body(live, &object) {
        return Ok(live.clone());
    }
    managers.write(&mut object);
    Ok(object)
}

fn check_body(applied: &Value) -> Result<(), Error> {
    let text = |key: &str| applied.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("apiVersion").is_empty() || text("kind").is_empty() {
        return Err(Error::Bad(
            "invalid object type: apiVersion and kind must be set in the body of an apply".to_owned(),
        ));
    }
    match applied.get("metadata").and_then(|m| m.get("managedFields")) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(list)) if list.is_empty() => Ok(()),
        Some(_) => Err(Error::Bad("metadata.managedFields must be nil".to_owned())),
    }
}

fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

/// Equality but for `managedFields`.
fn same_body(a: &Value, b: &Value) -> bool {
    let (mut a, mut b) = (a.clone(), b.clone());
    for value in [&mut a, &mut b] {
        if let Some(Value::Object(meta)) = value.get_mut("metadata") {
            meta.remove("managedFields");
        }
    }
    a == b
}

/// Paths that no manager owns: the server keeps them.
const SERVER_META: [&str; 9] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "selfLink",
    "managedFields",
    "deletionTimestamp",
];

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "track_tests.rs"]
mod track_tests;
