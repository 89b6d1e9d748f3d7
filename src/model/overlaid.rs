//! Overlays evaluated: what each pool's instance types become, and what became of each overlay (`scheduling §23`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::overlay::{Overlay, PriceChange};
use super::{Catalogue, InstanceType, Name, NodePool, Requirement, Requirements};
use crate::api::names;

/// Everything that overlays change.
#[derive(Clone, Debug, Default)]
pub struct Overlaid {
    pools: BTreeMap<Name, PoolTypes>,
    /// What became of each overlay.
    pub verdicts: BTreeMap<Name, OverlayVerdict>,
}

/// A pool's instance types with its overlays applied.
#[derive(Clone, Debug, Default)]
pub struct PoolTypes {
    pub catalogue: Arc<Catalogue>,
    /// Types with an offering whose price is an overlay's.
    pub priced: BTreeSet<Name>,
    /// Types with capacity of an overlay.
    pub enlarged: BTreeSet<Name>,
}

/// The condition `ValidationSucceeded` of an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverlayVerdict {
    Succeeded,
    /// Run-time validation refuses it.
    Invalid(Vec<Name>),
    /// It claims the same as another of equal weight: that one's name.
    Conflict(Name),
}

/// What one pool's type got so far.
#[derive(Clone, Debug, Default)]
struct Mark<'a> {
    /// By offering: the price change that holds, and the last overlay that named a price.
    prices: BTreeMap<usize, (PriceChange, &'a Overlay)>,
    capacity: BTreeMap<&'a Name, i64>,
    /// The last overlay that named a capacity.
    last: Option<&'a Overlay>,
}

/// A pool with its undecorated types.
type Source<'a> = (&'a NodePool, &'a Catalogue);

impl Overlaid {
    /// `pools`: those whose types are known. `quirks`: as upstream, a price overlay loses what the offering overrides
    /// (Q13).
    pub fn new<'a>(
        overlays: impl Iterator<Item = &'a Overlay>,
        pools: impl Iterator<Item = Source<'a>>,
        quirks: bool,
    ) -> Self {
        let mut overlays: Vec<&Overlay> = overlays.collect();
        overlays.sort_by(|a, b| (b.weight, &b.name).cmp(&(a.weight, &a.name)));
        let pools: Vec<(Source<'_>, Vec<Arc<InstanceType>>)> =
            pools.map(|p| (p, p.1.distinct().cloned().collect())).collect();
        let mut marks: BTreeMap<(usize, usize), Mark<'a>> = BTreeMap::new();
        let mut out = Self::default();
        for overlay in overlays {
            let verdict = if overlay.invalid.is_empty() {
                match place(overlay, &pools, &marks) {
                    Ok(touched) => {
                        store(overlay, touched, &mut marks);
                        OverlayVerdict::Succeeded
                    }
                    Err(other) => OverlayVerdict::Conflict(other),
                }
            } else {
                OverlayVerdict::Invalid(overlay.invalid.clone())
            };
            out.verdicts.insert(overlay.name.clone(), verdict);
        }
        for (p, ((pool, _), types)) in pools.iter().enumerate() {
            let mut row = PoolTypes::default();
            let mut changed = false;
            let list: Vec<Arc<InstanceType>> = types
                .iter()
                .enumerate()
                .map(|(t, kind)| match marks.get(&(p, t)) {
                    None => kind.clone(),
                    Some(mark) => {
                        changed = true;
                        Arc::new(apply(kind, mark, quirks, &mut row))
                    }
                })
                .collect();
            if changed {
                row.catalogue = Arc::new(Catalogue::new(list));
                out.pools.insert(pool.name.clone(), row);
            }
        }
        out
    }

    /// `None` for a pool that no overlay touches.
    pub fn pool(&self, name: &str) -> Option<&PoolTypes> {
        self.pools.get(name)
    }
}

/// Positions of offerings by (pool, type); an overlay that matches a type and none of its offerings touches nothing.
type Touched = BTreeMap<(usize, usize), Vec<usize>>;

/// `Err`: the overlay of equal weight that came first.
fn place(
    overlay: &Overlay,
    pools: &[(Source<'_>, Vec<Arc<InstanceType>>)],
    marks: &BTreeMap<(usize, usize), Mark<'_>>,
) -> Result<Touched, Name> {
    let mut touched = Touched::new();
    for (p, ((pool, _), types)) in pools.iter().enumerate() {
        let mut of_pool = Requirements::from_labels(&pool.template.labels);
        of_pool.add(Requirement::is_in(names::NODEPOOL, [pool.name.clone()]));
        for (t, kind) in types.iter().enumerate() {
            let mut have = kind.requirements.clone();
            have.add_all(&of_pool);
            if have.compatible(&overlay.requirements, |_| false).is_err() {
                continue;
            }
            let offerings: Vec<usize> = kind
                .offerings
                .iter()
                .enumerate()
                .filter(|(_, o)| {
                    let mut pins = o.requirements.clone();
                    pins.add(Requirement::is_in(names::ZONE, [o.zone.clone()]));
                    pins.add(Requirement::is_in(
                        names::CAPACITY_TYPE,
                        [o.capacity_type.as_str()],
                    ));
                    overlay
                        .requirements
                        .compatible(&pins, names::is_well_known)
                        .is_ok()
                })
                .map(|(i, _)| i)
                .collect();
            if offerings.is_empty() {
                continue;
            }
            if let Some(other) = marks.get(&(p, t)).and_then(|m| conflict(overlay, m, &offerings)) {
                return Err(other);
            }
            touched.insert((p, t), offerings);
        }
    }
    Ok(touched)
}

fn conflict(overlay: &Overlay, mark: &Mark<'_>, offerings: &[usize]) -> Option<Name> {
    if overlay.price.is_some() {
        let same = offerings
            .iter()
            .filter_map(|i| mark.prices.get(i))
            .find(|(_, last)| last.weight == overlay.weight);
        if let Some((_, last)) = same {
            return Some(last.name.clone());
        }
    }
    mark.last
        .filter(|last| last.weight == overlay.weight)
        .filter(|last| overlay.capacity.keys().any(|k| last.capacity.contains_key(k)))
        .map(|last| last.name.clone())
}

fn store<'a>(overlay: &'a Overlay, touched: Touched, marks: &mut BTreeMap<(usize, usize), Mark<'a>>) {
    for (key, offerings) in touched {
        let mark = marks.entry(key).or_default();
        for offering in offerings {
            if let Some(change) = overlay.price {
                // The heaviest holds; the last is remembered for conflicts.
                mark.prices
                    .entry(offering)
                    .and_modify(|(_, last)| *last = overlay)
                    .or_insert((change, overlay));
            }
        }
        if !overlay.capacity.is_empty() {
            for (resource, amount) in &overlay.capacity {
                mark.capacity.entry(resource).or_insert(*amount);
            }
            mark.last = Some(overlay);
        }
    }
}

fn apply(kind: &InstanceType, mark: &Mark<'_>, quirks: bool, row: &mut PoolTypes) -> InstanceType {
    let mut out = kind.clone();
    for (i, (change, _)) in &mark.prices {
        if let Some(offering) = out.offerings.get_mut(*i) {
            offering.price = change.apply(offering.price);
            if quirks {
                offering.overrides = None;
            }
            row.priced.insert(kind.name.clone());
        }
    }
    for (resource, amount) in &mark.capacity {
        out.capacity.set(resource, *amount);
        row.enlarged.insert(kind.name.clone());
    }
    out
}
