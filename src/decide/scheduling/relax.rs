//! Giving up what a pod would like, one step a failure (`scheduling §19`).

use super::demand::heaviest;
use crate::model::decision::remedy::Preference;
use crate::model::pod::AffinityTerm;
use crate::model::taints::{TaintEffect, Toleration, TolerationOperator};
use crate::model::{PodSpec, Taint};

/// The pod after the first step that applies; `None` when nothing is left to give up. `prefer_taints`: some pool that
/// takes part has a `PreferNoSchedule` taint.
pub fn step(spec: &PodSpec, prefer_taints: bool) -> Option<PodSpec> {
    let mut out = spec.clone();
    if out.required_terms.len() > 1 {
        out.required_terms.remove(0);
        return Some(out);
    }
    if let Some(i) = heaviest_term(&out.affinity) {
        out.affinity.remove(i);
        return Some(out);
    }
    if let Some(i) = heaviest_term(&out.anti_affinity) {
        out.anti_affinity.remove(i);
        return Some(out);
    }
    if let Some(i) = heaviest(&out) {
        out.preferred_terms.remove(i);
        return Some(out);
    }
    if let Some(i) = out.spread.iter().position(|s| !s.hard) {
        out.spread.swap_remove(i);
        return Some(out);
    }
    let toleration = Toleration {
        operator: TolerationOperator::Exists,
        effect: Some(TaintEffect::PreferNoSchedule),
        ..Toleration::default()
    };
    if prefer_taints && !out.tolerations.contains(&toleration) {
        out.tolerations.push(toleration);
        return Some(out);
    }
    None
}

/// What one [`step`] from `before` to `after` gave up.
pub fn given_up(before: &PodSpec, after: &PodSpec) -> Option<Preference> {
    let term = |from: &[AffinityTerm], to: &[AffinityTerm]| {
        let lost = heaviest_term(from).filter(|_| to.len() < from.len())?;
        from.get(lost)
            .map(|t| (t.topology_key.clone(), t.weight.unwrap_or(0)))
    };
    if after.required_terms.len() < before.required_terms.len() {
        let requirements = before.required_terms.first()?.clone();
        return Some(Preference::RequiredTerm { requirements });
    }
    if let Some((key, weight)) = term(&before.affinity, &after.affinity) {
        return Some(Preference::Affinity { key, weight });
    }
    if let Some((key, weight)) = term(&before.anti_affinity, &after.anti_affinity) {
        return Some(Preference::AntiAffinity { key, weight });
    }
    if after.preferred_terms.len() < before.preferred_terms.len() {
        let (weight, requirements) = before.preferred_terms.get(heaviest(before)?)?.clone();
        return Some(Preference::NodeTerm { weight, requirements });
    }
    if after.spread.len() < before.spread.len() {
        let lost = before.spread.iter().find(|s| !s.hard)?;
        return Some(Preference::Spread {
            key: lost.topology_key.clone(),
            max_skew: lost.max_skew,
        });
    }
    (after.tolerations.len() > before.tolerations.len()).then_some(Preference::AvoidTaint)
}

/// The heaviest preferred term, the first of equals.
fn heaviest_term(terms: &[AffinityTerm]) -> Option<usize> {
    terms
        .iter()
        .enumerate()
        .filter_map(|(i, t)| t.weight.map(|w| (-i64::from(w), i)))
        .min()
        .map(|(_, i)| i)
}

pub fn prefers(taints: &[Taint]) -> bool {
    taints.iter().any(|t| t.effect == TaintEffect::PreferNoSchedule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pod::SpreadConstraint;
    use crate::model::{Name, Requirement};

    fn spread(key: &str, hard: bool) -> SpreadConstraint {
        SpreadConstraint {
            topology_key: key.into(),
            max_skew: 1,
            hard,
            selector: None,
            min_domains: None,
            match_label_keys: vec![],
            honor_affinity: true,
            honor_taints: false,
        }
    }

    #[test]
    fn item_53_order_of_relaxation() {
        let term = |weight| AffinityTerm {
            topology_key: "zone".into(),
            selector: None,
            namespaces: vec![],
            namespace_selector: None,
            weight,
        };
        let mut spec = PodSpec {
            required_terms: vec![
                vec![Requirement::is_in("a", ["1"])],
                vec![Requirement::is_in("a", ["2"])],
            ],
            affinity: vec![term(None), term(Some(1)), term(Some(9))],
            anti_affinity: vec![term(Some(5))],
            preferred_terms: vec![(7, vec![Requirement::is_in("b", ["1"])])],
            spread: vec![spread("x", false), spread("y", true), spread("z", false)],
            ..PodSpec::default()
        };
        let mut seen = Vec::new();
        let mut lost = Vec::new();
        while let Some(next) = step(&spec, true) {
            lost.push(given_up(&spec, &next).expect("a step gives something up"));
            seen.push((
                next.required_terms.len(),
                next.affinity.len(),
                next.anti_affinity.len(),
                next.preferred_terms.len(),
                next.spread
                    .iter()
                    .map(|s| s.topology_key.to_string())
                    .collect::<String>(),
                next.tolerations.len(),
            ));
            spec = next;
        }
        let want = [
            (1, 3, 1, 1, "xyz", 0),
            (1, 2, 1, 1, "xyz", 0),
            (1, 1, 1, 1, "xyz", 0),
            (1, 1, 0, 1, "xyz", 0),
            (1, 1, 0, 0, "xyz", 0),
            (1, 1, 0, 0, "zy", 0),
            (1, 1, 0, 0, "y", 0),
            (1, 1, 0, 0, "y", 1),
        ];
        let want: Vec<_> = want
            .map(|(a, b, c, d, e, f)| (a, b, c, d, e.to_owned(), f))
            .into();
        assert_eq!(seen, want);
        let (zone, x) = (Name::from("zone"), |k: &str| Preference::Spread {
            key: k.into(),
            max_skew: 1,
        });
        assert_eq!(
            lost,
            [
                Preference::RequiredTerm {
                    requirements: vec![Requirement::is_in("a", ["1"])]
                },
                Preference::Affinity {
                    key: zone.clone(),
                    weight: 9
                },
                Preference::Affinity {
                    key: zone.clone(),
                    weight: 1
                },
                Preference::AntiAffinity { key: zone, weight: 5 },
                Preference::NodeTerm {
                    weight: 7,
                    requirements: vec![Requirement::is_in("b", ["1"])]
                },
                x("x"),
                x("z"),
                Preference::AvoidTaint,
            ]
        );
        // The term that stays after step one is the second.
        assert_eq!(spec.required_terms[0][0], Requirement::is_in("a", ["2"]));
    }
}
