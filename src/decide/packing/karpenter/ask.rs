//! A finished solve that can still be asked: one pod against every place, as the plan left them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::form::Form;
use super::open::Allowance;
use super::{Solver, sort_out};
use crate::decide::Fuel;
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::{Purpose, Solution};
use crate::model::decision::Refusal;
use crate::model::decision::refusal::Funnel;
use crate::model::{Name, Pod};

/// Places by name, with `None` where the pod fits.
pub type Tried = Vec<(Name, Option<Refusal>)>;

/// A pool as a pod sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolAsked {
    pub pool: Name,
    /// The first failing check; `None` when it would open a claim.
    pub refusal: Option<Refusal>,
    /// What each filter takes away, also where a check before the types fails; `None` where the requirements clash.
    pub funnel: Option<Funnel>,
    /// Most of a resource that the pod may ask for, where that is less than it asks for.
    pub ceilings: Vec<(Name, i64)>,
}

/// Where a pod sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seat {
    Node(Name),
    /// A claim of this plan.
    Claim(Name),
}

/// What one pod was told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    pub seat: Option<Seat>,
    /// In weight order; one entry without a name when the pod is never considered.
    pub pools: Vec<PoolAsked>,
    /// In order of trial.
    pub nodes: Tried,
    /// Claims of this plan, in order of opening.
    pub claims: Tried,
}

/// One pod against every place as the picture has it, with nothing planned; a bound pod is taken off its node first.
pub fn places(prepared: &Prepared, pod: &Arc<Pod>) -> Asked {
    let without = BTreeSet::new();
    let (pods, ignored) = sort_out(prepared, vec![(pod.key(), pod.clone())]);
    let mut solver = Solver::new(prepared, &without, Purpose::Provision, pods);
    solver.telling = true;
    let solution = Solution {
        unschedulable: ignored,
        ..Solution::default()
    };
    Finished { solver, solution }.ask(&pod.key()).unwrap_or_default()
}

/// A plan, and the state that it was made in.
pub struct Finished<'a> {
    solver: Solver<'a>,
    solution: Solution,
}

impl std::fmt::Debug for Finished<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finished")
            .field("solution", &self.solution)
            .finish_non_exhaustive()
    }
}

impl<'a> Finished<'a> {
    pub fn new(
        prepared: &'a Prepared,
        pods: Vec<(Name, Arc<Pod>)>,
        without: &'a BTreeSet<Name>,
        fuel: &mut Fuel,
    ) -> Self {
        let (pods, ignored) = sort_out(prepared, pods);
        let mut solver = Solver::new(prepared, without, Purpose::Provision, pods);
        let left = solver.run(fuel);
        let solution = solver.finish(left, ignored);
        Self { solver, solution }
    }

    pub fn solution(&self) -> &Solution {
        &self.solution
    }

    /// Every place against a pod of the batch, with everything given up that the pod can give up. `None`: not of it.
    pub fn ask(&mut self, pod: &Name) -> Option<Asked> {
        let Some(item) = self.solver.items.iter().position(|i| i.key == *pod) else {
            let ignored = self.solution.unschedulable.iter().find(|u| u.pod == *pod)?;
            let pools = ignored.pools.iter().map(|(pool, refusal)| PoolAsked {
                pool: pool.clone(),
                refusal: Some(refusal.clone()),
                funnel: None,
                ceilings: Vec::new(),
            });
            return Some(Asked {
                pools: pools.collect(),
                ..Asked::default()
            });
        };
        let form = self.solver.last_form(self.solver.items[item].shape);
        let taken = std::mem::take(&mut self.solver.forms[form]);
        let mut out = Asked {
            seat: self.seat(item, pod),
            pools: self.pools(&taken),
            nodes: self.nodes(&taken),
            claims: self.claims(&taken),
        };
        self.solver.forms[form] = taken;
        self.own_seat_fits(&mut out);
        Some(out)
    }

    /// What a placed pod takes up itself does not keep it out of where it sits.
    fn own_seat_fits(&self, out: &mut Asked) {
        let (list, name) = match &out.seat {
            Some(Seat::Node(name)) => (&mut out.nodes, name),
            Some(Seat::Claim(name)) => (&mut out.claims, name),
            None => return,
        };
        if let Some(own) = list.iter_mut().find(|(n, _)| n == name) {
            own.1 = None;
        }
        let claim = self.solution.claims.iter().find(|c| c.draft.name == *name);
        if let Some(pool) = claim.map(|c| &c.draft.pool)
            && let Some(own) = out.pools.iter_mut().find(|p| p.pool == *pool)
        {
            own.refusal = None;
        }
    }

    fn seat(&self, item: usize, pod: &Name) -> Option<Seat> {
        if let Some((node, _)) = self.solution.existing.iter().find(|(_, pods)| pods.contains(pod)) {
            return Some(Seat::Node(node.clone()));
        }
        let (ordinal, claim) = self
            .solver
            .claims
            .iter()
            .enumerate()
            .find(|(_, c)| c.pods.contains(&item))?;
        Some(Seat::Claim(self.solver.claim_name(claim, ordinal)))
    }

    fn pools(&mut self, form: &Form) -> Vec<PoolAsked> {
        let p = self.solver.p;
        let mut out: Vec<PoolAsked> = p
            .templates
            .refused
            .iter()
            .map(|(pool, refusal)| PoolAsked {
                pool: pool.clone(),
                refusal: Some(refusal.clone()),
                funnel: None,
                ceilings: Vec::new(),
            })
            .collect();
        for template in 0..p.templates.usable.len() {
            let refusal = self.solver.template_refusal(form, template);
            let (funnel, ceilings) = match self.solver.allowance(template) {
                Allowance::Nodes => (None, Vec::new()),
                Allowance::Types(types, over) => {
                    let ceilings = self.solver.ceilings(form, template, &types);
                    let mut claim = self.solver.fresh(template, types);
                    claim.over_limit = over;
                    let row = self.solver.arena.join(claim.row, form.demand).ok();
                    let funnel = row.map(|row| self.solver.funnel(&claim, row, &form.requests));
                    (funnel, ceilings)
                }
            };
            out.push(PoolAsked {
                pool: p.templates.usable[template].pool.name.clone(),
                funnel: match &refusal {
                    Some(Refusal::InstanceTypes { funnel, .. }) => Some(funnel.clone()),
                    _ => funnel,
                },
                refusal,
                ceilings,
            });
        }
        if out.is_empty() {
            out.push(PoolAsked {
                pool: "".into(),
                refusal: Some(Refusal::NoPools),
                funnel: None,
                ceilings: Vec::new(),
            });
        }
        out.sort_by_key(|a| p.templates.order.get(&a.pool).copied());
        out
    }

    fn nodes(&mut self, form: &Form) -> Tried {
        let open: Vec<usize> = self.solver.open_nodes.ones().collect();
        open.into_iter()
            .map(|i| {
                let name = self.solver.p.nodes[i].state.name.clone();
                (name, self.solver.node_refusal(form, i))
            })
            .collect()
    }

    fn claims(&mut self, form: &Form) -> Tried {
        let claims = std::mem::take(&mut self.solver.claims);
        let out = claims
            .iter()
            .enumerate()
            .map(|(i, claim)| {
                let name = self.solver.claim_name(claim, i);
                (name, self.solver.claim_refusal(form, claim))
            })
            .collect();
        self.solver.claims = claims;
        out
    }
}
