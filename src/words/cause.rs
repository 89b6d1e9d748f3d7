//! What emptied a funnel, and what nothing in the cluster has.

use super::names::{key, list, plural};
use super::{amount, doubt};
use crate::model::Name;
use crate::model::decision::cause::{Cause, Unknown};

const ZONE: &str = "topology.kubernetes.io/zone";
const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";

/// `instance type`, `zone`, or the label.
fn thing(label: &str) -> String {
    match label {
        INSTANCE_TYPE => "instance type".to_owned(),
        ZONE => "zone".to_owned(),
        other => key(other).to_owned(),
    }
}

/// `a`, `a or b`, `a, b or c`
fn either(names: &[Name]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.to_string(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

fn meant(hints: &[Name]) -> String {
    if hints.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", either(hints))
    }
}

fn no_such(label: &str, values: &[Name], hints: &[Name]) -> String {
    if label == ZONE {
        let there = match hints {
            [] => String::new(),
            [_] => meant(hints),
            many => format!("; there are {}", list(many, 6)),
        };
        return format!("no such zone: {}{there}", list(values, 3));
    }
    let verb = if values.len() == 1 { "does" } else { "do" };
    format!(
        "{} {} {verb} not exist{}",
        thing(label),
        list(values, 3),
        meant(hints)
    )
}

/// The fact in a sentence: what was wanted, what there is.
pub fn cause(c: &Cause) -> String {
    match c {
        Cause::DoesNotExist { key, values, hints } => no_such(key, values, hints),
        Cause::Excluded { requirement } => format!(
            "excluded: no instance type meets {} next to the other requirements",
            super::requirement(requirement)
        ),
        Cause::TooSmall {
            resource, most: 0, ..
        } => format!("no instance type that it may use has {resource}"),
        Cause::TooSmall {
            resource,
            wanted,
            most,
            instance_type,
        } => format!(
            "too small: {resource} {} needed{}, the largest type that it may use ({instance_type}) has {} for pods",
            amount(resource, *wanted),
            doubt(resource, *wanted),
            amount(resource, *most)
        ),
        Cause::NotOffered { types, example } => format!(
            "not offered: {} fit ({example}), none in the wanted zones and capacity types",
            plural(*types as usize, "type")
        ),
        Cause::OutOfStock { types, example } => format!(
            "out of stock: {} fit ({example}), none is to be had now",
            plural(*types as usize, "type")
        ),
        Cause::OverLimit {
            resource,
            remaining,
            smallest,
            instance_type,
        } => format!(
            "over the limit: {resource} {} left, the smallest type that fits ({instance_type}) has {}",
            amount(resource, (*remaining).max(0)),
            amount(resource, *smallest)
        ),
    }
}

/// A few words for a column.
pub fn cause_short(c: &Cause) -> String {
    match c {
        Cause::DoesNotExist { key, values, .. } if &**key == ZONE => {
            format!("no zone {}", list(values, 1))
        }
        Cause::DoesNotExist { values, .. } => format!("{} does not exist", list(values, 1)),
        Cause::Excluded { requirement } => format!("no type: {}", key(&requirement.key)),
        Cause::TooSmall { resource, .. } => format!("no type: {resource}"),
        Cause::NotOffered { .. } => "not offered".to_owned(),
        Cause::OutOfStock { .. } => "out of stock".to_owned(),
        Cause::OverLimit { resource, .. } => format!("{resource} limit"),
    }
}

/// `instance type m5d.x2large does not exist; did you mean m5d.2xlarge?`
pub fn unknown(u: &Unknown) -> String {
    match &u.value {
        None => format!(
            "label {}: no node and no NodePool has it{}",
            u.key,
            meant(&u.hints)
        ),
        Some(value) => no_such(&u.key, std::slice::from_ref(value), &u.hints),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_reasons_read_differently() {
        let exist = |key: &str, value: &str, hints: &[&str]| Cause::DoesNotExist {
            key: key.into(),
            values: vec![value.into()],
            hints: hints.iter().map(|h| (*h).into()).collect(),
        };
        for (c, want) in [
            (
                exist(INSTANCE_TYPE, "m5d.x2large", &["m5d.2xlarge"]),
                "instance type m5d.x2large does not exist; did you mean m5d.2xlarge?",
            ),
            (
                exist(ZONE, "us-west-2a", &["us-east-1a", "us-east-1b"]),
                "no such zone: us-west-2a; there are us-east-1a, us-east-1b",
            ),
            (
                exist("karpenter.k8s.aws/instance-family", "q9", &[]),
                "instance-family q9 does not exist",
            ),
            (
                Cause::TooSmall {
                    resource: "memory".into(),
                    wanted: 40 << 30,
                    most: 30 << 30,
                    instance_type: "large".into(),
                },
                "too small: memory 40Gi needed, the largest type that it may use (large) has 30Gi for pods",
            ),
            (
                Cause::OutOfStock {
                    types: 1,
                    example: "a".into(),
                },
                "out of stock: 1 type fit (a), none is to be had now",
            ),
            (
                Cause::OverLimit {
                    resource: "cpu".into(),
                    remaining: -1000,
                    smallest: 2000,
                    instance_type: "a".into(),
                },
                "over the limit: cpu 0 left, the smallest type that fits (a) has 2",
            ),
        ] {
            assert_eq!(cause(&c), want);
        }
        let u = Unknown {
            key: "tema".into(),
            value: None,
            hints: vec!["team".into(), "time".into(), "term".into()],
        };
        assert_eq!(
            unknown(&u),
            "label tema: no node and no NodePool has it; did you mean team, time or term?"
        );
    }
}
