//! Names, uids and times that the server gives out: all from the seed, none from the machine (decisions §2).

use jiff::Timestamp;
use serde_json::Value;

use super::kinds::Kind;
use super::object::meta_str;
use super::status::{Cause, StatusError};
use super::store::Store;
use crate::world::random;

/// Kubernetes' length of a generated name's prefix.
const PREFIX: usize = 58;
/// Draws before a generated name that is taken becomes an error.
const DRAWS: u64 = 8;

/// Whole seconds, UTC: `2026-01-05T09:00:00Z`.
pub fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The uid of the `count`th object of this name.
pub fn uid(seed: u64, kind: &Kind, namespace: &str, name: &str, count: u64) -> String {
    random::uuid(seed, "uid", &format!("{}/{namespace}/{name}/{count}", kind.key))
}

/// The object's name, or one made from `generateName`; a dry run moves no counter.
pub fn choose(
    seed: u64,
    store: &mut Store,
    kind: &Kind,
    namespace: &str,
    object: &Value,
    dry_run: bool,
) -> Result<String, StatusError> {
    let given = meta_str(object, "name");
    if !given.is_empty() {
        check(kind, given)?;
        return Ok(given.to_owned());
    }
    let prefix: String = meta_str(object, "generateName").chars().take(PREFIX).collect();
    if prefix.is_empty() {
        return Err(StatusError::invalid(
            kind,
            "",
            &[Cause::new(
                "FieldValueRequired",
                "metadata.name",
                "Required value: name or generateName is required",
            )],
        ));
    }
    let mut name = String::new();
    let counter = format!("name/{}/{namespace}/{prefix}", kind.key);
    for draw in 1..=DRAWS {
        // A rehearsal may not move the names that come after it.
        let count = if dry_run {
            store.counted(&counter) + draw
        } else {
            store.count(&counter)?
        };
        let object = format!("{}/{namespace}/{prefix}/{count}", kind.key);
        name = format!("{prefix}{}", random::suffix(seed, "name", &object));
        if store.get(&kind.key, namespace, &name).is_none() {
            check(kind, &name)?;
            return Ok(name);
        }
    }
    Err(StatusError::already_exists(kind, &name))
}

/// Names become path segments and file names, so their alphabet is small; roles may hold colons.
fn check(kind: &Kind, name: &str) -> Result<(), StatusError> {
    let loose = kind.group == "rbac.authorization.k8s.io";
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = if loose {
        !name.contains(['/', '%']) && name != "." && name != ".."
    } else {
        name.len() <= 253 && name.chars().all(inner) && name.starts_with(edge) && name.ends_with(edge)
    };
    if good {
        return Ok(());
    }
    let message = format!(
        "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
         characters, '-' or '.', and must start and end with an alphanumeric character"
    );
    Err(StatusError::invalid(
        kind,
        name,
        &[Cause::new("FieldValueInvalid", "metadata.name", message)],
    ))
}
