//! The decision for a set of candidates (`disruption §13`): delete, replace by one cheaper machine, or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::balanced::Score;
use super::candidates::Candidate;
use super::price;
use super::simulate::{Simulator, class_of};
use super::verdicts::Why;
use crate::decide::Fuel;
use crate::decide::packing::karpenter::Bounds;
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
    /// By pool whose policy is Balanced (`disruption §10`).
    pub scores: BTreeMap<Name, Score>,
    /// As large as a replacement may be, where several replace the candidates.
    pub largest_cpu: Option<i64>,
}

impl Command<'_> {
    pub fn decision(&self) -> &'static str {
        if self.replacements.is_empty() {
            "delete"
        } else {
            "replace"
        }
    }

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
    // Only a verdict on a single node tells how many machines it would take.
    let bounds = Bounds {
        most_claims: (candidates.len() > 1).then_some(1),
        ends_at_failure: candidates.len() > 1,
        ..Bounds::default()
    };
    let simulated = simulator.run_within(candidates, &bounds, fuel)?;
    if simulated.too_many {
        return Err(Why::new("needs_n_nodes"));
    }
    if let Some(failure) = simulated.failure {
        return Err(if simulated.out_of_fuel {
            Why::new("timeout")
        } else {
            failure
        });
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
        largest_cpu: None,
        scores: BTreeMap::new(),
    })
}

/// As [`decide`] for several candidates: what replaces them is no type that is there already, unless it costs less
/// than the cheapest of those (`disruption §13.4`).
pub fn decide_together<'a>(
    simulator: &mut Simulator<'a>,
    candidates: &[Candidate<'a>],
    fuel: &mut Fuel,
) -> Result<Command<'a>, Why> {
    let mut command = decide(simulator, candidates, fuel)?;
    for planned in &mut command.replacements {
        other_type(simulator, candidates, planned)?;
    }
    Ok(command)
}

fn other_type(
    simulator: &Simulator<'_>,
    candidates: &[Candidate<'_>],
    planned: &mut Planned,
) -> Result<(), Why> {
    let mut types = options(simulator, planned);
    let there = candidates
        .iter()
        .filter(|c| c.price > UsdPerHour::ZERO && types.iter().any(|t| t.name == c.instance_type));
    let Some(most) = there.map(|c| c.price).min() else {
        return Ok(());
    };
    let requirements = &planned.draft.requirements;
    types.retain(|t| price::worst_launch(t, requirements) < most);
    if types.is_empty() || price::needed_for_min_values(&types, requirements).is_err() {
        return Err(Why::new("same_type").fact("price", most));
    }
    keep(planned, &types);
    Ok(())
}

/// The types that a replacement may become, in its own order.
pub fn options(simulator: &Simulator<'_>, planned: &Planned) -> Vec<Arc<InstanceType>> {
    let snapshot = simulator.cluster().snapshot;
    let catalogue = snapshot.types_of(&planned.draft.pool, class_of(planned));
    planned
        .draft
        .instance_types
        .iter()
        .filter_map(|name| catalogue.and_then(|c| c.get(name)).cloned())
        .collect()
}

/// Keeps of a replacement's options those that are cheaper than the candidates, whatever a launch picks.
fn cheaper(
    simulator: &Simulator<'_>,
    candidates: &[Candidate<'_>],
    mut planned: Planned,
) -> Result<Planned, Why> {
    let before: UsdPerHour = candidates.iter().map(|c| c.price).sum();
    let mut types = options(simulator, &planned);
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
    if spot_to_spot {
        price::sort(&mut types, requirements);
    }
    // The solver's own order is by cheapest offering already.
    let (mut types, best) = price::below(&types, requirements, before);
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
pub fn keep(planned: &mut Planned, types: &[Arc<InstanceType>]) {
    planned.draft.instance_types = types.iter().map(|t| t.name.clone()).collect();
    planned.draft.expected = price::expected(types, &planned.draft.requirements);
    planned.evidence.options = u32::try_from(types.len()).unwrap_or(u32::MAX);
    planned
        .evidence
        .ranking
        .retain(|row| types.iter().any(|t| t.name == row.instance_type));
}
