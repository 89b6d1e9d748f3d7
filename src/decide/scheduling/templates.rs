//! NodePools as templates of new claims: which take part, in which order, with which types (`scheduling §4.2`, `§12`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::daemons::{self, DaemonGroup, DaemonPod};
use super::labels::{SIMULATED, WellKnown};
use super::min_values;
use super::state::NODES;
use crate::api::names;
use crate::decide::Settings;
use crate::model::condition::Status;
use crate::model::decision::Refusal;
use crate::model::index::Index;
use crate::model::{
    Catalogue, Labels, Name, NodeClass, NodePool, Requirement, Requirements, Resources, Snapshot,
};

/// A pool that can open claims.
#[derive(Clone, Debug)]
pub struct Template {
    pub pool: Arc<NodePool>,
    /// Labels of the claims: the template's, the pool's and the class's.
    pub labels: Labels,
    /// Template ∩ labels ∩ the keys of simulations.
    pub requirements: Requirements,
    /// With the pool's overlays applied.
    pub catalogue: Arc<Catalogue>,
    /// Types whose price, and whose capacity, is an overlay's.
    pub priced: BTreeSet<Name>,
    pub enlarged: BTreeSet<Name>,
    pub index: Arc<Index>,
    /// Types whose own requirements suit the template.
    pub compat: FixedBitSet,
    /// Offering groups that suit it, and the types with capacity in one of them.
    pub groups: FixedBitSet,
    pub offered: FixedBitSet,
    pub daemons: Vec<DaemonGroup>,
    /// `limits − usage` by limited resource (`scheduling §12.3`), and what was used.
    pub remaining: BTreeMap<Name, i64>,
    pub used: BTreeMap<Name, i64>,
}

/// A pool's part in the universe of topology domains (`scheduling §18.2`), also of pools whose types were all
/// filtered out.
#[derive(Clone, Debug)]
pub struct DomainSource {
    pub requirements: Requirements,
    pub taints: Vec<crate::model::Taint>,
    pub index: Arc<Index>,
}

/// All pools, sorted out.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// Usable ones, heaviest first.
    pub usable: Vec<Template>,
    /// The others, in the same order, with the reason.
    pub refused: Vec<(Name, Refusal)>,
    pub sources: Vec<DomainSource>,
    /// Name → place in weight order, of all pools.
    pub order: BTreeMap<Name, usize>,
}

/// Weight descending, then name descending (`scheduling §4.2`).
pub fn in_order(snapshot: &Snapshot) -> Vec<Arc<NodePool>> {
    let mut pools: Vec<Arc<NodePool>> = snapshot.pools.values().cloned().collect();
    pools.sort_by(|a, b| (b.weight, &b.name).cmp(&(a.weight, &a.name)));
    pools
}

/// Why a pool takes no part, if so.
pub fn not_taking_part(snapshot: &Snapshot, pool: &NodePool, paused: &BTreeSet<Name>) -> Option<Refusal> {
    let because = |reason: &str, message: String| {
        Some(Refusal::PoolNotReady {
            reason: reason.into(),
            message,
        })
    };
    if pool.replicas.is_some() {
        return because("Static", "the NodePool has a fixed number of nodes".to_owned());
    }
    if pool.deleting.is_some() {
        return because("Deleting", "the NodePool is being deleted".to_owned());
    }
    if paused.contains(&pool.name) {
        return because("Paused", "the NodePool is paused".to_owned());
    }
    if let Some(first) = pool.invalid.first() {
        return because("ValidationFailed", first.to_string());
    }
    let class_name = &pool.template.class.name;
    let class = snapshot.classes.get(class_name);
    if let Some(refusal) = class.map_or_else(
        || {
            if snapshot.catalogue(class_name).is_none() {
                because(
                    "NodeClassNotFound",
                    format!("there is no EC2NodeClass {class_name}"),
                )
            } else {
                None
            }
        },
        |c| class_not_ready(c),
    ) {
        return Some(refusal);
    }
    // Derived readiness wins; the condition on the object is a mirror. It counts where nobody derives: in files.
    if class.is_none_or(|c| c.resolved.is_none())
        && let Some(ready) = pool.conditions.get(names::READY)
        && ready.status != Status::True
    {
        return because("NotReady", ready.message.to_string());
    }
    None
}

fn class_not_ready(class: &NodeClass) -> Option<Refusal> {
    let because = |reason: &str, message: String| {
        Some(Refusal::PoolNotReady {
            reason: reason.into(),
            message,
        })
    };
    if class.deleting.is_some() {
        return because(
            "NodeClassTerminating",
            format!("EC2NodeClass {} is being deleted", class.name),
        );
    }
    if let Some(resolved) = &class.resolved {
        return resolved
            .problems
            .first()
            .and_then(|(_, reason, message)| because(reason, message.clone()));
    }
    match class.conditions.get(names::READY) {
        Some(ready) if ready.status != Status::True => {
            because("NodeClassNotReady", ready.message.to_string())
        }
        _ => None,
    }
}

/// Labels of claims of a pool (`scheduling §12.1`).
pub fn template_labels(pool: &NodePool) -> Labels {
    let class = &pool.template.class;
    let mut labels = pool.template.labels.clone();
    labels.insert(names::NODEPOOL.into(), pool.name.clone());
    let key = format!("{}/{}", class.group, class.kind.to_lowercase());
    labels.insert(key.into(), class.name.clone());
    labels
}

/// Sorts all pools out. `usage` is by pool: capacity of its nodes, with `nodes` counted.
pub fn build(
    snapshot: &Snapshot,
    settings: &Settings,
    paused: &BTreeSet<Name>,
    daemons: &mut [DaemonPod],
    usage: &BTreeMap<Name, Resources>,
    well_known: &WellKnown,
) -> Templates {
    let mut out = Templates::default();
    for (place, pool) in in_order(snapshot).into_iter().enumerate() {
        out.order.insert(pool.name.clone(), place);
        if let Some(refusal) = not_taking_part(snapshot, &pool, paused) {
            out.refused.push((pool.name.clone(), refusal));
            continue;
        }
        let Some(catalogue) = snapshot
            .catalogue(&pool.template.class.name)
            .filter(|c| !c.is_empty())
        else {
            out.refused.push((pool.name.clone(), Refusal::NoInstanceTypes));
            continue;
        };
        let overlaid = snapshot.pool_types(&pool.name, settings.parity);
        let catalogue = overlaid.map_or(catalogue, |o| &o.catalogue);
        let mut template = template(&pool, catalogue, usage.get(&pool.name), well_known);
        if let Some(overlaid) = overlaid {
            template.priced.clone_from(&overlaid.priced);
            template.enlarged.clone_from(&overlaid.enlarged);
        }
        out.sources.push(DomainSource {
            requirements: template.requirements.clone(),
            taints: pool.template.taints.clone(),
            index: template.index.clone(),
        });
        match prefilter(template, settings, daemons, well_known) {
            Ok(template) => out.usable.push(template),
            Err(refusal) => out.refused.push((pool.name.clone(), refusal)),
        }
    }
    out
}

fn template(
    pool: &Arc<NodePool>,
    catalogue: &Arc<Catalogue>,
    usage: Option<&Resources>,
    well_known: &WellKnown,
) -> Template {
    let labels = template_labels(pool);
    let mut requirements = pool.template.requirements.clone();
    requirements.add_all(&Requirements::from_labels(&labels));
    for key in SIMULATED {
        requirements.add(Requirement::is_in(key, ["true"]));
    }
    let index = catalogue.index().clone();
    let mut compat = index.all();
    for requirement in requirements.iter() {
        compat.intersect_with(&index.matching(requirement));
    }
    let groups = index.compatible_groups(&requirements, |k| well_known.has(k));
    let offered = index.offered(&groups);
    let used: BTreeMap<Name, i64> = pool
        .limits
        .keys()
        .map(|k| (k.clone(), usage.map_or(0, |u| u.get(k))))
        .collect();
    Template {
        remaining: pool
            .limits
            .iter()
            .map(|(k, limit)| (k.clone(), limit - used.get(k).copied().unwrap_or(0)))
            .collect(),
        used,
        pool: pool.clone(),
        labels,
        requirements,
        catalogue: catalogue.clone(),
        priced: BTreeSet::new(),
        enlarged: BTreeSet::new(),
        index,
        compat,
        groups,
        offered,
        daemons: Vec::new(),
    }
}

/// `scheduling §12.1`, pre-filter: an empty pod without daemons must find a type.
fn prefilter(
    mut template: Template,
    settings: &Settings,
    daemons: &mut [DaemonPod],
    well_known: &WellKnown,
) -> Result<Template, Refusal> {
    let mut types = template.compat.clone();
    types.intersect_with(&template.offered);
    template.index.retain_fitting(&Resources::default(), &mut types);
    if types.is_clear() {
        return Err(Refusal::NoInstanceTypes);
    }
    if !settings.min_values_best_effort {
        min_values::check(&template.catalogue, &types, &template.requirements)
            .map_err(|keys| Refusal::MinValues { keys })?;
    }
    template.daemons = daemons::group(
        daemons,
        &template.requirements,
        &template.pool.template.taints,
        &types,
        &template.index,
        well_known,
        settings.parity,
    );
    Ok(template)
}

/// Σ capacity by pool over machines that stay (`scheduling §15.4`).
pub fn usage<'a>(nodes: impl Iterator<Item = &'a super::state::StateNode>) -> BTreeMap<Name, Resources> {
    let mut out: BTreeMap<Name, Resources> = BTreeMap::new();
    for node in nodes.filter(|n| !n.marked) {
        if let Some(pool) = &node.pool {
            let sum = out.entry(pool.clone()).or_default();
            sum.add(&node.capacity);
            sum.set(NODES, sum.get(NODES) + 1);
        }
    }
    out
}
