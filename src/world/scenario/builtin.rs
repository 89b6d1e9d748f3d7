//! The scenarios that ship with the program, and loading by name or path.

use std::path::Path;

use super::{Scenario, ScenarioError, parse};

const BUILTIN: &[(&str, &str)] = &[
    (
        "ami-drift",
        include_str!("../../../assets/scenarios/ami-drift.yaml"),
    ),
    (
        "batch-burst",
        include_str!("../../../assets/scenarios/batch-burst.yaml"),
    ),
    (
        "expiration",
        include_str!("../../../assets/scenarios/expiration.yaml"),
    ),
    ("inflate", include_str!("../../../assets/scenarios/inflate.yaml")),
    (
        "mixed-arch",
        include_str!("../../../assets/scenarios/mixed-arch.yaml"),
    ),
    (
        "registration-failure",
        include_str!("../../../assets/scenarios/registration-failure.yaml"),
    ),
    (
        "scale-down",
        include_str!("../../../assets/scenarios/scale-down.yaml"),
    ),
    (
        "spot-interruption",
        include_str!("../../../assets/scenarios/spot-interruption.yaml"),
    ),
    (
        "spot-storm",
        include_str!("../../../assets/scenarios/spot-storm.yaml"),
    ),
    ("steady", include_str!("../../../assets/scenarios/steady.yaml")),
    (
        "stuck-pdb",
        include_str!("../../../assets/scenarios/stuck-pdb.yaml"),
    ),
    (
        "unhealthy-nodes",
        include_str!("../../../assets/scenarios/unhealthy-nodes.yaml"),
    ),
];

/// Name and text of every scenario that ships, by name.
pub fn builtin() -> &'static [(&'static str, &'static str)] {
    BUILTIN
}

/// A scenario that ships, or else the file of that path.
pub fn load(name_or_path: &str) -> Result<Scenario, ScenarioError> {
    if let Some((name, text)) = BUILTIN.iter().find(|(name, _)| *name == name_or_path) {
        return parse(&format!("{name}.yaml"), text);
    }
    let path = Path::new(name_or_path);
    if !path.exists() {
        let known: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
        return Err(ScenarioError::Unknown {
            name: name_or_path.to_owned(),
            known: known.join(", "),
        });
    }
    let text = std::fs::read_to_string(path).map_err(|error| ScenarioError::Unreadable {
        file: name_or_path.to_owned(),
        why: error.to_string(),
    })?;
    parse(name_or_path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_ships_is_sound() {
        for (name, _) in builtin() {
            let scenario = load(name).expect(name);
            assert_eq!(scenario.name, *name);
            assert!(!scenario.description.is_empty(), "{name}");
            assert!(!scenario.steps.is_empty(), "{name}");
            assert!(
                scenario.manifests.iter().any(|m| m["kind"] == "NodePool"),
                "{name} needs a node pool"
            );
            // Steps name what the manifests make.
            for step in &scenario.steps {
                if let super::super::Action::Scale { target, .. } = &step.action {
                    let made = scenario.manifests.iter().any(|m| {
                        m["kind"] == target.kind
                            && m["metadata"]["name"] == target.name
                            && m["metadata"]["namespace"].as_str().unwrap_or("default") == target.namespace
                    });
                    assert!(made, "{name}: {target:?}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = load("nope").expect_err("unknown").to_string();
        assert!(
            error.contains("ami-drift, batch-burst, expiration, inflate, mixed-arch, registration-failure"),
            "{error}"
        );
    }
}
