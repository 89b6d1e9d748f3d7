//! minValues: enough variety among the types that a claim keeps (`scheduling §14`).

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use crate::model::{Catalogue, Name, Requirements};

/// `Err`: key → (values among the types, values wanted).
pub fn check(
    catalogue: &Catalogue,
    types: &FixedBitSet,
    requirements: &Requirements,
) -> Result<(), BTreeMap<Name, (u32, u32)>> {
    let mut missing = BTreeMap::new();
    for requirement in requirements.iter() {
        let Some(wanted) = requirement.min_values else {
            continue;
        };
        let mut values: BTreeSet<&Name> = BTreeSet::new();
        for kind in types.ones().filter_map(|i| catalogue.types().get(i)) {
            if let Some(own) = kind.requirements.get(&requirement.key) {
                values.extend(&own.values);
            }
        }
        let found = u32::try_from(values.len()).unwrap_or(u32::MAX);
        if found < wanted {
            missing.insert(requirement.key.clone(), (found, wanted));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

/// BestEffort: lowers what cannot be had to what there is (`scheduling §14`); true when something was lowered.
pub fn relax(requirements: &mut Requirements, missing: &BTreeMap<Name, (u32, u32)>) -> bool {
    for (key, (found, _)) in missing {
        if let Some(requirement) = requirements.0.get_mut(key) {
            requirement.min_values = Some(*found);
        }
    }
    !missing.is_empty()
}
