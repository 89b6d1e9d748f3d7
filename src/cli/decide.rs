//! `kerf plan` and `kerf consolidate`: one decision from files.

use std::process::ExitCode;
use std::time::Instant;

use super::args::{Consolidate, Plan};
use super::paper::Paper;
use super::{CliError, Output, consolidate, inputs, plan, print};
use crate::decide::Fuel;
use crate::decide::disruption;
use crate::decide::packing::{bound, cheapest};
use crate::decide::scheduling::{Problem, Purpose, batch, buffers, prepare, solve_prepared};
use crate::model::{Name, UsdPerHour};

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub fn plan(args: &Plan, output: Output, paper: &Paper) -> Result<ExitCode, CliError> {
    if args.max_pods_per_node_share.is_some() && args.packing != "cheapest" {
        return Err(CliError::Input(
            "--max-pods-per-node-share is for --packing cheapest: add it, or leave the share out".to_owned(),
        ));
    }
    let ceilings: Vec<UsdPerHour> = args
        .fail_on
        .iter()
        .filter(|f| *f != "unschedulable")
        .map(|rule| ceiling(rule))
        .collect::<Result<_, _>>()?;
    let ready = inputs::read(&args.inputs, &args.settings)?;
    let snapshot = buffers::with_virtual(&ready.snapshot, &ready.settings);
    let pods = batch::batch(&snapshot, ready.now);
    let started = Instant::now();
    let prepared = prepare(&snapshot, &ready.settings, ready.now);
    let problem = Problem {
        snapshot: &snapshot,
        pods: &pods,
        without: &std::collections::BTreeSet::new(),
        now: ready.now,
        settings: &ready.settings,
        purpose: Purpose::Provision,
    };
    let fuel = &mut Fuel::UNLIMITED.clone();
    let (mut solution, greedy) = if args.packing == "cheapest" {
        let out = cheapest::solve(&prepared, &problem, args.max_pods_per_node_share, fuel);
        (out.solution, Some(out.greedy))
    } else {
        (solve_prepared(&prepared, &problem, fuel), None)
    };
    let elapsed_micros = micros(started);
    let proving = Instant::now();
    let on_new_nodes = solution.claims.iter().flat_map(|c| c.draft.pods.iter());
    let lower_bound = Some(bound::floor(&prepared, on_new_nodes));
    tracing::debug!(micros = micros(proving), "floor proven");
    let rooms = buffers::rooms(&snapshot, &solution);
    // Room that cannot be had is the buffer's business, no pod's.
    let real = |key: &Name| snapshot.pods.get(key).is_none_or(|p| !buffers::is_virtual(p));
    solution.unschedulable.retain(|u| real(&u.pod));
    solution.deferred.retain(|u| real(&u.pod));
    let facts = plan::Facts {
        packing: args.packing.as_str().into(),
        elapsed_micros,
        index_micros: ready.index_micros,
        lower_bound,
        greedy,
        rooms,
    };
    let explained = plan::explained(&prepared, &pods, &solution, args.explain);
    let text = match output {
        Output::Json => format!("{}\n", plan::to_json(&solution, &explained, &facts)),
        Output::Text => plan::to_text(&solution, &explained, &facts, paper),
    };
    print(&text)?;
    let left_over = args.fail_on.iter().any(|f| f == "unschedulable") && !solution.unschedulable.is_empty();
    let dear = ceilings.iter().any(|most| solution.price() > *most);
    Ok(if left_over || dear {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// `cost>X` in dollars an hour.
fn ceiling(rule: &str) -> Result<UsdPerHour, CliError> {
    rule.strip_prefix("cost>")
        .and_then(|x| x.trim().parse::<f64>().ok())
        .filter(|x| x.is_finite() && *x >= 0.0)
        .map(UsdPerHour::from_f64)
        .ok_or_else(|| CliError::Input(format!("--fail-on {rule}: use unschedulable or 'cost>X' in $/h")))
}

pub fn consolidate(args: &Consolidate, output: Output) -> Result<ExitCode, CliError> {
    let ready = inputs::read(&args.inputs, &args.settings)?;
    let force = consolidate::force(args, &ready)?;
    let started = Instant::now();
    let outcome = disruption::once_forced(
        &ready.snapshot,
        force.as_ref(),
        ready.now,
        &ready.settings,
        &mut Fuel::UNLIMITED.clone(),
    );
    let facts = consolidate::Facts {
        elapsed_micros: micros(started),
        index_micros: ready.index_micros,
    };
    let more = consolidate::more(args, &ready)?;
    let text = match output {
        Output::Json => {
            let mut json = consolidate::to_json(&outcome, &facts);
            consolidate::add_to(&mut json, &more);
            format!("{json}\n")
        }
        Output::Text => format!("{}{}", consolidate::to_text(&outcome), consolidate::text(&more)),
    };
    print(&text)
}
