//! Finding the claim of this plan that takes a pod: the one with the fewest pods, of those the oldest
//! (`scheduling §17`, 3).
//!
//! Claims with the same requirements get the same answer from everything but room and hostname, so that is asked once a
//! set of requirements ([`ByRow`]); hostname rules and what was refused before are bits.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::Solver;
use super::claims::{Fit, No};
use super::existing::next_one;
use super::form::Form;
use crate::decide::Fuel;
use crate::decide::packing::pattern_sort;

/// Arena number of requirements → claims that have them.
#[derive(Debug, Default)]
pub struct ByRow(BTreeMap<u32, FixedBitSet>);

impl ByRow {
    /// A claim has other requirements than before.
    pub fn moved(&mut self, claim: usize, from: u32, to: u32) {
        if from != to
            && let Some(bits) = self.0.get_mut(&from)
            && claim < bits.len()
        {
            bits.set(claim, false);
            if bits.is_clear() {
                self.0.remove(&from);
            }
        }
        let bits = self.0.entry(to).or_default();
        bits.grow(claim + 1);
        bits.insert(claim);
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &FixedBitSet)> {
        self.0.iter().map(|(row, claims)| (*row, claims))
    }
}

/// Requirements that a claim would have with the pod: before topology, and after it where that allows any.
type Way = (u32, Option<u32>);

/// One search.
struct Search<'f> {
    form: &'f mut Form,
    /// Claims that may still take the pod.
    open: FixedBitSet,
    /// By the requirements of claims.
    ways: BTreeMap<u32, Vec<Way>>,
}

/// The fuel ended before the search did.
struct Spent;

impl Solver<'_> {
    pub(super) fn place_in_flight(&mut self, item: usize, form: &mut Form, fuel: &mut Fuel) -> Option<bool> {
        if self.claims.is_empty() {
            return Some(false);
        }
        form.refused.grow(self.claims.len());
        let mut open = FixedBitSet::with_capacity(self.claims.len());
        open.insert_range(..);
        open.difference_with(&form.refused);
        self.topology.close_claims(&form.member, &form.strict, &mut open);
        let mut search = Search {
            form,
            open,
            ways: BTreeMap::new(),
        };
        let found = if self.p.settings.parity {
            self.search_like_upstream(&mut search, fuel).ok()?
        } else {
            self.search(&mut search, fuel).ok()?
        };
        match found {
            Some((c, fit)) => {
                self.commit(c, item, form, fit);
                Some(true)
            }
            None => Some(false),
        }
    }

    fn search(&mut self, search: &mut Search<'_>, fuel: &mut Fuel) -> Result<Option<(usize, Fit)>, Spent> {
        let buckets = std::mem::take(&mut self.by_pods);
        let mut answer = Ok(None);
        'search: for bucket in buckets.values() {
            let mut from = 0;
            while let Some(c) = next_both(bucket, &search.open, from) {
                from = c + 1;
                if !fuel.take(1) {
                    answer = Err(Spent);
                    break 'search;
                }
                if let Some(fit) = self.ask(search, c) {
                    answer = Ok(Some((c, fit)));
                    break 'search;
                }
            }
        }
        self.by_pods = buckets;
        answer
    }

    /// Upstream sorts the order of its last attempt again, which is not stable.
    fn search_like_upstream(
        &mut self,
        search: &mut Search<'_>,
        fuel: &mut Fuel,
    ) -> Result<Option<(usize, Fit)>, Spent> {
        let mut order = std::mem::take(&mut self.parity_order);
        let claims = &self.claims;
        order.extend(order.len()..claims.len());
        pattern_sort::sort_by(&mut order, |a, b| claims[*a].pods.len() < claims[*b].pods.len());
        let mut answer = Ok(None);
        for c in &order {
            if !search.open.contains(*c) {
                continue;
            }
            if !fuel.take(1) {
                answer = Err(Spent);
                break;
            }
            if let Some(fit) = self.ask(search, *c) {
                answer = Ok(Some((*c, fit)));
                break;
            }
        }
        self.parity_order = order;
        answer
    }

    /// One claim; what it and its like refuse is taken out of the search.
    fn ask(&mut self, search: &mut Search<'_>, c: usize) -> Option<Fit> {
        let row = self.claims[c].row;
        if !search.ways.contains_key(&row) {
            let ways = self.ways(search.form, row);
            if let Some(alike) = self.by_row.0.get(&row) {
                if ways.is_empty() {
                    search.form.refused.union_with(alike);
                }
                if ways.iter().all(|(_, after)| after.is_none()) {
                    search.open.difference_with(alike);
                }
            }
            search.ways.insert(row, ways);
        }
        let ways = search.ways.get(&row)?;
        match self.check_ways(search.form, c, ways) {
            Ok(fit) => Some(fit),
            Err(No::Ever) => {
                search.form.refused.insert(c);
                None
            }
            Err(No::Now | No::Reserved) => None,
        }
    }

    /// What claims with those requirements would become; nothing when they never can take the form.
    fn ways(&mut self, form: &Form, row: u32) -> Vec<Way> {
        if !form.tolerated[self.arena.row(row).template] {
            return Vec::new();
        }
        let Ok(joined) = self.arena.join(row, form.demand) else {
            return Vec::new();
        };
        let before: Vec<u32> = if form.volumes.is_empty() {
            vec![joined]
        } else {
            let alternatives = form.volumes.iter();
            alternatives
                .filter_map(|(volume, _)| self.arena.join(joined, *volume).ok())
                .collect()
        };
        if form.member.is_free() {
            return before.into_iter().map(|row| (row, Some(row))).collect();
        }
        before
            .into_iter()
            .map(|row| (row, self.after_topology(form, row)))
            .collect()
    }

    fn after_topology(&mut self, form: &Form, row: u32) -> Option<u32> {
        let requirements = &self.arena.row(row).requirements;
        let narrowing = self
            .topology
            .narrowing(&form.member, &form.strict, requirements)
            .ok()?;
        let demand = self.arena.demand(narrowing);
        self.arena.join(row, demand).ok()
    }

    fn check_ways(&self, form: &Form, c: usize, ways: &[Way]) -> Result<Fit, No> {
        let claim = &self.claims[c];
        let elsewhere = form.hostname.as_ref().is_some_and(|h| !h.has(&claim.hostname));
        if elsewhere || claim.pods.len() >= self.most_pods {
            return Err(No::Ever);
        }
        let mut requests = claim.requests.clone();
        requests.add(&form.requests);
        let left = |row: u32| {
            let mut types = claim.types.clone();
            self.arena.row(row).filter(&mut types);
            self.fitting(
                claim.template,
                &types,
                &requests,
                &claim.ports,
                &form.spec.host_ports,
            )
        };
        let mut reserved = false;
        for row in ways.iter().filter_map(|(_, after)| *after) {
            let types = left(row);
            let after = self.arena.row(row);
            if types.is_clear() || self.variety(claim, &after, &types).is_err() {
                continue;
            }
            match self.set_aside(claim, &after, &types) {
                Ok(held) => return Ok(Fit { row, types, held }),
                Err(_) => reserved = true,
            }
        }
        if reserved {
            return Err(No::Reserved);
        }
        // Without topology the answer would not change; with it, only where no type is left before it narrows.
        let ever = form.member.is_free() || ways.iter().all(|(before, _)| left(*before).is_clear());
        Err(if ever { No::Ever } else { No::Now })
    }
}

/// The first bit at or after `from` that both sets have.
fn next_both(a: &FixedBitSet, b: &FixedBitSet, from: usize) -> Option<usize> {
    let mut from = next_one(a, from)?;
    loop {
        let other = next_one(b, from)?;
        if other == from {
            return Some(from);
        }
        from = next_one(a, other)?;
        if from == other {
            return Some(from);
        }
    }
}
