//! Claims that this plan opened, and adding pods to them (`scheduling §17`, `§17.1`).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use fixedbitset::FixedBitSet;

use super::Solver;
use super::form::Form;
use crate::decide::scheduling::arena::Row;
use crate::decide::scheduling::topology::Place;
use crate::decide::scheduling::{Purpose, min_values, ports};
use crate::model::decision::Refusal;
use crate::model::pod::HostPort;
use crate::model::{Name, Operator, Requirements, Resources};

/// A claim being planned.
#[derive(Debug)]
pub struct OpenClaim {
    /// Its position among the claims.
    pub id: usize,
    pub template: usize,
    /// Its requirements, by arena number.
    pub row: u32,
    /// Types that it can still become.
    pub types: FixedBitSet,
    /// Pods without daemons.
    pub requests: Resources,
    /// Positions in the batch, in order of placement.
    pub pods: Vec<usize>,
    /// Placeholder that makes hostname rules work.
    pub hostname: Name,
    pub ports: Vec<HostPort>,
    /// minValues that were lowered when it opened.
    pub lowered: BTreeMap<Name, u32>,
    /// Reservations in which an instance is set aside for it.
    pub held: BTreeSet<Name>,
    /// Types that the pool's limits took away when it opened.
    pub over_limit: Vec<(Name, i64, FixedBitSet)>,
    pub pools_refused: Vec<(Name, Refusal)>,
    pub targets_refused: BTreeMap<Name, u32>,
}

/// How a pod fits a claim.
#[derive(Debug)]
pub struct Fit {
    pub row: u32,
    pub types: FixedBitSet,
    /// Reservations to hold then.
    pub held: BTreeSet<Name>,
}

/// Why not, as far as the search needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// It never will.
    Ever,
    /// Counts of topology may change.
    Now,
    /// Reserved capacity suits and none can be set aside.
    Reserved,
}

impl Solver<'_> {
    /// Types among `types` that hold `requests` next to the daemons they would get.
    pub(super) fn fitting(
        &self,
        template: usize,
        types: &FixedBitSet,
        requests: &Resources,
        taken: &[HostPort],
        wanted: &[HostPort],
    ) -> FixedBitSet {
        let t = &self.p.templates.usable[template];
        if ports::first_conflict(wanted, taken.iter()).is_some() {
            return t.index.none();
        }
        if let [only] = t.daemons.as_slice()
            && only.daemons.is_empty()
        {
            let mut out = types.clone();
            out.intersect_with(&only.types);
            t.index.retain_fitting(requests, &mut out);
            return out;
        }
        let mut out = t.index.none();
        for group in &t.daemons {
            if ports::first_conflict(wanted, group.ports.iter()).is_some() {
                continue;
            }
            let mut some = types.clone();
            some.intersect_with(&group.types);
            if some.is_clear() {
                continue;
            }
            let mut all = requests.clone();
            all.add(&group.overhead);
            t.index.retain_fitting(&all, &mut some);
            out.union_with(&some);
        }
        out
    }

    /// Checks a form against a claim, in-flight or fresh (`scheduling §17.1`).
    pub(super) fn check(&mut self, form: &Form, claim: &OpenClaim) -> Result<Fit, No> {
        if !form.tolerated[claim.template] || claim.pods.len() >= self.most_pods {
            return Err(No::Ever);
        }
        if form.hostname.as_ref().is_some_and(|h| !h.has(&claim.hostname)) {
            return Err(No::Ever);
        }
        if form.forgotten.contradiction.is_some() {
            return Err(No::Ever);
        }
        let row = self.arena.join(claim.row, form.demand).map_err(|_| No::Ever)?;
        if self.lacks(form, row) {
            return Err(No::Ever);
        }
        let mut requests = claim.requests.clone();
        requests.add(&form.requests);
        if form.volumes.is_empty() {
            return self.check_row(form, claim, row, &requests);
        }
        let mut answer = No::Ever;
        for (alternative, _) in &form.volumes {
            let Ok(narrowed) = self.arena.join(row, *alternative) else {
                continue;
            };
            match self.check_row(form, claim, narrowed, &requests) {
                Ok(fit) => return Ok(fit),
                Err(No::Ever) if answer != No::Ever => answer = No::Now,
                Err(no) => answer = no,
            }
        }
        Err(answer)
    }

    /// A label that must be there will not be.
    fn lacks(&self, form: &Form, row: u32) -> bool {
        let mut present = form.forgotten.present.iter().peekable();
        present.peek().is_some() && {
            let row = self.arena.row(row);
            present.any(|key| {
                let wanted = row.requirements.get(key);
                wanted.is_some_and(|r| r.operator() == Operator::DoesNotExist)
            })
        }
    }

    fn check_row(
        &mut self,
        form: &Form,
        claim: &OpenClaim,
        row_id: u32,
        requests: &Resources,
    ) -> Result<Fit, No> {
        let row = self.arena.row(row_id);
        let mut types = claim.types.clone();
        row.filter(&mut types);
        types = self.fitting(
            claim.template,
            &types,
            requests,
            &claim.ports,
            &form.spec.host_ports,
        );
        if types.is_clear() {
            return Err(No::Ever);
        }
        if form.member.is_free() {
            self.variety(claim, &row, &types)?;
            let held = self.set_aside(claim, &row, &types)?;
            return Ok(Fit {
                row: row_id,
                types,
                held,
            });
        }
        let narrowing = self
            .narrowing(form, claim, &row.requirements)
            .map_err(|_| No::Now)?;
        let demand = self.arena.demand(narrowing);
        let row_id = self.arena.join(row_id, demand).map_err(|_| No::Now)?;
        let row = self.arena.row(row_id);
        row.filter(&mut types);
        if types.is_clear() {
            return Err(No::Now);
        }
        self.variety(claim, &row, &types).map_err(|_| No::Now)?;
        let held = self.set_aside(claim, &row, &types)?;
        Ok(Fit {
            row: row_id,
            types,
            held,
        })
    }

    /// Reservations that the claim would hold (`scheduling §20`). Provisioning refuses what would make a claim lose all
    /// of them, or find all taken; simulations go on to spot and on-demand.
    pub(super) fn set_aside(
        &self,
        claim: &OpenClaim,
        row: &Row,
        types: &FixedBitSet,
    ) -> Result<BTreeSet<Name>, No> {
        let Some(rations) = &self.rations else {
            return Ok(BTreeSet::new());
        };
        let index = &self.p.templates.usable[claim.template].index;
        let reach = rations.reach(index, &row.groups, types, &claim.held);
        let strict = self.purpose == Purpose::Provision;
        if strict && reach.ids.is_empty() && (reach.any || !claim.held.is_empty()) {
            return Err(No::Reserved);
        }
        Ok(reach.ids)
    }

    /// What topology leaves of a claim's domains, hostname aside; `Err`: the group that refuses.
    pub(super) fn narrowing(
        &self,
        form: &Form,
        claim: &OpenClaim,
        requirements: &Requirements,
    ) -> Result<Requirements, usize> {
        let place = Place {
            requirements,
            hostname: &claim.hostname,
            taints: &self.p.templates.usable[claim.template].pool.template.taints,
            claim: claim.id,
        };
        self.topology.evaluate(&form.member, &form.strict, &place)
    }

    pub(super) fn variety(&self, claim: &OpenClaim, row: &Rc<Row>, types: &FixedBitSet) -> Result<(), No> {
        let wanted = row.requirements.iter().any(|r| r.min_values.is_some());
        if !wanted {
            return Ok(());
        }
        let lowered = with_lowered(&row.requirements, &claim.lowered);
        let catalogue = &self.p.templates.usable[claim.template].catalogue;
        min_values::check(catalogue, types, &lowered).map_err(|_| No::Ever)
    }

    /// Adds a pod to a claim that it fits.
    pub(super) fn commit(&mut self, c: usize, item: usize, form: &mut Form, fit: Fit) {
        let claim = &mut self.claims[c];
        let before = u32::try_from(claim.pods.len()).unwrap_or(u32::MAX);
        self.by_row.moved(c, claim.row, fit.row);
        claim.row = fit.row;
        claim.types = fit.types;
        if let Some(rations) = &mut self.rations {
            rations.hold(&mut claim.held, fit.held);
        }
        claim.requests.add(&form.requests);
        claim.pods.push(item);
        claim.ports.extend(form.spec.host_ports.iter().cloned());
        if before > 0
            && let Some(bucket) = self.by_pods.get_mut(&before)
        {
            bucket.remove(c);
            if bucket.is_clear() {
                self.by_pods.remove(&before);
            }
        }
        let bucket = self.by_pods.entry(before.saturating_add(1)).or_default();
        bucket.grow(c + 1);
        bucket.insert(c);
        if !self.topology.is_empty() {
            let row = self.arena.row(fit.row);
            let claim = &self.claims[c];
            self.topology.record(
                &mut form.member,
                &Place {
                    requirements: &row.requirements,
                    hostname: &claim.hostname,
                    taints: &self.p.templates.usable[claim.template].pool.template.taints,
                    claim: c,
                },
            );
        }
    }
}

/// Requirements with the minValues that a claim was let off.
pub fn with_lowered(requirements: &Requirements, lowered: &BTreeMap<Name, u32>) -> Requirements {
    let mut out = requirements.clone();
    for (key, value) in lowered {
        if let Some(requirement) = out.0.get_mut(key) {
            requirement.min_values = Some(*value);
        }
    }
    out
}
