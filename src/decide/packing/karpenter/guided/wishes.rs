//! The pods that the greedy put on new nodes, as a market.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use crate::api::names;
use crate::decide::packing::karpenter::Solver;
use crate::decide::packing::karpenter::form::Form;
use crate::decide::packing::karpenter::open::Allowance;
use crate::decide::packing::market::{self, Market, Want};
use crate::decide::scheduling::topology::Kind;
use crate::model::{Name, Requirement, Requirements};

/// What the pods on new nodes ask for, domains of topology fixed as the run had them.
pub struct Wishes {
    pub market: Market,
    /// Ask → its pods, in the order in which the run placed them.
    pub pods: Vec<Vec<usize>>,
    /// By ask: where topology put them.
    pub(super) pins: Vec<Requirements>,
    /// Class → classes whose requirements contradict it.
    pub apart: Vec<FixedBitSet>,
}

#[derive(Default)]
struct Known {
    by_row: BTreeMap<(usize, u32), usize>,
    by_pins: BTreeMap<(usize, Requirements), usize>,
    slots: BTreeMap<SlotOf, usize>,
}

/// What a node has only some of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SlotOf {
    Port(u16, Name),
    Group(usize),
}

impl Solver<'_> {
    pub(super) fn wishes(&mut self) -> Wishes {
        let mut claim_of: BTreeMap<usize, usize> = BTreeMap::new();
        for (c, claim) in self.claims.iter().enumerate() {
            claim_of.extend(claim.pods.iter().map(|item| (*item, c)));
        }
        let mut wants: Vec<Want> = Vec::new();
        let mut pins: Vec<Requirements> = Vec::new();
        let mut of_want: Vec<Vec<usize>> = Vec::new();
        let mut most: Vec<i64> = Vec::new();
        let mut known = Known::default();
        for (item, form) in self.log.clone() {
            let Some(c) = claim_of.get(&item) else {
                continue;
            };
            let row = self.claims[*c].row;
            let id = if let Some(id) = known.by_row.get(&(form, row)) {
                *id
            } else {
                let pinned = self.pins(form, row);
                let next = wants.len();
                let id = *known.by_pins.entry((form, pinned.clone())).or_insert(next);
                if id == next {
                    wants.push(self.want(form, &pinned, &mut known, &mut most));
                    pins.push(pinned);
                    of_want.push(Vec::new());
                }
                known.by_row.insert((form, row), id);
                id
            };
            wants[id].count += 1;
            of_want[id].push(item);
        }
        let (mut market, asks) = market::build(self.p, &self.arena, &wants, &most);
        self.within_limits(&mut market);
        let mut pods: Vec<Vec<usize>> = vec![Vec::new(); market.asks.len()];
        let mut ask_pins = vec![Requirements::default(); market.asks.len()];
        let mut class_wants: Vec<Vec<u32>> = vec![Vec::new(); market.classes];
        for (want, ask) in asks.iter().enumerate() {
            pods[*ask].extend(&of_want[want]);
            ask_pins[*ask] = pins[want].clone();
            class_wants[market.asks[*ask].class].clone_from(&wants[want].rows);
        }
        let place: BTreeMap<usize, usize> = self
            .log
            .iter()
            .enumerate()
            .map(|(i, (item, _))| (*item, i))
            .collect();
        for list in &mut pods {
            list.sort_by_key(|item| place.get(item).copied());
        }
        let apart = self.apart(&class_wants);
        Wishes {
            market,
            pods,
            pins: ask_pins,
            apart,
        }
    }

    /// The single domains to which a claim is narrowed in what the form's topology is about, hostnames left out.
    fn pins(&self, form: usize, row: u32) -> Requirements {
        let row = self.arena.row(row);
        let requirements = &row.requirements;
        let keys = self.forms[form]
            .member
            .groups()
            .map(|(g, _)| &self.topology.group(g).rule.key);
        keys.filter(|key| &***key != names::HOSTNAME)
            .filter_map(|key| requirements.get(key))
            .filter(|r| !r.complement && r.values.len() == 1)
            .map(|r| Requirement::is_in(&r.key, r.values.iter().cloned()))
            .collect()
    }

    fn want(&mut self, form: usize, pins: &Requirements, known: &mut Known, most: &mut Vec<i64>) -> Want {
        let taken = std::mem::take(&mut self.forms[form]);
        let mut slots = Vec::new();
        let mut slot = |of: SlotOf, n: i64| {
            let next = most.len();
            let id = *known.slots.entry(of).or_insert(next);
            if id == next {
                most.push(n);
            }
            slots.push(id);
        };
        for port in &taken.spec.host_ports {
            slot(SlotOf::Port(port.port, port.protocol.clone()), 1);
        }
        for (g, selects_itself) in &taken.member.owned {
            let rule = &self.topology.group(*g).rule;
            match rule.kind {
                _ if !rule.is_per_host() || !selects_itself => {}
                Kind::AntiAffinity => slot(SlotOf::Group(*g), 1),
                Kind::Spread => slot(SlotOf::Group(*g), i64::from(rule.max_skew.max(1))),
                Kind::Affinity => {}
            }
        }
        slots.sort_unstable();
        slots.dedup();
        let out = Want {
            rows: self.rows_of(&taken, pins),
            requests: taken.requests.clone(),
            slots,
            count: 0,
        };
        self.forms[form] = taken;
        out
    }

    /// Rows of fresh claims that suit a form, of the heaviest pools that have one: a pool's weight is a wish that
    /// a better price does not overrule.
    fn rows_of(&mut self, form: &Form, pins: &Requirements) -> Vec<u32> {
        let pins = self.arena.demand(pins.clone());
        let mut out = Vec::new();
        let mut weight = None;
        for t in 0..self.p.templates.usable.len() {
            let of_pool = self.p.templates.usable[t].pool.weight;
            if !form.tolerated[t] || weight.is_some_and(|w| w != of_pool) {
                continue;
            }
            let Allowance::Types(types, _) = self.allowance(t) else {
                continue;
            };
            let base = u32::try_from(t).unwrap_or(u32::MAX);
            let Ok(row) = self.arena.join(base, form.demand) else {
                continue;
            };
            let alternatives: Vec<u32> = if form.volumes.is_empty() {
                vec![row]
            } else {
                let volumes = form.volumes.iter();
                volumes
                    .filter_map(|(v, _)| self.arena.join(row, *v).ok())
                    .collect()
            };
            for row in alternatives {
                let Ok(row) = self.arena.join(row, pins) else {
                    continue;
                };
                let mut some = types.clone();
                self.arena.row(row).filter(&mut some);
                if !self
                    .fitting(t, &some, &form.requests, &[], &form.spec.host_ports)
                    .is_clear()
                {
                    out.push(row);
                    weight = Some(of_pool);
                }
            }
        }
        out
    }

    /// Offers larger than a pool's limits are none.
    fn within_limits(&self, market: &mut Market) {
        let allowed: Vec<Option<FixedBitSet>> = (0..self.p.templates.usable.len())
            .map(|t| match self.allowance(t) {
                Allowance::Types(types, _) => Some(types),
                Allowance::Nodes => None,
            })
            .collect();
        market.offers.retain(|o| {
            allowed[o.template]
                .as_ref()
                .is_some_and(|types| types.contains(o.kind))
        });
    }

    /// Classes whose rows have nothing in common.
    fn apart(&mut self, classes: &[Vec<u32>]) -> Vec<FixedBitSet> {
        /// Beyond that many the checks find out.
        const MOST: usize = 128;
        let mut out = vec![FixedBitSet::with_capacity(classes.len()); classes.len()];
        if classes.len() > MOST {
            return out;
        }
        for a in 0..classes.len() {
            for b in 0..a {
                let meet = classes[a].iter().any(|x| {
                    classes[b].iter().any(|y| {
                        let (x, y) = (self.arena.row(*x), self.arena.row(*y));
                        x.template == y.template && x.requirements.intersects(&y.requirements).is_ok()
                    })
                });
                if !meet {
                    out[a].insert(b);
                    out[b].insert(a);
                }
            }
        }
        out
    }
}
