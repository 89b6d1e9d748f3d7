//! What the bits say about a claim: how many types each check took, the head of the ranking, what was cheaper and why
//! it was not taken.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::Solver;
use super::claims::OpenClaim;
use crate::api::names;
use crate::decide::scheduling::arena::Row;
use crate::decide::scheduling::templates::Template;
use crate::model::decision::evidence::{CheaperRefused, RankRow};
use crate::model::decision::refusal::{Check, Funnel, FunnelStep};
use crate::model::{Name, Resources, UsdPerHour};

const EXAMPLES: usize = 3;
const RANKING: usize = 20;
const CHEAPER: usize = 10;

/// Every check in order with the types that fell at it.
pub type Steps = Vec<(Check, FixedBitSet)>;

/// Types that hold the amount of one resource, daemons included, and the amount wanted.
fn holds(t: &Template, left: &FixedBitSet, resource: &str, requests: &Resources) -> (FixedBitSet, i64) {
    let mut out = t.index.none();
    let mut rest = left.clone();
    let mut wanted = requests.get(resource);
    let mut one = Resources::default();
    for group in &t.daemons {
        let amount = requests.get(resource) + group.overhead.get(resource);
        wanted = wanted.max(amount);
        one.set(resource, amount);
        let mut some = left.clone();
        some.intersect_with(&group.types);
        t.index.retain_fitting(&one, &mut some);
        out.union_with(&some);
        rest.difference_with(&group.types);
    }
    one.set(resource, requests.get(resource));
    t.index.retain_fitting(&one, &mut rest);
    out.union_with(&rest);
    (out, wanted)
}

/// One line of a ranking.
fn rank(t: &Template, row: &Row, price: UsdPerHour, i: usize) -> Option<RankRow> {
    let kind = t.catalogue.types().get(i)?;
    let (_, cheapest) = t.index.cheapest(i, &row.groups)?;
    let zones: BTreeSet<Name> = row
        .groups
        .ones()
        .filter_map(|g| t.index.groups.get(g))
        .filter(|g| g.available.contains(i))
        .map(|g| g.zone.clone())
        .collect();
    Some(RankRow {
        instance_type: kind.name.clone(),
        arch: kind
            .requirements
            .get(names::ARCH)
            .and_then(|r| r.values.first().cloned())
            .unwrap_or_default(),
        vcpu: u32::try_from(kind.capacity.cpu / 1000).unwrap_or(0),
        memory_mib: u64::try_from(kind.capacity.memory >> 20).unwrap_or(0),
        allocatable: t.index.allocatable.get(i).cloned().unwrap_or_default(),
        price,
        capacity_type: cheapest.capacity_type,
        zones: zones.into_iter().collect(),
    })
}

impl Solver<'_> {
    pub(super) fn steps(&self, claim: &OpenClaim, row: &Row, requests: &Resources) -> Steps {
        let t = &self.p.templates.usable[claim.template];
        let mut left = t.index.all();
        let mut out = Steps::new();
        let mut fell = |left: &mut FixedBitSet, check: Check, gone: FixedBitSet| {
            if !gone.is_clear() {
                left.difference_with(&gone);
                out.push((check, gone));
            }
        };
        for (requirement, gone) in row.fallen(&t.index) {
            let check = Check::Requirement {
                requirement: requirement.clone(),
            };
            fell(&mut left, check, gone.clone());
        }
        let mut resources: BTreeSet<Name> = requests.iter().map(|(k, _)| k.into()).collect();
        for group in &t.daemons {
            resources.extend(group.overhead.iter().map(|(k, _)| Name::from(k)));
        }
        for resource in resources {
            let (ok, wanted) = holds(t, &left, &resource, requests);
            let mut gone = left.clone();
            gone.difference_with(&ok);
            fell(&mut left, Check::Resource { resource, wanted }, gone);
        }
        let mut gone = left.clone();
        gone.difference_with(&t.index.listed(&row.groups));
        fell(&mut left, Check::NoOffering, gone);
        let mut gone = left.clone();
        gone.difference_with(&row.offered);
        fell(&mut left, Check::OutOfStock, gone);
        for (resource, remaining, types) in &claim.over_limit {
            let mut gone = left.clone();
            gone.intersect_with(types);
            let check = Check::Limit {
                resource: resource.clone(),
                remaining: *remaining,
            };
            fell(&mut left, check, gone);
        }
        out
    }

    /// The funnel of a claim that nothing fits.
    pub(super) fn funnel(&mut self, claim: &OpenClaim, row_id: u32, requests: &Resources) -> Funnel {
        let row = self.arena.row(row_id);
        let steps = self.steps(claim, &row, requests);
        self.count_steps(&row, &steps)
    }

    pub(super) fn count_steps(&mut self, row: &Row, steps: &Steps) -> Funnel {
        // Examples by the price that the template would pay, as the claim's own offerings may be none.
        let base = self.arena.row(u32::try_from(row.template).unwrap_or(u32::MAX));
        let order = self.arena.by_price(&base);
        let t = &self.p.templates.usable[row.template];
        let name = |i: usize| t.catalogue.types().get(i).map(|k| k.name.clone());
        Funnel {
            considered: u32::try_from(t.index.len()).unwrap_or(u32::MAX),
            steps: steps
                .iter()
                .map(|(check, gone)| FunnelStep {
                    check: check.clone(),
                    removed: u32::try_from(gone.count_ones(..)).unwrap_or(u32::MAX),
                    examples: order
                        .iter()
                        .map(|(_, i)| *i as usize)
                        .filter(|i| gone.contains(*i))
                        .take(EXAMPLES)
                        .filter_map(name)
                        .collect(),
                })
                .collect(),
        }
    }

    /// The cheapest options of a claim, `options` being in price order.
    pub(super) fn ranking(&mut self, row: &Row, options: &[(UsdPerHour, u32)]) -> Vec<Arc<RankRow>> {
        let t = &self.p.templates.usable[row.template];
        let head = options.iter().take(RANKING);
        head.filter_map(|(price, i)| self.arena.rank(row, *i, || rank(t, row, *price, *i as usize)))
            .collect()
    }

    /// Types of the pool that cost less than the cheapest option, with the check at which each fell; the nearest ten,
    /// dearest last.
    pub(super) fn cheaper(&mut self, row: &Row, steps: &Steps, chosen: UsdPerHour) -> Vec<CheaperRefused> {
        let base = self.arena.row(u32::try_from(row.template).unwrap_or(u32::MAX));
        let order = self.arena.by_price(&base);
        let t = &self.p.templates.usable[row.template];
        let mut found: Vec<(UsdPerHour, usize, &Check)> = order
            .iter()
            .take_while(|(price, _)| *price < chosen)
            .map(|(price, i)| (*price, *i as usize))
            .filter(|(_, i)| t.compat.contains(*i))
            .filter_map(|(price, i)| {
                let (why, _) = steps.iter().find(|(_, gone)| gone.contains(i))?;
                Some((price, i, why))
            })
            .collect();
        let skip = found.len().saturating_sub(CHEAPER);
        found
            .drain(skip..)
            .filter_map(|(price, i, why)| {
                Some(CheaperRefused {
                    instance_type: t.catalogue.types().get(i)?.name.clone(),
                    price,
                    why: why.clone(),
                })
            })
            .collect()
    }
}
