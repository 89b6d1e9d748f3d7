//! Checks an object against the schema of its custom resource definition: structure, unknown fields and CEL rules,
//! so that a file is refused here with the same rules as by an API server (`api §13.9`).

use std::collections::BTreeMap;
use std::fmt;

use kube_cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use regex::Regex;
use serde_json::{Map, Value};

use super::crds;

/// One thing that is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// `spec.template.spec.requirements[0].operator`; empty for the object as a whole.
    pub path: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

struct Kind {
    api_version: String,
    schema: Value,
    rules: CompiledSchema,
}

/// The compiled schemas of our custom resources. Compiling takes milliseconds: make one and keep it.
pub struct Checker {
    kinds: BTreeMap<String, Kind>,
    validator: Validator,
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

impl Checker {
    pub fn new() -> Self {
        let kinds = crds::ALL
            .iter()
            .filter_map(|(_, yaml)| serde_saphyr::from_str::<Value>(yaml).ok())
            .filter_map(|crd| {
                let version = &crd["spec"]["versions"][0];
                let schema = version["schema"]["openAPIV3Schema"].clone();
                let kind = crd["spec"]["names"]["kind"].as_str()?.to_owned();
                let group = crd["spec"]["group"].as_str()?;
                let api_version = format!("{group}/{}", version["name"].as_str()?);
                let rules = compile_schema(&schema);
                Some((
                    kind,
                    Kind {
                        api_version,
                        schema,
                        rules,
                    },
                ))
            })
            .collect();
        Self {
            kinds,
            validator: Validator::new(),
        }
    }

    /// `apiVersion` of one of our kinds; `None` for other kinds.
    pub fn api_version(&self, kind: &str) -> Option<&str> {
        self.kinds.get(kind).map(|k| k.api_version.as_str())
    }

    /// Our kinds, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// The schema of one of our kinds.
    pub fn schema(&self, kind: &str) -> Option<&Value> {
        self.kinds.get(kind).map(|k| &k.schema)
    }

    /// The object with every default of the schema filled in.
    pub fn with_defaults(&self, kind: &str, object: &Value) -> Value {
        let mut object = object.clone();
        let Some(known) = self.kinds.get(kind) else {
            return object;
        };
        // A default may itself hold fields with defaults (`disruption`): again until nothing is added.
        loop {
            let filled = kube_cel::apply_defaults(&known.schema, &object);
            if filled == object {
                return filled;
            }
            object = filled;
        }
    }

    /// Everything wrong with `object`; `old` is what it replaces, for rules about changes. CEL rules are only
    /// evaluated when the structure is sound, like in an API server.
    pub fn check(&self, kind: &str, object: &Value, old: Option<&Value>) -> Vec<Problem> {
        let Some(known) = self.kinds.get(kind) else {
            return Vec::new();
        };
        // Like an API server, take null for absent.
        let object = &without_nulls(object);
        let mut out = Vec::new();
        walk(&known.schema, object, "", &mut out);
        if out.is_empty()
            && let Err(errors) = self.validator.validate_compiled(&known.rules, object, old)
        {
            for error in errors.into_vec() {
                // A rule that could not be evaluated (a number that is none) is refused with the rule's own words.
                let message = if error.kind == ErrorKind::ValidationFailure {
                    error.message.clone()
                } else {
                    rule_message(&known.schema, &error.rule).unwrap_or(error.message)
                };
                out.push(Problem {
                    path: error.field_path,
                    message,
                });
            }
        }
        out.sort();
        out.dedup();
        out
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), without_nulls(v)))
                .collect(),
        ),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn rule_message(schema: &Value, rule: &str) -> Option<String> {
    match schema {
        Value::Object(map) => {
            if map.get("rule").and_then(Value::as_str) == Some(rule) {
                return map.get("message")?.as_str().map(Into::into);
            }
            map.values().find_map(|v| rule_message(v, rule))
        }
        Value::Array(items) => items.iter().find_map(|v| rule_message(v, rule)),
        _ => None,
    }
}

fn walk(schema: &Value, value: &Value, path: &str, out: &mut Vec<Problem>) {
    let mut problem = |message: String| {
        out.push(Problem {
            path: path.to_owned(),
            message,
        });
    };
    if schema["x-kubernetes-int-or-string"] == true {
        match value {
            Value::Number(_) => {}
            Value::String(text) => string(schema, text, &mut problem),
            other => problem(format!("must be a number or text, not {}", kind_of(other))),
        }
        return;
    }
    match schema["type"].as_str() {
        Some("object") => match value {
            Value::Object(fields) => object(schema, fields, path, out),
            other => problem(format!("must be a map of fields, not {}", kind_of(other))),
        },
        Some("array") => match value {
            Value::Array(items) => {
                if let Some(least) = schema["minItems"].as_u64().filter(|n| (items.len() as u64) < *n) {
                    problem(format!("needs at least {least} entries, has {}", items.len()));
                }
                if let Some(most) = schema["maxItems"].as_u64().filter(|n| (items.len() as u64) > *n) {
                    problem(format!("may have {most} entries at most, has {}", items.len()));
                }
                for (i, item) in items.iter().enumerate() {
                    walk(&schema["items"], item, &format!("{path}[{i}]"), out);
                }
            }
            other => problem(format!("must be a list, not {}", kind_of(other))),
        },
        Some("string") => match value {
            Value::String(text) => string(schema, text, &mut problem),
            other => problem(format!("must be text, not {}: put it in quotes", kind_of(other))),
        },
        Some("integer") => match value.as_i64() {
            Some(n) => {
                let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
                if least.is_some_and(|l| n < l) || most.is_some_and(|m| n > m) {
                    problem(format!("{n} is out of range: {}", range(least, most)));
                }
            }
            None => problem(format!("must be a whole number, not {}", kind_of(value))),
        },
        Some("boolean") if !value.is_boolean() => {
            problem(format!("must be true or false, not {}", kind_of(value)));
        }
        _ => {}
    }
}

fn range(least: Option<i64>, most: Option<i64>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("must be {least} to {most}"),
        (Some(least), None) => format!("must be at least {least}"),
        (None, Some(most)) => format!("must be at most {most}"),
        (None, None) => String::new(),
    }
}

fn object(schema: &Value, fields: &Map<String, Value>, path: &str, out: &mut Vec<Problem>) {
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if fields.get(name).is_none_or(Value::is_null) && schema["properties"][name]["default"].is_null() {
            out.push(Problem {
                path: join(name),
                message: "is required".into(),
            });
        }
    }
    if let Some(most) = schema["maxProperties"]
        .as_u64()
        .filter(|n| (fields.len() as u64) > *n)
    {
        out.push(Problem {
            path: path.to_owned(),
            message: format!("may have {most} entries at most, has {}", fields.len()),
        });
    }
    let properties = schema["properties"].as_object();
    let extra = schema.get("additionalProperties");
    let open =
        schema["x-kubernetes-preserve-unknown-fields"] == true || (properties.is_none() && extra.is_none());
    for (name, value) in fields.iter().filter(|(_, v)| !v.is_null()) {
        if let Some(known) = properties.and_then(|p| p.get(name)) {
            walk(known, value, &join(name), out);
        } else if let Some(extra) = extra {
            walk(extra, value, &format!("{path}[{name:?}]"), out);
        } else if !open {
            let names = properties
                .map(|p| p.keys().map(String::as_str))
                .into_iter()
                .flatten();
            out.push(Problem {
                path: join(name),
                message: format!("unknown field{}", suggestion(name, names)),
            });
        }
    }
}

fn string(schema: &Value, text: &str, problem: &mut impl FnMut(String)) {
    if let Some(allowed) = schema["enum"].as_array() {
        let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        if !words.contains(&text) {
            let hint = suggestion(text, words.iter().copied());
            problem(format!("{text:?} is not one of {}{hint}", words.join(", ")));
            return;
        }
    }
    let length = text.chars().count() as u64;
    if let Some(least) = schema["minLength"].as_u64().filter(|n| length < *n) {
        problem(format!("must have at least {least} characters"));
    }
    if let Some(most) = schema["maxLength"].as_u64().filter(|n| length > *n) {
        problem(format!("may have {most} characters at most, has {length}"));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && Regex::new(pattern).is_ok_and(|r| !r.is_match(text))
    {
        let what = schema["description"].as_str().unwrap_or_default();
        problem(format!("{text:?} is not valid here ({what} pattern {pattern})"));
    }
    if schema["format"] == "date-time" && text.parse::<jiff::Timestamp>().is_err() {
        problem(format!(
            "{text:?} is not a time: write it like 2026-01-05T09:00:00Z"
        ));
    }
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(b) => format!("{b}"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) => format!("the text {s:?}"),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
    }
}

/// `, did you mean "x"?` when one of `words` is close, else nothing.
pub fn suggestion<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> String {
    nearest(word, words).map_or_else(String::new, |w| format!(", did you mean {w:?}?"))
}

/// The closest of `words` by edit distance, ignoring case; `None` when nothing is near. Ties go to the first.
pub fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in words {
        let distance = distance(&lower, &candidate.to_lowercase());
        if distance <= limit && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, w)| w)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut previous = i;
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(0);
            let left = next.last().copied().unwrap_or(0);
            next.push((previous + usize::from(x != *y)).min(above + 1).min(left + 1));
            previous = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
