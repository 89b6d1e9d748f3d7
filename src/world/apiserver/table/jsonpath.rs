//! The part of kubectl's JSONPath that printer columns use: dotted fields, escaped dots, `[*]`, `[n]`,
//! `['name']` and filters `[?(@.type=="Ready")]`.

use serde_json::Value;

enum Step {
    Field(String),
    Index(i64),
    All,
    /// Path below the item, operator, literal.
    Filter(Vec<Step>, String, Value),
}

/// Every value that `path` (with or without braces and leading dot) finds, in document order; nothing for a
/// path that cannot be read.
pub fn find<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    let path = path.trim();
    let path = path
        .strip_prefix('{')
        .and_then(|p| p.strip_suffix('}'))
        .unwrap_or(path);
    match parse(path.strip_prefix('$').unwrap_or(path)) {
        Some(steps) => walk(value, &steps),
        None => Vec::new(),
    }
}

fn walk<'v>(value: &'v Value, steps: &[Step]) -> Vec<&'v Value> {
    let Some((step, rest)) = steps.split_first() else {
        return vec![value];
    };
    let next: Vec<&Value> = match (step, value) {
        (Step::Field(name), Value::Object(map)) => map.get(name).into_iter().collect(),
        (Step::All, Value::Array(items)) => items.iter().collect(),
        (Step::All, Value::Object(map)) => map.values().collect(),
        (Step::Index(at), Value::Array(items)) => {
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let at = if *at < 0 { at + length } else { *at };
            usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at))
                .into_iter()
                .collect()
        }
        (Step::Filter(path, operator, literal), Value::Array(items)) => items
            .iter()
            .filter(|item| passes(item, path, operator, literal))
            .collect(),
        _ => Vec::new(),
    };
    next.into_iter().flat_map(|value| walk(value, rest)).collect()
}

fn passes(item: &Value, path: &[Step], operator: &str, literal: &Value) -> bool {
    let found = walk(item, path);
    let Some(first) = found.first() else {
        return false;
    };
    let numbers = || Some((first.as_f64()?, literal.as_f64()?));
    match operator {
        "" => true,
        "==" => *first == literal,
        "!=" => *first != literal,
        "<" => numbers().is_some_and(|(a, b)| a < b),
        ">" => numbers().is_some_and(|(a, b)| a > b),
        "<=" => numbers().is_some_and(|(a, b)| a <= b),
        ">=" => numbers().is_some_and(|(a, b)| a >= b),
        _ => false,
    }
}

fn parse(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            let (inside, after) = bracket(rest)?;
            steps.push(subscript(inside)?);
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if rest.is_empty() || rest.starts_with('[') {
            continue;
        }
        let (name, after) = field(rest)?;
        steps.push(if name == "*" { Step::All } else { Step::Field(name) });
        rest = after;
    }
    Some(steps)
}

/// A field name up to the next dot or bracket; a backslash takes the next character as it is.
fn field(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            '.' | '[' => return (!name.is_empty()).then_some((name, &text[at..])),
            c => name.push(c),
        }
    }
    Some((name, ""))
}

/// What is inside the bracket that `text` starts with, quotes respected, and what follows it.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some((text.get(1..at)?, text.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}

fn subscript(inside: &str) -> Option<Step> {
    let inside = inside.trim();
    if inside == "*" {
        return Some(Step::All);
    }
    if let Some(name) = quoted(inside) {
        return Some(Step::Field(name.to_owned()));
    }
    let Some(filter) = inside.strip_prefix("?(").and_then(|f| f.strip_suffix(')')) else {
        return inside.parse().ok().map(Step::Index);
    };
    for operator in ["==", "!=", "<=", ">=", "<", ">"] {
        if let Some((left, right)) = filter.split_once(operator) {
            let path = left.trim().strip_prefix('@')?;
            return Some(Step::Filter(
                parse(path)?,
                operator.to_owned(),
                literal(right.trim())?,
            ));
        }
    }
    let path = filter.trim().strip_prefix('@')?;
    Some(Step::Filter(parse(path)?, String::new(), Value::Null))
}

fn quoted(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|q| {
        text.strip_prefix(q)
            .and_then(|t| t.strip_suffix(q))
            .filter(|t| !t.contains(q))
    })
}

fn literal(text: &str) -> Option<Value> {
    match quoted(text) {
        Some(text) => Some(Value::from(text)),
        None => serde_json::from_str(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_of_printer_columns() {
        let object = json!({"metadata": {"labels": {"node.kubernetes.io/instance-type": "m5.large", "a": "1"}},
            "status": {"nodes": 3, "conditions": [{"type": "Ready", "status": "True"}, {"type": "Drifted", "status": "False"}]},
            "list": [1, 2, 3]});
        for (path, want) in [
            (
                r".metadata.labels.node\.kubernetes\.io/instance-type",
                json!(["m5.large"]),
            ),
            (
                ".metadata.labels['node.kubernetes.io/instance-type']",
                json!(["m5.large"]),
            ),
            (".status.nodes", json!([3])),
            ("{.status.nodes}", json!([3])),
            (
                r#".status.conditions[?(@.type=="Ready")].status"#,
                json!(["True"]),
            ),
            (
                ".status.conditions[?(@.type=='Drifted')].status",
                json!(["False"]),
            ),
            (
                r#".status.conditions[?(@.type != "Ready")].type"#,
                json!(["Drifted"]),
            ),
            (".status.conditions[*].type", json!(["Ready", "Drifted"])),
            (
                ".status.conditions[?(@.status)].type",
                json!(["Ready", "Drifted"]),
            ),
            (".list[0]", json!([1])),
            (".list[-1]", json!([3])),
            (".list[?(@ > 1)]", json!([2, 3])),
            (".list[9]", json!([])),
            (".nothing.here", json!([])),
            (".list[", json!([])),
            (r#".list[?(type=="x")]"#, json!([])),
        ] {
            let found: Vec<Value> = find(&object, path).into_iter().cloned().collect();
            assert_eq!(Value::Array(found), want, "{path}");
        }
        assert_eq!(find(&object, ".metadata.labels[*]").len(), 2);
    }
}
