//! From a pod to what it demands of a node (`scheduling §7`).

use crate::model::{PodSpec, Requirement, Requirements};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operator;

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
