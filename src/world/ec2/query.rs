//! Filters of describe calls.

use crate::cloud::aws::api::{Ec2Error, Filter, Tags};

/// What an object answers to a filter name: its values, or `None` for a name that the call does not know.
pub fn matches<'a>(
    filters: &[Filter],
    values: impl Fn(&str) -> Option<Vec<&'a str>>,
) -> Result<bool, Ec2Error> {
    for filter in filters {
        let Some(have) = values(&filter.name) else {
            return Err(Ec2Error::new(
                "InvalidParameterValue",
                format!("The filter '{}' is invalid", filter.name),
            ));
        };
        if !filter
            .values
            .iter()
            .any(|pattern| have.iter().any(|value| like(pattern, value)))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `tag:k` and `tag-key`; `None` for other filter names.
pub fn tag_values<'a>(tags: &'a Tags, name: &str) -> Option<Vec<&'a str>> {
    if name == "tag-key" {
        return Some(tags.keys().map(|k| &**k).collect());
    }
    let key = name.strip_prefix("tag:")?;
    Some(tags.get(key).map(|v| &**v).into_iter().collect())
}

/// `*` stands for any text.
pub fn like(pattern: &str, value: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_ored_filters_are_anded() {
        let tags: Tags = [("team".into(), "shop".into()), ("tier".into(), "web".into())].into();
        let ask = |filters: &[Filter]| matches(filters, |name| tag_values(&tags, name));
        assert_eq!(ask(&[Filter::new("tag:team", ["x", "shop"])]), Ok(true));
        assert_eq!(ask(&[Filter::new("tag-key", ["tier"])]), Ok(true));
        assert_eq!(
            ask(&[Filter::new("tag:team", ["shop"]), Filter::new("tag:tier", ["db"])]),
            Ok(false)
        );
        assert!(ask(&[Filter::new("colour", ["red"])]).is_err());
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, value, want) in [
            ("a*c", "abc", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("abc", "abcd", false),
            ("a*d", "abc", false),
        ] {
            assert_eq!(like(pattern, value), want, "{pattern} {value}");
        }
    }
}
