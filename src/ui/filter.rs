//! The filter language (screens §8): `text`, `!text`, `pool=batch`, `cpu>80`, `price<0.2`, `age<2h`, `-l app=web`.
//! Terms are joined by and.

use crate::model::Labels;

/// A value that filters compare and lists sort by.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Value {
    Number(f64),
    Text(String),
}

impl Value {
    /// Total order for sorting: numbers before texts.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => std::cmp::Ordering::Less,
            (Self::Text(_), Self::Number(_)) => std::cmp::Ordering::Greater,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Text(String),
    Not(String),
    Compare { field: String, op: Op, wanted: String },
    Label { key: String, value: Option<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Is,
    IsNot,
    Less,
    More,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// What a filter may ask about a row.
pub trait Row {
    fn field(&self, name: &str) -> Option<Value>;
    /// All columns as one text.
    fn text(&self) -> String;
    fn labels(&self) -> Option<&Labels>;
}

impl Filter {
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            if word == "-l" {
                for pair in words.next().unwrap_or("").split(',').filter(|p| !p.is_empty()) {
                    let (key, value) = match pair.split_once('=') {
                        Some((k, v)) => (k, Some(v.trim_start_matches('=').to_owned())),
                        None => (pair, None),
                    };
                    terms.push(Term::Label {
                        key: key.to_owned(),
                        value,
                    });
                }
            } else {
                terms.push(term(word));
            }
        }
        Self { terms }
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn matches(&self, row: &dyn Row) -> bool {
        let mut text: Option<String> = None;
        self.terms.iter().all(|term| match term {
            Term::Text(needle) => text
                .get_or_insert_with(|| row.text().to_lowercase())
                .contains(needle.as_str()),
            Term::Not(needle) => !text
                .get_or_insert_with(|| row.text().to_lowercase())
                .contains(needle.as_str()),
            Term::Compare { field, op, wanted } => {
                row.field(field).is_some_and(|found| compare(&found, *op, wanted))
            }
            Term::Label { key, value } => {
                row.labels()
                    .is_some_and(|labels| match (labels.get(key.as_str()), value) {
                        (Some(found), Some(wanted)) => **found == **wanted,
                        (found, None) => found.is_some(),
                        _ => false,
                    })
            }
        })
    }
}

fn term(word: &str) -> Term {
    for (sign, op) in [("!=", Op::IsNot), ("=", Op::Is), ("<", Op::Less), (">", Op::More)] {
        if let Some((field, wanted)) = word.split_once(sign)
            && !field.is_empty()
            && field.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Term::Compare {
                field: field.to_lowercase(),
                op,
                wanted: wanted.to_lowercase(),
            };
        }
    }
    match word.strip_prefix('!') {
        Some(rest) if !rest.is_empty() => Term::Not(rest.to_lowercase()),
        _ => Term::Text(word.to_lowercase()),
    }
}

fn compare(found: &Value, op: Op, wanted: &str) -> bool {
    match (found, number(wanted)) {
        (Value::Number(n), Some(w)) => match op {
            Op::Is => (n - w).abs() < 1e-9,
            Op::IsNot => (n - w).abs() >= 1e-9,
            Op::Less => *n < w,
            Op::More => *n > w,
        },
        (Value::Text(text), _) => {
            let text = text.to_lowercase();
            match op {
                Op::Is => text.contains(wanted),
                Op::IsNot => !text.contains(wanted),
                Op::Less => text.as_str() < wanted,
                Op::More => text.as_str() > wanted,
            }
        }
        (Value::Number(_), None) => false,
    }
}

/// `0.2`, `80%`, `500m`, `2h`, `4gi` → a plain number; times are seconds, `gi` and `mi` are mebibytes. `500m` is a
/// time of 500 minutes only in `age` and `wait`, which count in seconds, so `m` means minutes everywhere.
fn number(text: &str) -> Option<f64> {
    let at = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let factor = match unit {
        "" | "%" | "s" | "mi" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "gi" => 1024.0,
        _ => return None,
    };
    digits
        .trim_start_matches('$')
        .parse::<f64>()
        .ok()
        .map(|n| n * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample(Labels);
    impl Row for Sample {
        fn field(&self, name: &str) -> Option<Value> {
            match name {
                "cpu" => Some(Value::Number(94.0)),
                "age" => Some(Value::Number(3000.0)),
                "pool" => Some(Value::Text("batch".to_owned())),
                _ => None,
            }
        }
        fn text(&self) -> String {
            "ip-10-0-5-66 Batch c6a.4xlarge".to_owned()
        }
        fn labels(&self) -> Option<&Labels> {
            Some(&self.0)
        }
    }

    #[test]
    fn terms_are_joined_by_and() {
        let row = Sample([("app".into(), "web".into())].into());
        for yes in [
            "",
            "batch",
            "BATCH c6a",
            "!web",
            "cpu>80",
            "age<2h",
            "pool=batch cpu>90%",
            "pool!=web",
            "-l app=web",
            "-l app",
        ] {
            assert!(Filter::parse(yes).matches(&row), "{yes}");
        }
        for no in [
            "web",
            "!batch",
            "cpu>95",
            "age<10m",
            "pool=web",
            "colour=red",
            "-l app=api",
            "-l tier",
            "cpu>x",
        ] {
            assert!(!Filter::parse(no).matches(&row), "{no}");
        }
    }
}
