//! Every label key and value that the cluster and the catalogues know, so that a misspelt demand is recognised.

use std::collections::{BTreeMap, BTreeSet};

use super::labels::WellKnown;
use crate::api::names;
use crate::decide::spelling::nearest;
use crate::model::decision::cause::Unknown;
use crate::model::{CapacityType, Labels, Name, PodSpec, Requirement, Requirements, Snapshot};

/// Zones are few: when none resembles the wanted one, all are named, up to this many.
const ZONES_SHOWN: usize = 6;

#[derive(Debug, Default)]
pub struct Vocabulary {
    values: BTreeMap<Name, BTreeSet<Name>>,
    /// Keys to which some pool lets pods give any value.
    open: BTreeSet<Name>,
}

impl Vocabulary {
    pub fn new<'a>(snapshot: &Snapshot, nodes: impl Iterator<Item = &'a Labels>) -> Self {
        let mut out = Self::default();
        for catalogue in snapshot.catalogues.values() {
            let index = catalogue.index();
            for key in index.label_keys() {
                let values = out.values.entry(key.clone()).or_default();
                values.extend(index.values(key).cloned());
            }
            for group in &index.groups {
                out.learn(&group.requirements);
                out.value(names::ZONE, &group.zone);
            }
        }
        for kind in CapacityType::ALL {
            out.value(names::CAPACITY_TYPE, &kind.as_str().into());
        }
        // What a pool writes about the catalogue's keys may itself be misspelt.
        let of_types: BTreeSet<Name> = out.values.keys().cloned().collect();
        for pool in snapshot.pools.values() {
            let own = pool.template.requirements.iter();
            out.learn(&own.filter(|r| !of_types.contains(&r.key)).cloned().collect());
            out.labels(&pool.template.labels);
            out.value(names::NODEPOOL, &pool.name);
            out.value(names::EC2_NODECLASS, &pool.template.class.name);
        }
        nodes.for_each(|labels| out.labels(labels));
        out
    }

    fn value(&mut self, key: &str, value: &Name) {
        match self.values.get_mut(key) {
            Some(values) => drop(values.insert(value.clone())),
            None => drop(self.values.insert(key.into(), [value.clone()].into())),
        }
    }

    fn labels(&mut self, labels: &Labels) {
        for (key, value) in labels {
            self.value(key, value);
        }
    }

    fn learn(&mut self, requirements: &Requirements) {
        for requirement in requirements.iter() {
            if requirement.complement {
                self.open.insert(requirement.key.clone());
            } else {
                for value in &requirement.values {
                    self.value(&requirement.key, value);
                }
            }
        }
    }

    fn has_key(&self, key: &str) -> bool {
        self.values.contains_key(key) || self.open.contains(key)
    }

    /// Whether something has, or may get, the value.
    pub fn has(&self, key: &str, value: &str) -> bool {
        self.open.contains(key) || self.values.get(key).is_some_and(|v| v.contains(value))
    }

    /// Known values nearest to an unknown one.
    pub fn hints(&self, key: &str, value: &str) -> Vec<Name> {
        let Some(known) = self.values.get(key) else {
            return Vec::new();
        };
        let near = nearest(value, known.iter().map(|v| &**v));
        if near.is_empty() && key == names::ZONE {
            return known.iter().take(ZONES_SHOWN).cloned().collect();
        }
        near.into_iter().map(Name::from).collect()
    }

    /// What a pod demands that nothing has, by key.
    pub fn unknown(&self, spec: &PodSpec, well_known: &WellKnown) -> Vec<Unknown> {
        let selector = Requirements::from_labels(&spec.node_selector);
        self.unknown_among(
            selector.iter().chain(spec.required_terms.iter().flatten()),
            well_known,
        )
    }

    /// The same of any requirements.
    pub fn unknown_among<'r>(
        &self,
        requirements: impl Iterator<Item = &'r Requirement>,
        well_known: &WellKnown,
    ) -> Vec<Unknown> {
        let mut out = BTreeSet::new();
        for requirement in requirements {
            self.unknown_of(requirement, well_known, &mut out);
        }
        out.into_iter().collect()
    }

    fn unknown_of(&self, requirement: &Requirement, well_known: &WellKnown, out: &mut BTreeSet<Unknown>) {
        let key = &requirement.key;
        if requirement.allows_absence() {
            return;
        }
        if !self.has_key(key) && !well_known.has(key) {
            out.insert(Unknown {
                key: key.clone(),
                value: None,
                hints: self.key_hints(key, well_known),
            });
            return;
        }
        if requirement.complement {
            return;
        }
        for value in requirement.values.iter().filter(|v| !self.has(key, v)) {
            out.insert(Unknown {
                key: key.clone(),
                value: Some(value.clone()),
                hints: self.hints(key, value),
            });
        }
    }

    fn key_hints(&self, key: &str, well_known: &WellKnown) -> Vec<Name> {
        // A slip of the pen comes before the rule of the reference, which goes by parts of the key.
        let near = nearest(key, self.values.keys().chain(&self.open).map(|k| &**k));
        if !near.is_empty() {
            return near.into_iter().map(Name::from).collect();
        }
        well_known
            .hint(key, &Requirements::default())
            .into_iter()
            .collect()
    }
}
