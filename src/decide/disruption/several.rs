//! N → M consolidation (issue beyond upstream, off under parity): some nodes are replaced by several smaller ones where
//! that saves more than one replacement would. Sizes are tried from the largest candidate's down; each plan is priced
//! at the worst that its launches may cost.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::balanced::Scores;
use super::candidates::Candidate;
use super::consolidate::{Command, keep, options};
use super::memo::joined;
use super::price;
use super::simulate::Simulator;
use crate::decide::packing::karpenter::Bounds;
use crate::decide::scheduling::Planned;
use crate::decide::{Fuel, Reserved};
use crate::model::{CapacityType, InstanceType, UsdPerHour};

/// How many nodes are looked at together.
const WINDOWS: [usize; 8] = [1, 2, 3, 4, 6, 8, 12, 16];
/// How many sizes are tried for each window.
const SIZES: usize = 4;

/// The plan that saves most, if it saves more than `to_beat`. `taken`: candidates that budgets allow, by savings ratio.
pub fn run<'a>(
    simulator: &mut Simulator<'a>,
    taken: &[Candidate<'a>],
    scores: &Scores,
    reserved: &Reserved,
    to_beat: UsdPerHour,
    fuel: &mut Fuel,
) -> Option<Command<'a>> {
    let mut best: Option<(UsdPerHour, Command<'a>)> = None;
    let mut seen = BTreeSet::new();
    let wasteful = by_waste(simulator, taken);
    for order in [taken, wasteful.as_slice()] {
        for size in WINDOWS {
            let Some(window) = order.get(..size) else { break };
            if !seen.insert(joined(window.iter().map(Candidate::name))) {
                continue;
            }
            for cpu in sizes(simulator, window) {
                if fuel.0 == 0 {
                    return best.map(|(_, c)| c);
                }
                let least = best.as_ref().map_or(to_beat, |(saved, _)| *saved);
                if let Some(found) = plan(simulator, window, cpu, scores, reserved, least, fuel) {
                    best = Some(found);
                }
            }
        }
    }
    best.map(|(_, command)| command)
}

/// Most money for unused CPU and memory first.
fn by_waste<'a>(simulator: &Simulator<'a>, taken: &[Candidate<'a>]) -> Vec<Candidate<'a>> {
    let cluster = simulator.cluster();
    let share = |part: i64, whole: i64| -> i64 {
        if whole <= 0 {
            0
        } else {
            part.saturating_mul(1000) / whole
        }
    };
    let waste = |c: &Candidate<'_>| -> i64 {
        let Some(machine) = cluster.machines.get(c.name()) else {
            return 0;
        };
        let (mut cpu, mut memory) = (0_i64, 0_i64);
        for pod in machine.pods.iter().filter(|p| !p.is_terminal()) {
            cpu = cpu.saturating_add(pod.spec.requests.cpu);
            memory = memory.saturating_add(pod.spec.requests.memory);
        }
        let used = share(cpu, c.node.allocatable.cpu).max(share(memory, c.node.allocatable.memory));
        (c.price.0 / 1000).saturating_mul((1000 - used).max(0))
    };
    let mut out = taken.to_vec();
    out.sort_by_cached_key(|c| (std::cmp::Reverse(waste(c)), c.name().clone()));
    out
}

/// Sizes of types below the largest candidate's, largest first.
fn sizes(simulator: &Simulator<'_>, window: &[Candidate<'_>]) -> Vec<i64> {
    let snapshot = simulator.cluster().snapshot;
    let largest = window.iter().map(|c| c.node.capacity.cpu).max().unwrap_or(0);
    let mut out = BTreeSet::new();
    for candidate in window {
        if let Some(catalogue) = snapshot.catalogue(&candidate.pool.template.class.name) {
            let cpus = catalogue.types().iter().map(|t| t.capacity.cpu);
            out.extend(cpus.filter(|cpu| *cpu < largest && *cpu * 16 >= largest));
        }
    }
    // Doubling steps are enough: what fits a size in between fits the next one.
    let mut picked: Vec<i64> = Vec::new();
    for cpu in out.into_iter().rev() {
        if picked.last().is_none_or(|last| cpu * 2 <= *last) || picked.is_empty() {
            picked.push(cpu);
        }
        if picked.len() == SIZES {
            break;
        }
    }
    picked
}

fn plan<'a>(
    simulator: &mut Simulator<'a>,
    window: &[Candidate<'a>],
    largest_cpu: i64,
    scores: &Scores,
    reserved: &Reserved,
    least: UsdPerHour,
    fuel: &mut Fuel,
) -> Option<(UsdPerHour, Command<'a>)> {
    let now = simulator.cluster().now;
    let key = joined(window.iter().map(Candidate::name));
    if reserved
        .rejected
        .get(key.as_str())
        .is_some_and(|until| *until > now)
    {
        return None;
    }
    let bounds = Bounds {
        most_claims: Some(window.len().max(2)),
        ends_at_failure: true,
        largest_cpu: Some(largest_cpu),
        ..Bounds::default()
    };
    let simulated = simulator.run_within(window, &bounds, fuel).ok()?;
    // One replacement or none is what the other methods look for.
    if simulated.too_many || simulated.failure.is_some() || simulated.claims.len() < 2 {
        return None;
    }
    let before: UsdPerHour = window.iter().map(|c| c.price).sum();
    let all_spot = window
        .iter()
        .all(|c| &*c.capacity_type == CapacityType::Spot.as_str());
    let mut replacements = simulated.claims;
    for planned in &mut replacements {
        let spot = price::admits(&planned.draft.requirements, CapacityType::Spot);
        if all_spot && spot && !simulator.settings().spot_to_spot {
            return None;
        }
        let both = spot && price::admits(&planned.draft.requirements, CapacityType::OnDemand);
        if both || (all_spot && spot) {
            price::pin(&mut planned.draft.requirements, CapacityType::Spot);
        }
        let mut types = options(simulator, planned);
        types.retain(|t| price::cheapest(t, &planned.draft.requirements).is_some());
        price::sort(&mut types, &planned.draft.requirements);
        keep(planned, &types);
    }
    share_out(simulator, &mut replacements, before)?;
    let mut command = Command {
        candidates: window.to_vec(),
        replacements,
        moves: simulated.moves,
        largest_cpu: Some(largest_cpu),
        scores: std::collections::BTreeMap::new(),
    };
    let saved = command.price_before() - command.price_after();
    if saved <= least || saved <= UsdPerHour::ZERO {
        return None;
    }
    scores.judge(simulator, &mut command).ok()?;
    Some((saved, command))
}

/// Keeps of every replacement the types that, whatever a launch picks, stay within its share of what the candidates
/// cost. `None`: some replacement has none.
fn share_out(simulator: &Simulator<'_>, replacements: &mut [Planned], before: UsdPerHour) -> Option<()> {
    let expected = |planned: &Planned| planned.draft.expected.as_ref().map(|e| e.price_per_hour);
    let total: UsdPerHour = replacements.iter().map(expected).sum::<Option<UsdPerHour>>()?;
    if total <= UsdPerHour::ZERO || total >= before {
        return None;
    }
    for planned in replacements {
        let own = expected(planned)?;
        let share = i128::from(own.0) * i128::from(before.0) / i128::from(total.0);
        let share = UsdPerHour(i64::try_from(share).ok()?);
        let requirements = planned.draft.requirements.clone();
        let mut types: Vec<Arc<InstanceType>> = options(simulator, planned);
        types.retain(|t| price::worst_launch(t, &requirements) < share);
        if types.is_empty() || price::needed_for_min_values(&types, &requirements).is_err() {
            return None;
        }
        keep(planned, &types);
    }
    Some(())
}
