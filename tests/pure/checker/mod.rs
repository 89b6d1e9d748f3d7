//! An independent look at plans: would Kubernetes run each pod where the plan says it will?
//!
//! Written as plainly as possible over JSON objects, after Kubernetes' own rules and not after Karpenter's; it shares no
//! code with the solver. Every claim is turned into the node that it may become (the expected one, and a few others that
//! the cloud might pick), DaemonSet pods are put on it, and then the pods are bound one after the other, each where the
//! plan says, through the filters of kube-scheduler. Some order of binding must succeed: spread constraints count what
//! is bound already, so the order matters, and Kubernetes promises none.

mod amount;
mod filter;
mod labels;
mod machine;
mod pool;
mod topology;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::{Cluster, Plan};
use crate::random::Dice;
use machine::{Machine, World};

/// How often claims are turned into other nodes than the expected ones.
const OTHER_NODES: u64 = 2;
/// Orders of binding that are tried before giving up.
const ORDERS: u64 = 30;

/// `Err` says what is wrong, for a person who has the cluster before them.
pub fn check(cluster: &Cluster, plan: &Plan<'_>) -> Result<(), String> {
    everyone_once(plan)?;
    pool::check(cluster, plan)?;
    for n in 0..=OTHER_NODES {
        let mut dice = Dice::new(n);
        let pick = if n == 0 { None } else { Some(&mut dice) };
        let world = World::new(cluster, plan, pick)?;
        bind(&world, plan)?;
    }
    Ok(())
}

/// Every pod of the batch has exactly one answer.
fn everyone_once(plan: &Plan<'_>) -> Result<(), String> {
    let s = &plan.solution;
    let new = s.claims.iter().flat_map(|c| &c.draft.pods);
    let old = s.existing.values().flatten();
    let left = s.unschedulable.iter().chain(&s.deferred).map(|u| &u.pod);
    let mut seen = BTreeSet::new();
    for pod in new.chain(old).chain(left) {
        if !seen.insert(pod.to_string()) {
            return Err(format!("{pod} is in the plan twice"));
        }
    }
    if seen != plan.batch {
        let missing: Vec<_> = plan.batch.symmetric_difference(&seen).collect();
        return Err(format!("in the batch or in the plan, not in both: {missing:?}"));
    }
    Ok(())
}

/// Pods with the machine that they shall go to.
type Moves = Vec<(Value, usize)>;

fn bind(world: &World, plan: &Plan<'_>) -> Result<(), String> {
    let mut moves: Moves = Vec::new();
    let mut put = |pods: &[kerf::model::Name], place: &str| -> Result<(), String> {
        let at = world.find(place).ok_or_else(|| format!("there is no {place}"))?;
        for pod in pods {
            let object = world
                .waiting
                .get(&**pod)
                .ok_or_else(|| format!("there is no {pod}"))?;
            moves.push((object.clone(), at));
        }
        Ok(())
    };
    for claim in &plan.solution.claims {
        put(&claim.draft.pods, &claim.draft.name)?;
    }
    for (node, pods) in &plan.solution.existing {
        put(pods, node)?;
    }
    let mut first = String::new();
    for order in 0..ORDERS {
        match bind_in_order(world.clone(), &moves, order) {
            Ok(after) => return nobody_forgotten(&after, plan),
            Err(why) if order == 0 => first = why,
            Err(_) => {}
        }
    }
    Err(first)
}

/// Greedy: whoever can go now goes, those with hard spread constraints first, into their emptiest domain. Orders but 0
/// rank equal pods at random before that.
fn bind_in_order(mut world: World, moves: &Moves, order: u64) -> Result<World, String> {
    let mut left: Vec<&(Value, usize)> = moves.iter().collect();
    let mut ranks: BTreeMap<String, usize> = BTreeMap::new();
    let mut dice = Dice::new(order);
    if order > 0 {
        for (pod, _) in moves {
            ranks
                .entry(pod["spec"].to_string())
                .or_insert_with(|| dice.below(1000));
        }
        dice.shuffle(&mut left);
    }
    while !left.is_empty() {
        left.sort_by_cached_key(|(pod, at)| {
            let rank = ranks.get(&pod["spec"].to_string()).copied();
            (rank, topology::crowd(&world, pod, *at))
        });
        let next = left
            .iter()
            .position(|(pod, at)| filter::refusal(&world, pod, *at).is_none());
        let Some(next) = next else {
            let reasons: Vec<String> = left
                .iter()
                .filter_map(|(pod, at)| {
                    let why = filter::refusal(&world, pod, *at)?;
                    Some(format!(
                        "{} on {}: {why}",
                        pod["metadata"]["name"], world.machines[*at].name
                    ))
                })
                .collect();
            let nodes: Vec<String> = world.machines.iter().map(Machine::describe).collect();
            return Err(format!(
                "Kubernetes would refuse\n  {}\non\n  {}",
                reasons.join("\n  "),
                nodes.join("\n  ")
            ));
        };
        let (pod, at) = left.remove(next);
        world.machines[*at].pods.push(pod.clone());
    }
    Ok(world)
}

/// A pod whose rules look at nothing but the node may not be left out while a node that is there would take it.
fn nobody_forgotten(after: &World, plan: &Plan<'_>) -> Result<(), String> {
    for one in &plan.solution.unschedulable {
        let Some(pod) = after.waiting.get(&*one.pod) else {
            continue;
        };
        let ignored = one
            .pools
            .iter()
            .any(|(_, r)| matches!(r.code(), "ignored" | "resource_claims"));
        if ignored || !topology::is_simple(after, pod) {
            continue;
        }
        let taker = (0..after.machines.len())
            .filter(|i| after.machines[*i].open)
            .find(|i| filter::refusal(after, pod, *i).is_none());
        if let Some(i) = taker {
            let node = &after.machines[i].name;
            return Err(format!("{} has no place although {node} would take it", one.pod));
        }
    }
    Ok(())
}

/// `namespace/name`.
pub fn key(object: &Value) -> String {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
    format!(
        "{namespace}/{}",
        object["metadata"]["name"].as_str().unwrap_or_default()
    )
}

/// A list that may be missing.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A map of text that may be missing.
pub fn texts(value: &Value) -> BTreeMap<String, String> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), text(v)))
        .collect()
}
