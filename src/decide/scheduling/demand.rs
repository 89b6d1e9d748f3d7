//! From a pod to what it demands of a node (`scheduling §7`).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::requirements::Incompatible;
use crate::model::{Name, Operator, PodSpec, Requirement, Requirements};

/// One In a nodeSelector entry.
fn base(spec: &PodSpec) -> Requirements {
    Requirements::from_labels(&spec.node_selector)
}

fn with(mut to: Requirements, terms: &[Requirement]) -> Requirements {
    for requirement in terms {
        to.add(requirement.clone());
    }
    to
}

/// The heaviest preferred term; the first of equals.
pub fn heaviest(spec: &PodSpec) -> Option<usize> {
    (0..spec.preferred_terms.len()).min_by_key(|i| (-i64::from(spec.preferred_terms[*i].0), *i))
}

/// nodeSelector ∩ the first required term.
pub fn strict(spec: &PodSpec) -> Requirements {
    match spec.required_terms.first() {
        Some(term) => with(base(spec), term),
        None => base(spec),
    }
}

/// Strict ∩ the heaviest preferred term.
pub fn all(spec: &PodSpec) -> Requirements {
    let mut out = base(spec);
    if let Some(i) = heaviest(spec) {
        out = with(out, &spec.preferred_terms[i].1);
    }
    match spec.required_terms.first() {
        Some(term) => with(out, term),
        None => out,
    }
}

/// nodeSelector ∩ each required term; the nodeSelector alone without terms.
pub fn strict_requirements(spec: &PodSpec) -> Vec<Requirements> {
    if spec.required_terms.is_empty() {
        return vec![base(spec)];
    }
    spec.required_terms
        .iter()
        .map(|term| with(base(spec), term))
        .collect()
}

/// What joining a pod's rules forgets: lists without a common value become `DoesNotExist` and `Exists` is swallowed by
/// `NotIn`, both of which a label that is not there satisfies (`scheduling §5.3`). Kubernetes asks for the label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Two rules that no label satisfies.
    pub contradiction: Option<Incompatible>,
    /// Keys that must be there, whatever the joined rule says.
    pub present: BTreeSet<Name>,
}

/// Compares the joined rules with those they were made of.
pub fn forgotten(spec: &PodSpec, preferences: bool) -> Forgotten {
    let selector = base(spec);
    let preferred = heaviest(spec)
        .filter(|_| preferences)
        .map_or(&[][..], |i| &spec.preferred_terms[i].1);
    let term = spec.required_terms.first().map_or(&[][..], Vec::as_slice);
    let mut by_key: BTreeMap<&Name, Vec<&Requirement>> = BTreeMap::new();
    for rule in selector.iter().chain(preferred).chain(term) {
        by_key.entry(&rule.key).or_default().push(rule);
    }
    let mut out = Forgotten::default();
    for (key, rules) in by_key {
        let (Some((first, rest)), Some(demanding)) =
            (rules.split_first(), rules.iter().find(|r| !r.allows_absence()))
        else {
            continue;
        };
        let joined = rest
            .iter()
            .fold((*first).clone(), |all, rule| rule.intersection(&all));
        match joined.operator() {
            Operator::NotIn => drop(out.present.insert(key.clone())),
            Operator::DoesNotExist if out.contradiction.is_none() => {
                let other = rules.iter().find(|r| !r.has_intersection(demanding));
                out.contradiction = Some(Incompatible::Conflict {
                    key: key.clone(),
                    existing: (*demanding).clone(),
                    incoming: other.map_or_else(|| joined.clone(), |r| (*r).clone()),
                });
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operator;

    #[test]
    fn joined_rules_do_not_lose_that_a_label_must_be_there() {
        let nothing = |key: &str, operator| Requirement::new::<&str>(key, operator, []);
        let mut spec = PodSpec {
            required_terms: vec![vec![
                nothing("team", Operator::Exists),
                Requirement::new("team", Operator::NotIn, ["a"]),
                Requirement::is_in("zone", ["z1"]),
            ]],
            preferred_terms: vec![(1, vec![nothing("zone", Operator::DoesNotExist)])],
            ..PodSpec::default()
        };
        let strictly = forgotten(&spec, false);
        assert_eq!(strictly.present, ["team".into()].into());
        assert_eq!(strictly.contradiction, None);
        assert!(
            forgotten(&spec, true).contradiction.is_some(),
            "a preference may not undo a rule"
        );
        spec.node_selector = [("zone".into(), "z2".into())].into();
        let why = forgotten(&spec, false).contradiction;
        assert!(
            matches!(why, Some(Incompatible::Conflict { key, .. }) if &*key == "zone"),
            "z1 and z2 cannot both hold"
        );
    }

    #[test]
    fn case_6_expressions_of_one_term_intersect() {
        let spec = PodSpec {
            required_terms: vec![vec![
                Requirement::is_in("zone", ["z1", "z2"]),
                Requirement::new("zone", Operator::NotIn, ["z2"]),
            ]],
            preferred_terms: vec![
                (1, vec![Requirement::is_in("a", ["light"])]),
                (50, vec![Requirement::is_in("a", ["heavy"])]),
                (50, vec![Requirement::is_in("a", ["later"])]),
            ],
            ..PodSpec::default()
        };
        assert_eq!(
            strict(&spec).get("zone"),
            Some(&Requirement::is_in("zone", ["z1"]))
        );
        assert_eq!(all(&spec).get("a"), Some(&Requirement::is_in("a", ["heavy"])));
        assert!(strict(&spec).get("a").is_none());
    }
}
