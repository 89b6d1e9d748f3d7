//! The scheduler's configuration as far as placing pods depends on it: default spread constraints
//! (`scheduling §18.7`), YAML or JSON.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use serde::Deserialize;

use super::project::pods::spread;
use crate::api::validate::is_qualified;
use crate::model::pod::SpreadConstraint;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Config {
    pod_topology_spread: Spread,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Spread {
    default_constraints: Vec<TopologySpreadConstraint>,
}

/// The constraints; none for an empty text.
///
/// # Errors
/// Where the text is wrong and how, as one line.
pub fn default_spread(text: &str) -> Result<Vec<SpreadConstraint>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let config: Config = serde_saphyr::from_str(text).map_err(|e| {
        let what = e.without_snippet().to_string();
        what.lines().next().unwrap_or_default().to_owned()
    })?;
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (i, c) in config.pod_topology_spread.default_constraints.iter().enumerate() {
        let bad = |field: &str, why: &str| {
            Err(format!(
                "podTopologySpread.defaultConstraints[{i}].{field}: {why}"
            ))
        };
        if c.max_skew <= 0 {
            return bad("maxSkew", "must be 1 or more");
        }
        if !is_qualified(&c.topology_key) {
            return bad("topologyKey", "is no label key");
        }
        if !["DoNotSchedule", "ScheduleAnyway"].contains(&c.when_unsatisfiable.as_str()) {
            return bad("whenUnsatisfiable", "must be DoNotSchedule or ScheduleAnyway");
        }
        if c.label_selector.is_some() {
            return bad(
                "labelSelector",
                "is deduced from each pod's Services and owner: leave it out",
            );
        }
        if c.match_label_keys.is_some() {
            return bad("matchLabelKeys", "cannot be used in a default: leave it out");
        }
        if !seen.insert((&c.topology_key, &c.when_unsatisfiable)) {
            return bad("topologyKey", "is given twice with the same whenUnsatisfiable");
        }
        out.push(spread(c));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(constraint: &str) -> Result<Vec<SpreadConstraint>, String> {
        default_spread(&format!(
            "podTopologySpread:\n  defaultConstraints:\n  - {{{constraint}}}\n"
        ))
    }

    #[test]
    fn item_67_configuration() {
        assert_eq!(default_spread(""), Ok(Vec::new()));
        let good = "maxSkew: 2, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway";
        let found = of(good).expect("good");
        assert_eq!((found[0].max_skew, found[0].hard), (2, false));
        assert_eq!(
            default_spread(
                r#"{"podTopologySpread":{"defaultConstraints":[{"maxSkew":1,"topologyKey":"a","whenUnsatisfiable":"DoNotSchedule"}]}}"#
            )
            .map(|c| c.len()),
            Ok(1)
        );
        for (bad, what) in [
            (
                "maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule",
                "maxSkew",
            ),
            (
                "maxSkew: 1, topologyKey: 'a b', whenUnsatisfiable: DoNotSchedule",
                "topologyKey",
            ),
            (
                "maxSkew: 1, topologyKey: a, whenUnsatisfiable: Maybe",
                "whenUnsatisfiable",
            ),
            (
                "maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule, labelSelector: {}",
                "labelSelector",
            ),
            (
                "maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule, matchLabelKeys: [x]",
                "matchLabelKeys",
            ),
        ] {
            let why = of(bad).expect_err(bad);
            assert!(why.contains(what), "{why}");
        }
        assert!(default_spread("podTopologySpred: {}").is_err());
    }
}
