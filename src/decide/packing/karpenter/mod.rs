//! Karpenter's greedy (`scheduling §16`, `§17`): pods by size, existing nodes first, then claims of this plan with the
//! fewest pods, then a new claim of the heaviest pool that can take the pod.
//!
//! Pods that demand the same are one shape; a shape's requirements at one step of relaxation are a form. What a form
//! was refused by is remembered as a bit: nodes only fill up and claims only narrow, so a refusal stands, unless
//! topology made it.

mod ask;
mod bounds;
mod cause;
mod claims;
mod draft;
mod evidence;
mod existing;
mod form;
mod guided;
mod in_flight;
mod open;
mod pick;
mod queue;
mod refuse;
mod relaxed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use crate::decide::Fuel;
use crate::decide::scheduling::arena::Arena;
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::reserved::Rations;
use crate::decide::scheduling::topology::Topology;
use crate::decide::scheduling::{Problem, Purpose, Solution, relax};
use crate::model::decision::Refusal;
use crate::model::decision::evidence::Unschedulable;
use crate::model::{Name, Pod};

pub use ask::{Asked, Finished, PoolAsked, Seat, Tried, places};
pub use bounds::{Bounded, Bounds};
pub use draft::claim_name;
pub use guided::{Intent, Run, Wishes};

use claims::OpenClaim;
use existing::Overlay;
use form::{Form, Shape, Shapes};
use pick::{pods_of, sort_out};

/// One pod of the batch.
#[derive(Clone, Debug)]
struct Item {
    key: Name,
    pod: Arc<Pod>,
    shape: usize,
}

/// The state of one solve.
pub struct Solver<'a> {
    p: &'a Prepared,
    purpose: Purpose,
    arena: Arena<'a>,
    topology: Topology<'a>,
    items: Vec<Item>,
    shapes: Vec<Shape>,
    forms: Vec<Form>,
    /// Nodes that take pods in this problem.
    open_nodes: FixedBitSet,
    /// Of those, the ones a pod that runs somewhere may not move to yet (`scheduling §15.3`, simulations).
    resting: FixedBitSet,
    nodes: Overlay,
    claims: Vec<OpenClaim>,
    by_row: in_flight::ByRow,
    /// Pod count → claims with that many.
    by_pods: BTreeMap<u32, FixedBitSet>,
    /// Claims in the order of trial that parity keeps between attempts.
    parity_order: Vec<usize>,
    /// By template: what its limits leave.
    remaining: Vec<BTreeMap<Name, i64>>,
    /// What reservations have left; `None` when nothing is reserved.
    rations: Option<Rations>,
    /// Steps with every placement.
    version: u64,
    prefer_taints: bool,
    bounds: Bounds<'a>,
    /// By template: types that the bounds leave.
    small: Option<Vec<FixedBitSet>>,
    existing: BTreeMap<Name, Vec<Name>>,
    /// Pods in order of placement, with the form that each was placed in.
    log: Vec<(usize, usize)>,
    /// Pods that one new claim may hold.
    most_pods: usize,
    /// Placing is over and somebody is told why: causes are looked for.
    telling: bool,
}

/// Packs the pods of a problem.
pub fn solve(prepared: &Prepared, problem: &Problem<'_>, fuel: &mut Fuel) -> Solution {
    solve_bounded(prepared, problem, &Bounds::default(), fuel).solution
}

/// As [`solve`], given up as soon as `bounds` are passed.
pub fn solve_bounded(
    prepared: &Prepared,
    problem: &Problem<'_>,
    bounds: &Bounds<'_>,
    fuel: &mut Fuel,
) -> Bounded {
    let (pods, ignored) = sort_out(prepared, pods_of(prepared, problem));
    let mut solver = Solver::within(prepared, problem.without, problem.purpose, *bounds, pods);
    let left = solver.run(fuel);
    if solver.has_too_many() {
        return Bounded {
            solution: Solution::default(),
            too_many: true,
        };
    }
    Bounded {
        solution: solver.finish(left, ignored),
        too_many: false,
    }
}

/// Packs these pods, which need not be as the snapshot has them.
pub fn solve_pods(
    prepared: &Prepared,
    pods: Vec<(Name, Arc<Pod>)>,
    without: &BTreeSet<Name>,
    purpose: Purpose,
    fuel: &mut Fuel,
) -> Solution {
    let (pods, ignored) = sort_out(prepared, pods);
    let mut solver = Solver::new(prepared, without, purpose, pods);
    let left = solver.run(fuel);
    solver.finish(left, ignored)
}

/// Some place would rather not have everybody. Upstream asks the pools only, and so leaves a pod without a place that
/// a node would take.
fn prefer_taints(p: &Prepared) -> bool {
    let mut pools = p.templates.usable.iter().map(|t| &t.pool.template.taints);
    let mut nodes = p.taint_sets.iter().map(|(taints, _)| taints);
    pools.any(|t| relax::prefers(t)) || (!p.settings.parity && nodes.any(|t| relax::prefers(t)))
}

impl<'a> Solver<'a> {
    pub fn new(
        p: &'a Prepared,
        without: &'a BTreeSet<Name>,
        purpose: Purpose,
        pods: Vec<(Name, Arc<Pod>)>,
    ) -> Self {
        Self::within(p, without, purpose, Bounds::default(), pods)
    }

    /// As [`Self::new`], for a what-if that is given up past `bounds`.
    pub fn within(
        p: &'a Prepared,
        without: &'a BTreeSet<Name>,
        purpose: Purpose,
        bounds: Bounds<'a>,
        pods: Vec<(Name, Arc<Pod>)>,
    ) -> Self {
        let mut open_nodes = p.open.clone();
        for i in without
            .iter()
            .chain(bounds.closed)
            .filter_map(|name| p.node_ids.get(name))
        {
            open_nodes.remove(*i);
        }
        let topology = Topology::new(p, &pods, without);
        let mut out = Self {
            p,
            purpose,
            arena: Arena::new(p),
            topology,
            items: Vec::with_capacity(pods.len()),
            shapes: Vec::new(),
            forms: Vec::new(),
            resting: match purpose {
                Purpose::Simulate if !bounds.windows_open => p.resting().clone(),
                Purpose::Simulate | Purpose::Provision => FixedBitSet::new(),
            },
            open_nodes,
            nodes: Overlay::new(p, &pods),
            claims: Vec::new(),
            by_row: in_flight::ByRow::default(),
            by_pods: BTreeMap::new(),
            parity_order: Vec::new(),
            remaining: open::remaining(p, without),
            rations: p
                .settings
                .reserved_capacity
                .then(|| Rations::new(p.templates.sources.iter().map(|s| &*s.index)))
                .flatten(),
            version: 0,
            prefer_taints: prefer_taints(p),
            small: bounds.largest_cpu.map(|cpu| bounds::small_enough(p, cpu)),
            bounds,
            existing: BTreeMap::new(),
            log: Vec::new(),
            most_pods: usize::MAX,
            telling: false,
        };
        let mut shapes = Shapes::new(p, &pods);
        for (key, pod) in pods {
            let (shape, fresh) = shapes.of(p, &pod, purpose);
            if let Some(fresh) = fresh {
                out.shapes.push(fresh);
                // All rules of the batch are known before the first placement.
                out.form(shape, 0);
            }
            out.items.push(Item { key, pod, shape });
        }
        out
    }

    /// Places what can be placed; returns the pods that failed and whether fuel ran out, with the unreached ones.
    fn run(&mut self, fuel: &mut Fuel) -> queue::Left {
        let queue = queue::Queue::of(&self.items, (0..self.items.len()).collect());
        self.run_queue(queue, fuel)
    }

    fn run_queue(&mut self, mut queue: queue::Queue, fuel: &mut Fuel) -> queue::Left {
        while let Some(item) = queue.pop() {
            match self.attempt(item, fuel) {
                Some(true) => {
                    queue.placed(item);
                    if self.has_too_many() {
                        break;
                    }
                }
                Some(false) if self.ends_at(item) => {
                    queue.last_failed(item);
                    break;
                }
                Some(false) => queue.failed(item),
                None => {
                    queue.unreached(item);
                    break;
                }
            }
        }
        queue.left()
    }

    /// One pod with all its relaxations: placed or not; `None` when fuel ran out.
    fn attempt(&mut self, item: usize, fuel: &mut Fuel) -> Option<bool> {
        let shape = self.items[item].shape;
        if self.shapes[shape].failed_at == Some(self.version) {
            return Some(false);
        }
        self.shapes[shape].deferred = None;
        let mut level = 0;
        while let Some(form) = self.form(shape, level) {
            let mut taken = std::mem::take(&mut self.forms[form]);
            self.topology.refresh(&mut taken.member);
            let placed = self.place(item, &mut taken, fuel);
            self.forms[form] = taken;
            if placed? {
                self.version += 1;
                self.log.push((item, form));
                return Some(true);
            }
            // What is reserved now may be free in the next pass: nothing is given up for it.
            if self.shapes[shape].deferred.is_some() {
                break;
            }
            level += 1;
        }
        self.shapes[shape].failed_at = Some(self.version);
        Some(false)
    }

    fn place(&mut self, item: usize, form: &mut Form, fuel: &mut Fuel) -> Option<bool> {
        if self.place_existing(item, form, fuel)? {
            return Some(true);
        }
        if self.place_in_flight(item, form, fuel)? {
            return Some(true);
        }
        self.open(item, form, fuel)
    }

    fn finish(&mut self, left: queue::Left, mut unschedulable: Vec<Unschedulable>) -> Solution {
        self.telling = self.purpose == Purpose::Provision;
        let mut known: BTreeMap<usize, Unschedulable> = BTreeMap::new();
        let mut deferred = Vec::new();
        for item in left.failed {
            let shape = self.items[item].shape;
            if let Some(template) = self.shapes[shape].deferred {
                let pool = self.p.templates.usable[template].pool.name.clone();
                deferred.push(Unschedulable {
                    pod: self.items[item].key.clone(),
                    pools: vec![(pool, Refusal::Reserved)],
                    unknown: Vec::new(),
                });
                continue;
            }
            let one = if let Some(one) = known.get(&shape) {
                one.clone()
            } else {
                let one = self.unschedulable(shape);
                known.insert(shape, one.clone());
                one
            };
            unschedulable.push(Unschedulable {
                pod: self.items[item].key.clone(),
                ..one
            });
        }
        for item in left.unreached {
            unschedulable.push(Unschedulable {
                pod: self.items[item].key.clone(),
                pools: vec![("".into(), Refusal::OutOfFuel)],
                unknown: Vec::new(),
            });
        }
        let (claims, dropped) = self.drafts();
        unschedulable.extend(dropped);
        unschedulable.sort_by(|a, b| a.pod.cmp(&b.pod));
        deferred.sort_by(|a, b| a.pod.cmp(&b.pod));
        Solution {
            claims,
            existing: std::mem::take(&mut self.existing),
            unschedulable,
            deferred,
            relaxed: self.relaxed(),
        }
    }

    /// Why a shape has no place; the pod's name is left open.
    fn unschedulable(&mut self, shape: usize) -> Unschedulable {
        let spec = self.shapes[shape].pod.spec.clone();
        Unschedulable {
            pod: "".into(),
            pools: self.refusals(shape),
            unknown: if self.telling {
                self.p.vocabulary().unknown(&spec, &self.p.well_known)
            } else {
                Vec::new()
            },
        }
    }
}
