//! The table of messages, read once from `assets/facts/kubernetes-protobuf.txt`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// How often a field comes, and how it stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    List,
    /// From strings.
    Map,
    /// Its fields stand in the message around it.
    Inline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bytes,
    Int,
    Bool,
    Quantity,
    Time,
    IntOrString,
    Message(&'static str),
    /// Kept by the server; what a client says is read over.
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub kind: Kind,
    /// A zero is an answer; elsewhere it means that the field is not set.
    pub zero_counts: bool,
}

/// Field number → field.
pub(super) type Message = BTreeMap<u32, Field>;

/// The message of that name.
pub(super) fn message(name: &str) -> Option<&'static Message> {
    static ALL: OnceLock<BTreeMap<&'static str, Message>> = OnceLock::new();
    ALL.get_or_init(|| read(include_str!("../../../../assets/facts/kubernetes-protobuf.txt")))
        .get(name)
}

fn read(table: &'static str) -> BTreeMap<&'static str, Message> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, fields)| (name, fields.split(',').filter_map(field).collect()))
        .collect()
}

fn field(text: &'static str) -> Option<(u32, Field)> {
    let mut words = text.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let name = words.next()?;
    let full = words.next()?;
    let (shape, rest) = match full.as_bytes() {
        [b'[', b']', ..] => (Shape::List, full.get(2..)?),
        [b'{', b'}', ..] => (Shape::Map, full.get(2..)?),
        [b'^', ..] => (Shape::Inline, full.get(1..)?),
        _ => (Shape::One, full),
    };
    let kind = match rest.trim_end_matches('?') {
        "string" => Kind::Text,
        "bytes" => Kind::Bytes,
        "int" => Kind::Int,
        "bool" => Kind::Bool,
        "Quantity" => Kind::Quantity,
        "Time" => Kind::Time,
        "IntOrString" => Kind::IntOrString,
        "-" => Kind::Ignored,
        name => Kind::Message(name),
    };
    let zero_counts = rest.ends_with('?');
    Some((
        number,
        Field {
            name,
            shape,
            kind,
            zero_counts,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let text = include_str!("../../../../assets/facts/kubernetes-protobuf.txt");
        let all = read(text);
        assert!(all.len() > 150);
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let (name, fields) = line.split_once(':').unwrap();
            let listed = fields.split(',').filter(|f| !f.trim().is_empty()).count();
            assert_eq!(
                all[name].len(),
                listed,
                "{name}: a field cannot be read or comes twice"
            );
        }
        for (name, fields) in &all {
            for field in fields.values() {
                if let Kind::Message(inner) = field.kind {
                    assert!(
                        all.contains_key(inner),
                        "{name}.{}: no message {inner}",
                        field.name
                    );
                }
            }
        }
    }
}
