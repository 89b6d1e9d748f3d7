//! A solve that can be looked at, and repeated with other nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Intent, Wishes};
use crate::decide::Fuel;
use crate::decide::packing::karpenter::queue::{Left, Queue};
use crate::decide::packing::karpenter::{Solver, open, pods_of, sort_out};
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::{Problem, Solution};
use crate::model::decision::evidence::Unschedulable;

/// A finished solve that was not yet drawn up.
pub struct Run<'a> {
    solver: Solver<'a>,
    left: Left,
    ignored: Vec<Unschedulable>,
}

impl<'a> Run<'a> {
    /// The greedy itself; `most_pods` is what one new node may hold.
    pub fn greedy(p: &'a Prepared, problem: &Problem<'a>, most_pods: usize, fuel: &mut Fuel) -> Self {
        let (pods, ignored) = sort_out(p, pods_of(p, problem));
        let mut solver = Solver::new(p, problem.without, problem.purpose, pods);
        solver.most_pods = most_pods;
        let left = solver.run(fuel);
        Self {
            solver,
            left,
            ignored,
        }
    }

    /// Pods that got a place.
    pub fn placed(&self) -> usize {
        self.solver.log.len()
    }

    /// Pods of the fullest new node.
    pub fn largest(&self) -> usize {
        self.solver.claims.iter().map(|c| c.pods.len()).max().unwrap_or(0)
    }

    pub fn into_solution(mut self) -> Solution {
        self.solver.finish(self.left, self.ignored)
    }

    /// The pods on new nodes as a market.
    pub fn wishes(&mut self, problem: &Problem<'_>) -> Wishes {
        let at_start = open::remaining(self.solver.p, problem.without);
        let at_end = std::mem::replace(&mut self.solver.remaining, at_start);
        let out = self.solver.wishes();
        self.solver.remaining = at_end;
        out
    }

    /// Carries a plan of nodes out for the same problem, pod by pod in this run's order and with this run's
    /// relaxations, each checked as the greedy checks; what is refused goes the greedy's way.
    pub fn replay(
        &self,
        problem: &Problem<'a>,
        wishes: &Wishes,
        intents: &[Intent],
        fuel: &mut Fuel,
    ) -> Self {
        let p = self.solver.p;
        let (pods, ignored) = sort_out(p, pods_of(p, problem));
        let mut solver = Solver::new(p, problem.without, problem.purpose, pods);
        solver.most_pods = self.solver.most_pods;
        let mut intent_of: BTreeMap<usize, usize> = BTreeMap::new();
        for (i, intent) in intents.iter().enumerate() {
            intent_of.extend(intent.pods.iter().map(|(_, item)| (*item, i)));
        }
        let on_new: BTreeSet<usize> = wishes.pods.iter().flatten().copied().collect();
        let mut opened: Vec<Option<usize>> = vec![None; intents.len()];
        let mut rest: Vec<usize> = self.left.failed.clone();
        rest.extend(&self.left.unreached);
        for (item, level) in self.levels() {
            let Some(form) = solver.form(solver.items[item].shape, level) else {
                rest.push(item);
                continue;
            };
            let mut taken = std::mem::take(&mut solver.forms[form]);
            solver.topology.refresh(&mut taken.member);
            let done = match intent_of.get(&item) {
                Some(i) => {
                    let target = (&intents[*i], &mut opened[*i]);
                    solver.follow(item, &mut taken, wishes, target)
                }
                None if on_new.contains(&item) => false,
                None => solver.place_existing(item, &mut taken, fuel).unwrap_or(false),
            };
            solver.forms[form] = taken;
            if done {
                solver.version += 1;
                solver.log.push((item, form));
            } else {
                rest.push(item);
            }
        }
        let left = solver.run_queue(Queue::of(&solver.items, rest), fuel);
        Self {
            solver,
            left,
            ignored,
        }
    }

    /// Pods in order of placement with the step of relaxation at which each was placed.
    fn levels(&self) -> Vec<(usize, usize)> {
        let shapes = &self.solver.shapes;
        self.solver
            .log
            .iter()
            .map(|(item, form)| {
                let levels = &shapes[self.solver.items[*item].shape].levels;
                (*item, levels.iter().position(|f| f == form).unwrap_or(0))
            })
            .collect()
    }
}
