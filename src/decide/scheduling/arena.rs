//! Requirement sets by number: the solver joins each pair once and never compares a string twice.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::labels::{SIMULATED, WellKnown};
use super::prepare::Prepared;
use crate::model::decision::evidence::RankRow;
use crate::model::index::Index;
use crate::model::requirements::Incompatible;
use crate::model::{Requirement, Requirements, UsdPerHour};

/// What a claim of some template demands, and what that means for its catalogue.
#[derive(Debug)]
pub struct Row {
    pub template: usize,
    pub requirements: Requirements,
    /// Types whose own requirements suit.
    pub compat: FixedBitSet,
    pub groups: FixedBitSet,
    /// Number of (template, groups).
    prices: u32,
    /// Types with an available offering that suits.
    pub offered: FixedBitSet,
    fallen: OnceCell<Fallen>,
}

/// Requirements of a row in order, each with the types that it takes from those before.
pub type Fallen = Vec<(Requirement, FixedBitSet)>;

impl Row {
    /// Removes the types that the requirements exclude.
    pub fn filter(&self, types: &mut FixedBitSet) {
        types.intersect_with(&self.compat);
        types.intersect_with(&self.offered);
    }

    /// Which requirement takes which types away, those that take none and those of simulations left out.
    pub fn fallen(&self, index: &Index) -> &Fallen {
        self.fallen.get_or_init(|| {
            let mut left = index.all();
            let mut out = Fallen::new();
            for requirement in self.requirements.iter().filter(|r| !SIMULATED.contains(&&*r.key)) {
                let mut gone = left.clone();
                gone.difference_with(&index.matching(requirement));
                if !gone.is_clear() {
                    left.difference_with(&gone);
                    out.push((requirement.clone(), gone));
                }
            }
            out
        })
    }
}

/// Types with the price of their cheapest offering, ascending.
pub type Order = Vec<(UsdPerHour, u32)>;

/// Rows `0..templates` are the templates themselves.
#[derive(Debug)]
pub struct Arena<'a> {
    well_known: &'a WellKnown,
    indexes: Vec<&'a Index>,
    rows: Vec<Rc<Row>>,
    by_content: BTreeMap<(usize, Requirements), u32>,
    demands: Vec<Rc<Requirements>>,
    demand_ids: BTreeMap<Rc<Requirements>, u32>,
    joins: BTreeMap<(u32, u32), Result<u32, Rc<Incompatible>>>,
    prices: BTreeMap<(usize, FixedBitSet), u32>,
    orders: BTreeMap<u32, Rc<Order>>,
    /// By (prices, type).
    ranks: BTreeMap<(u32, u32), Option<Arc<RankRow>>>,
}

fn next(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl<'a> Arena<'a> {
    pub fn new(prepared: &'a Prepared) -> Self {
        let mut out = Self {
            well_known: &prepared.well_known,
            indexes: Vec::new(),
            rows: Vec::new(),
            by_content: BTreeMap::new(),
            demands: Vec::new(),
            demand_ids: BTreeMap::new(),
            joins: BTreeMap::new(),
            prices: BTreeMap::new(),
            orders: BTreeMap::new(),
            ranks: BTreeMap::new(),
        };
        for (i, template) in prepared.templates.usable.iter().enumerate() {
            out.indexes.push(&template.index);
            out.by_content.insert((i, template.requirements.clone()), next(i));
            let prices = out.prices(i, &template.groups);
            out.rows.push(Rc::new(Row {
                template: i,
                requirements: template.requirements.clone(),
                compat: template.compat.clone(),
                groups: template.groups.clone(),
                prices,
                offered: template.offered.clone(),
                fallen: OnceCell::new(),
            }));
        }
        out
    }

    /// The number of a pod's requirements, or of any others that claims get joined with.
    pub fn demand(&mut self, requirements: Requirements) -> u32 {
        if let Some(id) = self.demand_ids.get(&requirements) {
            return *id;
        }
        let shared = Rc::new(requirements);
        let id = next(self.demands.len());
        self.demands.push(shared.clone());
        self.demand_ids.insert(shared, id);
        id
    }

    pub fn row(&self, id: u32) -> Rc<Row> {
        self.rows[id as usize].clone()
    }

    /// The claim requirements `row` narrowed by `demand` (`scheduling §17.1`, 2).
    pub fn join(&mut self, row: u32, demand: u32) -> Result<u32, Rc<Incompatible>> {
        if let Some(known) = self.joins.get(&(row, demand)) {
            return known.clone();
        }
        let answer = self.joined(row, demand);
        self.joins.insert((row, demand), answer.clone());
        answer
    }

    fn joined(&mut self, row: u32, demand: u32) -> Result<u32, Rc<Incompatible>> {
        let base = self.row(row);
        let wanted = self.demands[demand as usize].clone();
        let known = self.well_known;
        base.requirements
            .compatible(&wanted, |k| known.has(k))
            .map_err(Rc::new)?;
        let mut requirements = base.requirements.clone();
        requirements.add_all(&wanted);
        if requirements == base.requirements {
            return Ok(row);
        }
        let key = (base.template, requirements);
        if let Some(id) = self.by_content.get(&key) {
            return Ok(*id);
        }
        let (template, requirements) = key.clone();
        let index = self.indexes[template];
        let mut compat = base.compat.clone();
        let mut touches_offerings = false;
        for changed in wanted.0.keys() {
            if let Some(requirement) = requirements.get(changed) {
                compat.intersect_with(&index.matching(requirement));
            }
            touches_offerings |= index.offering_keys.contains(changed);
        }
        let (groups, offered) = if touches_offerings {
            let groups = index.compatible_groups(&requirements, |k| known.has(k));
            let offered = index.offered(&groups);
            (groups, offered)
        } else {
            (base.groups.clone(), base.offered.clone())
        };
        let id = next(self.rows.len());
        let prices = self.prices(template, &groups);
        self.rows.push(Rc::new(Row {
            template,
            requirements,
            compat,
            groups,
            prices,
            offered,
            fallen: OnceCell::new(),
        }));
        self.by_content.insert(key, id);
        Ok(id)
    }

    fn prices(&mut self, template: usize, groups: &FixedBitSet) -> u32 {
        let next = next(self.prices.len());
        *self.prices.entry((template, groups.clone())).or_insert(next)
    }

    /// All types of the row's catalogue by their cheapest offering that suits the row.
    pub fn by_price(&mut self, row: &Row) -> Rc<Order> {
        if let Some(order) = self.orders.get(&row.prices) {
            return order.clone();
        }
        let order = Rc::new(self.indexes[row.template].by_price(&row.groups));
        self.orders.insert(row.prices, order.clone());
        order
    }

    /// A type's line in a ranking, made once for all rows with the same offerings.
    pub fn rank(
        &mut self,
        row: &Row,
        kind: u32,
        make: impl FnOnce() -> Option<RankRow>,
    ) -> Option<Arc<RankRow>> {
        let known = self.ranks.entry((row.prices, kind));
        known.or_insert_with(|| make().map(Arc::new)).clone()
    }
}
