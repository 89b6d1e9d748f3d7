//! What emptied a funnel, in one fact: which filter, and how far the pod is from passing it.

use fixedbitset::FixedBitSet;

use super::Solver;
use super::claims::OpenClaim;
use super::form::Form;
use crate::decide::scheduling::templates::Template;
use crate::model::decision::cause::Cause;
use crate::model::decision::refusal::Check;
use crate::model::{Name, Resources};

/// The most of a resource that one of `types` has for pods that also want `requests`, and that type.
pub(super) fn most(
    t: &Template,
    types: &FixedBitSet,
    requests: &Resources,
    resource: &str,
) -> Option<(i64, usize)> {
    let mut best: Option<(i64, usize)> = None;
    for group in &t.daemons {
        let mut rest = requests.clone();
        rest.add(&group.overhead);
        rest.set(resource, 0);
        let mut some = types.clone();
        some.intersect_with(&group.types);
        t.index.retain_fitting(&rest, &mut some);
        for i in some.ones() {
            let has = t.index.allocatable.get(i).map_or(0, |a| a.get(resource));
            let left = has - group.overhead.get(resource);
            if best.is_none_or(|(most, _)| left > most) {
                best = Some((left, i));
            }
        }
    }
    best
}

fn count(types: &FixedBitSet) -> u32 {
    u32::try_from(types.count_ones(..)).unwrap_or(u32::MAX)
}

impl Solver<'_> {
    fn type_name(&self, template: usize, i: usize) -> Name {
        let types = self.p.templates.usable[template].catalogue.types();
        types.get(i).map_or_else(|| "".into(), |k| k.name.clone())
    }

    /// The cheapest of `types` at the template's prices.
    fn example(&mut self, template: usize, types: &FixedBitSet) -> Name {
        let base = self.arena.row(u32::try_from(template).unwrap_or(u32::MAX));
        let order = self.arena.by_price(&base);
        let first = order.iter().find(|(_, i)| types.contains(*i as usize));
        first.map_or_else(|| "".into(), |(_, i)| self.type_name(template, *i as usize))
    }

    pub(super) fn cause(
        &mut self,
        form: &Form,
        claim: &OpenClaim,
        row_id: u32,
        requests: &Resources,
    ) -> Option<Cause> {
        if let Some(cause) = self.does_not_exist(form) {
            return Some(cause);
        }
        let row = self.arena.row(row_id);
        let template = claim.template;
        let right = row.compat.clone();
        if right.is_clear() {
            let steps = self.steps(claim, &row, requests);
            return steps.into_iter().rev().find_map(|(check, _)| match check {
                Check::Requirement { requirement } => Some(Cause::Excluded { requirement }),
                _ => None,
            });
        }
        let mut left = self.fitting(template, &right, requests, &claim.ports, &form.spec.host_ports);
        if left.is_clear() {
            return self.too_small(template, &right, requests);
        }
        let t = &self.p.templates.usable[template];
        let mut listed = left.clone();
        listed.intersect_with(&t.index.listed(&row.groups));
        if listed.is_clear() {
            return Some(Cause::NotOffered {
                types: count(&left),
                example: self.example(template, &left),
            });
        }
        left.clone_from(&listed);
        left.intersect_with(&row.offered);
        if left.is_clear() {
            return Some(Cause::OutOfStock {
                types: count(&listed),
                example: self.example(template, &listed),
            });
        }
        let mut allowed = left.clone();
        allowed.intersect_with(&claim.types);
        if !allowed.is_clear() {
            return None;
        }
        let (resource, remaining, over) = claim
            .over_limit
            .iter()
            .find(|(_, _, over)| !over.is_disjoint(&left))?;
        let has = |i: usize| t.catalogue.types().get(i).map_or(0, |k| k.capacity.get(resource));
        let (smallest, i) = over.intersection(&left).map(|i| (has(i), i)).min()?;
        Some(Cause::OverLimit {
            resource: resource.clone(),
            remaining: *remaining,
            smallest,
            instance_type: self.type_name(template, i),
        })
    }

    /// A demand of the pod whose values nothing has.
    fn does_not_exist(&self, form: &Form) -> Option<Cause> {
        let known = self.p.vocabulary();
        form.requirements
            .iter()
            .filter(|r| !r.complement && !r.values.is_empty())
            .find(|r| !r.values.iter().any(|v| known.has(&r.key, v)))
            .map(|r| Cause::DoesNotExist {
                key: r.key.clone(),
                values: r.values.iter().cloned().collect(),
                hints: r.values.first().map_or_else(Vec::new, |v| known.hints(&r.key, v)),
            })
    }

    fn too_small(&self, template: usize, types: &FixedBitSet, requests: &Resources) -> Option<Cause> {
        let t = &self.p.templates.usable[template];
        let nothing = Resources::default();
        let short = |among: &Resources, resource: &str, wanted: i64| {
            let (most, i) = most(t, types, among, resource)?;
            (most < wanted).then(|| Cause::TooSmall {
                resource: resource.into(),
                wanted,
                most: most.max(0),
                instance_type: if most > 0 {
                    self.type_name(template, i)
                } else {
                    "".into()
                },
            })
        };
        // Too much of one thing for every type; then too much next to the other things.
        let mut wanted: Vec<(&str, i64)> = requests.iter().collect();
        wanted.reverse();
        wanted
            .iter()
            .find_map(|(resource, n)| short(&nothing, resource, *n))
            .or_else(|| {
                wanted
                    .iter()
                    .rev()
                    .find_map(|(resource, n)| short(requests, resource, *n))
            })
    }

    /// How much of each resource the pod may ask for at most so that a new machine of a template takes it, where that
    /// is less than it asks for.
    pub(super) fn ceilings(&mut self, form: &Form, template: usize, types: &FixedBitSet) -> Vec<(Name, i64)> {
        let row = u32::try_from(template).unwrap_or(u32::MAX);
        let Ok(row) = self.arena.join(row, form.demand) else {
            return Vec::new();
        };
        let row = self.arena.row(row);
        let mut right = types.clone();
        row.filter(&mut right);
        let t = &self.p.templates.usable[template];
        form.requests
            .iter()
            .filter_map(|(resource, wanted)| {
                let (most, _) = most(t, &right, &form.requests, resource)?;
                (most < wanted).then(|| (resource.into(), most.max(0)))
            })
            .collect()
    }
}
