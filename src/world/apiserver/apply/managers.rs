//! `metadata.managedFields`: the field sets of every manager.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Conflict;
use super::fields::FieldSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn text(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    manager: String,
    operation: Operation,
    subresource: String,
    api_version: String,
    time: Option<String>,
    fields: FieldSet,
}

impl Entry {
    fn is(&self, manager: &str, operation: Operation, subresource: &str) -> bool {
        self.manager == manager && self.operation == operation && self.subresource == subresource
    }

    /// How messages name the manager.
    fn text(&self) -> String {
        let mut out = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            out = format!("{out} with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            out = format!("{out} using {}", self.api_version);
        }
        out
    }
}

/// All managers of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Managers {
    entries: Vec<Entry>,
}

impl Managers {
    /// Entries that cannot be read are dropped.
    pub(super) fn read(object: &Value) -> Self {
        let list = object
            .get("metadata")
            .and_then(|m| m.get("managedFields"))
            .and_then(Value::as_array);
        let entries = list
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let text = |key: &str| {
                    entry
                        .get(key)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                let operation = match entry.get("operation")?.as_str()? {
                    "Apply" => Operation::Apply,
                    "Update" => Operation::Update,
                    _ => return None,
                };
                Some(Entry {
                    manager: text("manager"),
                    operation,
                    subresource: text("subresource"),
                    api_version: text("apiVersion"),
                    time: entry.get("time").and_then(Value::as_str).map(str::to_owned),
                    fields: FieldSet::from_json(entry.get("fieldsV1")?),
                })
            })
            .collect();
        Self { entries }
    }

    /// Writes the list into the metadata, or removes it when nobody owns anything.
    pub(super) fn write(&self, object: &mut Value) {
        let Some(object) = object.as_object_mut() else {
            return;
        };
        let meta = object.entry("metadata").or_insert_with(|| json!({}));
        let Some(meta) = meta.as_object_mut() else {
            return;
        };
        let mut entries: Vec<&Entry> = self.entries.iter().filter(|e| !e.fields.is_empty()).collect();
        if entries.is_empty() {
            meta.remove("managedFields");
            return;
        }
        entries.sort_by(|a, b| {
            (a.operation, &a.time, &a.manager, &a.subresource).cmp(&(
                b.operation,
                &b.time,
                &b.manager,
                &b.subresource,
            ))
        });
        let list = entries
            .into_iter()
            .map(|entry| {
                let mut out = json!({"manager": entry.manager, "operation": entry.operation.text(),
                    "apiVersion": entry.api_version, "fieldsType": "FieldsV1", "fieldsV1": entry.fields.to_json()});
                if let Some(time) = &entry.time {
                    out["time"] = json!(time);
                }
                if !entry.subresource.is_empty() {
                    out["subresource"] = json!(entry.subresource);
                }
                out
            })
            .collect();
        meta.insert("managedFields".to_owned(), Value::Array(list));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.iter().all(|e| e.fields.is_empty())
    }

    pub(super) fn get(&self, manager: &str, operation: Operation, subresource: &str) -> FieldSet {
        self.entries
            .iter()
            .find(|e| e.is(manager, operation, subresource))
            .map(|e| e.fields.clone())
            .unwrap_or_default()
    }

    /// Replaces a manager's set; its time moves only when the set changed.
    pub(super) fn set(
        &mut self,
        manager: &str,
        operation: Operation,
        subresource: &str,
        api_version: &str,
        fields: FieldSet,
        now: Timestamp,
    ) {
        let time = Some(whole_second(now));
        match self
            .entries
            .iter_mut()
            .find(|e| e.is(manager, operation, subresource))
        {
            Some(entry) if entry.fields == fields && entry.api_version == api_version => {}
            Some(entry) => {
                entry.fields = fields;
                entry.time = time;
                api_version.clone_into(&mut entry.api_version);
            }
            None if fields.is_empty() => {}
            None => self.entries.push(Entry {
                manager: manager.to_owned(),
                operation,
                subresource: subresource.to_owned(),
                api_version: api_version.to_owned(),
                time,
                fields,
            }),
        }
        self.entries.retain(|e| !e.fields.is_empty());
    }

    /// Fields of `changed` that somebody else than this applier owns.
    pub(super) fn conflicts(&self, manager: &str, subresource: &str, changed: &FieldSet) -> Vec<Conflict> {
        self.entries
            .iter()
            .filter(|e| !e.is(manager, Operation::Apply, subresource))
            .flat_map(|e| {
                e.fields
                    .intersection(changed)
                    .paths()
                    .into_iter()
                    .map(|field| Conflict {
                        manager: e.text(),
                        field,
                    })
            })
            .collect()
    }

    pub(super) fn take_from_others(
        &mut self,
        manager: &str,
        operation: Operation,
        subresource: &str,
        taken: &FieldSet,
    ) {
        for entry in self
            .entries
            .iter_mut()
            .filter(|e| !e.is(manager, operation, subresource))
        {
            entry.fields = entry.fields.without(taken);
        }
        self.entries.retain(|e| !e.fields.is_empty());
    }

    /// What is gone from the object is owned by nobody.
    pub(super) fn forget(&mut self, gone: &FieldSet) {
        for entry in &mut self.entries {
            entry.fields = entry.fields.without_below(gone);
        }
        self.entries.retain(|e| !e.fields.is_empty());
    }

    pub(super) fn owned_by_others(&self, manager: &str, operation: Operation, subresource: &str) -> FieldSet {
        self.entries
            .iter()
            .filter(|e| !e.is(manager, operation, subresource))
            .fold(FieldSet::default(), |all, e| all.union(&e.fields))
    }
}

fn whole_second(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
