//! The decision for a set of candidates (`disruption §13`): delete, replace by one cheaper machine, or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::candidates::Candidate;
use super::price;
use super::simulate::{Simulator, class_of};
use super::verdicts::Why;
use crate::decide::Fuel;
use crate::decide::scheduling::Planned;
use crate::model::{CapacityType, InstanceType, Name, UsdPerHour};

/// Types that a spot node must have below it before it is replaced by another spot node.
const SPOT_FLEXIBILITY: usize = 15;

/// Something to do.
#[derive(Clone, Debug)]
pub struct Command<'a> {
    pub candidates: Vec<Candidate<'a>>,
    pub replacements: Vec<Planned>,
    /// Every moving pod → node or replacement.
    pub moves: BTreeMap<Name, Name>,
}

impl Command<'_> {
    pub fn price_before(&self) -> UsdPerHour {
        self.candidates.iter().map(|c| c.price).sum()
    }

    /// What the replacements are expected to cost.
    pub fn price_after(&self) -> UsdPerHour {
        self.replacements
            .iter()
            .filter_map(|r| r.draft.expected.as_ref())
            .map(|e| e.price_per_hour)
            .sum()
    }
}

/// Decides for one set. `Err` is the verdict on every candidate of the set.
pub fn decide<'a>(
    simulator: &mut Simulator<'a>,
    candidates: &[Candidate<'a>],
    fuel: &mut Fuel,
) -> Result<Command<'a>, Why> {
    let simulated = simulator.run(candidates, fuel)?;
    if let Some(failure) = simulated.failure {
        return Err(failure);
    }
    let mut claims = simulated.claims.into_iter();
    let replacement = match (claims.next(), claims.len()) {
        (None, _) => None,
        (Some(_), more @ 1..) => return Err(Why::new("needs_n_nodes").fact("n", more + 1)),
        (Some(one), 0) => Some(cheaper(simulator, candidates, one)?),
    };
    Ok(Command {
        candidates: candidates.to_vec(),
        replacements: replacement.into_iter().collect(),
        moves: simulated.moves,
    })
}

/// Keeps of a replacement's options those that are cheaper than the candidates, whatever a launch picks.
fn cheaper(
    simulator: &Simulator<'_>,
    candidates: &[Candidate<'_>],
    mut planned: Planned,
) -> Result<Planned, Why> {
    let before: UsdPerHour = candidates.iter().map(|c| c.price).sum();
    let catalogue = simulator
        .cluster()
        .snapshot
        .types_of(&planned.draft.pool, class_of(&planned));
    let mut types: Vec<Arc<InstanceType>> = planned
        .draft
        .instance_types
        .iter()
        .filter_map(|name| catalogue.and_then(|c| c.get(name)).cloned())
        .collect();
    let all_spot = candidates
        .iter()
        .all(|c| &*c.capacity_type == CapacityType::Spot.as_str());
    let spot_to_spot = all_spot && price::admits(&planned.draft.requirements, CapacityType::Spot);
    if spot_to_spot {
        if !simulator.settings().spot_to_spot {
            return Err(Why::new("spot_to_spot_off"));
        }
        price::pin(&mut planned.draft.requirements, CapacityType::Spot);
        types.retain(|t| price::cheapest(t, &planned.draft.requirements).is_some());
    }
    let requirements = &planned.draft.requirements;
    price::sort(&mut types, requirements);
    let best = types
        .iter()
        .map(|t| price::worst_launch(t, requirements))
        .min()
        .filter(|p| *p != UsdPerHour::MAX);
    types.retain(|t| price::worst_launch(t, requirements) < before);
    let needed = price::needed_for_min_values(&types, requirements).map_err(|(key, want, have)| {
        Why::new("min_values")
            .fact("key", key)
            .fact("wanted", want)
            .fact("found", have)
    })?;
    if types.is_empty() {
        let why = Why::new("not_cheaper").fact("price", before);
        return Err(match best {
            Some(best) => why.fact("best", best),
            None => why,
        });
    }
    if spot_to_spot {
        if candidates.len() == 1 {
            if types.len() < SPOT_FLEXIBILITY {
                return Err(Why::new("spot_flexibility")
                    .fact("n", types.len())
                    .fact("needed", SPOT_FLEXIBILITY));
            }
            // A longer list would let the next pass find an even cheaper type, and so on for ever.
            types.truncate(SPOT_FLEXIBILITY.max(needed));
        }
    } else if price::admits(requirements, CapacityType::Spot)
        && price::admits(requirements, CapacityType::OnDemand)
    {
        // A failed spot launch must not fall back to a dearer on-demand machine.
        price::pin(&mut planned.draft.requirements, CapacityType::Spot);
    }
    keep(&mut planned, &types);
    Ok(planned)
}

/// Makes draft and evidence say that only `types` are left.
fn keep(planned: &mut Planned, types: &[Arc<InstanceType>]) {
    planned.draft.instance_types = types.iter().map(|t| t.name.clone()).collect();
    planned.draft.expected = price::expected(types, &planned.draft.requirements);
    planned.evidence.options = u32::try_from(types.len()).unwrap_or(u32::MAX);
    planned
        .evidence
        .ranking
        .retain(|row| types.iter().any(|t| t.name == row.instance_type));
}
