//! Reading fields of a document so that an error can say exactly where it is and what is allowed.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::world::cluster::parse_duration;

/// A place in a document and what is wrong there.
#[derive(Debug)]
pub struct Wrong {
    pub field: String,
    pub why: String,
}

/// A value with its path.
#[derive(Clone, Debug)]
pub struct At<'a> {
    pub value: &'a Value,
    pub path: String,
}

type Read<T> = Result<T, Wrong>;

impl<'a> At<'a> {
    pub fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    pub fn wrong<T>(&self, why: impl Into<String>) -> Read<T> {
        Err(Wrong {
            field: if self.path.is_empty() {
                ".".into()
            } else {
                self.path.clone()
            },
            why: why.into(),
        })
    }

    /// The map here, all of whose keys must be among `allowed`.
    pub fn map(&self, allowed: &[&str]) -> Read<&'a Map<String, Value>> {
        let Some(map) = self.value.as_object() else {
            return self.wrong(format!("must be a map with {}", allowed.join(", ")));
        };
        match map.keys().find(|key| !allowed.contains(&key.as_str())) {
            Some(key) => self
                .child(key)
                .wrong(format!("unknown; allowed here: {}", allowed.join(", "))),
            None => Ok(map),
        }
    }

    fn child(&self, key: &str) -> At<'a> {
        At {
            value: &self.value[key],
            path: if self.path.is_empty() {
                key.to_owned()
            } else {
                format!("{}.{key}", self.path)
            },
        }
    }

    /// A field that may be absent or null.
    pub fn get(&self, key: &str) -> Option<At<'a>> {
        Some(self.child(key)).filter(|c| !c.value.is_null())
    }

    pub fn need(&self, key: &str) -> Read<At<'a>> {
        match self.get(key) {
            Some(at) => Ok(at),
            None => self.child(key).wrong("is required"),
        }
    }

    pub fn list(&self) -> Read<Vec<At<'a>>> {
        let Some(list) = self.value.as_array() else {
            return self.wrong("must be a list");
        };
        let items = list.iter().enumerate().map(|(i, value)| At {
            value,
            path: format!("{}[{i}]", self.path),
        });
        Ok(items.collect())
    }

    pub fn text(&self) -> Read<&'a str> {
        match self.value.as_str() {
            Some(text) if !text.is_empty() => Ok(text),
            _ => self.wrong("must be a text"),
        }
    }

    pub fn one_of(&self, allowed: &[&str]) -> Read<&'a str> {
        let text = self.text()?;
        if allowed.contains(&text) {
            Ok(text)
        } else {
            self.wrong(format!("is \"{text}\"; allowed: {}", allowed.join(", ")))
        }
    }

    pub fn count(&self) -> Read<u64> {
        match self.value.as_u64() {
            Some(count) => Ok(count),
            None => self.wrong("must be a whole number, 0 or more"),
        }
    }

    /// A number from `low` to `high`.
    pub fn number(&self, low: f64, high: f64) -> Read<f64> {
        match self.value.as_f64().filter(|n| (low..=high).contains(n)) {
            Some(number) => Ok(number),
            None => self.wrong(format!("must be a number from {low} to {high}")),
        }
    }

    pub fn yes_or_no(&self) -> Read<bool> {
        match self.value.as_bool() {
            Some(yes) => Ok(yes),
            None => self.wrong("must be true or false"),
        }
    }

    pub fn duration(&self) -> Read<Duration> {
        let text = match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if text == "0" {
            return Ok(Duration::ZERO);
        }
        match parse_duration(&text) {
            Some(duration) => Ok(duration),
            None => self.wrong(format!(
                "is {}; write a duration like 500ms, 30s, 1m30s or 2h",
                self.value
            )),
        }
    }
}
