//! Which objects a list or watch is about: namespace, labels, fields.

use super::glue::{self, FieldQuery, LabelQuery};
use super::kinds::Kind;
use super::object::Stored;
use super::status::StatusError;
use super::wire::Query;
use crate::model::Name;

#[derive(Debug, Default)]
pub struct Filter {
    pub namespace: Option<Name>,
    labels: Option<LabelQuery>,
    fields: Option<FieldQuery>,
    /// Texts that every match of the field selector must contain: they save most parsing.
    needles: Vec<String>,
    /// `metadata.name`, when the field selector names one.
    name: Option<Name>,
}

impl Filter {
    /// `name` narrows to one object, as a watch on a single object does.
    pub fn parse(
        kind: &Kind,
        namespace: Option<&str>,
        name: Option<&str>,
        query: &Query,
    ) -> Result<Self, StatusError> {
        let (labels, fields) = (query.get("labelSelector"), query.get("fieldSelector"));
        let mut out = Self {
            namespace: namespace.map(Name::from),
            name: name.map(Name::from),
            ..Self::default()
        };
        if !labels.is_empty() {
            let query = glue::parse_labels(labels)
                .map_err(|e| StatusError::bad_request(format!("unable to parse requirement: {e}")))?;
            out.labels = Some(query);
        }
        if !fields.is_empty() {
            out.fields = Some(glue::parse_fields(kind, fields).map_err(StatusError::bad_request)?);
            for term in fields.split(',') {
                let Some((key, value)) = equality(term) else {
                    continue;
                };
                if key == "metadata.name" && out.name.is_none() {
                    out.name = Some(Name::from(value));
                } else if plain(value) && key != "metadata.namespace" {
                    out.needles.push(value.to_owned());
                }
            }
        }
        Ok(out)
    }

    /// Whether anything but the namespace narrows.
    pub fn selects(&self) -> bool {
        self.labels.is_some() || self.fields.is_some() || self.name.is_some()
    }

    pub fn matches(&self, object: &Stored) -> bool {
        if self
            .namespace
            .as_ref()
            .is_some_and(|wanted| *wanted != object.namespace)
            || self.name.as_ref().is_some_and(|wanted| *wanted != object.name)
            || self
                .labels
                .as_ref()
                .is_some_and(|labels| !labels.matches(&object.labels))
        {
            return false;
        }
        let Some(fields) = &self.fields else {
            return true;
        };
        if !fields.matches_name(&object.namespace, &object.name) {
            return false;
        }
        if fields.only_name() {
            return true;
        }
        if !self.needles.is_empty() {
            let text = std::str::from_utf8(&object.bytes).unwrap_or_default();
            if !self.needles.iter().all(|needle| text.contains(needle.as_str())) {
                return false;
            }
        }
        fields.matches(&object.value())
    }
}

/// `a=b` or `a==b`, not `a!=b`.
fn equality(term: &str) -> Option<(&str, &str)> {
    let (key, value) = term.split_once('=')?;
    if key.ends_with('!') {
        return None;
    }
    Some((key.trim(), value.strip_prefix('=').unwrap_or(value).trim()))
}

/// A text that JSON writes as it is, and that no default stands for.
fn plain(value: &str) -> bool {
    value.len() > 5
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equality_gives_needles() {
        assert_eq!(equality("spec.nodeName=n1"), Some(("spec.nodeName", "n1")));
        assert_eq!(equality("a==b"), Some(("a", "b")));
        assert_eq!(equality("a!=b"), None);
        assert!(!plain("false") && !plain("a\\,bcdefg") && plain("ip-10-0-0-1.ec2.internal"));
    }
}
