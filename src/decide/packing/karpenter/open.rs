//! Opening a new claim from a pool's template (`scheduling §12.3`, `§17`, 5).

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::Solver;
use super::claims::{Fit, No, OpenClaim};
use super::form::Form;
use crate::decide::Fuel;
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::state::NODES;
use crate::decide::scheduling::{Purpose, min_values};
use crate::model::{Name, Resources};

/// What a template's limits say.
#[derive(Debug)]
pub enum Allowance {
    /// No further node.
    Nodes,
    /// The types left, and what each limited resource took away.
    Types(FixedBitSet, Vec<(Name, i64, FixedBitSet)>),
}

/// What the limits leave each template, with the nodes that count as gone given back.
pub fn remaining(p: &Prepared, without: &BTreeSet<Name>) -> Vec<BTreeMap<Name, i64>> {
    let mut out: Vec<BTreeMap<Name, i64>> = Vec::new();
    for template in &p.templates.usable {
        let mut left = template.remaining.clone();
        if !left.is_empty() {
            let gone: BTreeSet<usize> = without
                .iter()
                .filter_map(|name| p.node_ids.get(name).copied())
                .collect();
            let states = gone.iter().map(|i| &p.nodes[*i].state);
            for state in states.filter(|s| !s.marked && s.pool.as_ref() == Some(&template.pool.name)) {
                for (resource, amount) in &mut left {
                    *amount += if &**resource == NODES {
                        1
                    } else {
                        state.capacity.get(resource)
                    };
                }
            }
        }
        out.push(left);
    }
    out
}

impl Solver<'_> {
    /// `scheduling §12.3`.
    pub(super) fn allowance(&self, template: usize) -> Allowance {
        let t = &self.p.templates.usable[template];
        let remaining = &self.remaining[template];
        if remaining.get(NODES).is_some_and(|left| {
            if self.p.settings.parity {
                *left == 0
            } else {
                *left <= 0
            }
        }) {
            return Allowance::Nodes;
        }
        let mut types = t.compat.clone();
        types.intersect_with(&t.offered);
        if let Some(small) = self.small.as_ref().and_then(|s| s.get(template)) {
            types.intersect_with(small);
        }
        let mut over = Vec::new();
        for (resource, left) in remaining.iter().filter(|(k, _)| &***k != NODES) {
            let mut dropped = t.index.none();
            for i in types.ones() {
                let has = t.catalogue.types().get(i).map_or(0, |k| k.capacity.get(resource));
                dropped.set(i, has > *left);
            }
            if !dropped.is_clear() {
                types.difference_with(&dropped);
                over.push((resource.clone(), *left, dropped));
            }
        }
        Allowance::Types(types, over)
    }

    /// A claim of a template without pods.
    pub(super) fn fresh(&self, template: usize, types: FixedBitSet) -> OpenClaim {
        OpenClaim {
            id: self.claims.len(),
            template,
            row: u32::try_from(template).unwrap_or(u32::MAX),
            types,
            requests: Resources::default(),
            pods: Vec::new(),
            hostname: format!("hostname-placeholder-{:04}", self.claims.len() + 1).into(),
            ports: Vec::new(),
            lowered: BTreeMap::new(),
            held: BTreeSet::new(),
            over_limit: Vec::new(),
            pools_refused: Vec::new(),
            targets_refused: BTreeMap::new(),
        }
    }

    pub(super) fn open(&mut self, item: usize, form: &mut Form, fuel: &mut Fuel) -> Option<bool> {
        for template in 0..self.p.templates.usable.len() {
            if !fuel.take(1) {
                return None;
            }
            if !form.tolerated[template] || matches!(form.pools_refused.get(&template), Some(Some(_))) {
                continue;
            }
            let Allowance::Types(types, over) = self.allowance(template) else {
                continue;
            };
            let mut claim = self.fresh(template, types);
            let fit = match self.check(form, &claim) {
                Err(No::Ever | No::Now) => self.check_lowered(form, &mut claim),
                other => other,
            };
            let fit = match fit {
                Ok(fit) => fit,
                // Lighter pools are not asked: the pod waits for what is reserved.
                Err(No::Reserved) => {
                    let shape = self.items[item].shape;
                    self.shapes[shape].deferred = Some(template);
                    return Some(false);
                }
                Err(No::Ever | No::Now) => continue,
            };
            claim.over_limit = over;
            if self.purpose == Purpose::Provision {
                claim.pools_refused = self.refused_before(form, template);
                claim.targets_refused = self.targets_refused(form);
            }
            self.use_up(template, &fit.types);
            let c = self.claims.len();
            self.claims.push(claim);
            self.commit(c, item, form, fit);
            return Some(true);
        }
        Some(false)
    }

    /// BestEffort minValues: a new claim may have less variety (`scheduling §14`).
    pub(super) fn check_lowered(&mut self, form: &Form, claim: &mut OpenClaim) -> Result<Fit, No> {
        let template = &self.p.templates.usable[claim.template];
        let keys: Vec<Name> = template
            .requirements
            .iter()
            .filter(|r| r.min_values.is_some())
            .map(|r| r.key.clone())
            .collect();
        if !self.p.settings.min_values_best_effort || keys.is_empty() {
            return Err(No::Ever);
        }
        claim.lowered = keys.into_iter().map(|k| (k, 0)).collect();
        let fit = self.check(form, claim)?;
        let row = self.arena.row(fit.row);
        let missing = min_values::check(&template.catalogue, &fit.types, &row.requirements)
            .err()
            .unwrap_or_default();
        claim.lowered = missing.into_iter().map(|(k, (found, _))| (k, found)).collect();
        Ok(fit)
    }

    /// Takes the largest of a claim's types off the limits.
    pub(super) fn use_up(&mut self, template: usize, types: &FixedBitSet) {
        let t = &self.p.templates.usable[template];
        for (resource, left) in &mut self.remaining[template] {
            if &**resource == NODES {
                if !self.p.settings.parity {
                    *left -= 1;
                }
                continue;
            }
            let most = types
                .ones()
                .filter_map(|i| t.catalogue.types().get(i))
                .map(|k| k.capacity.get(resource))
                .max();
            *left = left.saturating_sub(most.unwrap_or(0));
        }
    }
}
