//! Compiled rules and patterns, once for each definition.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use kube_cel::{CompiledSchema, Validator};
use regex::Regex;
use serde_json::Value;

use crate::world::apiserver::kinds::CrdInfo;

/// What checking an object of one definition needs.
pub(super) struct Compiled {
    pub(super) rules: CompiledSchema,
    pub(super) validator: Validator,
    /// By the text of the pattern; patterns that are none are left out.
    pub(super) patterns: BTreeMap<String, Regex>,
}

type Known = Vec<(Weak<CrdInfo>, Arc<Compiled>)>;

/// The compiled form of a definition; made at the first call. Two definitions with the same schema share one.
pub(super) fn of(crd: &Arc<CrdInfo>) -> Arc<Compiled> {
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    let mut known = KNOWN
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let here = Arc::as_ptr(crd);
    if let Some((_, found)) = known.iter().find(|(other, _)| std::ptr::eq(other.as_ptr(), here)) {
        return Arc::clone(found);
    }
    let same = known
        .iter()
        .find(|(other, _)| other.upgrade().is_some_and(|other| other.schema == crd.schema))
        .map(|(_, found)| Arc::clone(found));
    known.retain(|(other, _)| other.strong_count() > 0);
    let compiled = same.unwrap_or_else(|| Arc::new(Compiled::new(&crd.schema)));
    known.push((Arc::downgrade(crd), Arc::clone(&compiled)));
    compiled
}

impl Compiled {
    fn new(schema: &Value) -> Self {
        let mut patterns = BTreeMap::new();
        collect(schema, &mut patterns);
        Self {
            rules: kube_cel::compile_schema(schema),
            validator: Validator::new(),
            patterns,
        }
    }
}

fn collect(schema: &Value, patterns: &mut BTreeMap<String, Regex>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(pattern)) = map.get("pattern")
                && let Ok(regex) = Regex::new(pattern)
            {
                patterns.insert(pattern.clone(), regex);
            }
            map.values().for_each(|inner| collect(inner, patterns));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, patterns)),
        _ => {}
    }
}
