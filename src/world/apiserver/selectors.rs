//! Label and field selectors as they stand in a query string (`kube-wire §7`).

use serde_json::Value;

use super::kinds::Kind;
use crate::model::{Labels, Name};

/// A parsed label selector: every requirement must hold. The empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelQuery {
    terms: Vec<LabelTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LabelTerm {
    key: Name,
    test: LabelTest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LabelTest {
    In(Vec<Name>),
    NotIn(Vec<Name>),
    Exists,
    Absent,
    Greater(i64),
    Less(i64),
}

impl LabelQuery {
    /// `!=` and `notin` also match objects without the key.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.terms.iter().all(|term| {
            let value = labels.get(&term.key);
            let number = || value.and_then(|v| v.parse::<i64>().ok());
            match &term.test {
                LabelTest::In(values) => value.is_some_and(|v| values.contains(v)),
                LabelTest::NotIn(values) => value.is_none_or(|v| !values.contains(v)),
                LabelTest::Exists => value.is_some(),
                LabelTest::Absent => value.is_none(),
                LabelTest::Greater(bound) => number().is_some_and(|v| v > *bound),
                LabelTest::Less(bound) => number().is_some_and(|v| v < *bound),
            }
        })
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

/// Parses `a=b,c!=d,e in (x,y),f notin (z),g,!h,i>5,j<9`.
///
/// # Errors
/// The text that follows "unable to parse requirement" in the 400.
pub fn parse_labels(text: &str) -> Result<LabelQuery, String> {
    let mut words = Words {
        rest: text,
        whole: text,
    };
    let mut terms = Vec::new();
    if words.peek().is_empty() {
        return Ok(LabelQuery { terms });
    }
    loop {
        terms.push(words.term()?);
        match words.next() {
            "" => return Ok(LabelQuery { terms }),
            "," => {}
            other => return Err(words.wrong(other, "',' or the end")),
        }
    }
}

struct Words<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl<'a> Words<'a> {
    fn peek(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let text = self.rest;
        for operator in ["==", "!=", "=", "!", ",", "(", ")", ">", "<"] {
            if text.starts_with(operator) {
                return &text[..operator.len()];
            }
        }
        let end = text
            .find(|c: char| c.is_whitespace() || "=!,()<>".contains(c))
            .unwrap_or(text.len());
        &text[..end]
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek();
        self.rest = &self.rest[word.len()..];
        word
    }

    fn wrong(&self, found: &str, expected: &str) -> String {
        format!(
            "unable to parse requirement: found '{found}' in \"{}\", expected {expected}",
            self.whole
        )
    }

    fn key(&mut self) -> Result<Name, String> {
        let word = self.next();
        if is_key(word) {
            Ok(word.into())
        } else {
            Err(self.wrong(word, "a label key"))
        }
    }

    fn term(&mut self) -> Result<LabelTerm, String> {
        if self.peek() == "!" {
            self.next();
            return Ok(LabelTerm {
                key: self.key()?,
                test: LabelTest::Absent,
            });
        }
        let key = self.key()?;
        let test = match self.peek() {
            "" | "," => LabelTest::Exists,
            "=" | "==" => {
                self.next();
                LabelTest::In(vec![self.value()?])
            }
            "!=" => {
                self.next();
                LabelTest::NotIn(vec![self.value()?])
            }
            "in" => {
                self.next();
                LabelTest::In(self.values()?)
            }
            "notin" => {
                self.next();
                LabelTest::NotIn(self.values()?)
            }
            ">" | "gt" => {
                self.next();
                LabelTest::Greater(self.number()?)
            }
            "<" | "lt" => {
                self.next();
                LabelTest::Less(self.number()?)
            }
            other => return Err(self.wrong(other, "one of: in, notin, =, ==, !=, >, <")),
        };
        Ok(LabelTerm { key, test })
    }

    /// A value may be empty: `key=` selects the empty value.
    fn value(&mut self) -> Result<Name, String> {
        if matches!(self.peek(), "" | "," | ")") {
            return Ok("".into());
        }
        let word = self.next();
        if is_value(word) {
            Ok(word.into())
        } else {
            Err(self.wrong(word, "a label value"))
        }
    }

    fn values(&mut self) -> Result<Vec<Name>, String> {
        match self.next() {
            "(" => {}
            other => return Err(self.wrong(other, "'('")),
        }
        let mut values = Vec::new();
        loop {
            values.push(self.value()?);
            match self.next() {
                "," => {}
                ")" => return Ok(values),
                other => return Err(self.wrong(other, "',' or ')'")),
            }
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let word = self.next();
        word.parse().map_err(|_| self.wrong(word, "an integer"))
    }
}

fn is_name_part(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A qualified name: an optional DNS prefix, a slash, a name of at most 63 characters.
pub(super) fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        None => is_name_part(text),
        Some((prefix, name)) => {
            is_name_part(name)
                && prefix.len() <= 253
                && prefix.split('.').all(|part| {
                    is_name_part(part)
                        && part
                            .bytes()
                            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                })
        }
    }
}

pub(super) fn is_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

/// A parsed field selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldQuery {
    terms: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldTerm {
    field: String,
    value: String,
    equal: bool,
}

impl FieldQuery {
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True when the metadata alone decides, so that [`Self::matches_name`] can be asked instead.
    pub fn only_name(&self) -> bool {
        self.terms
            .iter()
            .all(|t| matches!(&*t.field, "metadata.name" | "metadata.namespace"))
    }

    /// The terms about name and namespace; the others are left to [`Self::matches`].
    pub fn matches_name(&self, namespace: &str, name: &str) -> bool {
        self.terms.iter().all(|term| match &*term.field {
            "metadata.name" => (name == term.value) == term.equal,
            "metadata.namespace" => (namespace == term.value) == term.equal,
            _ => true,
        })
    }

    pub fn matches(&self, object: &Value) -> bool {
        self.terms
            .iter()
            .all(|term| (field_text(object, &term.field) == term.value) == term.equal)
    }
}

/// Parses `metadata.name=x,status.phase!=Failed`; `\,`, `\=` and `\\` stand for themselves.
///
/// # Errors
/// The message of the 400, when the syntax is bad or the kind does not know the field.
pub fn parse_fields(kind: &Kind, text: &str) -> Result<FieldQuery, String> {
    let mut terms = Vec::new();
    for part in split_unescaped(text, ',') {
        if part.is_empty() {
            continue;
        }
        let (field, rest) = part
            .split_once('=')
            .ok_or_else(|| format!("invalid selector: '{part}'; can't understand '{part}'"))?;
        let (field, equal, value) = match field.strip_suffix('!') {
            Some(field) => (field, false, rest),
            None => (field, true, rest.strip_prefix('=').unwrap_or(rest)),
        };
        let field = field.trim();
        known(kind, field)?;
        terms.push(FieldTerm {
            field: field.to_owned(),
            value: unescape(value.trim())?,
            equal,
        });
    }
    Ok(FieldQuery { terms })
}

fn split_unescaped(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (i, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == at {
            parts.push(&text[start..i]);
            start = i + c.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                _ => {
                    return Err(format!(
                        "invalid field selector: invalid escape sequence in '{text}'"
                    ));
                }
            },
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in value '{text}'"
                ));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

fn known(kind: &Kind, field: &str) -> Result<(), String> {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return Ok(());
    }
    let more: &[&str] = if kind.crd.is_some() {
        &[]
    } else {
        more_fields(&kind.kind)
    };
    if more.contains(&field) {
        Ok(())
    } else if more.is_empty() {
        Err(format!(
            "\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ))
    } else {
        Err(format!("field label not supported: {field}"))
    }
}

fn more_fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "Node" => &["spec.unschedulable"],
        "Event" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "Namespace" => &["status.phase"],
        "Job" => &["status.successful"],
        "Secret" => &["type"],
        "Service" => &["spec.clusterIP", "spec.type"],
        "ReplicationController" => &["status.replicas"],
        _ => &[],
    }
}

/// What an object shows for a field; an absent boolean reads `false`, an absent count `0`.
fn field_text(object: &Value, field: &str) -> String {
    let look = |path: &str| path.split('.').try_fold(object, |value, key| value.get(key));
    let found = match field {
        // Events are seen in the core form or in that of events.k8s.io.
        "source" => look("source.component")
            .or_else(|| look("deprecatedSource.component"))
            .or_else(|| look("reportingComponent"))
            .or_else(|| look("reportingController")),
        "reportingComponent" => look("reportingComponent").or_else(|| look("reportingController")),
        _ => look(field).or_else(|| {
            let tail = field.strip_prefix("involvedObject.")?;
            look("regarding")?.get(tail)
        }),
    };
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => match field {
            "spec.hostNetwork" | "spec.unschedulable" => "false".to_owned(),
            "status.successful" | "status.replicas" => "0".to_owned(),
            _ => String::new(),
        },
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
#[path = "selectors_tests.rs"]
mod tests;
